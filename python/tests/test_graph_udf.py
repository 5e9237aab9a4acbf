"""`makeGraphUDF`: graphs of TensorFlow 1 as SQL functions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sparkdl.graph.tensorframes_udf import makeGraphUDF


@pytest.fixture
def rows(spark: Any) -> Any:
    """Rows of (i, x, v, name)."""
    data = [(i, float(i), [float(i), 2.0 * i], f"{i}.5") for i in range(20)]
    frame = spark.createDataFrame(data, "i int, x double, v array<float>, name string")
    frame.createOrReplaceTempView("graph_rows")
    return frame


@pytest.fixture
def v1(spark: Any) -> Any:
    import tensorflow as tf

    with tf.Graph().as_default():
        yield tf.compat.v1


def test_a_graph_of_one_row_is_run_on_many(spark: Any, rows: Any, v1: Any) -> None:
    import tensorflow as tf

    x = v1.placeholder(tf.float64, [], name="input_x")
    z = tf.add(x, 3, name="z")
    model = makeGraphUDF(x.graph, "plus_three", [z])
    found = [r[0] for r in spark.sql("SELECT plus_three(x) FROM graph_rows").collect()]
    assert found == [i + 3.0 for i in range(20)]
    assert str(model.inputs[0]) == "input_x: float64 [?]"
    renamed = makeGraphUDF(x.graph, "plus_three", ["z"], {"input_x": "x"})
    assert renamed.outputs[0].name == "z"
    got = spark.sql("SELECT plus_three(struct(i, x)) FROM graph_rows WHERE x > 17").collect()
    assert [r[0] for r in got] == [21.0, 22.0]


def test_several_fetches_are_a_struct_sorted_by_name(spark: Any, rows: Any, v1: Any) -> None:
    import tensorflow as tf

    v = v1.placeholder(tf.float32, [2], name="v")
    x = v1.placeholder(tf.float64, [], name="x")
    total = tf.reduce_sum(v, name="total")
    scaled = tf.multiply(v, tf.cast(x, tf.float32), name="scaled")
    makeGraphUDF(v.graph, "stats", [total, scaled], {x: "i"})
    frame = spark.sql("SELECT i, stats(struct(v, i)) AS s FROM graph_rows")
    assert frame.schema["s"].dataType.names == ["scaled", "total"]
    for row in frame.collect():
        assert row.s.total == 3.0 * row.i
        np.testing.assert_array_equal(row.s.scaled, np.array([1, 2]) * row.i**2)


def test_a_graph_of_blocks_is_taken_as_it_is(spark: Any, rows: Any, v1: Any) -> None:
    import tensorflow as tf

    v = v1.placeholder(tf.float32, [None, 2], name="v")
    weights = v1.get_variable("w", initializer=np.array([[1.0], [10.0]], "float32"))
    y = tf.identity(v @ weights, name="y")
    with v1.Session() as session:
        session.run(v1.global_variables_initializer())
        makeGraphUDF(v.graph, "weighted", [y], blocked=True)
    found = spark.sql("SELECT i, weighted(v)[0] FROM graph_rows").collect()
    assert all(r[1] == 21.0 * r.i for r in found)


def test_strings_of_one_row_are_parsed(spark: Any, rows: Any, v1: Any) -> None:
    import tensorflow as tf

    name = v1.placeholder(tf.string, [], name="name")
    makeGraphUDF(name.graph, "number", [tf.strings.to_number(name, tf.float64, name="n")])
    found = spark.sql("SELECT i, number(name) FROM graph_rows").collect()
    assert all(r[1] == r.i + 0.5 for r in found)


def test_without_register_only_the_model_is_made(spark: Any, rows: Any, v1: Any) -> None:
    import tensorflow as tf

    x = v1.placeholder(tf.float64, [], name="x")
    model = makeGraphUDF(x.graph, "unregistered", [tf.square(x, name="y")], register=False)
    assert not any("unregistered" in r[0] for r in spark.sql("SHOW USER FUNCTIONS").collect())
    assert rows.where("i = 4").select(model("x")).first()[0] == 16.0


def test_wrong_names_are_errors_of_the_kinds_of_1x(spark: Any, v1: Any) -> None:
    import tensorflow as tf

    x = v1.placeholder(tf.float64, [], name="x")
    y = tf.square(x, name="y")
    with pytest.raises(KeyError, match="no operation 'nope'"):
        makeGraphUDF(x.graph, "f", ["nope"])
    with pytest.raises(KeyError, match="names y; the placeholders that the fetches need are x"):
        makeGraphUDF(x.graph, "f", [y], {"y": "a"})
    with pytest.raises(AssertionError, match=r"Expected a tf\.Graph"):
        makeGraphUDF("graph", "f", [y])
