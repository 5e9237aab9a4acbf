"""Damaged saved stages: what loading them makes of them."""

from __future__ import annotations

import random
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import sparkdl
from fuzz.mutations import damage_bytes, damage_json
from fuzz.tally import Tally
from fuzz.trees import read_tree, scratch_folder, write_tree
from sparkdl import KerasEstimator, TFTransformer

_METADATA = "metadata/part-"


def fuzz_stages(spark: Any, inputs: int, seed: int) -> Tally:
    """Load saved stages of which one file is damaged."""
    tally = Tally("saved stages")
    with scratch_folder() as folder:
        stages = (_saved(_transformer(folder), folder), _saved(_estimator(folder), folder))
        for i in range(inputs):
            draw = random.Random(f"{seed}-stage-{i}")
            kind, whole = draw.choice(stages)
            path = folder / f"{i}"
            part = _damaged(draw, whole, path)
            name = f"seed {seed}, {kind.__name__} {i} ({part})"
            tally.attempt(name, partial(kind.load, str(path)))
            shutil.rmtree(path)
    return tally.finish()


def _transformer(folder: Path) -> Any:
    spec = {"x": ("float32", [None, 3])}
    bundle = sparkdl.save_bundle(lambda x: {"y": 3.0 * x}, folder / "bundle", inputs=spec)
    return TFTransformer(tfInputGraph=bundle, inputMapping={"x": "x"}, outputMapping={"y": "z"})


def _estimator(folder: Path) -> Any:
    import keras

    file = folder / "network.keras"
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)]).save(file)
    return KerasEstimator(
        modelFile=str(file), inputCols=["x"], labelCols=["y"], optimizer="adam", loss="mse"
    )


def _saved(stage: Any, folder: Path) -> tuple[Any, dict[str, bytes]]:
    """Return the class and the files of a stage."""
    path = folder / type(stage).__name__
    stage.save(str(path))
    return type(stage), read_tree(path)


def _damaged(draw: random.Random, whole: dict[str, bytes], path: Path) -> str:
    # What Spark checks itself would be refused without a look at what is damaged.
    files = {name: data for name, data in whole.items() if not name.endswith(".crc")}
    [metadata] = (name for name in files if name.startswith(_METADATA))
    part = draw.choice([metadata, metadata, *sorted(files)])
    if part == metadata or part.endswith(".json"):
        files[part] = damage_json(draw, files[part].decode()).encode()
    elif draw.random() < 0.2:
        del files[part]
    else:
        files[part] = damage_bytes(draw, files[part], list(whole.values()))
    write_tree(path, files)
    return part
