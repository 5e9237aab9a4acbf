"""Ways from a large JPEG to a model's few pixels, for `large_photos.py`; one thread each."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from imagebench.jvm_model import append_output
from imagebench.photos import picture_files
from imagebench.stages import SparkdlMode
from imagebench.task import Mode, Task


class ScaledWhileDecoding(SparkdlMode):
    """sparkdl on encoded bytes: area averaging, after decoding at 1/r of the size."""

    column = "content"
    hint = "SCALE_AREA_AVERAGING"

    def with_features(self, files: Any) -> Any:
        return self._output(files, "mean")

    def _output(self, files: Any, output: str) -> Any:
        return append_output(
            files,
            self.task.bundle,
            output,
            column=self.column,
            result="features",
            batch=self.task.batch,
            hint=self.hint,
        )

    def features(self) -> np.ndarray:
        self.frame = self._output(self.files, "pixels")
        return super().features()


class DecodedAtFullSize(ScaledWhileDecoding):
    """sparkdl on encoded bytes: decoded at full size, bilinear."""

    hint = "SCALE_DEFAULT"


class ReadAsStructs(ScaledWhileDecoding):
    """readImages, which decodes at full size into rows; then area averaging from the struct."""

    column = "image"

    def read(self) -> Any:
        from pyspark.sql.functions import col
        from sparkdl import readImages

        return readImages(self.task.images).withColumn("path", col("image.origin"))


class TensorFlowFullSize(Mode):
    """tf.io.decode_jpeg and tf.image.resize in Python, one thread."""

    def __init__(self, task: Task) -> None:
        import tensorflow as tf

        from imagebench.plain import decoded

        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        self.paths = picture_files(task.images)
        signature = [tf.TensorSpec([], tf.string)]
        self.decode = tf.function(lambda c: decoded(c, task.size), input_signature=signature)

    def _pixels(self, path: str) -> np.ndarray:
        return self.decode(Path(path).read_bytes()).numpy()

    def first(self) -> None:
        self._pixels(self.paths[0])

    def run(self) -> None:
        for path in self.paths:
            self._pixels(path)

    def features(self) -> np.ndarray:
        return np.array([self._pixels(path).reshape(-1) for path in self.paths], np.float32)


class Pillow(TensorFlowFullSize):
    """Pillow: open, convert, resize with BOX, one thread."""

    def __init__(self, task: Task) -> None:
        self.paths = picture_files(task.images)
        self.size = task.size

    def _pixels(self, path: str) -> np.ndarray:
        from PIL import Image

        image = Image.open(io.BytesIO(Path(path).read_bytes())).convert("RGB")
        return np.asarray(image.resize((self.size, self.size), Image.Resampling.BOX))


def export(folder: Path, size: int) -> None:
    """Write a bundle that returns the pixels, and their mean."""
    import sparkdl
    import tensorflow as tf

    def outputs(images: Any) -> dict[str, Any]:
        pixels = tf.cast(images, tf.float32)
        return {
            "mean": tf.reduce_mean(pixels, [1, 2]),
            "pixels": tf.reshape(pixels, [-1, size * size * 3]),
        }

    sparkdl.save_bundle(
        outputs,
        folder,
        inputs={"images": ("uint8", [None, size, size, 3])},
        image={"height": size, "width": size},
        overwrite=True,
    )


if __name__ == "__main__":
    import sys

    export(Path(sys.argv[1]), int(sys.argv[2]))
