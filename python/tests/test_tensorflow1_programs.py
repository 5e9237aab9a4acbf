"""Programs that switch TensorFlow 2 off, as most of TensorFlow 1 do in their first line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from separate_program import run_program

PROGRAM = Path(__file__).parent / "programs" / "tensorflow1_switch.py"
SWITCHES = [
    "disable_v2_behavior",
    "disable_eager_execution",
    "disable_v2_tensorshape",
    "disable_resource_variables",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models of known results, in each kind of file, and a picture of one colour."""
    import keras
    import tensorflow as tf
    import tf_keras

    folder = tmp_path_factory.mktemp("models")
    for library, names in ((keras, ("table.keras", "table.h5")), (tf_keras, ("keras2.h5",))):
        summing = library.layers.Dense(1, kernel_initializer="ones", name="sum")
        table = library.Sequential([library.Input((3,), name="x"), summing])
        for name in names:
            table.save(folder / name)
    pooling = keras.layers.GlobalAveragePooling2D()
    keras.Sequential([keras.Input((None, None, 3)), pooling]).save(folder / "image.h5")

    class Doubled(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32, name="x")])
        def score(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
            return {"y": 2 * tf.reduce_sum(x, axis=1)}

    doubled = Doubled()
    tf.saved_model.save(doubled, str(folder / "saved_model"), signatures=doubled.score)
    (folder / "pictures").mkdir()
    pixels = np.broadcast_to(np.uint8([10, 20, 30]), (8, 8, 3))
    Image.fromarray(np.ascontiguousarray(pixels)).save(folder / "pictures" / "0.png")
    for kind, colour in (("warm", (220, 90, 30)), ("cold", (20, 80, 200))):
        (folder / kind).mkdir()
        for i in range(2):
            shade = tuple(min(255, c + 8 * i) for c in colour)
            Image.new("RGB", (40, 36), shade).save(folder / kind / f"{i}.png")
    return folder


@pytest.mark.parametrize("switch", SWITCHES)
def test_every_public_entry_works_in_a_program_that_switched_tensorflow_2_off(
    switch: str, folder: Path
) -> None:
    found, _ = run_program(PROGRAM, switch, folder)
    examples = [n for n in found if n.endswith(".py")]
    assert len(found) - len(examples) > 20
    assert len(examples) == (6 if switch == "disable_v2_behavior" else 0)
    wrong = {entry: why for entry, why in found.items() if why != "right"}
    assert not wrong, "\n".join(f"{entry}: {why}" for entry, why in wrong.items())
