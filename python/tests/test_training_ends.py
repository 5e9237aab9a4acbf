"""Columns of `KerasEstimator` by name and by order, for models with several inputs and outputs."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sparkdl
from sparkdl.errors import InvalidModelException, SchemaMismatchException, SettingsException

X = np.random.default_rng(0).normal(size=(12, 4)).astype("float32")
LABELS = {"u_0": 100 * X[:, :1], "u_1": np.arange(12) % 3, "b": X[:, 1:2]}
LOSS = {"u": ["mse", "sparse_categorical_crossentropy"], "b": "mae"}


def network() -> Any:
    """Return a model whose inputs and outputs are not in the order that Keras sorts them in."""
    import keras

    keras.utils.set_random_seed(1)
    a, b = keras.Input((4,), name="IT"), keras.Input((4,), name="IS")
    x = keras.layers.Subtract()([a, b])
    kinds = keras.layers.Dense(3, activation="softmax", name="kinds")
    heads = [keras.layers.Dense(1, name="first")(x), kinds(x)]
    outputs = {"u": heads, "b": keras.layers.Dense(1, name="b")(a)}
    return keras.Model(OrderedDict(IT=a, IS=b), outputs, name="heads")


@pytest.fixture(scope="module")
def frame(spark: Any) -> Any:
    rows = [
        (i, x.tolist(), (3 * x).tolist(), float(100 * x[0]), i % 3, float(x[1]))
        for i, x in enumerate(X)
    ]
    kinds = "i int, x array<float>, z array<float>, t double, k int, y double"
    return spark.createDataFrame(rows, kinds).coalesce(1).cache()


def estimator(**more: Any) -> sparkdl.KerasEstimator:
    usual = {
        "model": network(),
        "inputCols": ["x", "z"],
        "labelCols": ["t", "k", "y"],
        "outputCols": ["first", "kind", "second"],
        "loss": LOSS,
        "optimizer": "sgd",
        "batchSize": 4,
        "epochs": 2,
        "shuffle": False,
        "numWorkers": 1,
        "verbose": 0,
    }
    return sparkdl.KerasEstimator(**{**usual, **more})


@pytest.fixture(scope="module")
def plain() -> tuple[Any, dict[str, list[float]]]:
    """Return Keras' own model after its own training, and the history."""
    model = network()
    model.compile("sgd", loss=LOSS)
    labels = {"u": [LABELS["u_0"], LABELS["u_1"]], "b": LABELS["b"]}
    inputs = OrderedDict(IT=X, IS=3 * X)
    fitted = model.fit(inputs, labels, batch_size=4, epochs=2, shuffle=False, verbose=0)
    return model, dict(fitted.history)


def check(fitted: Any, frame: Any, plain: tuple[Any, dict[str, list[float]]]) -> None:
    model, expected = plain
    assert fitted.history.keys() == expected.keys()
    for name, values in expected.items():
        assert fitted.history[name] == pytest.approx(values, rel=1e-4), name
    predicted = model.predict(OrderedDict(IT=X, IS=3 * X), verbose=0)
    wanted = {"first": predicted["u"][0], "kind": predicted["u"][1], "second": predicted["b"]}
    rows = fitted.transform(frame).orderBy("i").collect()
    for name, values in wanted.items():
        column = np.array([r[name] for r in rows])
        np.testing.assert_allclose(column, values, rtol=1e-3, atol=1e-4, err_msg=name)


def test_lists_of_columns_go_by_the_order_in_which_the_model_was_written(
    frame: Any, plain: Any, capfd: Any
) -> None:
    check(estimator(verbose=1).fit(frame), frame, plain)
    output = capfd.readouterr().err
    assert "inputs: IT from x, IS from z\n" in output
    assert "labels: u_0 from t, u_1 from k, b from y\n" in output


def test_columns_by_name_are_saved_and_give_the_same_as_lists(
    frame: Any, plain: Any, tmp_path: Path
) -> None:
    original = estimator(
        inputCols={"IS": "z", "IT": "x"},
        labelCols={"b": "y", "u_1": "k", "u_0": "t"},
        outputCols={"b": "second", "u_0": "first", "u_1": "kind"},
    )
    original.write().save(str(tmp_path / "e"))
    loaded = sparkdl.KerasEstimator.load(str(tmp_path / "e"))
    assert loaded.getLabelCols() == {"b": "y", "u_1": "k", "u_0": "t"}
    check(loaded.fit(frame), frame, plain)


