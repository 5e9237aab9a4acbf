"""Every input and output of a model under its own name, in one order, however it comes in."""

from __future__ import annotations

from collections import OrderedDict, namedtuple
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from parity import run_bundle

import sparkdl
from sparkdl._bundles.description.manifest import read_manifest
from sparkdl._models.model_ends import distinct
from sparkdl.errors import InvalidModelException, SettingsException

X = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
ONE = {"x": ("float32", [None, 4])}
LSTM = ["l_0", "l_1", "l_2"]
Pair = namedtuple("Pair", "z a")


@pytest.fixture(scope="module")
def frame(spark: Any) -> Any:
    """Columns i, x and z, which is twice x."""
    rows = spark.createDataFrame(
        [(i, x.tolist()) for i, x in enumerate(X)], "i int, x array<float>"
    )
    return rows.selectExpr("i", "x", "transform(x, v -> 2 * v) z").coalesce(1).cache()


def column(df: Any, name: str) -> Any:
    return np.array([r[name] for r in df.orderBy("i").select(name).collect()])


def names(bundle: str | Path, ends: str = "outputs") -> list[str]:
    return [end["name"] for end in read_manifest(bundle)[ends]]


def dense(name: str | None = None, units: int = 2) -> Any:
    import keras

    return keras.layers.Dense(units, name=name)


def of_x(make: Callable[[Any], Any]) -> Any:
    """Return a model of the input x with the outputs that a function makes of it."""
    import keras

    x = keras.Input((4,), name="x")
    return keras.Model(x, make(x))


def every_way(model: Any, folder: Path) -> list[str]:
    """Return the bundles of a live model, its .keras file and its .h5 file."""
    model.save(folder / "m.keras")
    model.save(folder / "m.h5")
    given = (model, folder / "m.keras", folder / "m.h5")
    return [sparkdl.save_bundle(m, folder / str(i)) for i, m in enumerate(given)]


def check_all(bundle: str, feeds: dict[str, Any], expected: dict[str, Any]) -> None:
    assert names(bundle) == list(expected)
    found = run_bundle(bundle, feeds)
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, atol=1e-5, err_msg=name)


def test_lists_in_a_dict_give_each_tensor_its_own_name(tmp_path: Path) -> None:
    model = of_x(lambda x: {"boxes": [dense()(x), dense()(x)], "cls": dense()(x)})
    made = model.predict(X, verbose=0)
    expected = {"boxes_0": made["boxes"][0], "boxes_1": made["boxes"][1], "cls": made["cls"]}
    for bundle in every_way(model, tmp_path):
        check_all(bundle, {"x": X}, expected)


def test_outputs_of_a_dict_come_as_they_were_written_live_and_from_a_file(tmp_path: Path) -> None:
    def outputs(x: Any) -> Any:
        return {"u": dense("p")(x), "b": (dense("q")(x), {"k": x})}

    model, ordered = of_x(outputs), of_x(lambda x: OrderedDict(outputs(x)))
    for bundle in every_way(model, tmp_path):
        made = model.predict(X, verbose=0)
        check_all(bundle, {"x": X}, {"u": made["u"], "b_0": made["b"][0], "b_1_k": X})
    # Its file is another model already in Keras: p and q change places.
    made = ordered.predict(X, verbose=0)
    if ordered(X)["u"].shape != made["u"].shape:  # Keras 3.4 takes one for the other
        with pytest.raises(InvalidModelException, match="does not give what the model gives"):
            sparkdl.save_bundle(ordered, tmp_path / "ordered")
        return
    bundle = sparkdl.save_bundle(ordered, tmp_path / "ordered")
    check_all(bundle, {"x": X}, {"u": made["u"], "b_0": made["b"][0], "b_1_k": X})


