"""Functions of tensors become programs: which columns feed them, what they give, what is refused.

On frames of pandas, so that these need no Spark; the other files show that Spark gives the same.
"""

from __future__ import annotations

import functools
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

import sparkdl.tensorframes as tfs
from sparkdl._places.temporary_folders import process_folder
from sparkdl.errors import InvalidModelException, SchemaMismatchException, SparkDLException
from sparkdl.tensorframes._compile import MAP_BLOCKS, MAP_ROWS, REDUCE_BLOCKS, REDUCE_ROWS, program
from sparkdl.tensorframes._program import Program
from sparkdl.tensorframes._tensor_columns import TensorColumn

COLUMNS = {
    "x": TensorColumn("x", "float64", ()),
    "v": TensorColumn("v", "float32", (None,)),
    "n": TensorColumn("n", "int64", ()),
    "day": TensorColumn("day", None, None),
}


def made(fetches: Any, form: Any = MAP_BLOCKS, feed_dict: Any = None) -> Any:
    return program(fetches, form, lambda: COLUMNS, feed_dict, True)


def fed(found: Any) -> set[str]:
    return {found.feeds.get(n.name, n.name) for n in found.graph_def.node if n.op == "Placeholder"}


def frame() -> pd.DataFrame:
    return pd.DataFrame({"x": [1.0, 2.0, 3.0], "y": [10.0, 20.0, 30.0]})


def z(fetches: Any, **options: Any) -> list[float]:
    return list(tfs.map_blocks(fetches, frame(), **options)["z"])


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = (
        "import sys, sparkdl.tensorframes\n"
        "heavy = {'tensorflow', 'keras', 'pyspark', 'pandas'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_arguments_bind_to_columns_and_the_dict_names_the_results() -> None:
    found = made(lambda x, v: {"b": x * 2, "a": v})
    assert list(found.outputs) == ["b", "a"]
    assert fed(found) == {"x", "v"}
    assert z(lambda y, x: {"z": x + y}) == [11.0, 22.0, 33.0]


def test_feed_dict_binds_arguments_to_other_columns() -> None:
    assert z(lambda a, y: {"z": a - y}, feed_dict={"a": "y", "y": "x"}) == [9.0, 18.0, 27.0]


@pytest.mark.parametrize(
    ("form", "function", "shapes"),
    [
        (MAP_BLOCKS, lambda x, v: {"z": x, "w": v}, {"x": [None], "v": [None, None]}),
        (MAP_ROWS, lambda x, v: {"z": x, "w": v}, {"x": [], "v": [None]}),
        (REDUCE_BLOCKS, lambda v_input: {"v": v_input[0]}, {"v_input": [None, None]}),
        (REDUCE_BLOCKS, lambda v: {"v": v[0]}, {"v": [None, None]}),
        (REDUCE_ROWS, lambda v_1, v_2: {"v": v_1 + v_2}, {"v_1": [None], "v_2": [None]}),
    ],
)
def test_blocks_have_a_dimension_of_rows_in_front_and_rows_have_not(
    form: Any, function: Any, shapes: Any
) -> None:
    found = made(function, form)
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(found.graph_def, name="")
    ops = [op for op in graph.get_operations() if op.type == "Placeholder"]
    assert {op.name: op.outputs[0].shape.as_list() for op in ops} == shapes


def test_arguments_of_reductions_are_columns_with_an_ending() -> None:
    assert fed(made(lambda x_input: {"x": tf.reduce_sum(x_input)}, REDUCE_BLOCKS)) == {"x"}
    assert fed(made(lambda x_1, x_2: {"x": x_1 + x_2}, REDUCE_ROWS)) == {"x"}
    with pytest.raises(SchemaMismatchException, match="takes every column twice, 'x' as 'x_1' and"):
        made(lambda x: {"x": x}, REDUCE_ROWS)


def test_arguments_with_a_default_keep_it_unless_they_are_fed() -> None:
    def shifted(x: Any, by: Any = 5.0) -> Any:
        return {"z": x + by}

    assert z(shifted) == [6.0, 7.0, 8.0]
    assert z(shifted, feed_dict={"by": "y"}) == [11.0, 22.0, 33.0]
    assert z(functools.partial(shifted, by=1.0)) == [2.0, 3.0, 4.0]
    assert z(lambda x, *, y: {"z": x + y}) == [11.0, 22.0, 33.0]


def test_methods_and_callable_objects_are_functions() -> None:
    class Scaled:
        factor = 3.0

        def method(self, x: Any) -> Any:
            return {"z": x * self.factor}

        def __call__(self, /, x: Any) -> Any:
            return self.method(x)

    assert z(Scaled().method) == z(Scaled()) == [3.0, 6.0, 9.0]


def test_arguments_that_are_only_positional_are_fed() -> None:
    assert z(lambda x, /, y: {"z": y - x}) == [9.0, 18.0, 27.0]


def test_keyword_arguments_take_what_feed_dict_names() -> None:
    def total(**columns: Any) -> Any:
        return {"z": sum(columns.values())}

    assert z(total, feed_dict={"a": "x", "b": "y"}) == [11.0, 22.0, 33.0]
    with pytest.raises(TypeError, match="the function 'total' have no names.*pass feed_dict"):
        z(total)
    with pytest.raises(TypeError, match="have no names"):
        z(lambda *columns: {"z": columns[0]})


def test_a_tf_function_may_have_python_control_flow_and_a_signature() -> None:
    @tf.function
    def grown(x: Any) -> Any:
        while tf.reduce_sum(x) < 50.0:
            x = x * 2.0
        return {"z": x}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])
    def halved(x: Any) -> Any:
        return {"z": x / 2}

    assert z(grown) == [16.0, 32.0, 48.0]
    assert z(halved) == [0.5, 1.0, 1.5]
    result = tfs.map_blocks(halved, frame())
    assert result["z"].dtype == np.float32, "of the signature"
    assert z(halved.get_concrete_function()) == [0.5, 1.0, 1.5]


