"""The network that comes with sparkdl."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from parity import run_bundle

from sparkdl._bundles.description.manifest import verify_bundle
from sparkdl.labels import read_labels
from sparkdl.networks.named_models import named_model

BUNDLE = Path(__file__).parents[2] / "src/main/resources/org/sparkdl/bundles/TinyNet"


def test_the_bundle_is_whole_small_and_as_the_table_says() -> None:
    manifest, model = verify_bundle(BUNDLE), named_model("TinyNet")
    assert manifest["name"] == model.name
    assert manifest["inputs"][0]["name"] == "images"
    assert manifest["inputs"][0]["shape"] == [-1, model.height, model.width, 3]
    shapes = {o["name"]: o["shape"] for o in manifest["outputs"]}
    assert shapes == {
        "features_avg": [-1, model.features],
        "features_max": [-1, model.features],
        "features_none": [-1, int(np.prod(model.featureMap))],
        "predictions": [-1, model.classes],
    }
    size = (BUNDLE / "graph.pb").stat().st_size
    assert size < 500_000
    assert abs(size / 1e6 - model.weightsMB) < 0.1
    labels = read_labels(BUNDLE / manifest["labels"], model.classes)
    assert labels[3] == ("3", "digit 3")


def test_handwriting_that_it_never_saw_is_told_apart_by_its_features() -> None:
    from sklearn.datasets import load_digits
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    pixels = np.minimum(digits.images * 16, 255).astype(np.uint8).repeat(4, 1).repeat(4, 2)
    found = run_bundle(BUNDLE, {"images": np.repeat(pixels[..., None], 3, axis=3)})
    a, b, ya, yb = train_test_split(found["features_avg"], digits.target, random_state=0)
    assert LogisticRegression(max_iter=200).fit(a, ya).score(b, yb) >= 0.97
    assert np.mean(found["predictions"][:, :10].argmax(1) == digits.target) > 0.7