def test_outputs_without_a_dict_around_them_have_the_names_of_their_layers(tmp_path: Path) -> None:
    import keras

    steps = keras.Input((5, 3), name="s")
    states = keras.layers.LSTM(4, return_sequences=True, return_state=True, name="l")(steps)
    s = np.random.default_rng(1).normal(size=(2, 5, 3)).astype("float32")
    flat = keras.Model(steps, states)
    bundle = sparkdl.save_bundle(flat, tmp_path / "flat")
    check_all(bundle, {"s": s}, dict(zip(LSTM, flat.predict(s, verbose=0), strict=True)))
    nested = keras.Model(steps, {"sequence": states[0], "state": states[1:]})
    made = nested.predict(s, verbose=0)
    expected = {"sequence": made["sequence"], "state_0": made["state"][0]}
    bundle = sparkdl.save_bundle(nested, tmp_path / "nested")
    check_all(bundle, {"s": s}, {**expected, "state_1": made["state"][1]})
    tuples = of_x(lambda x: Pair(dense("p")(x), [dense("q")(x), {"b": dense("r")(x), "a": x}]))
    for path in every_way(tuples, tmp_path):
        assert names(path) == ["p", "q", "r", "x"]
        np.testing.assert_array_equal(run_bundle(path, {"x": X})["x"], X)


def test_names_that_collide_are_numbered_and_no_output_is_lost(tmp_path: Path) -> None:
    import keras

    shared, first = dense("a"), dense("first", 4)
    model = of_x(lambda x: [shared(x), shared(first(x)), dense("a_0")(x)])
    made = model.predict(X, verbose=0)
    for bundle in every_way(model, tmp_path):
        check_all(bundle, {"x": X}, dict(zip(["a_1", "a_2", "a_0"], made, strict=True)))
    scaled = [keras.layers.Rescaling(i) for i in (2, 3, 4)]
    keys = of_x(lambda x: {"a": [x, scaled[0](x)], "a_0": scaled[1](x), "x": scaled[2](x)})
    expected = {"a_0_0": X, "a_1": X * 2, "a_0_1": X * 3, "x": X * 4}
    check_all(sparkdl.save_bundle(keys, tmp_path / "keys"), {"x": X}, expected)


def test_an_unnamed_input_stands_beside_one_that_is_called_input(tmp_path: Path) -> None:
    import keras

    def model(*given: str | None) -> Any:
        inputs = [keras.Input((4,), name=name) for name in given]
        return keras.Model(inputs, keras.layers.Subtract(name="d")([inputs[0], inputs[-1]]))

    for i, (given, expected) in enumerate(
        [
            (("input", None), ["input", "input_1"]),
            ((None, "input"), ["input_1", "input"]),
            ((None, "input_1", None), ["input", "input_1", "input_2"]),
        ]
    ):
        bundle = sparkdl.save_bundle(model(*given), tmp_path / str(i))
        assert names(bundle, "inputs") == expected
        feeds = {name: X * place for place, name in enumerate(expected, 1)}
        check_all(bundle, feeds, {"d": X - X * len(expected)})


@pytest.mark.parametrize("kind", [dict, OrderedDict])
def test_inputs_come_as_they_were_written_however_they_are_nested(
    kind: Any, tmp_path: Path
) -> None:
    import keras

    a, b, c = (keras.Input((4,), name=name) for name in ("IT", "IS", "last"))
    scaled = keras.layers.Rescaling(10)(b), keras.layers.Rescaling(100)(c)
    made = keras.layers.Add(name="sum")([a, *scaled])
    flat = keras.Model(kind([("IT", a), ("IS", b), ("last", c)]), made)
    deep = keras.Model(kind([("IT", [a, kind([("z", b), ("k", c)])])]), made)
    lists = keras.Model([a, (b, [c])], made)
    for model, expected in (
        (flat, ["IT", "IS", "last"]),
        (deep, ["IT_0", "IT_1_z", "IT_1_k"]),
        (lists, ["IT", "IS", "last"]),
    ):
        folder = tmp_path / "_".join(expected) / str(model is lists)
        folder.mkdir(parents=True)
        for bundle in every_way(model, folder):
            assert names(bundle, "inputs") == expected
            found = run_bundle(bundle, dict(zip(expected, (X, 2 * X, 3 * X), strict=True)))
            np.testing.assert_allclose(found[names(bundle)[0]], 321 * X, rtol=1e-5)


