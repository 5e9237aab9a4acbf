"""Images that arrive while the query runs: Structured Streaming with a DeepImagePredictor.

    python examples/streaming.py

Pictures of digits are put into a folder one after another; TinyNet, which comes with sparkdl and
was trained on drawn digits and letters only, names what is on them.
"""

import tempfile
from pathlib import Path

import sparkdl
from PIL import Image
from sklearn.datasets import load_digits

spark = sparkdl.start(app_name="streaming")
inbox = Path(tempfile.mkdtemp())

files = spark.readStream.format("binaryFile").schema(
    "path string, modificationTime timestamp, length long, content binary"
)
predictor = sparkdl.DeepImagePredictor(
    inputCol="content",
    outputCol="predicted",
    modelName="TinyNet",
    decodePredictions=True,
    topK=1,
    handleInvalid="keep",  # a damaged file must not stop the query
    errorCol="error",
)
best = predictor.transform(files.load(str(inbox))).selectExpr(
    "element_at(split(path, '/'), -1) AS file", "predicted[0].description AS seen", "error"
)
query = best.writeStream.format("memory").queryName("seen").start()

digits = load_digits()
for number in range(5):
    pixels = (digits.images[number] * 255 / 16).round().astype("uint8")
    Image.fromarray(pixels).save(inbox / f"{number}_is_{digits.target[number]}.png")
    query.processAllAvailable()
(inbox / "broken.png").write_bytes(b"no picture")
query.processAllAvailable()

spark.table("seen").show(truncate=False)
query.stop()
spark.stop()
