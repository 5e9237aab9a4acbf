"""Damaged bundles: what `load_model` and a run make of them."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import sparkdl
from fuzz.mutations import damage_bytes, damage_json
from fuzz.tally import Tally
from fuzz.trees import read_tree, scratch_folder, write_tree

_MANIFEST = "model.json"
_RUNS = 0.05  # of the bundles that are taken although their description is damaged


def fuzz_bundles(spark: Any, inputs: int, seed: int) -> Tally:
    """Load bundles with one damaged file, mostly with hashes that fit, and run some of them."""
    tally = Tally("bundles")
    with scratch_folder() as folder:
        whole = _bundle(folder / "whole")
        rows = spark.createDataFrame(
            [([1.0, 2.0, 3.0], "a"), ([4.0, 5.0, 6.0], "b")], "x array<float>, s string"
        )
        for i in range(inputs):
            draw = random.Random(f"{seed}-bundle-{i}")
            path = folder / f"{i}"
            part = _damaged(draw, whole, path)
            name = f"seed {seed}, bundle {i} ({part})"
            loaded: list[Any] = []
            if (
                tally.attempt(name, partial(_load, path, loaded))
                and part == _MANIFEST
                and draw.random() < _RUNS
            ):
                tally.attempt(f"{name}, run", partial(_run, loaded[0], rows))
            shutil.rmtree(path)
    return tally.finish()


def _load(path: Path, loaded: list[Any]) -> None:
    model = sparkdl.load_model(path)
    model.describe()
    loaded.append(model)


def _run(model: Any, rows: Any) -> None:
    columns = ["x" if spec.dtype != "string" else "s" for spec in model.inputs]
    rows.select(model(*columns)).collect()


def _bundle(path: Path) -> dict[str, bytes]:
    import tensorflow as tf

    def network(x: Any) -> dict[str, Any]:
        weights = tf.constant([[0.5, 1.0], [1.5, -2.0], [0.25, 3.0]])
        return {
            "y": tf.nn.softmax(x @ weights),
            "n": tf.cast(tf.shape(x)[1:], tf.int64) + tf.zeros_like(x[:, :1], tf.int64),
        }

    labels = [("n0", "zero"), ("n1", "one")]
    sparkdl.save_bundle(network, path, inputs={"x": ("float32", [None, 3])}, labels=labels)
    return read_tree(path)


def _damaged(draw: random.Random, whole: dict[str, bytes], path: Path) -> str:
    """Write a bundle with one damaged file, and return which."""
    files = dict(whole)
    part = draw.choice([_MANIFEST, _MANIFEST, *sorted(files)])
    if part.endswith(".json"):
        files[part] = damage_json(draw, files[part].decode()).encode()
    else:
        files[part] = damage_bytes(draw, files[part], list(whole.values()))
    if part != _MANIFEST and draw.random() < 0.8:  # as one who wants it to be believed does
        manifest = json.loads(files[_MANIFEST])
        manifest["files"][part] = hashlib.sha256(files[part]).hexdigest()
        files[_MANIFEST] = json.dumps(manifest).encode()
    write_tree(path, files)
    return part
