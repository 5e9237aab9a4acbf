"""Models that draw random numbers: new ones for each row and run, or repeatable with a seed."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sparkdl
from sparkdl import tensorframes as tfs
from sparkdl._bundles.bundle_store import stored_bundle
from sparkdl._bundles.description.manifest import read_manifest
from sparkdl.errors import SettingsException, SparkDLException

ROWS = 64
SPEC = {"x": ("float32", [None, 2])}


@cache
def keras_and_tf() -> tuple[Any, Any]:
    import keras
    import tensorflow as tf

    return keras, tf


@cache
def layers() -> dict[str, Any]:
    """Return layers that draw: each a class."""
    keras, tf = keras_and_tf()

    class Sampling(keras.layers.Layer):
        def __init__(self, seed: int = 1, **options: Any) -> None:
            super().__init__(**options)
            self.generator = keras.random.SeedGenerator(seed)

        def call(self, x: Any) -> Any:
            return x + keras.random.normal(keras.ops.shape(x), seed=self.generator)

    class MonteCarloDropout(keras.layers.Dropout):
        def call(self, x: Any, training: bool = False) -> Any:
            return super().call(x, training=True)

    class Augmented(keras.layers.Layer):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            self.steps = [keras.layers.RandomRotation(0.4), keras.layers.RandomZoom(0.4)]

        def call(self, x: Any) -> Any:
            for step in self.steps:
                x = step(x, training=True)
            return x

    class Plain(keras.layers.Layer):
        def call(self, x: Any) -> Any:
            return x + tf.random.normal(tf.shape(x))

    class Looped(keras.layers.Layer):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            self.generator = keras.random.SeedGenerator(1)

        def call(self, x: Any) -> Any:
            def add(count: Any, y: Any) -> Any:
                return count + 1, y + keras.random.normal(keras.ops.shape(y), seed=self.generator)

            return keras.ops.while_loop(lambda count, y: count < 4, add, (0, x))[1]

    found = (Sampling, MonteCarloDropout, Augmented, Plain, Looped)
    return {f.__name__: f for f in found}


def model_of(layer: str, shape: tuple[int, ...] = (2,), **options: Any) -> Any:
    keras, _ = keras_and_tf()
    given = keras.Input(shape, name="x")
    return keras.Model(given, layers()[layer](**options)(given))


@pytest.fixture(scope="module")
def zeros(spark: Any) -> Any:
    """Rows with equal x, of two partitions, told apart by i."""
    return spark.range(0, ROWS, 1, 2).selectExpr("int(id) i", "array(0f, 0f) x")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("random")


def numbers(frame: Any, column: str = "y") -> Any:
    rows = sorted(frame.select("i", column).collect(), key=lambda r: r.i)
    return np.array([r[column] for r in rows])


def distinct(values: Any) -> int:
    return len(np.unique(values.reshape(len(values), -1), axis=0))


def stage(model: Any, **options: Any) -> Any:
    return sparkdl.KerasTransformer(inputCol="x", outputCol="y", model=model, **options)


def _saved(folder: Path, name: str) -> str:
    file = folder / name
    if not file.exists():
        model_of("Sampling").save(file)
    return str(file)


def _exported(folder: Path) -> str:
    path = folder / "saved_model"
    if not path.exists():
        model_of("Sampling").export(path)
    return str(path)


def _graph_def(folder: Path) -> Any:
    _, tf = keras_and_tf()
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [None, 2], name="x")
        tf.identity(x + tf.random.normal(tf.shape(x), seed=1), name="y")
    return graph.as_graph_def()


def _generator(folder: Path) -> Any:
    _, tf = keras_and_tf()
    generator = tf.random.Generator.from_seed(1)
    return lambda x: x + generator.normal(tf.shape(x))


WAYS: dict[str, tuple[Callable[[Path], Any], dict[str, Any]]] = {
    "live": (lambda f: model_of("Sampling"), {}),
    "keras": (lambda f: _saved(f, "m.keras"), {"custom_objects": "layers"}),
    "h5": (lambda f: _saved(f, "m.h5"), {"custom_objects": "layers"}),
    "SavedModel": (_exported, {}),
    "plain layer": (lambda f: model_of("Plain"), {}),
    "function of rows": (
        lambda f: lambda x: x + keras_and_tf()[1].random.normal(keras_and_tf()[1].shape(x)),
        {"inputs": SPEC},
    ),
    "generator": (_generator, {"inputs": SPEC}),
    "graph": (_graph_def, {}),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_in_gives_new_numbers_to_each_row_and_run_and_repeatable_ones_with_a_seed(
    way: str, zeros: Any, folder: Path
) -> None:
    make, options = WAYS[way]
    if "custom_objects" in options:
        options = {"custom_objects": layers()}
    bundle = sparkdl.save_bundle(make(folder), folder / way.replace(" ", "_"), **options)
    assert read_manifest(bundle)["random"] == {"seed": "sparkdl_seed:0"}
    model = sparkdl.load_model(bundle).with_batch_size(8)
    assert [i.name for i in model.inputs] == ["x"]
    first, second = (numbers(zeros.select("i", model("x").alias("y"))) for _ in range(2))
    assert distinct(first) == ROWS
    assert distinct(np.concatenate([first, second])) == 2 * ROWS
    assert 0.7 < first.std() < 1.3
    seeded = model.with_seed(5)
    one = numbers(zeros.select("i", seeded("x", "i").alias("y")))
    two = numbers(zeros.repartition(5).select("i", seeded("x", "i").alias("y")))
    assert distinct(one) == ROWS
    assert np.array_equal(one, two)


def test_a_stage_draws_as_keras_does(zeros: Any) -> None:
    model = model_of("Sampling")
    made = stage(model, batchSize=8)
    first, second = (numbers(made.transform(zeros)) for _ in range(2))
    expected = model.predict(np.zeros((ROWS, 2), "float32"), batch_size=8, verbose=0)
    assert distinct(first) == distinct(expected) == ROWS
    assert distinct(np.concatenate([first, second])) == 2 * ROWS
    assert abs(first.std() - expected.std()) < 0.4
    assert abs(np.corrcoef(first[: ROWS // 2].ravel(), first[ROWS // 2 :].ravel())[0, 1]) < 0.5


def test_with_a_seed_a_row_gets_the_same_whatever_partitions_batches_and_order(zeros: Any) -> None:
    model = model_of("Sampling")
    expected = numbers(stage(model, seed=3).transform(zeros))
    assert distinct(expected) == ROWS
    for frame, batch in ((zeros, 1), (zeros.repartition(7), 32), (zeros.sort("i"), 5)):
        made = stage(model, seed=3, batchSize=batch)
        assert np.array_equal(numbers(made.transform(frame)), expected)
    cut = stage(model, seed=3).transform(zeros).where("i < 10 and y[0] < 100").select("i", "y")
    assert np.array_equal(numbers(cut), expected[:10])
    assert not np.array_equal(numbers(stage(model, seed=4).transform(zeros)), expected)


def test_equal_rows_get_equal_numbers_with_a_seed_and_other_columns_tell_rows_apart(
    zeros: Any,
) -> None:
    made = stage(model_of("Sampling"), seed=3)
    assert distinct(np.array([r.y for r in made.transform(zeros.select("x")).collect()])) == 1
    model = sparkdl.load_model(made.getModelFile()).with_seed(3)
    assert distinct(numbers(zeros.select("i", model("x").alias("y")))) == 1
    assert distinct(numbers(zeros.select("i", model("x", "i").alias("y")))) == ROWS
    assert (
        distinct(
            numbers(zeros.selectExpr("i", "i % 3 k", "x").select("i", model("x", "k").alias("y")))
        )
        == 3
    )


def test_a_sql_function_takes_the_key_after_its_inputs(zeros: Any, spark: Any) -> None:
    sparkdl.registerKerasUDF("drawn", model_of("Sampling"), seed=9, spark=spark)
    zeros.createOrReplaceTempView("zeros")
    first = numbers(spark.sql("SELECT i, drawn(x, i) y FROM zeros"))
    assert distinct(first) == ROWS
    assert np.array_equal(
        first, numbers(spark.sql("SELECT i, drawn(x, i) y FROM zeros ORDER BY -i"))
    )
    struct = spark.sql("SELECT i, drawn(named_struct('x', x), i) y FROM zeros")
    assert np.array_equal(first, numbers(struct))
    both = spark.sql("SELECT i, drawn(x, i) y FROM zeros WHERE drawn(x, i)[0] < 100")
    assert np.array_equal(first, numbers(both))


def test_without_a_seed_equal_calls_of_a_query_are_one(zeros: Any, spark: Any) -> None:
    sparkdl.registerKerasUDF("once", model_of("Sampling"), spark=spark)
    zeros.createOrReplaceTempView("zeros")
    row = spark.sql("SELECT once(x)[0] a, once(x)[0] b FROM zeros WHERE once(x)[0] < 100").first()
    assert row.a == row.b


def test_the_key_is_refused_without_a_seed(zeros: Any) -> None:
    model = sparkdl.load_model(stage(model_of("Sampling")).getModelFile())
    with pytest.raises(SparkDLException, match=r"has 1 input\(s\) .*, got 2 column"):
        zeros.select(model("x", "i")).collect()


def test_a_seed_on_a_model_that_draws_nothing_changes_nothing(zeros: Any) -> None:
    keras, _ = keras_and_tf()
    given = keras.Input((2,), name="x")
    model = keras.Model(given, keras.layers.Dropout(0.5)(given + 1))
    made = stage(model, seed=1)
    assert "random" not in read_manifest(made.getModelFile())
    assert np.array_equal(numbers(made.transform(zeros)), np.ones((ROWS, 2)))
    seeded = sparkdl.load_model(made.getModelFile()).with_seed(1)
    assert np.array_equal(
        numbers(zeros.select("i", seeded("x", "i").alias("y"))), np.ones((ROWS, 2))
    )


def test_monte_carlo_dropout_drops_other_units_of_each_row(zeros: Any, spark: Any) -> None:
    model = model_of("MonteCarloDropout", (500,), rate=0.5)
    rows = spark.range(0, 16, 1, 2).selectExpr("int(id) i", "array_repeat(1f, 500) x")
    drawn = numbers(stage(model, batchSize=4).transform(rows))
    assert distinct(drawn) == 16
    assert set(np.unique(drawn)) == {0.0, 2.0}
    assert abs(drawn.mean() - 1) < 0.05


def test_augmentation_layers_change_each_image_in_its_own_way(spark: Any) -> None:
    model = model_of("Augmented", (6, 6, 1))
    image = ", ".join(f"array({', '.join(f'array({r * c}f)' for c in range(6))})" for r in range(6))
    rows = spark.range(0, 12, 1, 2).selectExpr("int(id) i", f"array({image}) x")
    first, second = (numbers(stage(model, batchSize=4).transform(rows)) for _ in range(2))
    assert distinct(np.concatenate([first, second])) == 24
    seeded = [numbers(stage(model, seed=1, batchSize=b).transform(rows)) for b in (1, 4)]
    assert np.array_equal(*seeded)
    assert distinct(seeded[0]) == 12


def test_draws_that_share_a_generator_or_a_seed_never_share_numbers(zeros: Any) -> None:
    keras, _ = keras_and_tf()
    given = keras.Input((2,), name="x")
    shared = layers()["Sampling"]()
    twice = keras.Model(given, shared(given) - shared(given))
    one, two = layers()["Sampling"](seed=7), layers()["Sampling"](seed=7)
    two.generator = one.generator
    of_one = keras.Model(given, one(given) - two(given))
    for model in (twice, of_one):
        difference = numbers(stage(model).transform(zeros))
        assert abs(difference.std() - np.sqrt(2)) < 0.4


def test_a_function_around_a_model_draws_for_each_of_its_calls(zeros: Any, folder: Path) -> None:
    inner = model_of("Sampling")
    bundle = sparkdl.save_bundle(lambda x: inner(x) - inner(x), folder / "twice", inputs=SPEC)
    difference = numbers(zeros.select("i", sparkdl.load_model(bundle)("x").alias("y")))
    assert abs(difference.std() - np.sqrt(2)) < 0.4


def _unsigned_state() -> Any:
    """Return the state of a generator as older Kerases have it."""
    _, tf = keras_and_tf()
    return tf.Variable(tf.constant([0, 1], tf.uint32), name="seed_generator_state")


def _drawn_with(state: Any, x: Any) -> Any:
    _, tf = keras_and_tf()
    seed = tf.cast(state * 1, tf.int32)
    state.assign_add(tf.constant([0, 1], tf.uint32))
    return tf.random.stateless_normal(tf.shape(x), seed)


def test_the_state_of_a_generator_may_be_unsigned_as_in_older_kerases(
    zeros: Any, folder: Path
) -> None:
    state = _unsigned_state()
    bundle = sparkdl.save_bundle(lambda x: x + _drawn_with(state, x), folder / "of", inputs=SPEC)
    model = sparkdl.load_model(bundle)
    first, second = (numbers(zeros.select("i", model("x").alias("y"))) for _ in range(2))
    assert distinct(np.concatenate([first, second])) == 2 * ROWS
    assert 0.7 < first.std() < 1.3


def _counts(x: Any) -> Any:
    _, tf = keras_and_tf()
    return {
        "normal": tf.random.truncated_normal(tf.shape(x)),
        "integers": tf.random.uniform(tf.shape(x), maxval=1000, dtype=tf.int32),
        "gamma": tf.random.gamma([tf.shape(x)[0]], [4.0, 9.0]),
        "poisson": tf.random.poisson([tf.shape(x)[0]], [16.0]),
        "category": tf.random.categorical(tf.zeros([tf.shape(x)[0], 1000]), 2),
    }


def test_the_distributions_stay_what_they_are_when_a_seed_makes_them_repeatable(
    zeros: Any, folder: Path
) -> None:
    bundle = sparkdl.save_bundle(_counts, folder / "distributions", inputs=SPEC)
    assert read_manifest(bundle)["random"] == {"seed": "sparkdl_seed:0"}
    model = sparkdl.load_model(bundle)
    for applied in (model("x"), model.with_seed(1)("x", "i")):
        rows = zeros.select("i", applied.alias("m")).select("i", "m.*")
        found = {name: numbers(rows, name) for name in rows.columns[1:]}
        assert abs(found["normal"].std() - 0.88) < 0.2
        assert 300 < found["integers"].mean() < 700
        assert np.allclose(found["gamma"].mean(0), [4, 9], atol=1.5)
        assert abs(found["poisson"].mean() - 16) < 2
        assert 300 < found["category"].mean() < 700
        assert all(len(np.unique(values)) > 10 for values in found.values())


def test_what_no_seed_reaches_is_new_in_each_run_and_a_seed_is_refused(zeros: Any) -> None:
    made = stage(model_of("Looped"), batchSize=8)
    assert "seed" not in read_manifest(made.getModelFile())["random"]
    first, second = (numbers(made.transform(zeros)) for _ in range(2))
    assert distinct(np.concatenate([first, second])) == 2 * ROWS
    assert abs(first.std() - 2) < 0.5  # the sum of four rounds, each with numbers of its own
    with pytest.raises(SettingsException, match=r"no seed reaches \(RandomUniformInt '.*while"):
        made.setSeed(1).transform(zeros)


def test_a_model_with_tables_draws_from_the_seed_too(spark: Any, folder: Path) -> None:
    keras, _ = keras_and_tf()
    given = keras.Input((1,), dtype="string", name="word")
    number = keras.ops.cast(keras.layers.StringLookup(vocabulary=["a", "b"])(given), "float32")
    model = keras.Model(given, layers()["Sampling"]()(number))
    bundle = sparkdl.save_bundle(model, folder / "words")
    assert "savedModel" in read_manifest(bundle)
    words = spark.range(0, ROWS, 1, 2).selectExpr("int(id) i", "array('a') word")
    applied = sparkdl.load_model(bundle).with_batch_size(8)
    first, second = (numbers(words.select("i", applied("word").alias("y"))) for _ in range(2))
    assert distinct(np.concatenate([first, second])) == 2 * ROWS
    one = [
        numbers(w.select("i", applied.with_seed(2)("word", "i").alias("y")))
        for w in (words, words.repartition(3))
    ]
    assert np.array_equal(*one)


def test_numbers_that_a_model_has_a_constant_seed_for_are_the_authors_choice(
    zeros: Any, folder: Path
) -> None:
    _, tf = keras_and_tf()
    bundle = sparkdl.save_bundle(
        lambda x: x + tf.random.stateless_normal(tf.shape(x), seed=[1, 2]),
        folder / "constant",
        inputs=SPEC,
    )
    assert "random" not in read_manifest(bundle)
    model = sparkdl.load_model(bundle)
    first, second = (numbers(zeros.select("i", model("x").alias("y"))) for _ in range(2))
    assert np.array_equal(first, second)


def test_the_bundle_does_not_depend_on_what_was_drawn_before(folder: Path) -> None:
    model = model_of("Sampling")
    before = stage(model).getModelFile()
    model.predict(np.zeros((3, 2), "float32"), verbose=0)
    assert stage(model).getModelFile() == before


def test_a_saved_stage_keeps_its_seed(zeros: Any, tmp_path: Path) -> None:
    made = stage(model_of("Sampling"), seed=2**40)
    made.write().save(str(tmp_path / "stage"))
    loaded = sparkdl.KerasTransformer.load(str(tmp_path / "stage"))
    assert loaded.getSeed() == 2**40
    assert np.array_equal(numbers(loaded.transform(zeros)), numbers(made.transform(zeros)))


def test_a_graph_without_a_manifest_draws_and_forgets_its_seeds(zeros: Any, folder: Path) -> None:
    file = folder / "graph.pb"
    file.write_bytes(_graph_def(folder).SerializeToString())
    model = sparkdl.load_model(file).with_batch_size(8)
    first, second = (numbers(zeros.select("i", model("x").alias("y"))) for _ in range(2))
    assert distinct(np.concatenate([first, second])) == 2 * ROWS
    with pytest.raises(SettingsException, match=r"RandomStandardNormal '.*'\).*make a bundle"):
        zeros.select(model.with_seed(1)("x")).collect()


def test_the_graph_of_a_bundle_has_its_seed_without_the_manifest(zeros: Any) -> None:
    made = stage(model_of("Sampling"))
    bundle = Path(made.getModelFile())
    model = sparkdl.load_model(bundle / "graph.pb")
    assert [i.name for i in model.inputs] == ["x"]
    assert distinct(numbers(zeros.select("i", model("x").alias("y")))) == ROWS


def test_invalid_rows_are_kept_or_skipped_beside_random_numbers(spark: Any) -> None:
    rows = spark.createDataFrame(
        [(0, [0.0, 0.0]), (1, None), (2, [0.0]), (3, [0.0, 0.0])], "i int, x array<float>"
    ).coalesce(1)
    model = model_of("Sampling")
    for options in ({}, {"seed": 1}):
        kept = stage(model, handleInvalid="keep", errorCol="why", **options).transform(rows)
        assert [r.y is None for r in kept.sort("i").collect()] == [False, True, True, False]
        assert stage(model, handleInvalid="skip", **options).transform(rows).count() == 2
    expected = numbers(stage(model, seed=1).transform(rows.where("i in (0, 3)")))
    assert np.array_equal(
        numbers(stage(model, handleInvalid="skip", seed=1).transform(rows)), expected
    )


def test_programs_draw_for_each_block_and_each_row(zeros: Any) -> None:
    _, tf = keras_and_tf()
    tf.random.set_seed(1)
    blocks = tfs.map_blocks(lambda x: {"y": x + tf.random.normal(tf.shape(x))}, zeros)
    rows = tfs.map_rows(lambda x: {"y": x + tf.random.normal([2])}, zeros)
    model = tfs.map_blocks(model_of("Sampling"), zeros)
    output = next(c for c in model.columns if c not in ("i", "x"))
    for frame, column in ((blocks, "y"), (rows, "y"), (model, output)):
        first, second = numbers(frame, column), numbers(frame, column)
        assert distinct(np.concatenate([first, second])) == 2 * ROWS


def test_describe_says_that_a_model_draws() -> None:
    text = sparkdl.load_model(stage(model_of("Sampling")).getModelFile()).describe()
    assert "random: draws numbers, new ones in every run unless a seed is set" in text


def _module(folder: Path, state: Any, draw: Callable[[Any], Any]) -> str:
    """Save a SavedModel that draws with a function which uses a state."""
    _, tf = keras_and_tf()
    module = tf.Module()
    module.state = state
    signature = [tf.TensorSpec([None, 2], tf.float32, name="x")]
    module.draw = tf.function(lambda x: {"y": x + draw(x)}, input_signature=signature)
    tf.saved_model.save(module, str(folder), signatures=module.draw)
    return str(folder)


def test_a_saved_model_that_is_applied_as_it_is_gets_new_states_of_its_generators(
    zeros: Any, folder: Path
) -> None:
    _, tf = keras_and_tf()
    generator = tf.random.Generator.from_seed(1)
    state = _unsigned_state()
    paths = [
        _exported(folder),
        _module(folder / "numbered", generator, lambda x: generator.normal(tf.shape(x))),
        _module(folder / "unsigned", state, lambda x: _drawn_with(state, x)),
    ]
    for path in paths:
        model = sparkdl.load_model(path).with_batch_size(4)
        first, second = (numbers(zeros.select("i", model("x").alias("y"))) for _ in range(2))
        assert distinct(np.concatenate([first, second])) == 2 * ROWS
        seeded = model.with_seed(1)
        one, two = (
            numbers(z.select("i", seeded("x", "i").alias("y")))
            for z in (zeros, zeros.repartition(5))
        )
        assert np.array_equal(one, two)
        assert distinct(one) == ROWS


def test_an_end_may_not_have_the_name_of_the_seed(folder: Path) -> None:
    with pytest.raises(SparkDLException, match="'sparkdl_seed', which is the name"):
        sparkdl.save_bundle(
            lambda x: x, folder / "clash", inputs={"sparkdl_seed": ("float32", [None, 2])}
        )


def test_a_model_that_was_never_called_draws(zeros: Any) -> None:
    keras, _ = keras_and_tf()

    class Late(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense = keras.layers.Dense(2, use_bias=False)
            self.sampling = layers()["Sampling"]()

        def call(self, x: Any) -> Any:
            return self.sampling(self.dense(x))

    made = sparkdl.load_model(stored_bundle(Late(), inputs=SPEC))
    assert distinct(numbers(zeros.select("i", made("x").alias("y")))) == ROWS


def test_a_graph_that_users_get_draws_by_itself_and_in_a_bundle_from_the_seed(zeros: Any) -> None:
    _, tf = keras_and_tf()
    from sparkdl.graph.builder import GraphFunction, IsolatedSession

    noise = GraphFunction.fromKeras(model_of("Sampling"))
    with IsolatedSession() as issn:
        given = tf.compat.v1.placeholder(tf.float32, [None, 2], name="given")
        one = issn.importGraphFunction(noise, {"x": given}, prefix="one")[1][0]
        two = issn.importGraphFunction(noise, {"x": given}, prefix="two")[1][0]
        drawn = issn.run(one - two, {given: np.zeros((ROWS, 2))})
        function = issn.asGraphFunction([given], [tf.subtract(one, two, name="y")])
    assert abs(drawn.std() - np.sqrt(2)) < 0.4
    made = sparkdl.TFInputGraph.fromGraphDef(function.graph_def, ["given"], ["y"])
    assert read_manifest(made.bundle)["random"] == {"seed": "sparkdl_seed:0"}
    model = sparkdl.load_model(made.bundle)
    assert abs(numbers(zeros.select("i", model("x").alias("y"))).std() - np.sqrt(2)) < 0.4
    again = sparkdl.TFInputGraph.fromGraphDef(
        sparkdl.TFInputGraph.fromBundle(made.bundle).graph_def, ["given"], ["y"]
    )
    seeded = sparkdl.load_model(again.bundle).with_seed(1)
    assert distinct(numbers(zeros.select("i", seeded("x", "i").alias("y")))) == ROWS


def test_the_operations_that_are_known_to_draw_are_tensorflows() -> None:
    from tensorflow.python.framework import op_def_registry

    from sparkdl._bundles.graph.random_ops import DRAWING

    assert [op for op in sorted(DRAWING) if op_def_registry.get(op) is None] == []
