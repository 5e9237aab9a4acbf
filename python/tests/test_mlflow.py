"""MLflow keeps pipelines that hold stages, and models of estimators."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyspark.ml import Pipeline, PipelineModel

import sparkdl
from sparkdl import KerasTransformer


@pytest.fixture(scope="module")
def network(spark: Any) -> Any:
    """2 a - b on arrays [a, b]."""
    import keras

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, use_bias=False)])
    model.layers[-1].set_weights([np.array([[2], [-1]], "float32")])
    return model


@pytest.fixture
def rows(spark: Any) -> Any:
    return spark.range(20).selectExpr("id", "array(cast(id AS double), 1D) AS a").coalesce(1)


@pytest.fixture
def mlflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """MLflow with its runs in a folder of the test."""
    monkeypatch.setenv("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    module = pytest.importorskip("mlflow", reason="mlflow-skinny is not installed")
    pytest.importorskip("mlflow.spark")
    module.set_tracking_uri((tmp_path / "runs").as_uri())
    return module


def predictions(model: Any, rows: Any) -> list[float]:
    return [row.p[0] for row in model.transform(rows).orderBy("id").collect()]


def test_a_pipeline_is_saved_and_loaded_with_its_network(
    mlflow: Any, network: Any, rows: Any, tmp_path: Path
):
    stage = KerasTransformer(inputCol="a", outputCol="p", model=network)
    model = Pipeline(stages=[stage]).fit(rows)
    path = str(tmp_path / "model")
    mlflow.spark.save_model(model, path, pip_requirements=["sparkdl"])
    again = mlflow.spark.load_model(path, dfs_tmpdir=str(tmp_path / "temporary"))
    assert isinstance(again, PipelineModel)
    assert predictions(again, rows) == [2.0 * i - 1 for i in range(20)]


@pytest.fixture
def autolog(mlflow: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each fit is recorded, as docs/mlflow.md says."""
    import mlflow.pyspark.ml as recorded

    monkeypatch.setenv("MLFLOW_DFS_TMP", str(tmp_path / "recorded"))
    monkeypatch.setenv("MLFLOW_REQUIREMENTS_INFERENCE_TIMEOUT", "1")  # it loads the model anew
    recorded.autolog(log_model_allowlist=["pyspark.ml.*", "sparkdl.*"], silent=True)
    yield
    recorded.autolog(disable=True, silent=True)


def test_the_model_of_an_estimator_is_recorded_logged_and_loaded(
    mlflow: Any, autolog: None, network: Any, rows: Any, tmp_path: Path
):
    labelled = rows.selectExpr("id", "a", "cast(2 * a[0] - 1 AS float) AS y")
    estimator = sparkdl.KerasEstimator(
        model=network,
        inputCols="a",
        labelCols="y",
        outputCols="p",
        loss="mse",
        numWorkers=1,
        verbose=0,
    )
    with mlflow.start_run() as run:
        model = estimator.fit(labelled)
        mlflow.spark.log_model(
            model, "logged", dfs_tmpdir=str(tmp_path / "temporary"), pip_requirements=["sparkdl"]
        )
    run_id = run.info.run_id
    assert mlflow.get_run(run_id).data.params["loss"] == "mse"
    for name in ("model", "logged"):
        again = mlflow.spark.load_model(f"runs:/{run_id}/{name}", dfs_tmpdir=str(tmp_path / name))
        assert predictions(again, rows) == predictions(model, rows)
