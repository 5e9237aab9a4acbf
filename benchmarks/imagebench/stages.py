"""Modes (e) and (f): sparkdl's DeepImageFeaturizer."""

from __future__ import annotations

from typing import Any

from imagebench.spark_mode import SparkMode


class SparkdlMode(SparkMode):
    """A session with sparkdl's jar, and the operator's metrics."""

    def session(self) -> Any:
        import sparkdl

        return sparkdl.start(
            master=f"local[{self.task.slots}]",
            app_name=f"mode {self.task.mode}",
            memory=self.task.driver_memory,
            conf={"spark.ui.enabled": False, "spark.ui.showConsoleProgress": False},
        )

    def details(self) -> dict[str, Any]:
        """Return the operator's metrics over one more pass, in milliseconds per image.

        Times of all task slots are added up.
        """
        query = self.frame.select("features")._jdf.queryExecution()
        rows = query.toRdd().count()
        times = operator_times(query.executedPlan())
        return {"milliseconds_per_image": {n: round(t / 1e6 / rows, 3) for n, t in times.items()}}


class Featurizer(SparkdlMode):
    """(e) `DeepImageFeaturizer` on encoded bytes, float32."""

    precision = "float32"

    def with_features(self, files: Any) -> Any:
        from sparkdl import DeepImageFeaturizer

        task = self.task
        stage = DeepImageFeaturizer(
            inputCol="content",
            outputCol="features",
            modelName=task.model,
            weights=task.bundle,
            precision=self.precision,
        )
        if task.batch:
            stage.setBatchSize(task.batch)
        return stage.transform(files)


class FeaturizerBfloat16(Featurizer):
    """(f) The same in bfloat16."""

    precision = "bfloat16"


def operator_times(node: Any) -> dict[str, int]:
    """Return the times of the operator in an executed plan, in nanoseconds of all task slots."""
    if node.nodeName().startswith("EvalModel"):
        metrics = node.metrics()
        return {n: metrics.apply(n).value() for n in ("feedTime", "runTime", "readTime")}
    children = node.children()
    for i in range(children.size()):
        found = operator_times(children.apply(i))
        if found:
            return found
    return {}
