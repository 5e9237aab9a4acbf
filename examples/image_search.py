"""Images that look like a given one, in plain SQL.

    python examples/image_search.py [FOLDER] [--model NAME]

With outputMode="array" the features are arrays of float, which SQL's own functions take: the most
similar images come first by ORDER BY. TinyNet comes with sparkdl; without a folder, scikit-learn's
digits are the images.
"""

import argparse
import tempfile
from pathlib import Path

import sparkdl

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("folder", nargs="?")
parser.add_argument("--model", default="TinyNet")
options = parser.parse_args()


def drawn():
    """Write some digits as pictures and return their folder."""
    from PIL import Image
    from sklearn.datasets import load_digits

    digits, folder = load_digits(), Path(tempfile.mkdtemp())
    for i in range(60):
        picture = Image.fromarray((digits.images[i] * 15.9).astype("uint8")).resize((32, 32))
        picture.convert("RGB").save(folder / f"{digits.target[i]}-{i}.png")
    return str(folder)


spark = sparkdl.start(app_name="search by example")
files = spark.read.format("binaryFile").load(options.folder or drawn())
featurizer = sparkdl.DeepImageFeaturizer(
    inputCol="content", outputCol="features", modelName=options.model, outputMode="array"
)
pictures = featurizer.transform(files).selectExpr(
    "element_at(split(path, '/'), -1) AS name", "features"
)
pictures.cache().createOrReplaceTempView("pictures")
# Spark 4.2 has vector_cosine_similarity for this.
spark.sql(
    """
    CREATE OR REPLACE TEMPORARY FUNCTION dot(a ARRAY<FLOAT>, b ARRAY<FLOAT>) RETURNS DOUBLE
    RETURN aggregate(zip_with(a, b, (x, y) -> CAST(x * y AS DOUBLE)), 0D, (sum, v) -> sum + v)
    """
)
spark.sql(
    """
    WITH example AS (SELECT * FROM pictures ORDER BY name LIMIT 1)
    SELECT example.name AS example, p.name AS found, round(
        dot(p.features, example.features)
        / sqrt(dot(p.features, p.features) * dot(example.features, example.features)), 3
    ) AS cosine
    FROM pictures AS p CROSS JOIN example WHERE p.name <> example.name
    ORDER BY cosine DESC LIMIT 5
    """
).show(truncate=False)
spark.stop()
