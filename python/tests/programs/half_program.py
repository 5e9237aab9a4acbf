"""What a Python user submits; start() takes spark-submit's session or makes one.

Its argument is a bundle of x / 2.
"""

import sys

import sparkdl
from sparkdl.session.jvm_door import door

spark = sparkdl.start(app_name="a Python program")
sparkdl.load_model(sys.argv[1]).register("half")
rows = spark.sql("SELECT half(CAST(id AS FLOAT)) FROM range(4)").collect()
print(f"RESULT sparkdl {door().version()} halves {' '.join(str(row[0]) for row in rows)}")
spark.stop()
