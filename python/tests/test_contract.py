"""What every stage must do, and that Python and Scala have the same stages and params."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import stage_bundles
from pyspark.ml import Pipeline, PipelineModel, Transformer
from pyspark.ml.wrapper import JavaParams

import sparkdl
import sparkdl.transformers
from sparkdl import (
    DeepImageFeaturizer,
    DeepImagePredictor,
    ImageClassifierModel,
    KerasImageFileTransformer,
    KerasModel,
    KerasTransformer,
    TFImageTransformer,
    TFTransformer,
)
from sparkdl.errors import InvalidInputException, SchemaMismatchException, SparkDLException
from sparkdl.param.invalid_rows import POLICIES, WITHOUT_KEEP
from sparkdl.tensorframes._options import check_policy

pytestmark = pytest.mark.usefixtures("spark")


@dataclass(frozen=True)
class Case:
    """A stage and what it can be tried on.

    Attributes
    ----------
    stage : type
    params : callable
        Returns what it needs to make the column "out" of the column "content".
    rows : callable
        Returns (id, path, content), a row per number of 0 to 2, None for a null.
    python_only : set of str
        Keywords of the constructor that are no params.
    """

    stage: type
    params: Callable[[], dict[str, Any]]
    rows: Callable[[Any, Sequence[int | None]], Any]
    python_only: frozenset[str] = frozenset()

    def ready(self, **more: Any) -> Any:
        """Return the stage with all that it needs."""
        return self.stage(**{**self.params(), **more})

    def renamed(self, column: str = "content", out: str = "out", **more: Any) -> Any:
        """Return the stage on a column, and to a column, of other names."""

        def name(value: Any) -> Any:
            if isinstance(value, dict):
                return {name(k): name(v) for k, v in value.items()}
            names = {"content": column, "out": out}
            return names.get(value, value) if isinstance(value, str) else value

        return self.stage(**{k: name(v) for k, v in self.params().items()}, **more)


def _named() -> dict[str, Any]:
    directory = stage_bundles.model_dir()
    return {
        "inputCol": "content",
        "outputCol": "out",
        "modelName": "MobileNetV2",
        "modelDir": directory,
    }


def _pictures(spark: Any, numbers: Sequence[int | None]) -> Any:
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255)]
    images = [None if n is None else stage_bundles.png(*colours[n]) for n in numbers]
    return stage_bundles.encoded(spark, *images)


def _graph() -> dict[str, Any]:
    mapping = {"inputMapping": {"content": "x"}, "outputMapping": {"y": "out"}}
    return {"tfInputGraph": stage_bundles.tripled(), **mapping}


def _keras() -> dict[str, Any]:
    return {"inputCol": "content", "outputCol": "out", "modelFile": stage_bundles.tripled()}


def _image_graph() -> dict[str, Any]:
    columns = {"inputCol": "content", "outputCol": "out"}
    return {**columns, "tfInputGraph": stage_bundles.colours(), "outputTensor": "features_avg"}


def _image_files() -> dict[str, Any]:
    return {"inputCol": "content", "outputCol": "out", "modelFile": stage_bundles.averages()}


def _classifier() -> dict[str, Any]:
    columns = {"inputCol": "content", "predictionCol": "", "probabilityCol": "out"}
    return {**columns, "predictedLabelCol": "", "modelFile": stage_bundles.colours()}


_LIVE = frozenset({"model", "custom_objects", "safe_mode", "verify"})
CASES = [
    Case(DeepImageFeaturizer, _named, _pictures),
    Case(DeepImagePredictor, _named, _pictures),
    Case(TFTransformer, _graph, stage_bundles.vectors),
    Case(KerasTransformer, _keras, stage_bundles.vectors, _LIVE),
    Case(TFImageTransformer, _image_graph, _pictures, frozenset({"graph"})),
    Case(KerasImageFileTransformer, _image_files, stage_bundles.files, _LIVE),
    Case(KerasModel, _keras, stage_bundles.vectors),
    Case(ImageClassifierModel, _classifier, _pictures),
]
every_stage = pytest.mark.parametrize("case", CASES, ids=lambda c: c.stage.__name__)


def three(spark: Any, case: Case) -> Any:
    return case.rows(spark, [0, 1, 2])


def rows(frame: Any) -> list[Any]:
    return [tuple(r) for r in frame.select("id", "out").collect()]


def java_stage(spark: Any, case: Case) -> Any:
    return getattr(spark._jvm, f"org.sparkdl.ml.{case.stage.__name__}")()


def test_every_stage_is_in_this_test(spark: Any) -> None:
    exported = {getattr(sparkdl, n) for n in sparkdl.__all__ if n[0].isupper()}
    stages = {e for e in exported if inspect.isclass(e) and issubclass(e, Transformer)}
    stages |= {getattr(sparkdl.transformers, n) for n in sparkdl.transformers.__all__}
    assert stages == {c.stage for c in CASES}


@every_stage
def test_params_are_those_of_scala(spark: Any, case: Case) -> None:
    scala, python = java_stage(spark, case), case.stage()
    theirs = {p.name(): p for p in scala.params()}
    assert set(theirs) == {p.name for p in python.params}
    for param in python.params:
        other = theirs[param.name]
        assert other.doc() == param.doc
        assert scala.hasDefault(other) == python.hasDefault(param), param.name
        if python.hasDefault(param):
            default = scala.getDefault(other).get()
            if param.name == "outputCol":
                assert default == f"{scala.uid()}__output"
                assert python.getOutputCol() == f"{python.uid}__output"
            else:
                assert default == python.getOrDefault(param), param.name
    assert python.explainParams().count("\n") == len(python.params) - 1


@every_stage
def test_params_are_keywords_of_the_constructor_with_the_same_defaults(case: Case) -> None:
    parameters = inspect.signature(case.stage.__init__).parameters
    python = case.stage()
    assert set(parameters) - {"self"} - case.python_only == {p.name for p in python.params}
    assert set(inspect.signature(case.stage.setParams).parameters) == set(parameters)
    for param in python.params:
        default = python.getOrDefault(param) if python.hasDefault(param) else None
        assert parameters[param.name].default == (None if param.name == "outputCol" else default)
        assert callable(getattr(case.stage, f"get{param.name[0].upper()}{param.name[1:]}"))
        assert callable(getattr(case.stage, f"set{param.name[0].upper()}{param.name[1:]}"))
    with pytest.raises(TypeError):
        case.stage("content")


@every_stage
def test_setters_set_and_unset_params_follow_the_session(case: Case) -> None:
    made = case.stage().setBatchSize(3).setErrorCol("a").setParams(precision="bfloat16")
    assert (made.getBatchSize(), made.getErrorCol(), made.getPrecision()) == (3, "a", "bfloat16")
    assert not case.stage().isDefined("batchSize")


@every_stage
def test_none_stands_for_what_is_not_given(spark: Any, case: Case) -> None:
    optional = {p for p in inspect.signature(case.stage).parameters if p not in case.params()}
    made = case.ready(**dict.fromkeys(optional)).setParams(**dict.fromkeys(optional))
    assert {p.name for p in made.params if made.isSet(p)} == set(case.params())
    assert rows(made.transform(three(spark, case))) == rows(
        case.ready().transform(three(spark, case))
    )


@every_stage
def test_wrong_values_are_refused_when_they_are_set(case: Case) -> None:
    with pytest.raises(SparkDLException, match="batchSize must be at least 1, got 0."):
        case.stage(batchSize=0)
    with pytest.raises(SparkDLException, match="one of: float32, bfloat16"):
        case.stage(precision="half")
    with pytest.raises(SparkDLException, match="one of: error, skip, keep"):
        case.stage(handleInvalid="drop")
    with pytest.raises(TypeError):
        case.stage(batchSize="many")


@every_stage
def test_the_values_of_handle_invalid_are_those_of_scala(spark: Any, case: Case) -> None:
    stages = case.stage(), java_stage(spark, case)
    for policy in POLICIES:
        assert [s.setHandleInvalid(policy).getHandleInvalid() for s in stages] == [policy] * 2
    for stage in stages:
        with pytest.raises(
            SparkDLException,
            match=f"Unknown handleInvalid 'drop'. Expected one of: {', '.join(POLICIES)}.",
        ):
            stage.setHandleInvalid("drop")


def test_the_policies_of_tensorframes_are_those_of_scala(spark: Any) -> None:
    options = spark._jvm.org.sparkdl.tensorframes.BlockOptions.defaults()
    for policy in POLICIES:
        if policy in WITHOUT_KEEP:
            assert check_policy(policy) == options.withHandleInvalid(policy).handleInvalid()
            continue
        with pytest.raises(SparkDLException, match="handleInvalid 'keep' cannot be used here"):
            options.withHandleInvalid(policy)
        with pytest.raises(SparkDLException, match="handleInvalid must be one of: error, skip"):
            check_policy(policy)


@every_stage
def test_a_copy_has_the_same_uid_and_the_extra_params(spark: Any, case: Case) -> None:
    made = case.ready()
    copy = made.copy({made.errorCol: "why"})
    assert copy.uid == made.uid
    assert copy.getErrorCol() == "why"
    assert not made.isSet(made.errorCol)
    assert copy.transform(three(spark, case)).columns[-1] == "why"
    assert made.transform(three(spark, case), {made.errorCol: "w"}).columns[-2:] == ["out", "w"]


@every_stage
def test_python_and_scala_give_the_same_bit_for_bit(spark: Any, case: Case) -> None:
    frame = three(spark, case)
    scala = java_stage(spark, case)
    for name, value in case.params().items():
        getattr(scala, f"set{name[0].upper()}{name[1:]}")(value)
    ours = case.ready().transform(frame)
    theirs = type(frame)(scala.transform(frame._jdf), spark)
    assert ours.schema == theirs.schema
    assert rows(ours) == rows(theirs)


@every_stage
def test_transform_is_pure(spark: Any, case: Case) -> None:
    made = case.ready()
    before = dict(made.extractParamMap())
    made.transform(three(spark, case))
    assert dict(made.extractParamMap()) == before


@every_stage
def test_wrong_schemas_are_refused_before_anything_runs(spark: Any, case: Case) -> None:
    frame = three(spark, case)
    with pytest.raises(SchemaMismatchException, match="no column 'nope'. The DataFrame has: id"):
        case.renamed(column="nope").transform(frame)
    with pytest.raises(SchemaMismatchException, match=r"got (string|int)\b"):
        case.renamed(column="path").transform(frame)
    with pytest.raises(SchemaMismatchException, match=r"has a column 'id' already; set \w+"):
        case.renamed(out="id").transform(frame)
    with pytest.raises(SchemaMismatchException, match="are both 'out'"):
        case.ready(errorCol="out").transform(frame)
    with pytest.raises(SparkDLException, match="is not set"):
        case.stage(batchSize=1).transform(frame)


@every_stage
def test_nulls_are_an_error_or_skipped_or_kept(spark: Any, case: Case) -> None:
    frame = case.rows(spark, [0, None, 1, None, 2])
    with pytest.raises(InvalidInputException, match="Cannot feed .* is null"):
        case.ready().transform(frame).collect()
    expected = rows(case.ready().transform(frame.where("content is not null")))
    assert rows(case.ready(handleInvalid="skip").transform(frame)) == expected
    kept = case.ready(handleInvalid="keep", errorCol="why").transform(frame).collect()
    assert [r.id for r in kept] == [0, 1, 2, 3, 4]
    assert [r.out is None for r in kept] == [False, True, False, True, False]
    assert [r.why is None for r in kept] == [True, False, True, False, True]


@every_stage
def test_empty_frames_and_partitions_give_empty_results(spark: Any, case: Case) -> None:
    made = case.ready()
    assert made.transform(three(spark, case).limit(0)).collect() == []
    assert made.transform(three(spark, case).where("id = 1").repartition(4)).count() == 1


@every_stage
def test_a_saved_stage_is_the_same_stage(case: Case, spark: Any, tmp_path: Path) -> None:
    made = case.ready(batchSize=2, errorCol="why")
    made.write().save(str(tmp_path / "s"))
    loaded = case.stage.load(str(tmp_path / "s"))
    assert type(loaded) is case.stage
    assert loaded.uid == made.uid
    model_params = {"weights", "modelFile", "tfInputGraph"}

    def values(s: Any) -> dict[str, Any]:
        return {p.name: v for p, v in s.extractParamMap().items() if p.name not in model_params}

    assert values(loaded) == values(made)
    frame = three(spark, case)
    assert rows(loaded.transform(frame)) == rows(made.transform(frame))
    assert type(JavaParams._from_java(made._to_java())) is case.stage


@every_stage
def test_a_pipeline_with_the_stage_is_saved_and_loaded(
    case: Case, spark: Any, tmp_path: Path
) -> None:
    frame = three(spark, case)
    pipeline = Pipeline(stages=[case.ready()]).fit(frame)
    pipeline.write().save(str(tmp_path / "p"))
    loaded = PipelineModel.load(str(tmp_path / "p"))
    assert type(loaded.stages[0]) is case.stage
    assert rows(loaded.transform(frame)) == rows(pipeline.transform(frame))


@every_stage
def test_streaming_gives_what_batch_gives(case: Case, spark: Any, tmp_path: Path) -> None:
    source = tmp_path / "in"
    frame = three(spark, case)
    frame.write.parquet(str(source))
    made = case.ready()
    stream = spark.readStream.schema(frame.schema).parquet(str(source))
    name = f"stream_{case.stage.__name__}"
    query = (
        made.transform(stream)
        .writeStream.format("memory")
        .queryName(name)
        .trigger(availableNow=True)
        .start()
    )
    query.awaitTermination()
    assert sorted(rows(spark.table(name))) == rows(made.transform(frame))
