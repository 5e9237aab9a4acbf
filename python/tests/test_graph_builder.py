"""`IsolatedSession`, `GraphFunction` and the pieces."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from sparkdl.errors import ModelNotFoundException
from sparkdl.graph.builder import GraphFunction, IsolatedSession
from sparkdl.graph.input import TFInputGraph
from sparkdl.graph.pieces import buildFlattener, buildSpImageConverter
from sparkdl.image.imageIO import imageArrayToStruct

v1 = tf.compat.v1
ROWS = np.array([[1, 2, 3], [-4, 5.5, 6]], np.float32)


def run(function: GraphFunction, *inputs: Any) -> list[Any]:
    with IsolatedSession() as issn:
        feeds, fetches = issn.importGraphFunction(function, prefix="")
        return list(issn.run(fetches, dict(zip(feeds, inputs, strict=True))))


def times(factor: float, name: str = "x") -> GraphFunction:
    with IsolatedSession() as issn:
        x = v1.placeholder(tf.float32, [None, 3], name=name)
        y = tf.multiply(x, factor, name="y")
        return issn.asGraphFunction([x], [y])


def dense(**kwargs: Any) -> Any:
    return keras.Sequential([keras.Input((3,), name="q"), keras.layers.Dense(2, **kwargs)])


def test_the_default_graph_is_the_own_one_and_the_old_one_comes_back() -> None:
    with tf.Graph().as_default() as outer:
        with IsolatedSession() as issn:
            assert v1.get_default_graph() is issn.graph
            assert v1.get_default_session() is issn.sess
        assert v1.get_default_graph() is outer
    given = tf.Graph()
    with IsolatedSession(given) as issn:
        assert issn.graph is given
    assert tf.executing_eagerly()


def test_variables_become_constants_and_names_stay() -> None:
    with IsolatedSession() as issn:
        x = v1.placeholder(tf.float32, [None, 3], name="x")
        unused = v1.placeholder(tf.float32, name="unused")
        v = v1.get_variable("v", initializer=2.0)
        y = tf.multiply(x, v, name="y")
        issn.run(v.initializer)
        frozen = issn.asGraphFunction([x, unused], [y])
        loose = issn.asGraphFunction(["x"], ["y:0"], strip_and_freeze=False)
        with pytest.raises(AssertionError, match="'y' is not a placeholder"):
            issn.asGraphFunction([y], [y])
    assert (frozen.input_names, frozen.output_names) == (["x", "unused"], ["y"])
    np.testing.assert_array_equal(run(frozen, ROWS, 0)[0], ROWS * 2)
    assert "VarHandleOp" in {n.op for n in loose.graph_def.node}


def test_a_function_is_imported_twice_with_a_tensor_for_its_input() -> None:
    with IsolatedSession() as issn:
        x = v1.placeholder(tf.float32, [None, 3], name="x")
        _, (y,) = issn.importGraphFunction(times(2), {"x": x})
        feeds, (z,) = issn.importGraphFunction(times(3), {"x:0": y}, return_elements=["y"])
        assert feeds[0] is y or feeds[0].name == y.name
        assert (y.name, z.name) == ("GFN-IMPORT/y:0", "GFN-IMPORT_1/y:0")
        np.testing.assert_array_equal(issn.run(z, {x: ROWS}), ROWS * 6)
        with pytest.raises(
            AssertionError, match="input_map names q:0; the function's inputs are x"
        ):
            issn.importGraphFunction(times(2), {"q": x})


def test_functions_are_chained_and_keep_the_outer_names() -> None:
    chain = GraphFunction.fromList([("a", times(2, "first")), (None, times(3)), ("c", times(5))])
    assert (chain.input_names, chain.output_names) == (["first"], ["y"])
    assert {"a/y", "GFN-BLK-1/y", "c/y"} <= {n.name for n in chain.graph_def.node}
    np.testing.assert_array_equal(run(chain, ROWS)[0], ROWS * 30)


def test_a_chain_of_one_is_a_function() -> None:
    one = GraphFunction.fromList([(None, times(2))])
    assert isinstance(one, GraphFunction)
    np.testing.assert_array_equal(run(one, ROWS)[0], ROWS * 2)


def test_several_tensors_pass_from_one_to_the_next() -> None:
    with IsolatedSession() as issn:
        x = v1.placeholder(tf.float32, [None, 3], name="x")
        split = issn.asGraphFunction([x], [tf.add(x, 1, name="a"), tf.add(x, 2, name="b")])
    with IsolatedSession() as issn:
        p, q = (v1.placeholder(tf.float32, [None, 3], name=n) for n in "pq")
        join = issn.asGraphFunction([p, q], [tf.subtract(q, p, name="difference")])
    chain = GraphFunction.fromList([("s", split), ("j", join)])
    np.testing.assert_array_equal(run(chain, ROWS)[0], np.ones_like(ROWS))
    with pytest.raises(AssertionError, match=r"Function 0 has 1 outputs \(difference\), but funct"):
        GraphFunction.fromList([("j", join), ("k", join)])
    with pytest.raises(AssertionError, match="the list of functions is empty"):
        GraphFunction.fromList([])


def test_keras_models_become_functions(tmp_path: Path) -> None:
    model = dense()
    model.save(tmp_path / "m.keras")
    model.save(tmp_path / "m.h5")
    expected = model.predict(ROWS, verbose=0)
    for source in (model, tmp_path / "m.keras", str(tmp_path / "m.h5")):
        made = GraphFunction.fromKeras(source)
        assert (made.input_names, made.output_names) == (["q"], ["output"])
        np.testing.assert_allclose(run(made, ROWS)[0], expected, rtol=1e-5)
    with pytest.raises(TypeError, match="Expected a Keras model or the path of one.*got int"):
        GraphFunction.fromKeras(7)
    with pytest.raises(ModelNotFoundException, match="no model at .*m.onnx. Expected a file of K"):
        GraphFunction.fromKeras(tmp_path / "m.onnx")


def test_a_keras_model_made_outside_is_brought_in_frozen() -> None:
    model = dense()
    outside = GraphFunction.fromKeras(model)
    with IsolatedSession(using_keras=True) as issn:
        x = v1.placeholder(tf.float32, [None, 3], name="x")
        _, outputs = issn.importGraphFunction(outside, {"q": x * 2})
        whole = issn.asGraphFunction([x], outputs)
        with pytest.raises(TypeError, match="KerasTensor.*GraphFunction.fromKeras"):
            issn.asGraphFunction(model.inputs, model.outputs)
    np.testing.assert_allclose(run(whole, ROWS)[0], model.predict(ROWS * 2, verbose=0), rtol=1e-5)


def test_keras_layers_made_inside_are_initialised_once_and_frozen() -> None:
    with IsolatedSession(using_keras=True) as issn:
        x = v1.placeholder(tf.float32, [None, 3], name="x")
        y = keras.layers.Dense(2, name="d")(x)
        y = keras.layers.BatchNormalization()(y, training=False)
        first = issn.run(y, {x: ROWS})
        assert np.any(first != 0)
        np.testing.assert_array_equal(issn.run(y, {x: ROWS}), first)
        z = keras.layers.Dense(1, bias_initializer="ones", kernel_initializer="zeros")(y)
        np.testing.assert_array_equal(issn.run(z, {x: ROWS}), [[1], [1]])
        np.testing.assert_array_equal(issn.run(y, {x: ROWS}), first)
        made = issn.asGraphFunction([x], [y])
    np.testing.assert_allclose(run(made, ROWS)[0], first, rtol=1e-6)


def test_weights_that_keras_sets_inside_reach_the_session(tmp_path: Path) -> None:
    model = dense()
    model.save(tmp_path / "m.keras")
    expected = model.predict(ROWS, verbose=0)
    with IsolatedSession(using_keras=True) as issn:
        x = v1.placeholder(tf.float32, [None, 3], name="x")
        loaded = keras.saving.load_model(tmp_path / "m.keras", compile=False)
        y = loaded(x)
        np.testing.assert_allclose(issn.run(y, {x: ROWS}), expected, rtol=1e-5)
        loaded.set_weights([np.ones((3, 2)), np.zeros(2)])
        np.testing.assert_allclose(issn.run(y, {x: ROWS})[:, 0], ROWS.sum(1), rtol=1e-6)
        made = issn.asGraphFunction([x], [y])
    np.testing.assert_allclose(run(made, ROWS)[0][:, 1], ROWS.sum(1), rtol=1e-6)


def converted(order: str, image: Any) -> Any:
    struct = imageArrayToStruct(image)
    piece = buildSpImageConverter(order, str(image.dtype))
    assert piece.input_names == ["height", "width", "nChannels", "data"]
    assert piece.output_names == ["image_input"]
    fields = [struct[n] for n in ("height", "width", "nChannels")]
    return run(piece, *fields, bytes(struct["data"]))[0]


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_an_image_struct_becomes_a_batch_in_the_order_asked_for(dtype: Any) -> None:
    image = np.random.default_rng(0).integers(0, 256, (4, 5, 3)).astype(dtype)
    assert converted("BGR", image).dtype == np.float32
    np.testing.assert_array_equal(converted("BGR", image), image[None])
    np.testing.assert_array_equal(converted("RGB", image), image[None, ..., ::-1])
    grey = image @ np.array([0.114, 0.587, 0.299])
    np.testing.assert_allclose(converted("L", image)[0, ..., 0], grey, rtol=1e-5)


def test_grey_and_alpha_keep_their_place() -> None:
    image = np.random.default_rng(0).integers(0, 256, (4, 5, 4), dtype=np.uint8)
    np.testing.assert_array_equal(converted("RGB", image), image[None][..., [2, 1, 0, 3]])
    np.testing.assert_array_equal(converted("RGB", image[..., :1]), image[None, ..., :1])
    found = converted("L", image[..., :1])
    np.testing.assert_allclose(found, image[None, ..., :1], rtol=1e-6)


def test_unknown_orders_and_types_are_refused() -> None:
    with pytest.raises(ValueError, match="Unknown img_dtype 'int8'. Expected uint8 or float32"):
        buildSpImageConverter("RGB", "int8")
    with pytest.raises(ValueError, match="Unknown channelOrder 'GBR'. Expected RGB, BGR or L"):
        buildSpImageConverter("GBR", "uint8")


def test_the_flattener_puts_everything_in_one_row() -> None:
    piece = buildFlattener()
    assert piece.output_names == ["output"]
    np.testing.assert_array_equal(run(piece, ROWS)[0], ROWS.ravel())


def test_a_function_of_a_session_has_the_shapes_of_its_tensors() -> None:
    with IsolatedSession() as issn:
        x = v1.placeholder(tf.float32, None, name="x")
        w = v1.get_variable("w", initializer=2.0)
        issn.run(w.initializer)
        y = tf.multiply(x, w, name="y")
        y.set_shape([None, 3])
        frozen = issn.asGraphFunction([x], [y])
        whole = issn.asGraphFunction([x], [y], strip_and_freeze=False)
    for function in (frozen, whole):
        [node] = [n for n in function.graph_def.node if n.name == "y"]
        [shape] = node.attr["_output_shapes"].list.shape
        assert [d.size for d in shape.dim] == [-1, 3]
        with IsolatedSession() as issn:
            _, [imported] = issn.importGraphFunction(function, prefix="")
            assert imported.shape.as_list() == [None, 3]
    graph = TFInputGraph.fromGraphDef(frozen.graph_def, ["x"], ["y"])
    assert graph.outputs == ["y"]
