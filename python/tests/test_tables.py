"""Keras on tables: a column per feature, in stages, columns, SQL functions and in training."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from table_model import FEATURES, ROWS, SCHEMA, people, table_model, tensors

import sparkdl
from sparkdl._placement.blocks import RowProblem, _digest, array
from sparkdl._placement.training_columns import Field, training_columns
from sparkdl.errors import SchemaMismatchException


@pytest.fixture(scope="module")
def table(spark: Any) -> Any:
    frame = spark.createDataFrame(people(), SCHEMA).coalesce(2).cache()
    frame.createOrReplaceTempView("people")
    return frame


@pytest.fixture(scope="module")
def model() -> Any:
    return table_model()


@pytest.fixture(scope="module")
def expected(model: Any) -> Any:
    return model(tensors(people())).numpy()[:, 0]


@pytest.fixture(scope="module")
def stage(model: Any) -> sparkdl.KerasTransformer:
    return sparkdl.KerasTransformer(model=model, inputCols=list(FEATURES), outputCol="p")


def check(frame: Any, expected: Any) -> None:
    """Compare the first column, arrays of one number, with what Keras gives."""
    found = np.array([r[0] for r in frame.collect()])
    np.testing.assert_allclose(found[:, 0], expected, atol=1e-6)


def test_plain_columns_feed_keras_models_in_stages_columns_and_functions(
    table: Any, stage: Any, model: Any, expected: Any
) -> None:
    check(stage.transform(table).select("p"), expected)
    loaded = sparkdl.load_model(stage.getModelFile())
    check(table.select(loaded(*FEATURES)), expected)
    loaded.register("bought_by_columns")
    check(table.selectExpr(f"bought_by_columns({', '.join(FEATURES)})"), expected)


def test_a_struct_and_its_fields_feed_them_too(
    table: Any, stage: Any, model: Any, expected: Any
) -> None:
    nested = table.selectExpr("struct(*) AS s")
    by_field = stage.copy({stage.inputCols: [f"s.{f}" for f in FEATURES]})
    check(by_field.transform(nested).select("p"), expected)
    by_name = sparkdl.KerasTransformer(modelFile=stage.getModelFile(), inputCol="s", outputCol="p")
    check(by_name.transform(nested).select("p"), expected)
    loaded = sparkdl.load_model(stage.getModelFile())
    check(nested.select(loaded("s")), expected)
    check(loaded.append_to(nested, "s", "p").select("p"), expected)
    for graph in (stage.getModelFile(), sparkdl.TFInputGraph.fromKeras(model)):
        by_graph = sparkdl.TFTransformer(
            tfInputGraph=graph, inputMapping={"s": "*"}, outputMapping={"bought": "p"}
        )
        check(by_graph.transform(nested).select("p"), expected)


def test_training_on_plain_columns_and_texts_is_that_of_keras(table: Any, model: Any) -> None:
    import keras
    import tensorflow as tf

    nested = table.selectExpr("struct(*) AS s", "bought")
    estimator = sparkdl.KerasEstimator(
        model=model, inputCols="s", labelCols="s.bought", outputCols="p",
        loss="binary_crossentropy", optimizer="sgd", epochs=2, shuffle=False, numWorkers=2,
        verbose=0,
    )  # fmt: skip
    fitted = estimator.fit(nested)
    plain = keras.models.clone_model(model)
    plain.set_weights(model.get_weights())
    plain.compile("sgd", "binary_crossentropy")
    rows = [tuple(r) for r in table.collect()]
    labels = tf.constant([[r[4]] for r in rows])
    data = tf.data.Dataset.from_tensor_slices((tensors(rows), labels)).batch(32)
    history = plain.fit(data, epochs=2, verbose=0).history
    assert fitted.history["loss"] == pytest.approx(history["loss"], rel=1e-5)
    assert fitted.getInputCols() == [f"s.{f}" for f in FEATURES]
    check(fitted.transform(nested).select("p"), plain(tensors(rows)).numpy()[:, 0])


def test_what_does_not_feed_an_input_is_named_before_training(table: Any, model: Any) -> None:
    def message(columns: Any) -> str:
        with pytest.raises(SchemaMismatchException) as raised:
            training_columns(nested, model, columns, ["bought"], None, None)
        return str(raised.value)

    nested = table.selectExpr("struct(age, rooms, colour) AS s", "*")
    assert "in the struct column 's' by name: the struct lacks 'income'" in message(["s"])
    assert "no column 's.x'. The DataFrame has: s, age" in message(["s.x", *FEATURES[1:]])
    assert "'s' has the fields: age, rooms, colour" in message(["s.x", *FEATURES[1:]])
    words = message(["age", "rooms", "rooms", "income"])
    assert "column 'rooms' to input 'colour' of the model: expected texts for string" in words
    assert "expected numbers for float32 [?, 1], got string" in message(
        ["colour", "rooms", "colour", "income"]
    )


def test_a_column_with_a_dot_in_its_name_comes_before_a_field(table: Any, model: Any) -> None:
    both = table.selectExpr("struct(colour AS age) AS s", "age AS `s.age`", "*")
    columns = ["s.age", *FEATURES[1:]]
    frame, fields = training_columns(both, model, columns, [], None, None)
    assert dict(frame.dtypes)["c0"] == "double"
    assert [f.name for f in fields.inputs] == columns


def test_texts_are_told_apart_and_kept_as_they_are() -> None:
    import pyarrow as pa

    field = Field("w", "S", (None,))
    texts = pa.array([["a", "bcd"], ["é", ""]])
    found = array(texts, field, 0)
    assert found.tolist() == [[b"a", b"bcd"], ["é".encode(), b""]]
    assert _digest([found]) == _digest([found.astype("S9")])
    assert _digest([found]) != _digest([found[:, ::-1].copy()])
    with pytest.raises(RowProblem, match="column 'w' has a text that ends in a zero byte"):
        array(pa.array([["a\0", "b"]]), field, 0)


def test_labels_and_texts_of_unequal_length_are_refused_with_the_way_out() -> None:
    import pyarrow as pa

    for field, values in (
        (Field("y", "float32", None), [[1.0], [2.0, 3.0]]),
        (Field("w", "S", (None,)), [["a"], ["b", "c"]]),
    ):
        with pytest.raises(RowProblem, match=rf"'{field.name}' has arrays of 1 to 2 ele.*pad them"):
            array(pa.array(values), field, 0)


def test_a_dataset_takes_structs_and_fields_as_keras_models_take_them(
    table: Any, model: Any, expected: Any
) -> None:
    nested = table.selectExpr(f"struct({', '.join(FEATURES)}) AS s")
    structs = sparkdl.tf_dataset(nested, ("s",), 32)
    assert {k: s.shape.as_list() for k, s in structs.element_spec[0].items()} == {
        "age": [None], "rooms": [None], "colour": [None], "income": [None, 1],
    }  # fmt: skip
    np.testing.assert_allclose(model.predict(structs, verbose=0)[:, 0], expected, atol=1e-6)
    fields = {f: f"s.{f}" for f in FEATURES}
    shuffled = sparkdl.tf_dataset(nested, fields, 32, shuffle=True, seed=3)
    ages = np.concatenate([batch["age"].numpy() for batch in shuffled])
    assert len(ages) == ROWS
    assert sorted(ages) == sorted(r[0] for r in people())