def test_shapes_that_control_flow_hides_are_in_the_graph() -> None:
    @tf.function
    def either(x: Any) -> Any:
        if tf.reduce_sum(x) > 0.0:
            z = tf.stack([x, x], axis=1)
        else:
            z = tf.zeros([tf.size(x), 2], tf.float64)
        return {"z": z}

    found = made(either)
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(found.graph_def, name="")
    assert graph.get_tensor_by_name(found.outputs["z"]).shape.as_list() == [None, 2]


def test_captured_variables_become_constants() -> None:
    weight = tf.Variable(2.0, dtype=tf.float64)
    found = made(lambda x: {"z": x * weight})
    assert not [n for n in found.graph_def.node if "Var" in n.op]
    before = z(lambda x: {"z": x * weight})
    weight.assign(3.0)
    assert (before, z(lambda x: {"z": x * weight})) == ([2.0, 4.0, 6.0], [3.0, 6.0, 9.0])


def test_a_keras_model_is_fed_by_the_columns_of_its_inputs() -> None:
    import keras

    model = keras.Sequential([keras.Input((2,), name="v"), keras.layers.Dense(1, name="score")])
    df = pd.DataFrame({"v": [[1.0, 2.0], [3.0, 4.0]], "w": [[0.0, 1.0], [1.0, 0.0]]})
    expected = model(np.array(df["v"].tolist(), np.float32)).numpy()
    name = next(iter(made(model).outputs))
    np.testing.assert_allclose(np.stack(tfs.map_blocks(model, df)[name]), expected, rtol=1e-6)
    other = np.stack(tfs.map_blocks(model, df, feed_dict={"v": "w"})[name])
    assert other.shape == (2, 1)
    with pytest.raises(SchemaMismatchException, match="takes blocks of rows. Use map_blocks"):
        made(model, MAP_ROWS)
    with pytest.raises(SchemaMismatchException, match="feed_dict names q, but .* the inputs v"):
        made(model, feed_dict={"q": "v"})