def test_inputs_that_the_user_describes_go_where_they_are_called(tmp_path: Path) -> None:
    import keras

    class Difference(keras.Model):
        def call(self, given: Any) -> Any:
            return {"z": given["y"] - given["x"], "a": [given["y"], {"n": None, "m": given["x"]}]}

    two = {"y": ("float32", [None, 4]), "x": ("float32", [None, 4])}
    bundle = sparkdl.save_bundle(Difference(), tmp_path / "own", inputs=two)
    assert names(bundle, "inputs") == ["y", "x"]
    check_all(bundle, {"y": 3 * X, "x": X}, {"z": 2 * X, "a_0": 3 * X, "a_1_m": X})
    a, b = keras.Input((4,), name="y"), keras.Input((4,), name="x")
    ordered = keras.Model(OrderedDict(y=a, x=b), keras.layers.Subtract(name="d")([a, b]))
    for i, given in enumerate((two, dict(reversed(two.items())))):
        bundle = sparkdl.save_bundle(ordered, tmp_path / str(i), inputs=given)
        assert names(bundle, "inputs") == list(given)
        check_all(bundle, {"y": 3 * X, "x": X}, {"d": 2 * X})


def test_functions_name_nested_results_in_the_same_way(tmp_path: Path) -> None:
    import tensorflow as tf

    def nested(x: Any) -> Any:
        return {"u": [x, Pair(x * 2, None)], "b": OrderedDict(z=x * 3, a=x * 4)}

    expected = {"u_0": X, "u_1_0": X * 2, "b_z": X * 3, "b_a": X * 4}
    spec = tf.TensorSpec([None, 4], name="x")
    graph = tf.function(nested, input_signature=[spec])
    for i, given in enumerate((nested, graph, graph.get_concrete_function())):
        inputs = ONE if given is nested else None
        bundle = sparkdl.save_bundle(given, tmp_path / str(i), inputs=inputs)
        check_all(bundle, {"x": X}, expected)
    lists = sparkdl.save_bundle(lambda x: [x, (x * 2, {"k": x * 3})], tmp_path / "l", inputs=ONE)
    expected = {"output_0": X, "output_1_0": X * 2, "output_1_1_k": X * 3}
    check_all(lists, {"x": X}, expected)
    chosen = sparkdl.save_bundle(nested, tmp_path / "c", inputs=ONE, outputs={"new": "b_z"})
    check_all(chosen, {"x": X}, {"new": X * 3})


def test_functions_of_nested_tensors_and_of_tensors_without_names(tmp_path: Path) -> None:
    import tensorflow as tf

    spec = tf.TensorSpec([None, 4])
    nested = tf.function(lambda d: d["b"] - d["a"], input_signature=[{"b": spec, "a": spec}])
    for i, given in enumerate((nested, nested.get_concrete_function())):
        bundle = sparkdl.save_bundle(given, tmp_path / str(i))
        assert names(bundle, "inputs") == ["b", "a"]
        check_all(bundle, {"a": X, "b": 3 * X}, {"output": 2 * X})
    same = [tf.TensorSpec([None, 4], name="input_1"), spec, tf.TensorSpec([None, 4], name="x")]
    bundle = sparkdl.save_bundle(lambda a, b, c: a + 10 * b, tmp_path / "same", inputs=same)
    given = names(bundle, "inputs")
    assert given == ["input_1_0", "input_1_1", "x"]
    check_all(bundle, dict(zip(given, (X, X, X), strict=True)), {"output": 11 * X})


