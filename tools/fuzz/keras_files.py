"""Damaged files of Keras: what reading them, and making bundles of them, makes of them."""

from __future__ import annotations

import io
import random
import shutil
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import sparkdl
from fuzz.mutations import damage_bytes, damage_json
from fuzz.tally import Tally
from fuzz.trees import scratch_folder


def fuzz_keras_files(spark: Any, inputs: int, seed: int) -> Tally:
    """Make bundles of .keras and .h5 files whose bytes or configurations are damaged."""
    tally = Tally("files of Keras")
    with scratch_folder() as folder:
        whole = _files(folder)
        for i in range(inputs):
            draw = random.Random(f"{seed}-keras-{i}")
            name = draw.choice(sorted(whole))
            path = folder / f"damaged{name}"
            path.write_bytes(_damaged(draw, name, whole))
            bundle = folder / "bundle"
            tally.attempt(
                f"seed {seed}, Keras {i} ({name})", partial(sparkdl.save_bundle, path, bundle)
            )
            shutil.rmtree(bundle, ignore_errors=True)
    return tally.finish()


def _files(folder: Path) -> dict[str, bytes]:
    import keras

    keras.utils.set_random_seed(1)
    inputs = keras.Input((4,), name="x")
    hidden = keras.layers.Dense(3, activation="relu", name="hidden")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(2, name="out")(hidden))
    model.compile("adam", "mse")
    files = {}
    for ending in (".keras", ".h5"):
        model.save(folder / f"whole{ending}")
        files[ending] = (folder / f"whole{ending}").read_bytes()
    return files


def _damaged(draw: random.Random, name: str, whole: dict[str, bytes]) -> bytes:
    content = whole[name]
    if name == ".h5" or draw.random() < 0.4:
        return damage_bytes(draw, content, list(whole.values()))
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(out, "w") as target:
        part = draw.choice(source.namelist())
        for entry in source.namelist():
            data = source.read(entry)
            if entry == part:
                text = entry.endswith(".json")
                data = (
                    damage_json(draw, data.decode()).encode() if text else damage_bytes(draw, data)
                )
            target.writestr(entry, data)
    return out.getvalue()
