"""`sparkdl.graph.utils`: names, and freezing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from sparkdl.errors import SparkDLException
from sparkdl.graph import utils as tfx

v1 = tf.compat.v1


@pytest.fixture
def graph() -> Any:
    with tf.Graph().as_default() as made:
        x = v1.placeholder(tf.float64, shape=[None, 3, None], name="x")
        tf.split(tf.identity(x, name="scope/y"), 3, axis=1, name="parts")
        v1.placeholder(tf.float32, name="shapeless")
        tf.no_op(name="nothing")
    return made


def test_names_without_a_graph_are_only_written_differently() -> None:
    assert [tfx.tensor_name(n) for n in ("a", "a:0", "s/a:3")] == ["a:0", "a:0", "s/a:3"]
    assert [tfx.op_name(n) for n in ("a", "a:0", "s/a:3")] == ["a", "a", "s/a"]
    for wrong in ("a:0:1", "a:b", "a:", ""):
        with pytest.raises(AssertionError, match="Expected the name of an operation or of a ten"):
            tfx.tensor_name(wrong)


def test_names_tensors_and_operations_mean_the_same(graph: Any) -> None:
    op = graph.get_operation_by_name("parts")
    for given in (op, op.outputs[0], "parts", "parts:0"):
        assert tfx.get_op(given, graph) is op
        assert tfx.get_tensor(given, graph) is op.outputs[0]
        assert tfx.tensor_name(given, graph) == "parts:0"
        assert tfx.op_name(given, graph) == "parts"
        assert tfx.validated_output(given, graph) == "parts"
    assert tfx.get_tensor("parts:2", graph) is op.outputs[2]
    assert tfx.get_tensor(op.outputs[2], graph) is op.outputs[2]
    assert tfx.tensor_name(op.outputs[1]) == "parts:1"
    assert tfx.op_name(op) == "parts"


def test_what_the_graph_does_not_have_is_a_key_error(graph: Any) -> None:
    with pytest.raises(KeyError, match="no operation 'part'. Some operations that it has: parts"):
        tfx.get_op("part", graph)
    with pytest.raises(KeyError, match="no tensor 'parts:3'"):
        tfx.get_tensor("parts:3", graph)
    with pytest.raises(KeyError, match="no tensor 'nothing:0'"):
        tfx.get_tensor("nothing", graph)


def test_what_is_of_another_graph_is_refused(graph: Any) -> None:
    with tf.Graph().as_default():
        other = v1.placeholder(tf.float32, name="x")
    for function in (tfx.get_op, tfx.get_tensor, tfx.tensor_name, tfx.op_name):
        with pytest.raises(AssertionError, match="'x:0' belongs to another graph"):
            function(other, graph)
    with pytest.raises(AssertionError, match="Expected a tf.Graph, got str"):
        tfx.validated_graph("graph")


def test_other_types_are_type_errors_and_say_what_to_do_with_keras(graph: Any) -> None:
    import keras

    for wrong in (1, 1.5, graph, tf.constant(1.0), None, ["x"]):
        for function in (tfx.op_name, tfx.tensor_name):
            with pytest.raises(TypeError, match="Expected a tensor or operation"):
                function(wrong, graph)
    with pytest.raises(SparkDLException, match="KerasTensor.*use GraphFunction.fromKeras"):
        tfx.op_name(keras.Input((3,)), graph)


def test_shapes_have_minus_one_where_they_are_unknown(graph: Any) -> None:
    assert tfx.get_shape("x", graph) == [-1, 3, -1]
    with pytest.raises(AssertionError, match="number of dimensions of shapeless:0 is unknown"):
        tfx.get_shape("shapeless", graph)


def test_scopes_and_placeholders(graph: Any) -> None:
    assert tfx.add_scope_to_name("scope", "y") == "scope/y"
    assert tfx.add_scope_to_name("", "y") == "y"
    assert tfx.validated_input("x:0", graph) == "x"
    with pytest.raises(
        AssertionError, match="'scope/y' is not a placeholder but an operation Ident"
    ):
        tfx.validated_input("scope/y", graph)


@pytest.mark.parametrize("resource", [True, False])
def test_freezing_keeps_what_the_fetches_need(resource: bool) -> None:
    with tf.Graph().as_default() as graph, v1.Session() as session:
        x = v1.placeholder(tf.float32, [None], name="x")
        v = v1.get_variable("v", initializer=3.0, use_resource=resource)
        tf.multiply(x, v, name="y")
        tf.add(x, 1.0, name="other")
        session.run(v1.global_variables_initializer())
        graph_def = tfx.strip_and_freeze_until(["y"], graph, session)
        made = tfx.strip_and_freeze_until(["y:0"], graph, session, return_graph=True)
        plain = tfx.strip_and_freeze_until(["other"], graph)
    assert "other" not in {n.name for n in graph_def.node}
    assert {n.name for n in plain.node} == {"x", "other", "other/y"}
    with v1.Session(graph=made) as session:
        np.testing.assert_array_equal(session.run("y:0", {"x:0": [1, 2]}), [3, 6])
    with pytest.raises(AssertionError, match="a variable has no value in the session"):
        tfx.strip_and_freeze_until(["y"], graph)
