"""Weights files of Keras with and without a top, labels, and the model cache."""

from __future__ import annotations

import math
import threading
from pathlib import Path

import keras
import numpy as np
import pytest
from parity import random_pixels, randomise, run_bundle

from sparkdl._bundles.description.manifest import read_manifest, sha256
from sparkdl._command_line.main import main
from sparkdl._models.files.undrawn import LEAST_BYTES
from sparkdl.errors import (
    InvalidModelException,
    ModelNotFoundException,
    SettingsException,
    SparkDLException,
)
from sparkdl.labels import imagenet_labels, read_labels
from sparkdl.networks import keras_export
from sparkdl.networks.model_cache import ensure_bundle
from sparkdl.networks.model_weights import build, with_weights
from sparkdl.networks.named_models import named_model

NAME = "MobileNetV2"
OUTPUTS = ["features_avg", "features_max", "features_none"]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory):
    """A network for seven classes and its weights in every format."""
    folder = tmp_path_factory.mktemp("weights")
    network = build(named_model(NAME), top=True, classes=7)
    randomise(network, 3)
    network.save_weights(folder / "all.weights.h5")
    network.save(folder / "model.keras")
    network.save(folder / "model.h5")
    bare = build(named_model(NAME), top=False)
    bare.set_weights(network.get_weights()[: len(bare.weights)])
    bare.save_weights(folder / "bare.weights.h5")
    bare.save(folder / "bare.h5")
    return folder, network