def test_a_program_may_have_no_inputs_and_constant_results() -> None:
    assert fed(made(lambda: {"z": tf.ones([3])})) == set()
    assert fed(made(lambda x: {"z": np.arange(3)})) == set()


def test_the_graph_that_a_caller_builds_is_left_alone() -> None:
    with tf.Graph().as_default() as graph:
        assert z(lambda x: {"z": x + 1.0}) == [2.0, 3.0, 4.0]
    assert graph.get_operations() == []


class Door:
    """Takes the files of programs over, as the JVM's does."""

    @staticmethod
    def tensorProgram(path: str, *rest: Any) -> bytes:
        content = Path(path).read_bytes()
        Path(path).unlink()
        return content


def test_equal_programs_are_equal_files_and_each_is_handed_over() -> None:
    def handed_over(program: Program) -> bytes:
        return program.in_jvm(Door)

    before = {*process_folder().iterdir()}
    files = {handed_over(made(lambda x: {"z": x + 1.0})) for _ in range(3)}
    assert len(files) == 1
    assert handed_over(made(lambda x: {"z": x + 2.0})) not in files
    assert {*process_folder().iterdir()} <= before


def test_shapes_do_not_depend_on_the_values_of_large_constants(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from sparkdl._bundles.graph import freeze

    table = np.ones([300, 200], np.float32)
    large = [np.ones([7, 30_000]), np.array(["a" * 70_000])]
    program = made(
        lambda x: {
            "row": tf.reshape(tf.cast(x, tf.float32), [-1, 1]) @ table[:1],
            "table": tf.gather(table, tf.cast(x, tf.int32)),
            "sizes": tf.reshape(large[0], [-1, 3, 5]),
            "text": tf.constant(large[1]),
        }
    )
    ends = [*program.outputs.values()]
    light = freeze.without_large_values(program.graph_def)
    assert light.ByteSize() < 10_000 < program.graph_def.ByteSize()
    found = freeze.static_signature(program.graph_def, ends)
    monkeypatch.setattr(freeze, "LARGE_BYTES", 1 << 40)
    assert found == freeze.static_signature(program.graph_def, ends)
    assert [s.shape.as_list() for s in found] == [[None, 200], [None, 200], [14_000, 3, 5], [1]]


def test_the_graph_of_a_caller_keeps_its_constants_and_can_be_used_again() -> None:
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float64, [None], name="x")
        z = tf.add(x, np.arange(3.0), name="z")
    before = graph.as_graph_def().SerializeToString(deterministic=True)
    files = {made(z).in_jvm(Door) for _ in range(2)}
    assert len(files) == 1
    assert graph.as_graph_def().SerializeToString(deterministic=True) == before


def test_a_column_that_is_missing_or_no_tensor_is_named() -> None:
    with pytest.raises(
        SchemaMismatchException,
        match="no column 'q' for the argument 'q' of the function. The DataFrame has: x, v, n, day",
    ):
        made(lambda q: {"z": q})
    with pytest.raises(SchemaMismatchException, match="no column 'q'"):
        made(lambda x: {"z": x}, feed_dict={"x": "q"})
    with pytest.raises(SchemaMismatchException, match="Column 'day' cannot be fed to the argument"):
        made(lambda day: {"z": day})


def test_what_a_function_gives_must_be_a_dict_of_tensors() -> None:
    def scored(x: Any) -> Any:
        return x + 3.0

    with pytest.raises(
        TypeError, match="The function 'scored' returned a single tensor. Expected a d"
    ):
        made(scored)
    with pytest.raises(TypeError, match="The function returned list. Expected a dict that names"):
        made(lambda x: [x])
    with pytest.raises(TypeError, match="returned an empty dict"):
        made(lambda x: {})
    with pytest.raises(TypeError, match="names a result 1. Expected the name of a column"):
        made(lambda x: {1: x})
    with pytest.raises(TypeError, match="result 'z' of the function is a RaggedTensor.*to_tensor"):
        made(lambda x: {"z": tf.RaggedTensor.from_row_lengths(x, [1, 2])})
    with pytest.raises(TypeError, match="result 'z' of the function is not a tensor but NoneType"):
        made(lambda x: {"z": None})


