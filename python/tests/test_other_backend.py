"""Keras on JAX or PyTorch: its models are converted by a process in which it is on TensorFlow.

Most tests only say that Keras had another backend. Where the process is not what they are about,
the call is carried out here, once it has been pickled.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import pickle
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras2_models import ends, run
from pyspark import cloudpickle

import sparkdl
from sparkdl import errors
from sparkdl._bundles.other_backend import conversion, process
from sparkdl.errors import InvalidModelException, ModelNotFoundException, SettingsException

ROWS = [np.random.default_rng(1).normal(size=(3, 4)).astype("float32")]


@pytest.fixture
def on_jax(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keras says that it ran on JAX."""
    monkeypatch.setattr(keras.config, "backend", lambda: "jax")


@pytest.fixture
def calls(on_jax: None, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The calls that were meant for another process, and were carried out in this one."""
    made = []

    def here(call: Callable[[], Any]) -> Any:
        made.append(call)
        again = pickle.loads(cloudpickle.dumps(call))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(keras.config, "backend", lambda: "tensorflow")
            return again()

    monkeypatch.setattr(conversion, "run", here)
    return made


def small(name: str = "score") -> Any:
    return keras.Sequential([keras.Input((4,), name="x"), keras.layers.Dense(2, name=name)])


@keras.saving.register_keras_serializable("other_backend")
class Doubled(keras.layers.Layer):
    """A registered layer."""

    def call(self, x: Any) -> Any:
        return keras.ops.multiply(x, 2.0)


def of_all_kinds() -> Any:
    """A model of everything whose code has to go along, none of which a module names."""
    factor = 3.0

    class Shifted(keras.layers.Layer):
        def __init__(self, by: float, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.by = by

        def call(self, x: Any) -> Any:
            return keras.ops.add(x, self.by * factor)

        def compute_output_shape(self, shape: Any) -> Any:
            return shape

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "by": self.by}

    def squeezed(x: Any) -> Any:
        return keras.ops.tanh(x / factor)

    x = keras.Input((4,), name="measures")
    y = Shifted(0.5)(Doubled()(x))
    y = keras.layers.Dense(3, activation=squeezed, name="dense")(y)
    y = keras.layers.TimeDistributed(Shifted(1.0))(keras.layers.Reshape((3, 1))(y))
    y = keras.layers.Lambda(lambda v: v * factor, name="tripled")(keras.layers.Flatten()(y))
    other = keras.layers.Dense(1, activation=lambda v: v + factor, name="other")(x)
    model = keras.Model(x, [y, other], name="kinds")
    model.compile("adam", ["mse", lambda a, b: keras.ops.mean(a - b)])
    return model


def test_a_live_model_gives_the_bundle_that_it_gives_on_tensorflow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = of_all_kinds()
    asked: dict[str, Any] = {"outputs": {"a": "other", "b": "tripled"}, "name": "mine"}
    here = sparkdl.save_bundle(model, tmp_path / "here", **asked)
    monkeypatch.setattr(keras.config, "backend", lambda: "jax")
    there = sparkdl.save_bundle(model, tmp_path / "there", **asked)
    assert ends(there) == ends(here) == (["measures"], ["a", "b"])
    for got, want in zip(run(there, ROWS), run(here, ROWS), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-6)
    told, known = (sparkdl._bundles.description.manifest.read_manifest(p) for p in (there, here))
    assert [told.pop("files").keys(), told] == [known.pop("files").keys(), known]
    assert model.get_layer("tripled").function.__name__ == "<lambda>"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["here", "there"]


def test_a_file_keeps_its_options(tmp_path: Path, calls: list[Any]) -> None:
    class Scaled(keras.layers.Layer):
        def call(self, x: Any) -> Any:
            return x * 2

    by = 10.0
    layers = [keras.Input((8, 8, 3)), Scaled(), keras.layers.GlobalAveragePooling2D(), Doubled()]
    keras.Sequential(layers).save(tmp_path / "pictures.keras")
    (tmp_path / "labels.txt").write_text("0 red\n1 green\n2 blue\n")
    made = sparkdl.save_bundle(
        tmp_path / "pictures.keras",
        tmp_path / "b",
        outputs=["mean"],
        image={"channelOrder": "BGR"},
        preprocessing=lambda pixels: pixels / by,
        labels=tmp_path / "labels.txt",
        custom_objects={"Scaled": Scaled},
    )
    assert len(calls) == 1
    pixels = np.full((2, 8, 8, 3), [10, 20, 30], "uint8")
    np.testing.assert_allclose(run(made, [pixels])[0], [[4, 8, 12]] * 2, rtol=1e-6)
    manifest = sparkdl._bundles.description.manifest.verify_bundle(made)
    assert manifest["image"]["channelOrder"] == "BGR"
    assert manifest["source"]["model"] == "pictures.keras"
    assert '"green"' in (Path(made) / "labels.json").read_text()


def test_every_way_in_goes_there(tmp_path: Path, calls: list[Any], spark: Any) -> None:
    from sparkdl.graph.builder import GraphFunction

    model = small()
    model.save(tmp_path / "m.keras")
    want = model(ROWS[0]).numpy()
    frame = spark.createDataFrame([(r.tolist(),) for r in ROWS[0]], "x array<float>").coalesce(1)
    for given in ({"model": model}, {"modelFile": tmp_path / "m.keras"}):
        before = len(calls)
        stage = sparkdl.KerasTransformer(inputCol="x", outputCol="y", **given)
        got = np.array([r.y for r in stage.transform(frame).collect()])
        np.testing.assert_allclose(got, want, rtol=1e-5)
        assert len(calls) == before + 1, given
    sparkdl.registerKerasUDF("score_elsewhere", small("other"))
    assert len(calls) == 3
    for given in (small("graph"), tmp_path / "m.keras"):
        function = GraphFunction.fromKeras(given)
        assert function.input_names == ["x"]
    assert sparkdl.TFInputGraph.fromKeras(small("input")).inputs == ["x"]
    assert len(calls) == 6


def test_a_named_network_is_built_there(
    tmp_path: Path, on_jax: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sparkdl.networks.keras_export import export_named

    asked: list[Any] = []
    made = sparkdl.save_bundle(lambda x: x, tmp_path / "made", inputs={"x": ("float32", [None, 2])})
    monkeypatch.setattr(conversion, "run", lambda call: asked.append(call) or made)
    path = export_named("MobileNetV2", tmp_path / "b", "random", verify=False)
    assert path == str(tmp_path / "b")
    assert asked[0].func is export_named
    assert asked[0].args[0] == "MobileNetV2"
    keywords = {"weights": "random", "labels": None, "size": None, "verify": False}
    assert asked[0].keywords == keywords
    assert sparkdl._bundles.description.manifest.verify_bundle(path)["inputs"][0]["name"] == "x"


def test_a_model_with_tables_travels_whole(tmp_path: Path, calls: list[Any]) -> None:
    words = keras.layers.StringLookup(vocabulary=["red", "green"], output_mode="one_hot")
    text = keras.Input((1,), dtype="string", name="color")
    model = keras.Model(text, keras.layers.Dense(2, name="d")(words(text)))
    path = sparkdl._bundles.bundle_store.stored_bundle(model)
    assert sparkdl._bundles.description.manifest.verify_bundle(path)["savedModel"] == "saved_model"
    assert sparkdl._bundles.bundle_store.stored_bundle(model) == path, "the same content"
    with pytest.raises(InvalidModelException, match="lookup tables.*TFInputGraph.fromKeras"):
        sparkdl.graph.builder.GraphFunction.fromKeras(model)


def test_a_model_that_cannot_be_read_again_is_told(tmp_path: Path, calls: list[Any]) -> None:
    class Own(keras.Model):
        def __init__(self, dense: Any) -> None:
            super().__init__()
            self.dense = dense

        def call(self, x: Any) -> Any:
            return self.dense(x)

        def get_config(self) -> Any:
            return {}

    model = Own(keras.layers.Dense(2))
    model(ROWS[0])
    with pytest.raises(
        InvalidModelException, match="(?s)written as a .keras file and read again.*get_config"
    ):
        sparkdl.save_bundle(model, tmp_path / "b", inputs={"x": ("float32", [None, 4])})


def test_what_needs_no_keras_is_made_here(tmp_path: Path, calls: list[Any]) -> None:
    import tf_keras

    sparkdl.save_bundle(lambda x: x, tmp_path / "f", inputs={"x": ("float32", [None, 2])})
    old = tf_keras.Sequential([tf_keras.layers.Dense(2, input_shape=(4,), name="d")])
    sparkdl.save_bundle(old, tmp_path / "live")
    assert calls == []
    with pytest.raises(ModelNotFoundException, match="There is no model at /nowhere"):
        sparkdl.save_bundle("/nowhere/m.keras", tmp_path / "n")
    old.save(tmp_path / "m.h5")
    sparkdl.save_bundle(tmp_path / "m.h5", tmp_path / "h")
    assert len(calls) == 1, "whether Keras 3 or 2 loads a file is decided there"


def speak() -> None:
    """Say something in every way, and fail."""
    warnings.warn("a word of warning", stacklevel=1)
    logging.getLogger("sparkdl.somewhere").warning("a %s of the log", "line")
    raise errors.SchemaMismatchException(
        f"on {os.environ['KERAS_BACKEND']}, {keras.config.floatx()}"
    )


def test_errors_warnings_and_log_arrive_as_they_are(
    on_jax: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(keras.config, "floatx", lambda: "float16")
    with (
        pytest.warns(UserWarning, match="a word of warning"),
        pytest.raises(errors.SchemaMismatchException, match="^on tensorflow, float16$") as raised,
    ):
        process.run(speak)
    assert "in speak" in str(raised.value.__cause__), "the traceback of the other process"
    assert ("sparkdl.somewhere", logging.WARNING, "a line of the log") in caplog.record_tuples


def die() -> None:
    """End this process without another word."""
    print("the last word", flush=True)
    os._exit(3)


def test_a_process_that_dies_says_what_it_wrote_last(on_jax: None) -> None:
    with pytest.raises(
        InvalidModelException, match="'jax' here, and the process .* ended with exit status 3"
    ) as e:
        process.run(die)
    assert str(e.value).endswith("the last word")


def test_errors_of_options_are_those_of_tensorflow(tmp_path: Path, calls: list[Any]) -> None:
    with pytest.raises(SettingsException, match="nope"):
        sparkdl.save_bundle(small(), tmp_path / "b", outputs={"y": "nope"})
    with pytest.raises(SettingsException, match="image= needs an input"):
        sparkdl.save_bundle(small(), tmp_path / "b", image=True)
    with pytest.raises(SettingsException, match="There is no labels file"):
        sparkdl.save_bundle(small(), tmp_path / "b", labels="/nowhere/labels.txt")
    (tmp_path / "taken").mkdir()
    with pytest.raises(SettingsException, match="it exists"):
        sparkdl.save_bundle(small(), tmp_path / "taken")
    assert not (tmp_path / "b").exists()


def test_what_cannot_go_there_is_told(tmp_path: Path, on_jax: None) -> None:
    log = (tmp_path / "log").open("w")
    with pytest.raises(InvalidModelException, match="'jax'.*cannot be sent there.*KERAS_BACKEND"):
        sparkdl.save_bundle(small(), tmp_path / "b", preprocessing=lambda x: log.write("") or x)
    log.close()

    class Unsaved(keras.layers.Layer):
        def __init__(self, how: Any) -> None:
            super().__init__()
            self.how = how

        def call(self, x: Any) -> Any:
            return x

    model = keras.Sequential([keras.Input((4,)), Unsaved(object())])
    with pytest.raises(
        InvalidModelException, match="(?s)'jax'.*Keras cannot write that file.*get_config"
    ):
        sparkdl.save_bundle(model, tmp_path / "b")


_MLX = """
import os
def tanh(x):
    if os.environ.get("KERAS_BACKEND") == "tensorflow":
        raise TypeError("tanh takes arrays of MLX")
    return x
"""


@pytest.fixture
def mlx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A backend that there is not, which refuses TensorFlow's arrays."""
    monkeypatch.setattr(keras.config, "backend", lambda: "mlx")
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "mlx.py").write_text(_MLX)
    monkeypatch.syspath_prepend(tmp_path / "modules")
    yield
    sys.modules.pop("mlx", None)