@pytest.mark.parametrize("file", ["all.weights.h5", "model.keras", "model.h5"])
def test_a_file_with_a_top_is_recognised_in_every_format(small, file: str) -> None:
    folder, network = small
    found = with_weights(named_model(NAME), str(folder / file))
    assert found.whole is not None
    for a, b in zip(found.whole.get_weights(), network.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("file", ["bare.weights.h5", "bare.h5"])
def test_a_file_without_a_top_is_recognised(small, file: str) -> None:
    folder, network = small
    found = with_weights(named_model(NAME), str(folder / file))
    assert found.whole is None
    np.testing.assert_array_equal(found.bare.get_weights()[0], network.get_weights()[0])


def test_with_and_without_top_give_the_same_features(small, tmp_path: Path) -> None:
    folder, _ = small
    pixels = {"images": random_pixels(named_model(NAME), 1, 1)}
    results, tops = [], []
    for file in ("all.weights.h5", "bare.weights.h5"):
        path = keras_export.export_named(NAME, tmp_path / file, str(folder / file))
        results.append(run_bundle(path, pixels))
        tops.append(read_manifest(path)["source"]["top"])
    assert tops == ["true", "false"]
    assert sorted(results[0]) == [*OUTPUTS, "predictions"]
    assert sorted(results[1]) == OUTPUTS
    assert results[0]["predictions"].shape == (1, 7)
    for output in OUTPUTS:
        np.testing.assert_array_equal(results[0][output], results[1][output])


def test_no_large_weight_is_drawn_for_a_network_whose_weights_are_read(
    small, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, network = small
    drawn: list[int] = []
    call = keras.initializers.VarianceScaling.__call__

    def draw(self, shape, *args, **more):
        drawn.append(4 * math.prod(shape))
        return call(self, shape, *args, **more)

    monkeypatch.setattr(keras.initializers.VarianceScaling, "__call__", draw)
    found = with_weights(named_model(NAME, (96, 96)), str(folder / "all.weights.h5"))
    assert max(drawn) < LEAST_BYTES < max(4 * math.prod(w.shape) for w in network.weights)
    for a, b in zip(found.whole.get_weights(), network.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_weights_of_another_network_are_refused(small) -> None:
    folder, _ = small
    message = r"does not hold weights of VGG16: .* tensors of VGG16 are missing"
    with pytest.raises(InvalidModelException, match=message):
        with_weights(named_model("VGG16"), str(folder / "bare.h5"))


def test_what_is_no_weights_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundException, match="There is no weights file /no"):
        with_weights(named_model(NAME), "/no.h5")
    for name in ("text.h5", "text.keras", "text.bin"):
        (tmp_path / name).write_text("text")
        message = r"Cannot read weights from .*: it is of no kind that sparkdl knows.*\.weights\.h5"
        with pytest.raises(InvalidModelException, match=message):
            with_weights(named_model(NAME), str(tmp_path / name))


def test_without_a_network_the_error_says_how_to_mend_it(monkeypatch) -> None:
    import sparkdl.networks.model_weights

    real = sparkdl.networks.model_weights.build

    def offline(model, top, weights=None, classes=1000):
        if weights == "imagenet":
            raise Exception("URL fetch failure on https://...: no route")
        return real(model, top, weights, classes)

    monkeypatch.setattr(sparkdl.networks.model_weights, "build", offline)
    with pytest.raises(ModelNotFoundException) as caught:
        with_weights(named_model(NAME), "imagenet")
    for part in ("URL fetch failure", "weights='FILE'", "sparkdl export MobileNetV2 --out DIR"):
        assert part in str(caught.value)


def test_the_cache_is_keyed_by_the_weights_and_made_once(small, tmp_path: Path) -> None:
    folder, _ = small
    file = folder / "bare.weights.h5"
    path = ensure_bundle(NAME, str(file), str(tmp_path))
    assert path == str(tmp_path / f"{NAME}-{sha256(file)[:16]}")
    written = (Path(path) / "graph.pb").stat().st_mtime_ns
    assert ensure_bundle(NAME, str(file), str(tmp_path)) == path
    assert (Path(path) / "graph.pb").stat().st_mtime_ns == written
    assert ensure_bundle(NAME, path) == path


def test_a_damaged_bundle_in_the_cache_is_refused(small, tmp_path: Path) -> None:
    import sparkdl.networks.model_cache

    folder, _ = small
    path = ensure_bundle(NAME, str(folder / "bare.h5"), str(tmp_path))
    with open(Path(path) / "graph.pb", "ab") as file:
        file.write(b"x")
    sparkdl.networks.model_cache._checked.clear()
    with pytest.raises(InvalidModelException, match="damaged"):
        ensure_bundle(NAME, str(folder / "bare.h5"), str(tmp_path))


def test_many_at_once_make_one_bundle(tmp_path: Path, monkeypatch) -> None:
    from sparkdl._bundles.description.manifest import write_bundle

    made = []

    def slow(name, target, *_given, **_options):
        made.append(name)
        write_bundle(target, {"name": name}, lambda f: (f / "graph.pb").write_bytes(b"g") and None)

    monkeypatch.setattr(keras_export, "export_named", slow)
    results: list[str | None] = []

    def ask() -> None:
        results.append(ensure_bundle(NAME, "imagenet", str(tmp_path)))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [NAME]
    assert results == [str(tmp_path / "MobileNetV2-imagenet")] * 8


def test_what_comes_with_sparkdl_needs_no_bundle() -> None:
    assert ensure_bundle("TinyNet") is None


def test_the_command_line_exports_and_reports_errors_in_one_line(
    small, tmp_path: Path, capsys
) -> None:
    folder, _ = small
    labels = tmp_path / "labels.txt"
    labels.write_text("\n".join(f"c{i}\tclass {i}" for i in range(7)))
    out = str(tmp_path / "out")
    command = ["export", NAME, "--weights", str(folder / "model.h5"), "--out", out]
    assert main([*command, "--labels", str(labels)]) == 0
    assert capsys.readouterr().out.strip() == out
    assert read_labels(Path(out) / "labels.json", 7)[6] == ("c6", "class 6")
    assert main(command) == 1
    assert capsys.readouterr().err.startswith("SettingsException: Cannot write a bundle to")


def test_labels_come_from_an_index_a_list_or_lines(tmp_path: Path) -> None:
    index = tmp_path / "index.json"
    index.write_text('{"1": ["n2", "dog"], "0": ["n1", "cat"]}')
    assert read_labels(index) == [("n1", "cat"), ("n2", "dog")]
    lines = tmp_path / "lines.txt"
    lines.write_text("cat\n\nn2\tsea dog\n")
    assert read_labels(lines) == [("cat", "cat"), ("n2", "sea dog")]
    with pytest.raises(SettingsException, match="has 2, the model predicts 3"):
        read_labels(lines, 3)
    with pytest.raises(SettingsException, match="no labels file"):
        read_labels(tmp_path / "none.txt")


def test_imagenets_labels_are_keras_class_index(shared_data: Path) -> None:
    assert imagenet_labels() == read_labels(
        shared_data / "imagenet" / "imagenet_class_index.json", 1000
    )


def test_real_weights_in_the_old_format_name_what_is_on_a_photo(
    tmp_path: Path, shared_data: Path
) -> None:
    from PIL import Image

    weights = shared_data / "models" / "mobilenet_v2_1.0_224"
    path = keras_export.export_named(
        NAME,
        tmp_path / "m",
        str(weights / "mobilenet_v2_1.0_224_dequantised_keras_legacy.h5"),
        labels=shared_data / "imagenet" / "imagenet_class_index.json",
    )
    photo = Image.open(shared_data / "imagenet" / "photos" / "hot_dog.jpg").resize((224, 224))
    found = run_bundle(path, {"images": np.asarray(photo)[None]})["predictions"][0]
    labels = read_labels(Path(path) / "labels.json", 1000)
    assert "hotdog" in [labels[i][1] for i in found.argsort()[-5:]]


def test_errors_share_one_base() -> None:
    with pytest.raises(SparkDLException):
        named_model("no")
