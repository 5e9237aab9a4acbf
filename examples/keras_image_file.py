"""A Keras model on image files, with a custom loader and without one.

    python examples/keras_image_file.py

The model is trained here in a few seconds, on scikit-learn's pictures of digits.
"""

import tempfile
from pathlib import Path

import keras
import numpy as np
import sparkdl
from PIL import Image
from sklearn.datasets import load_digits

digits = load_digits()
pixels = np.repeat((digits.images * 255 / 16).round().astype("uint8")[..., None], 3, axis=-1)
folder = Path(tempfile.mkdtemp())
for number, (image, digit) in enumerate(zip(pixels[:60], digits.target, strict=False)):
    Image.fromarray(image).save(folder / f"{number:02}_{digit}.png")

keras.utils.set_random_seed(1)
model = keras.Sequential(
    [
        keras.Input((8, 8, 3)),
        keras.layers.Conv2D(16, 3, activation="relu"),
        keras.layers.Flatten(),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(pixels[60:] / 127.5 - 1.0, digits.target[60:], epochs=10, verbose=0)
model.save(folder / "digits.keras")

spark = sparkdl.start(app_name="Keras on image files")
uris = spark.createDataFrame([(str(p),) for p in sorted(folder.glob("*.png"))], "uri string")


def load(uri):
    """Read one file as the model was trained: RGB, [1, height, width, channels], -1 to 1."""
    with Image.open(uri) as image:
        return np.asarray(image.convert("RGB"), np.float32)[None] / 127.5 - 1.0


with_loader = sparkdl.KerasImageFileTransformer(
    inputCol="uri", outputCol="p", modelFile=folder / "digits.keras", imageLoader=load
)
# The same without Python in the executors: decoding, resizing and scaling happen in the JVM.
without_loader = sparkdl.KerasImageFileTransformer(
    inputCol="uri", outputCol="p", modelFile=folder / "digits.keras", preprocessing="tf"
)
for stage in (with_loader, without_loader):
    rows = stage.transform(uris).collect()
    right = sum(int(np.argmax(r.p)) == int(Path(r.uri).stem[-1]) for r in rows)
    print(f"{right} of {len(rows)} digits are right")
spark.stop()
