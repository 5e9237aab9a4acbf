"""Files that Keras 2 wrote, made on the spot by tf_keras and compared with it."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from keras2_models import (
    FAMILIES,
    L,
    Tripled,
    assert_same,
    ends,
    expected,
    nested,
    recurrent,
    rows_of,
    run,
    shared,
    text,
    two_outputs,
)

import sparkdl
from sparkdl.errors import InvalidModelException, SettingsException

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def check(model: Any, file: Path, tmp_path: Path, **options: Any) -> str:
    """Make the bundle of a file and compare it with the live model."""
    bundle = sparkdl.save_bundle(file, tmp_path / "bundle", overwrite=True, **options)
    rows = rows_of(model)
    assert_same(run(bundle, rows), expected(model, rows), str(file))
    return bundle


def rewritten(file: Path, change: Callable[[Any], Any], **attributes: Any) -> Path:
    """Change the configuration in an HDF5 file, as older versions wrote it."""
    with h5py.File(file, "r+") as h5:
        config = json.loads(h5.attrs["model_config"])
        h5.attrs["model_config"] = json.dumps(change(config)).encode()
        for name, value in attributes.items():
            h5.attrs[name] = value
    return file


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_of_layers_gives_the_numbers_of_keras_2_from_hdf5_and_zip(
    family: str, tmp_path: Path
) -> None:
    tf_keras.utils.set_random_seed(1)
    model = FAMILIES[family]()
    model.save(tmp_path / "model.h5")
    from_hdf5 = ends(check(model, tmp_path / "model.h5", tmp_path))
    model.save(tmp_path / "zipped.keras")
    assert ends(check(model, tmp_path / "zipped.keras", tmp_path)) == from_hdf5


def test_the_name_of_a_file_says_nothing(tmp_path: Path) -> None:
    model = FAMILIES["dense"]()
    model.save(tmp_path / "model.h5")
    model.save(tmp_path / "zip.keras")
    for source, name in [
        ("model.h5", "called.keras"),
        ("model.h5", "without_extension"),
        ("model.h5", "called.pb"),
        ("zip.keras", "called.h5"),
        ("zip.keras", "called.zip"),
    ]:
        shutil.copy(tmp_path / source, tmp_path / name)
        check(model, tmp_path / name, tmp_path)


def test_a_file_of_keras_3_loads_with_any_name(tmp_path: Path) -> None:
    import keras

    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    rows = [np.ones((2, 3), "float32")]
    for suffix, name in [(".keras", "model.h5"), (".h5", "model.keras"), (".h5", "model")]:
        model.save(tmp_path / f"saved{suffix}")
        (tmp_path / f"saved{suffix}").rename(tmp_path / name)
        bundle = sparkdl.save_bundle(tmp_path / name, tmp_path / "b", overwrite=True)
        assert_same(run(bundle, rows), [np.asarray(model(rows[0]))], name)


def test_the_file_of_a_read_only_folder_loads(tmp_path: Path) -> None:
    model = FAMILIES["dense"]()
    model.save(tmp_path / "model.keras")
    (tmp_path / "model.keras").chmod(0o444)
    check(model, tmp_path / "model.keras", tmp_path)


def test_ends_have_the_names_that_keras_3_gives_to_the_same_file(tmp_path: Path) -> None:
    import keras

    model = two_outputs()
    model.save(tmp_path / "model.h5")
    names = ends(sparkdl.save_bundle(tmp_path / "model.h5", tmp_path / "b"))
    assert names == (["series", "numbers"], ["price", "sold"])
    inputs = tf_keras.Input((2,), name="x")
    layer = L.Dense(1, name="again")
    tf_keras.Model(inputs, [layer(inputs), layer(inputs * 2.0)]).save(tmp_path / "twice.keras")
    assert ends(sparkdl.save_bundle(tmp_path / "twice.keras", tmp_path / "c"))[1] == [
        "again_0",
        "again_1",
    ]
    shared().save(tmp_path / "shared.h5")
    loaded = keras.saving.load_model(tmp_path / "shared.h5", compile=False)
    assert ends(sparkdl.save_bundle(tmp_path / "shared.h5", tmp_path / "d")) == ends(
        sparkdl.save_bundle(loaded, tmp_path / "e")
    )


def test_words_are_looked_up_in_the_tables_of_a_file(tmp_path: Path) -> None:
    model = text()
    model.save(tmp_path / "words.keras")
    check(model, tmp_path / "words.keras", tmp_path)


def test_the_oldest_configurations_load(tmp_path: Path) -> None:
    """Lists instead of dicts (to 2.2.2), Model for Functional (to 2.3), no version (1.0)."""
    model = nested()
    model.save(tmp_path / "model.h5")

    def older(config: Any) -> Any:
        if isinstance(config, dict):
            config = {k: older(v) for k, v in config.items() if k not in ("groups", "optional")}
            if config.get("class_name") == "Functional":
                config["class_name"] = "Model"
            if config.get("class_name") == "Sequential":
                config["config"] = [
                    layer
                    for layer in config["config"]["layers"]
                    if layer["class_name"] != "InputLayer"
                ]
            return config
        return [older(c) for c in config] if isinstance(config, list) else config

    rewritten(tmp_path / "model.h5", older, keras_version=b"2.1.6")
    check(model, tmp_path / "model.h5", tmp_path)


def test_a_model_without_the_shape_of_its_input_takes_that_of_its_first_rows(
    tmp_path: Path,
) -> None:
    """2.2.3 to 2.3: no batch_input_shape in the layers, but a build_input_shape beside them."""
    model = tf_keras.Sequential([L.Dense(3), L.Dense(2)])
    model.build((None, 4))
    model.save(tmp_path / "model.h5")

    def older(config: Any) -> Any:
        layers = [x for x in config["config"]["layers"] if x["class_name"] != "InputLayer"]
        for layer in layers:
            layer["config"].pop("batch_input_shape", None)
        config["config"] = {"name": "m", "layers": layers, "build_input_shape": [None, 4]}
        return config

    rewritten(tmp_path / "model.h5", older, keras_version=b"2.2.4-tf")
    bundle = sparkdl.save_bundle(tmp_path / "model.h5", tmp_path / "b")
    rows = [np.ones((2, 4), "float32")]
    assert_same(run(bundle, rows), [np.asarray(model(rows[0]))], "without a shape")


def test_zips_of_2_13_with_models_in_models_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those versions walked through the attributes in another order, and skipped others."""
    from tf_keras.src.saving import saving_lib
    from tf_keras.src.utils.generic_utils import to_snake_case

    skipped = saving_lib.ATTR_SKIPLIST - {"_layer_checkpoint_dependencies"}
    monkeypatch.setattr(saving_lib, "ATTR_SKIPLIST", skipped)

    def walk(part: Any) -> Any:
        for name in dir(part):
            if not name.startswith("__") and name not in skipped:
                yield name, getattr(part, name, None)

    def container(
        things: Any, weights: Any, assets: Any, inner_path: str, visited_trackables: Any
    ) -> None:
        used: dict[str, int] = {}
        for part in things.values() if isinstance(things, dict) else things:
            if saving_lib._is_keras_trackable(part):
                name = to_snake_case(type(part).__name__)
                used[name] = used.get(name, -1) + 1
                numbered = f"{name}_{used[name]}" if used[name] else name
                path = f"{inner_path}/{numbered}"
                saving_lib._save_state(part, weights, assets, path, visited_trackables)

    monkeypatch.setattr(saving_lib, "_walk_trackable", walk)
    monkeypatch.setattr(saving_lib, "_save_container_state", container)
    model = nested()
    model.save(tmp_path / "model.keras")
    monkeypatch.undo()
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        arrays = h5py.File(io.BytesIO(archive.read("model.weights.h5")))
        assert "_layer_checkpoint_dependencies" in arrays
    with pytest.raises(ValueError, match="but received 0 variables"):
        tf_keras.models.load_model(tmp_path / "model.keras", compile=False)
    check(model, tmp_path / "model.keras", tmp_path)