def test_a_model_with_a_table_has_the_same_names(tmp_path: Path, frame: Any) -> None:
    import keras

    words = keras.Input((), dtype="string", name="w")
    index = keras.layers.StringLookup(vocabulary=["a", "b"])(words)
    made = keras.ops.cast(index, "float32")
    x = keras.Input((4,), name="x")
    outputs = {"u": [made, x * 2], "b": {"k": made * 10}}
    model = keras.Model(OrderedDict(w=words, x=x), outputs)
    bundle = sparkdl.save_bundle(model, tmp_path / "m")
    assert "savedModel" in read_manifest(bundle)
    assert (names(bundle, "inputs"), names(bundle)) == (["w", "x"], ["u_0", "u_1", "b_k"])
    applied = frame.selectExpr("i", "'b' w", "x")
    found = sparkdl.load_model(bundle).append_to(applied, ["w", "x"], ["u0", "u1", "k"])
    assert [float(v) for v in column(found, "k")] == [20.0] * len(X)
    np.testing.assert_allclose(column(found, "u1"), 2 * X)


def test_results_that_are_not_dense_are_refused(tmp_path: Path) -> None:
    import tensorflow as tf

    def ragged(x: Any) -> Any:
        return {"r": tf.RaggedTensor.from_tensor(x), "z": x}

    with pytest.raises(InvalidModelException, match=r"output 'r' is a RaggedTensor.*to_tensor\(\)"):
        sparkdl.save_bundle(ragged, tmp_path / "m", inputs=ONE)


def test_two_tensors_of_one_operation_are_two_outputs(tmp_path: Path) -> None:
    import tensorflow as tf

    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [None, 4], name="x")
        halves = tf.split(x, 2, axis=1, name="half")
    for i, given in enumerate((["half", "half:1"], halves)):
        bundle = sparkdl.save_bundle(graph, tmp_path / str(i), outputs=given)
        check_all(bundle, {"x": X}, {"half": X[:, :2], "half:1": X[:, 2:]})
    twice = {"a": "x", "b": "x:0"}
    with pytest.raises(SettingsException, match="gives the tensor 'x:0' 2 names: a, b"):
        sparkdl.save_bundle(graph, tmp_path / "m", inputs=twice, outputs=["half"])


def test_names_that_the_user_gives_twice_are_refused(tmp_path: Path) -> None:
    model = of_x(lambda x: [dense()(x), dense()(x)])
    with pytest.raises(SettingsException, match=r"outputs= uses a name more than once: y\. Exp"):
        sparkdl.save_bundle(model, tmp_path / "m", outputs=["y", "y"])


def test_numbers_of_names_are_free_and_stable() -> None:
    assert distinct(["b", "a", "b", "b_1"]) == ["b_0", "a", "b_2", "b_1"]
    assert distinct(["a", "a", "a_0", "a_0"]) == ["a_1", "a_2", "a_0_0", "a_0_1"]
    assert distinct([]) == []


def test_sql_functions_and_stages_feed_and_name_by_the_same_order(frame: Any, spark: Any) -> None:
    import keras

    a, b = keras.Input((4,), name="IT"), keras.Input((4,), name="IS")
    difference = keras.layers.Subtract(name="d")([a, b])
    outputs = {"u": [difference, a], "b": b}
    model = keras.Model(OrderedDict(IT=a, IS=b), outputs)
    found = sparkdl.registerKerasUDF("ends", model)
    assert [str(o).split(":")[0] for o in found.outputs] == ["u_0", "u_1", "b"]
    expected = {"u_0": -X, "u_1": X, "b": 2 * X}
    for call in ("ends(x, z)", "ends(named_struct('IS', z, 'IT', x))"):
        made = frame.selectExpr("i", f"{call} o")
        assert made.schema["o"].dataType.fieldNames() == list(expected)
        for name, values in expected.items():
            np.testing.assert_allclose(column(made.selectExpr("i", f"o.{name} v"), "v"), values)
    stage = sparkdl.KerasTransformer(
        inputCols=["x", "z"], outputCols=["first", "second", "third"], model=model
    )
    made = stage.transform(frame)
    for name, values in zip(("first", "second", "third"), expected.values(), strict=True):
        np.testing.assert_allclose(column(made, name), values)