def function_on_mlx(x: Any) -> Any:
    """A function whose shape Keras cannot infer on TensorFlow."""
    import mlx

    return mlx.tanh(x)


def test_a_layer_for_one_backend_only_is_told(tmp_path: Path, mlx: None) -> None:
    class OnMlx(keras.layers.Layer):
        def call(self, x: Any) -> Any:
            import mlx

            return mlx.tanh(x)

        def compute_output_shape(self, shape: Any) -> Any:
            return shape

    model = keras.Sequential([keras.Input((4,)), OnMlx(name="on_mlx")])
    hidden = keras.Sequential([keras.Input((4,)), keras.layers.Lambda(function_on_mlx)])
    expected = (
        "^tanh .*mlx.py, line 5. runs on mlx only, and sparkdl runs models in TensorFlow: "
        "TypeError: tanh takes arrays of MLX. Write it with keras.ops"
    )
    for given in (model, hidden):
        with pytest.raises(InvalidModelException, match=expected):
            sparkdl.save_bundle(given, tmp_path / "b")


def test_a_function_that_calls_the_other_backend_is_told(
    tmp_path: Path, mlx: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")  # what the stand-in takes for TensorFlow

    def function(x: Any) -> Any:
        import mlx

        return mlx.tanh(x)

    with pytest.raises(
        InvalidModelException, match="runs on mlx only.*Give the Keras model itself"
    ):
        sparkdl.save_bundle(function, tmp_path / "b", inputs={"x": ("float32", [None, 4])})
    with pytest.raises(ZeroDivisionError):
        sparkdl.save_bundle(lambda x: 1 / 0, tmp_path / "b", inputs={"x": ("float32", [None])})


def test_training_is_refused_with_the_remedy(tmp_path: Path, on_jax: None, spark: Any) -> None:
    from sparkdl.utils.keras_model import model_to_bytes

    file = tmp_path / "m.keras"
    file.write_bytes(model_to_bytes(small()))  # what does not train takes any backend
    frame = spark.sql("SELECT array(1f, 2f, 3f, 4f) AS x, 1f AS y, 'a.png' AS file")
    images = frame.selectExpr("cast('no image' AS binary) AS x", "y")
    refused: list[Callable[[], Any]] = [
        lambda: sparkdl.KerasEstimator(model=small(), inputCols=["x"]),
        lambda: sparkdl.KerasEstimator(
            modelFile=file, inputCols=["x"], labelCols=["y"], loss="mse"
        ).fit(frame),
        lambda: sparkdl.ImageClassifierEstimator(modelFile=file, inputCol="x", labelCol="y").fit(
            images
        ),
        lambda: sparkdl.KerasImageFileEstimator(
            modelFile=file, inputCol="file", labelCol="y", kerasLoss="mse"
        ).fit(frame),
    ]
    for train in refused:
        with pytest.raises(
            SettingsException, match="^Training needs Keras on TensorFlow"
        ) as raised:
            train()
        assert "'jax'" in str(raised.value)
        assert "KERAS_BACKEND=tensorflow" in str(raised.value)


_PROGRAM = """
import keras, numpy as np, sparkdl, sys
out = sys.argv[1]
class Shifted(keras.layers.Layer):
    def call(self, x):
        return keras.ops.add(x, 1.5)
model = keras.Sequential([keras.Input((4,), name="x"), Shifted(),
    keras.layers.Dense(3, activation=lambda v: keras.ops.tanh(v), name="d")])
sparkdl.save_bundle(model, out + "/live")
np.save(out + "/want_live.npy", keras.ops.convert_to_numpy(model(np.load(out + "/rows.npy"))))
model = keras.Sequential([keras.Input((4,), name="x"), Shifted(), keras.layers.Dense(3)])
model.save(out + "/m.keras")
sparkdl.save_bundle(out + "/m.keras", out + "/file", custom_objects={"Shifted": Shifted})
np.save(out + "/want_file.npy", keras.ops.convert_to_numpy(model(np.load(out + "/rows.npy"))))
try:
    sparkdl.save_bundle(lambda x: model(x), out + "/f", inputs={"x": ("float32", [None, 4])})
except sparkdl.errors.InvalidModelException as e:
    print(e)
print(keras.config.backend())
"""


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_a_program_on_another_backend_gets_its_numbers(backend: str, tmp_path: Path) -> None:
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    np.save(tmp_path / "rows.npy", ROWS[0])
    (tmp_path / "program.py").write_text(_PROGRAM)
    done = subprocess.run(
        [sys.executable, str(tmp_path / "program.py"), str(tmp_path)],
        env={**os.environ, "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.stdout.splitlines()[-1:] == [backend], done.stderr[-2000:]
    assert f"runs on {backend} only" in done.stdout
    for made in ("live", "file"):
        want = np.load(tmp_path / f"want_{made}.npy")
        np.testing.assert_allclose(run(tmp_path / made, ROWS)[0], want, atol=2e-6)