def test_lambda_layers_need_consent(tmp_path: Path) -> None:
    model = tf_keras.Sequential([L.Lambda(lambda x: x + 1, input_shape=(2,))])
    for name in ("model.h5", "zip.keras"):
        model.save(tmp_path / name)
        with pytest.raises(InvalidModelException, match="1 Lambda layer.* safe_mode=False"):
            sparkdl.save_bundle(tmp_path / name, tmp_path / "b")
        check(model, tmp_path / name, tmp_path, safe_mode=False)


def test_the_bytecode_of_another_python_is_named(tmp_path: Path) -> None:
    tf_keras.Sequential([L.Lambda(lambda x: x + 1, input_shape=(2,))]).save(tmp_path / "m.h5")

    def python_2(config: Any) -> Any:
        [layer] = [x for x in config["config"]["layers"] if x["class_name"] == "Lambda"]
        layer["config"]["function"] = ["YwEAAAABAAAAAgAAAEMAAABz\n", None, None]
        layer["config"]["function_type"] = "lambda"
        return config

    rewritten(tmp_path / "m.h5", python_2)
    with pytest.raises(InvalidModelException, match="pickled by another version of Python"):
        sparkdl.save_bundle(tmp_path / "m.h5", tmp_path / "b", safe_mode=False)


