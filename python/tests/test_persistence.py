"""Stages and pipelines around them: saved in one language, loaded in the other, elsewhere."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.evaluation import MulticlassClassificationEvaluator
from pyspark.ml.tuning import CrossValidator, CrossValidatorModel, ParamGridBuilder
from stage_bundles import encoded, make_bundle, png, three

from sparkdl import DeepImageFeaturizer, DeepImagePredictor

COLOURS = [(250, 9, 9), (9, 250, 9), (240, 30, 9), (20, 240, 30), (255, 1, 1), (0, 255, 9)]


@pytest.fixture
def bundle(spark: Any, tmp_path: Path) -> Path:
    """A bundle that a test may delete."""
    return Path(make_bundle(tmp_path / "original"))


@pytest.fixture
def labelled(spark: Any) -> Any:
    return encoded(spark, *[png(*c) for c in COLOURS]).selectExpr(
        "*", "cast(id % 2 as double) as label"
    )


def featurizer(bundle: Path) -> DeepImageFeaturizer:
    return DeepImageFeaturizer(
        inputCol="content", outputCol="features", modelName="MobileNetV2", weights=bundle
    )


def predictions(model: Any, frame: Any) -> list[Any]:
    return [tuple(r) for r in model.transform(frame).select("id", "probability").collect()]


def test_a_fitted_pipeline_is_loaded_without_the_original_model(
    spark: Any, bundle: Path, labelled: Any, tmp_path: Path
) -> None:
    model = Pipeline(stages=[featurizer(bundle), LogisticRegression()]).fit(labelled)
    expected = predictions(model, labelled)
    model.write().save(str(tmp_path / "model"))
    shutil.rmtree(bundle)
    loaded = PipelineModel.load(str(tmp_path / "model"))
    assert type(loaded.stages[0]) is DeepImageFeaturizer
    assert predictions(loaded, labelled) == expected
    # onto the directory that it came from, which is deleted first
    loaded.write().overwrite().save(str(tmp_path / "model"))
    assert predictions(PipelineModel.load(str(tmp_path / "model")), labelled) == expected


def test_scala_loads_what_python_saved_and_the_other_way_round(
    spark: Any, bundle: Path, labelled: Any, tmp_path: Path
) -> None:
    model = Pipeline(stages=[featurizer(bundle), LogisticRegression()]).fit(labelled)
    expected = predictions(model, labelled)
    model.write().save(str(tmp_path / "python"))
    shutil.rmtree(bundle)
    scala = spark._jvm.org.apache.spark.ml.PipelineModel.load(str(tmp_path / "python"))
    frame = type(labelled)(scala.transform(labelled._jdf), spark)
    assert [tuple(r) for r in frame.select("id", "probability").collect()] == expected
    scala.write().save(str(tmp_path / "scala"))
    assert predictions(PipelineModel.load(str(tmp_path / "scala")), labelled) == expected


def test_an_unfitted_pipeline_is_loaded_and_fitted(
    spark: Any, bundle: Path, labelled: Any, tmp_path: Path
) -> None:
    pipeline = Pipeline(stages=[featurizer(bundle), LogisticRegression()])
    pipeline.write().save(str(tmp_path / "pipeline"))
    loaded = Pipeline.load(str(tmp_path / "pipeline"))
    assert predictions(loaded.fit(labelled), labelled) == predictions(
        pipeline.fit(labelled), labelled
    )


def test_cross_validation_over_a_param_of_the_featurizer(
    spark: Any, bundle: Path, labelled: Any, tmp_path: Path
) -> None:
    stage = featurizer(bundle)
    pipeline = Pipeline(stages=[stage, LogisticRegression(maxIter=5)])
    grid = ParamGridBuilder().addGrid(stage.pooling, ["avg", "max"]).build()
    evaluator = MulticlassClassificationEvaluator(metricName="accuracy")
    many = labelled.union(labelled).union(labelled)
    validator = CrossValidator(
        estimator=pipeline, estimatorParamMaps=grid, evaluator=evaluator, numFolds=2, seed=1
    )
    model = validator.fit(many)
    assert len(model.avgMetrics) == 2
    model.write().save(str(tmp_path / "cv"))
    expected = predictions(model, labelled)
    shutil.rmtree(bundle)
    assert predictions(CrossValidatorModel.load(str(tmp_path / "cv")), labelled) == expected


def test_labels_go_with_the_saved_predictor(spark: Any, bundle: Path, tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("rouge\nvert\nbleu\n")
    stage = DeepImagePredictor(
        inputCol="content", outputCol="p", weights=bundle, decodePredictions=True, labels=labels
    )
    stage.write().save(str(tmp_path / "stage"))
    labels.unlink()
    loaded = DeepImagePredictor.load(str(tmp_path / "stage"))
    best = [r.p[0].description for r in loaded.transform(three(spark)).collect()]
    assert best == ["rouge", "vert", "bleu"]


def test_pyspark_finds_the_class_without_an_import_of_sparkdl() -> None:
    code = (
        "import sys; m = __import__('org.sparkdl.ml', fromlist=['DeepImageFeaturizer']);"
        "print(m.DeepImageFeaturizer.__module__, 'tensorflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["sparkdl.transformers.named_image", "False"]