def test_inputs_whose_names_differ_in_case_only_take_the_fields_of_their_names(frame: Any) -> None:
    import keras

    a, b = keras.Input((4,), name="v"), keras.Input((4,), name="V")
    sparkdl.registerKerasUDF("cases", keras.Model([a, b], keras.layers.Subtract()([a, b])))
    made = frame.selectExpr("i", "cases(named_struct('V', x, 'v', z)) o")
    np.testing.assert_allclose(column(made, "o"), X)


class Begun:
    """Stateful layers; each is made anew."""

    @staticmethod
    def lstm() -> Any:
        import keras

        return keras.layers.LSTM(4, stateful=True)

    @staticmethod
    def gru_both_ways() -> Any:
        import keras

        return keras.layers.Bidirectional(keras.layers.GRU(4, stateful=True))

    @staticmethod
    def stacked() -> Any:
        import keras

        cells = [keras.layers.LSTMCell(4), keras.layers.GRUCell(3)]
        return keras.layers.RNN(cells, stateful=True)

    @staticmethod
    def nested() -> Any:
        import keras

        inner = [keras.Input(batch_shape=(1, 5, 3)), keras.layers.SimpleRNN(4, stateful=True)]
        return keras.Sequential(inner)


@pytest.mark.parametrize("layer", ["lstm", "gru_both_ways", "stacked", "nested"])
def test_a_stateful_layer_begins_with_its_initial_state(layer: str, tmp_path: Path) -> None:
    import keras

    head = [keras.Input(batch_shape=(1, 5, 3), name="s"), getattr(Begun, layer)()]
    model = keras.Sequential([*head, keras.layers.Dense(2)])
    s = np.random.default_rng(1).normal(size=(1, 5, 3)).astype("float32")
    expected = model.predict(s, verbose=0)
    after = model.predict(s, verbose=0)
    assert np.abs(after - expected).max() > 1e-4, "the state makes no difference"
    model.save(tmp_path / "m.keras")
    for i, given in enumerate((model, tmp_path / "m.keras")):
        bundle = sparkdl.save_bundle(given, tmp_path / str(i))
        check_all(bundle, {"s": s}, {"output": expected})
    # The model itself goes on as if nothing had happened.
    third = keras.saving.load_model(tmp_path / "m.keras")
    wanted = [third.predict(s, verbose=0) for _ in range(3)][-1]
    np.testing.assert_allclose(model.predict(s, verbose=0), wanted, atol=1e-5)


def test_a_layer_with_an_initial_state_of_its_own_begins_with_that(tmp_path: Path) -> None:
    import keras

    class Ones(keras.layers.SimpleRNNCell):
        def get_initial_state(self, batch_size: Any = None) -> Any:
            return [keras.ops.ones((batch_size, self.units))]

    layer = keras.layers.RNN(Ones(4), stateful=True)
    model = keras.Sequential([keras.Input(batch_shape=(1, 5, 3), name="s"), layer])
    s = np.random.default_rng(1).normal(size=(1, 5, 3)).astype("float32")
    expected = model.predict(s, verbose=0)
    model.predict(s, verbose=0)
    check_all(sparkdl.save_bundle(model, tmp_path / "m"), {"s": s}, {"output": expected})


def test_what_other_layers_count_is_a_weight_and_stays(tmp_path: Path) -> None:
    import keras

    class Counter(keras.layers.Layer):
        def build(self, shape: Any) -> None:
            self.seen = self.add_weight(shape=(), initializer="zeros", trainable=False)

        def call(self, x: Any) -> Any:
            self.seen.assign_add(1.0)
            return x * self.seen

    model = keras.Sequential([keras.Input((4,), name="x"), Counter()])
    model.predict(X, verbose=0)
    expected = 2 * X  # a second call
    check_all(sparkdl.save_bundle(model, tmp_path / "m"), {"x": X}, {"output": expected})