def test_errors_of_tracing_say_what_it_was_traced_at_and_what_to_do() -> None:
    with pytest.raises(InvalidModelException, match=r"with n: int64 \[\?\]: .*use tf.cast"):
        made(lambda n: {"z": n + 3.0})
    with pytest.raises(InvalidModelException, match="Decorate it with @tf.function"):
        made(lambda x: {"z": 1.0 if x > 3 else 2.0}, MAP_ROWS)
    with pytest.raises(InvalidModelException, match="ZeroDivisionError: .*tfs.append_shape"):
        made(lambda v: {"z": v * (1 / 0)})


def test_lookup_tables_are_refused() -> None:
    table = tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer([1], [2], tf.int64, tf.int64), 0
    )
    with pytest.raises(InvalidModelException, match="Cannot freeze the function: .* lookup tables"):
        made(lambda n: {"z": table.lookup(n)})


def test_functions_of_python_inside_the_graph_are_refused() -> None:
    def logged(x: Any) -> Any:
        return {"z": tf.ensure_shape(tf.numpy_function(np.log, [x], tf.float64), [None])}

    with pytest.raises(InvalidModelException, match="of the function 'logged' calls back into Pyt"):
        made(logged)


def test_operations_are_called_like_the_results_that_they_give() -> None:
    found = made(lambda x, v: {"z": x, "a b": v, "v": v * 2.0})
    assert found.outputs == {"z": "z:0", "a b": "a_b:0", "v": "Identity_2:0"}


def test_a_wrong_feed_dict_is_refused() -> None:
    with pytest.raises(SchemaMismatchException, match="names 'q', but the function has the argum"):
        made(lambda x: {"z": x}, feed_dict={"q": "x"})
    with pytest.raises(TypeError, match="Expected feed_dict as .argument or placeholder: column."):
        made(lambda x: {"z": x}, feed_dict=["x"])
    with pytest.raises(TypeError, match="binds 'x' to 3. Expected the name of a column"):
        made(lambda x: {"z": x}, feed_dict={"x": 3})
    with pytest.raises(TypeError, match="has the key 1. Expected the name of an argument"):
        made(lambda x: {"z": x}, feed_dict={1: "x"})


def test_wrong_options_are_refused() -> None:
    for wrong in (0, -1, True, "all", 1.5):
        with pytest.raises(SparkDLException, match="blockSize must be a number of rows .* got"):
            z(lambda x: {"z": x}, blockSize=wrong)
    with pytest.raises(SparkDLException, match="handleInvalid must be one of: error, skip; got 'k"):
        z(lambda x: {"z": x}, handleInvalid="keep")


def test_what_is_no_program_and_no_frame_is_refused() -> None:
    for wrong in ("z:0", 1, [], None):
        with pytest.raises(SparkDLException, match="(Expected a function of tensors|nothing to c)"):
            z(wrong)
    with pytest.raises(TypeError, match="It was computed"):
        z(tf.constant(1.0))
    with pytest.raises(TypeError, match="Expected a Spark DataFrame, got builtins.list"):
        tfs.map_blocks(lambda x: {"z": x}, [1])
    with pytest.raises(TypeError, match="got one of pandas, which only map_blocks, map_rows"):
        tfs.reduce_blocks(lambda x: {"x": x}, frame())
    with pytest.raises(TypeError, match="Expected what df.groupBy.* returns, got pandas"):
        tfs.aggregate(lambda x: {"x": x}, frame())