@pytest.mark.parametrize("name", ["model.h5", "model.keras"])
def test_a_missing_custom_class_is_named_with_the_argument(name: str, tmp_path: Path) -> None:
    model = tf_keras.Sequential([Tripled(input_shape=(2,)), L.Dense(1)])
    model.save(tmp_path / name)
    with pytest.raises(InvalidModelException) as error:
        sparkdl.save_bundle(tmp_path / name, tmp_path / "b")
    first, second = str(error.value).split("\n")
    assert "has the custom class 'Tripled'" in first
    assert second == "Pass it: custom_objects={'Tripled': Tripled}."
    check(model, tmp_path / name, tmp_path, custom_objects={"Tripled": Tripled})


def test_a_module_that_a_file_names_is_not_imported(tmp_path: Path) -> None:
    tf_keras.Sequential([L.Dense(1, "relu", input_shape=(2,))]).save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        parts = {n: archive.read(n) for n in archive.namelist()}
    evil = {"module": "antigravity", "class_name": "function", "config": "fly"}
    config = json.loads(parts["config.json"])
    config["config"]["layers"][1]["config"]["activation"] = evil
    parts["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(tmp_path / "model.keras", "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    with pytest.raises(InvalidModelException, match="custom function 'fly'"):
        sparkdl.save_bundle(tmp_path / "model.keras", tmp_path / "b")
    assert "antigravity" not in sys.modules


def test_custom_classes_of_keras_3_make_keras_3_load_a_file_of_keras_2(tmp_path: Path) -> None:
    import keras

    class Tripled(keras.layers.Layer):
        def call(self, x: Any) -> Any:
            return x * 3

    from keras2_models import Tripled as Original

    model = tf_keras.Sequential([L.InputLayer((2,)), Original(), L.Dense(1)])
    model.save(tmp_path / "model.h5")
    check(model, tmp_path / "model.h5", tmp_path, custom_objects={"Tripled": Tripled})


def test_without_tf_keras_the_message_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recurrent().save(tmp_path / "model.h5")
    monkeypatch.setitem(sys.modules, "tf_keras", None)
    version = ".".join(tf.__version__.split(".")[:2])
    with pytest.raises(SettingsException, match=f"pip install tf_keras~={version}.0"):
        sparkdl.save_bundle(tmp_path / "model.h5", tmp_path / "b")


def test_tf_keras_is_imported_for_files_of_keras_2_only(tmp_path: Path) -> None:
    program = f"""
import sys, keras, sparkdl
keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save("{tmp_path}/three.keras")
sparkdl.save_bundle("{tmp_path}/three.keras", "{tmp_path}/three")
state = lambda: (keras.config.backend(), keras.config.floatx(), keras.config.dtype_policy().name,
    keras.config.image_data_format(), sorted(keras.saving.get_custom_objects()))
before = state()
assert "tf_keras" not in sys.modules
import tf_keras
tf_keras.Sequential([tf_keras.layers.LSTM(1, input_shape=(2, 1))]).save("{tmp_path}/two.keras")
sparkdl.save_bundle("{tmp_path}/two.keras", "{tmp_path}/two")
assert state() == before
import keras.layers
keras.layers.Dense(1)(keras.Input((2,)))
print("as before")
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False
    )
    assert "as before" in done.stdout, done.stderr[-2000:]
