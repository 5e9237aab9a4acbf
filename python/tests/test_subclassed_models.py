"""Subclassed models: inputs and outputs are those that they were called with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras2_models import ends

import sparkdl
from sparkdl._models.files.custom_objects import save_with_objects
from sparkdl._models.files.loading import load_to_train
from sparkdl._models.model_ends import model_inputs, model_outputs
from sparkdl.errors import InvalidModelException

ops = keras.ops
ROWS = 24


def classes() -> dict[str, Any]:
    class Plain(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.last = keras.layers.Dense(2, kernel_initializer="ones")

        def call(self, features: Any) -> Any:
            return self.last(features)

    class ByKey(keras.Model):
        def __init__(self, units: int = 3) -> None:
            super().__init__()
            self.kinds = keras.layers.Embedding(4, units)
            self.hidden = keras.layers.Dense(units, activation="tanh")
            self.last = keras.layers.Dense(1)
            self.drop = keras.layers.Dropout(0.0)

        def call(self, inputs: Any, training: bool = False) -> Any:
            hidden = self.hidden(inputs["size"]) + self.kinds(inputs["kind"])
            return {"score": self.last(self.drop(hidden, training=training))}

    class Several(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.last = keras.layers.Dense(1, kernel_initializer="ones")

        def call(self, left: Any, right: Any, scale: float = 2.0) -> Any:
            return self.last(left) * scale + ops.cast(right, "float32")

    class Whole(Plain):
        def call(self, numbers: Any) -> Any:
            return self.last(tf.one_hot(numbers, 3))  # takes whole numbers only

    class Mixed(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.words = keras.layers.StringLookup(vocabulary=["a", "b"], output_mode="one_hot")
            self.last = keras.layers.Dense(1)

        def call(self, word: Any, pair: Any) -> Any:
            return self.last(ops.concatenate([self.words(word), pair["z"], pair["a"]], -1))

    return {k: v for k, v in locals().items() if isinstance(v, type)}


OWN = classes()


def rows_of(count: int) -> dict[str, Any]:
    draw = np.random.default_rng(5)
    size = draw.normal(size=(count, 2)).astype("float32")
    return {"size": size, "kind": draw.integers(0, 4, count)}


@pytest.fixture(scope="module")
def frame(spark: Any) -> Any:
    rows = rows_of(ROWS)
    columns = zip(rows["size"].tolist(), rows["kind"].tolist(), strict=True)
    data = [(s, k, float(s[0] + k)) for s, k in columns]
    schema = "size array<float>, kind int, y double"
    return spark.createDataFrame(data, schema).coalesce(1).cache()


def by_key() -> keras.Model:
    keras.utils.set_random_seed(3)
    model = OWN["ByKey"]()
    model({"size": np.zeros((5, 2), "float32"), "kind": np.zeros(5, "int32")})
    return model


def test_the_ends_are_those_of_the_call() -> None:
    plain = OWN["Plain"]()
    plain(np.zeros((5, 3), "float32"))
    fitted = OWN["Plain"]()
    fitted.compile("sgd", "mse")
    fitted.fit(np.zeros((5, 3)), np.zeros((5, 2)), verbose=0)
    built = OWN["Plain"]()
    built.build((None, 3))
    for model in (plain, fitted, built):
        [end], [out] = model_inputs(model), model_outputs(model)
        assert (end.name, end.leaf.shape, end.leaf.dtype) == ("features", (None, 3), "float32")
        assert (out.name, out.leaf.shape) == ("output", (None, 2))
    assert built.weights  # tracing has built the layers
    whole = OWN["Whole"]()
    whole(np.zeros(4, "int32"))
    assert [(e.name, e.leaf.dtype) for e in model_inputs(whole)] == [("numbers", "int32")]
    several = OWN["Several"]()
    several(keras.Input((3,)), right=keras.Input((1,), dtype="int32"))
    found = [(e.name, e.leaf.shape, e.leaf.dtype) for e in model_inputs(several)]
    assert found == [("left", (None, 3), "float32"), ("right", (None, 1), "int32")]


def test_bundles_stages_and_sql_functions_take_what_was_called(
    frame: Any, spark: Any, tmp_path: Path
) -> None:
    model = by_key()
    bundle = sparkdl.save_bundle(model, tmp_path / "b")
    assert ends(bundle) == (["size", "kind"], ["score"])
    several = OWN["Several"]()
    several(keras.Input((2,)), right=keras.Input((1,)))
    assert ends(sparkdl.save_bundle(several, tmp_path / "s")) == (["left", "right"], ["output"])
    given = {"left": ("float32", [None, 2]), "right": ("float32", [None, 1])}
    again = OWN["Several"]()
    assert ends(sparkdl.save_bundle(again, tmp_path / "a", inputs=given))[0] == ["left", "right"]
    stage = sparkdl.KerasTransformer(
        inputCols=["size", "kind"], outputCols=["score"], model=model
    ).transform(frame.selectExpr("size", "CAST(kind AS FLOAT) AS kind"))
    sparkdl.registerKerasUDF("by_key_score", model, spark=spark)
    asked = stage.selectExpr("score", "by_key_score(size, kind) AS again")
    expected = model.predict(rows_of(ROWS), verbose=0)["score"]
    for row, wanted in zip(asked.collect(), expected, strict=True):
        np.testing.assert_allclose(row.score, wanted, rtol=1e-5)
        np.testing.assert_allclose(row.again, wanted, rtol=1e-5)


def test_a_model_without_a_configuration_of_its_own_is_trained_as_keras_does(frame: Any) -> None:
    made = sparkdl.KerasEstimator(
        model=by_key(),
        inputCols={"size": "size", "kind": "kind"},
        labelCols={"score": "y"},
        outputCols=["out"],
        loss="mse",
        optimizer="sgd",
        batchSize=10,
        epochs=2,
        shuffle=False,
        numWorkers=2,
        verbose=0,
    )
    fitted = made.fit(frame)
    model, rows = by_key(), rows_of(ROWS)
    model.compile("sgd", "mse")
    labels = {"score": (rows["size"][:, 0] + rows["kind"])[:, None]}
    plain = {"batch_size": 10, "epochs": 2, "shuffle": False, "verbose": 0}
    expected = model.fit(rows, labels, **plain).history["loss"]
    assert fitted.history["loss"] == pytest.approx(expected, rel=1e-5)
    again = fitted.keras_model(custom_objects=OWN)
    assert type(again).__name__ == "ByKey"
    found = again.predict(rows, verbose=0)["score"]
    np.testing.assert_allclose(found, model.predict(rows, verbose=0)["score"], atol=1e-5)


def several() -> keras.Model:
    model = OWN["Several"]()
    model(keras.Input((2,)), right=keras.Input((1,), dtype="int32"))
    return model


def test_a_model_of_several_arguments_is_trained_as_keras_trains_a_functional_one_around_it(
    frame: Any,
) -> None:
    made = sparkdl.KerasEstimator(
        model=several(), inputCols={"left": "size", "right": "kind"}, labelCols=["y"],
        outputCols=["out"], loss="mse", optimizer="sgd", batchSize=10, epochs=2, shuffle=False,
        numWorkers=2, verbose=0,
    )  # fmt: skip
    fitted = made.fit(frame)
    left, right = keras.Input((2,), name="left"), keras.Input((1,), dtype="int32", name="right")
    ends_of_call = {"left": left, "right": right}
    around = keras.Model(ends_of_call, OWN["Several"]()(**ends_of_call))
    around.compile("sgd", "mse")
    rows = rows_of(ROWS)
    given = {"left": rows["size"], "right": rows["kind"][:, None]}
    labels = (rows["size"][:, 0] + rows["kind"])[:, None]
    plain = {"batch_size": 10, "epochs": 2, "shuffle": False, "verbose": 0}
    expected = around.fit(given, labels, **plain).history["loss"]
    assert fitted.history["loss"] == pytest.approx(expected, rel=1e-5)
    wanted = around.predict(given, verbose=0)
    out = np.array([r.out for r in fitted.transform(frame).select("out").collect()])
    np.testing.assert_allclose(out, wanted, atol=1e-5)
    again = fitted.keras_model(custom_objects=OWN)
    assert type(again).__name__ == "Several"
    np.testing.assert_allclose(again(**given), wanted, atol=1e-5)


def test_files_keep_the_arguments_of_a_call_and_their_types(tmp_path: Path) -> None:
    mixed, whole = OWN["Mixed"](), OWN["Whole"]()
    pair = {"z": keras.Input((2,)), "a": keras.Input((1,))}
    mixed(keras.Input((1,), dtype="string", name="text"), pair=pair)
    whole(np.zeros(4, "int32"))
    for model in (mixed, several(), whole):
        ends_before = [(e.name, e.leaf.shape, e.leaf.dtype) for e in model_inputs(model)]
        assert model_outputs(model)
        file = tmp_path / "model.keras"
        objects = save_with_objects(model, file)
        again = load_to_train(file, objects, safe_mode=True)
        assert [(e.name, e.leaf.shape, e.leaf.dtype) for e in model_inputs(again)] == ends_before
        for found, expected in zip(again.get_weights(), model.get_weights(), strict=True):
            np.testing.assert_array_equal(found, expected)


def test_a_model_that_was_never_called_says_how_it_is_made_known(
    frame: Any, tmp_path: Path
) -> None:
    for argument, take in {
        "model": lambda m: sparkdl.KerasTransformer(model=m),
        "model_or_file": sparkdl.TFInputGraph.fromKeras,
    }.items():
        with pytest.raises(InvalidModelException, match=f"neither.*pass it as {argument}="):
            take(OWN["Plain"]())
    made = sparkdl.KerasEstimator(model=OWN["Plain"](), inputCols=["size"])
    with pytest.raises(InvalidModelException, match="neither built nor called.*pass it as model="):
        made.fit(frame)
    with pytest.raises(InvalidModelException, match="neither built nor called.*inputs={"):
        sparkdl.save_bundle(OWN["Plain"](), tmp_path / "b")
    several = OWN["Several"]()
    several(np.zeros((2, 3)), np.zeros((2, 1)))
    with pytest.raises(InvalidModelException, match=r"model.left=keras.Input.*right=keras.Input"):
        sparkdl.save_bundle(several, tmp_path / "b")


def test_tf_keras_remembers_its_call_too(tmp_path: Path) -> None:
    import tf_keras

    class Old(tf_keras.Model):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.last = tf_keras.layers.Dense(2)

        def call(self, x: Any) -> Any:
            return self.last(x)

    model = Old()
    model(np.zeros((4, 3), "float32"))
    bundle = sparkdl.save_bundle(model, tmp_path / "b")
    assert [len(names) for names in ends(bundle)] == [1, 1]
