"""What every stage must do, and that Python and Scala have the same stages and params."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest
from pyspark.ml import Transformer
from pyspark.ml.wrapper import JavaParams
from stage_bundles import encoded, model_dir, png, three

import sparkdl
import sparkdl.transformers
from sparkdl import DeepImageFeaturizer, DeepImagePredictor
from sparkdl.errors import (
    InvalidInputException,
    ModelNotFoundException,
    SchemaMismatchException,
    SparkDLException,
)

pytestmark = pytest.mark.usefixtures("spark")

STAGES = [DeepImageFeaturizer, DeepImagePredictor]
every_stage = pytest.mark.parametrize("stage", STAGES, ids=lambda s: s.__name__)


def ready(stage: type, **params: Any) -> Any:
    given = {"inputCol": "content", "outputCol": "out", "modelName": "MobileNetV2"}
    return stage(**{**given, "modelDir": model_dir(), **params})


def rows(frame: Any) -> list[Any]:
    return [tuple(r) for r in frame.select("id", "out").collect()]


def java_stage(spark: Any, stage: type) -> Any:
    return getattr(spark._jvm, f"org.sparkdl.ml.{stage.__name__}")()


def test_every_stage_is_in_this_test(spark: Any) -> None:
    exported = {getattr(sparkdl, n) for n in sparkdl.__all__ if n[0].isupper()}
    stages = {e for e in exported if inspect.isclass(e) and issubclass(e, Transformer)}
    stages |= {getattr(sparkdl.transformers, n) for n in sparkdl.transformers.__all__}
    assert stages == set(STAGES)


@every_stage
def test_params_are_those_of_scala(spark: Any, stage: type) -> None:
    scala, python = java_stage(spark, stage), stage()
    theirs = {p.name(): p for p in scala.params()}
    assert set(theirs) == {p.name for p in python.params}
    for param in python.params:
        other = theirs[param.name]
        assert other.doc() == param.doc
        assert scala.hasDefault(other) == python.hasDefault(param), param.name
        if python.hasDefault(param):
            assert scala.getDefault(other).get() == python.getOrDefault(param), param.name
    assert python.explainParams().count("\n") == len(python.params) - 1


@every_stage
def test_params_are_keywords_of_the_constructor_with_the_same_defaults(stage: type) -> None:
    parameters = inspect.signature(stage.__init__).parameters
    python = stage()
    assert set(parameters) - {"self"} == {p.name for p in python.params}
    for param in python.params:
        default = python.getOrDefault(param) if python.hasDefault(param) else None
        assert parameters[param.name].default == default
        assert callable(getattr(stage, f"get{param.name[0].upper()}{param.name[1:]}"))
        assert callable(getattr(stage, f"set{param.name[0].upper()}{param.name[1:]}"))
    with pytest.raises(TypeError):
        stage("content")


@every_stage
def test_setters_set_and_unset_params_follow_the_session(stage: type) -> None:
    made = stage().setBatchSize(3).setInputCol("a").setParams(outputCol="b")
    assert (made.getBatchSize(), made.getInputCol(), made.getOutputCol()) == (3, "a", "b")
    assert not stage().isDefined("batchSize")


@every_stage
def test_wrong_values_are_refused_when_they_are_set(stage: type) -> None:
    with pytest.raises(ModelNotFoundException, match="Known names: InceptionV3, Xception"):
        stage(modelName="ResNet51")
    with pytest.raises(SparkDLException, match="one of: SCALE_AREA_AVERAGING, SCALE_SMOOTH"):
        stage().setScaleHint("big")
    with pytest.raises(SparkDLException, match="batchSize must be at least 1, got 0."):
        stage(batchSize=0)
    with pytest.raises(SparkDLException, match="one of: float32, bfloat16"):
        stage(precision="half")
    with pytest.raises(SparkDLException, match="one of: error, skip, keep"):
        stage(handleInvalid="drop")
    with pytest.raises(TypeError):
        stage(batchSize="many")


@every_stage
def test_a_copy_has_the_same_uid_and_the_extra_params(spark: Any, stage: type) -> None:
    made = ready(stage)
    copy = made.copy({made.outputCol: "other"})
    assert copy.uid == made.uid
    assert (copy.getOutputCol(), made.getOutputCol()) == ("other", "out")
    assert copy.transform(three(spark)).columns[-1] == "other"
    assert made.transform(three(spark), {made.outputCol: "third"}).columns[-1] == "third"


@every_stage
def test_python_and_scala_give_the_same_bit_for_bit(spark: Any, stage: type) -> None:
    frame = three(spark)
    scala = java_stage(spark, stage)
    scala.setInputCol("content").setOutputCol("out").setModelName("MobileNetV2")
    scala.setModelDir(model_dir())
    ours = ready(stage).transform(frame)
    theirs = type(frame)(scala.transform(frame._jdf), spark)
    assert ours.schema == theirs.schema
    assert rows(ours) == rows(theirs)


@every_stage
def test_transform_is_pure(spark: Any, stage: type) -> None:
    made = ready(stage)
    before = dict(made.extractParamMap())
    made.transform(three(spark))
    assert dict(made.extractParamMap()) == before


@every_stage
def test_wrong_schemas_are_refused_before_anything_runs(spark: Any, stage: type) -> None:
    frame = three(spark)
    with pytest.raises(SchemaMismatchException, match="no column 'nope'. The DataFrame has: id"):
        ready(stage, inputCol="nope").transform(frame)
    with pytest.raises(SchemaMismatchException, match=r"bytes \(binary\), got string"):
        ready(stage, inputCol="path").transform(frame)
    with pytest.raises(SchemaMismatchException, match="has a column 'id' already; set outputCol"):
        ready(stage, outputCol="id").transform(frame)
    with pytest.raises(SchemaMismatchException, match="are both 'out'"):
        ready(stage, errorCol="out").transform(frame)
    with pytest.raises(SparkDLException, match="outputCol is not set"):
        stage(inputCol="content", modelName="MobileNetV2", modelDir=model_dir()).transform(frame)


@every_stage
def test_nulls_are_an_error_or_skipped_or_kept(spark: Any, stage: type) -> None:
    frame = encoded(spark, png(255, 0, 0), None, png(0, 255, 0), None, png(0, 0, 255))
    with pytest.raises(InvalidInputException, match=r"Cannot feed '/pictures/1.png'.* is null"):
        ready(stage).transform(frame).collect()
    expected = rows(ready(stage).transform(frame.where("content is not null")))
    assert rows(ready(stage, handleInvalid="skip").transform(frame)) == expected
    kept = ready(stage, handleInvalid="keep", errorCol="why").transform(frame).collect()
    assert [r.id for r in kept] == [0, 1, 2, 3, 4]
    assert [r.out is None for r in kept] == [False, True, False, True, False]
    assert [r.why is None for r in kept] == [True, False, True, False, True]


@every_stage
def test_empty_frames_and_partitions_give_empty_results(spark: Any, stage: type) -> None:
    made = ready(stage)
    assert made.transform(three(spark).limit(0)).collect() == []
    assert made.transform(three(spark).where("id = 1").repartition(4)).count() == 1


@every_stage
def test_a_saved_stage_is_the_same_stage(stage: type, spark: Any, tmp_path: Path) -> None:
    made = ready(stage, batchSize=2, errorCol="why", scaleHint="SCALE_SMOOTH")
    made.write().save(str(tmp_path / "s"))
    loaded = stage.load(str(tmp_path / "s"))
    assert type(loaded) is stage
    assert loaded.uid == made.uid

    def values(s: Any) -> dict[str, Any]:
        return {p.name: v for p, v in s.extractParamMap().items() if p.name != "weights"}

    assert values(loaded) == values(made)
    assert rows(loaded.transform(three(spark))) == rows(made.transform(three(spark)))
    assert type(JavaParams._from_java(made._to_java())) is stage


@every_stage
def test_streaming_gives_what_batch_gives(stage: type, spark: Any, tmp_path: Path) -> None:
    source = tmp_path / "in"
    three(spark).write.parquet(str(source))
    made = ready(stage)
    stream = spark.readStream.schema(three(spark).schema).parquet(str(source))
    name = f"stream_{stage.__name__}"
    query = (
        made.transform(stream)
        .writeStream.format("memory")
        .queryName(name)
        .trigger(availableNow=True)
        .start()
    )
    query.awaitTermination()
    assert sorted(rows(spark.table(name))) == rows(made.transform(three(spark)))
