"""Fine-tuning: which of the named networks tells your classes of images apart best.

    python examples/fine_tuning.py FOLDER [--models NAME,NAME] [--epochs N] [--out DIR]

FOLDER has a folder of images per class. A head is trained on the features of each network, with
the same fifth of the images held out; the table of all is printed, the best one is kept. DIR gets
pictures, and the best model: as a stage for Spark, and as a file of Keras where Keras has the
network.
"""

import argparse
from pathlib import Path

import sparkdl
from sparkdl import plot
from sparkdl.errors import InvalidModelException

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("folder")
parser.add_argument("--models", default="MobileNetV2,ResNet50")
parser.add_argument("--epochs", type=int, default=20)
parser.add_argument("--out", default="fine-tuned")
options = parser.parse_args()

spark = sparkdl.start(app_name="fine-tuning")
files = spark.read.format("binaryFile").option("recursiveFileLookup", True).load(options.folder)
images = files.selectExpr("content", "element_at(split(path, '/'), -2) AS kind")

comparison = sparkdl.compare_models(
    images,
    options.models.split(","),
    inputCol="content",
    labelCol="kind",
    epochs=options.epochs,
    handleInvalid="skip",  # a folder may have other files
)
print(comparison)
model = comparison.best
print(model.summary())

out = Path(options.out)
out.mkdir(parents=True, exist_ok=True)
comparison.plot().savefig(out / "comparison.png")
model.plot_history().savefig(out / "history.png")
rows = model.transform(images).select("content", "kind", "predictedLabel").collect()
kinds, predicted = [r.kind for r in rows], [r.predictedLabel for r in rows]
plot.confusion_matrix(kinds, predicted).savefig(out / "confusion.png")
some = slice(0, 24)
shown = plot.predictions([r.content for r in rows][some], predicted[some], kinds[some])
shown.savefig(out / "predictions.png")

model.write().overwrite().save(str(out / "stage"))
try:
    print("Keras:", model.export_keras(out / "model.keras"))
except InvalidModelException as e:
    print(e)
spark.stop()