def test_heads_in_an_ordered_dict_begin_with_their_own_weights() -> None:
    import keras

    x = keras.Input((4,))
    heads = OrderedDict((n, keras.layers.Dense(1, name=n)(x)) for n in ("u", "b"))
    model = keras.Model(x, heads, name="ordered")
    expected = model.predict(X, verbose=0)
    stored = keras.saving.load_model(estimator(model=model).getModelFile())
    predicted = stored.predict(X, verbose=0)
    assert list(predicted) == ["u", "b"]
    for name in predicted:
        np.testing.assert_allclose(predicted[name], expected[name], rtol=1e-5, err_msg=name)
    outer = keras.Input((4,))
    with pytest.raises(InvalidModelException, match="'ordered' has outputs in an OrderedDict"):
        estimator(model=keras.Model(outer, model(outer)["u"]))


def test_two_heads_in_a_dict_learn_what_they_learn_in_keras(frame: Any) -> None:
    import keras

    def model() -> Any:
        keras.utils.set_random_seed(1)
        x = keras.Input((4,))
        heads = {n: keras.layers.Dense(1, name=n)(x) for n in ("u", "b")}
        return keras.Model(x, heads)

    same = model()
    same.compile("sgd", loss={"u": "mse", "b": "mae"}, loss_weights={"u": 0.1, "b": 2.0})
    labels = {"u": LABELS["u_0"], "b": LABELS["b"]}
    expected = same.fit(X, labels, batch_size=4, epochs=2, shuffle=False, verbose=0).history
    for columns in (["t", "y"], {"b": "y", "u": "t"}):
        fitted = estimator(
            model=model(),
            inputCols="x",
            labelCols=columns,
            outputCols=["first", "second"],
            loss={"u": "mse", "b": "mae"},
            lossWeights={"b": 2.0, "u": 0.1},
        ).fit(frame)
        for name, values in expected.items():
            assert fitted.history[name] == pytest.approx(values, rel=1e-4), name


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        (
            {"labelCols": ["t", "y"]},
            SchemaMismatchException,
            r"3 output\(s\) \(u_0 \[None, 1\], u_1 \[None, 3\], b \[None, 1\]\), but labelCols has "
            r"2 column\(s\) \(t, y\)\. Set one column per output, in this order or by name",
        ),
        (
            {"labelCols": {"u_0": "t", "c": "y"}},
            SchemaMismatchException,
            "labelCols names c, which it does not have and has no column for u_1, b",
        ),
        (
            {"inputCols": {"IT": "x"}},
            SchemaMismatchException,
            r"2 input\(s\) \(IT \[None, 4\], IS \[None, 4\]\), but inputCols has no column for IS",
        ),
        (
            {"outputCols": {"u_0": "first"}},
            SchemaMismatchException,
            "outputCols has no column for u_1, b",
        ),
        (
            {"labelCols": {"u_0": "no", "u_1": "k", "b": "y"}},
            SchemaMismatchException,
            "column 'no'",
        ),
        (
            {"loss": ["mse", "mse", "mae"]},
            SettingsException,
            "loss is a list, .* u_0, u_1, b in labelCols, and b, u_0, u_1 where Keras takes a list",
        ),
        ({"lossWeights": [1.0, 2.0, 3.0]}, SettingsException, "lossWeights is a list"),
        ({"metrics": [["mae"], ["mae"], ["mae"]]}, SettingsException, "metrics is a list.*by name"),
    ],
)
def test_what_does_not_fit_the_ends_is_an_error_before_training(
    frame: Any, wrong: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        estimator(**wrong).fit(frame)


def test_a_stateful_model_is_not_trained(frame: Any) -> None:
    import keras

    layers = [keras.layers.Reshape((4, 1)), keras.layers.LSTM(2, stateful=True, name="memory")]
    inner = keras.Sequential([keras.Input(batch_shape=(4, 4)), *layers])
    model = keras.Sequential([keras.Input(batch_shape=(4, 4)), inner, keras.layers.Dense(1)])
    stateful = estimator(model=model, inputCols="x", labelCols="y", loss="mse", outputCols="out")
    with pytest.raises(InvalidModelException, match="stateful=True lets 'memory' begin each batch"):
        stateful.fit(frame)


def test_states_are_those_of_a_training_with_the_same_columns() -> None:
    """A state must not go on where a column belongs to another output."""
    from types import SimpleNamespace

    import keras

    from sparkdl.training._driver.fingerprint import fingerprint

    layout = SimpleNamespace(rows={}, digest=1, fields=SimpleNamespace(inputs=()))
    settings = dict.fromkeys(
        ("optimizer", "loss", "loss_weights", "metrics", "batch", "shuffle", "seed", "sync_every")
    )
    spec: Any = SimpleNamespace(layout=layout, by_length=False, **settings)

    def of(*keys: str) -> str:
        x = keras.Input((4,))
        heads = [keras.layers.Dense(1)(x), keras.layers.Dense(1)(x)]
        return fingerprint(spec, keras.Model(x, dict(zip(keys, heads, strict=True))))

    assert of("a", "b") == of("a", "b") != of("b", "a")
