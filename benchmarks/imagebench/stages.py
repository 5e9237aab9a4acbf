"""Modes (e) and (f): sparkdl's DeepImageFeaturizer."""

from __future__ import annotations

from typing import Any

from imagebench.spark_mode import SparkMode


class Featurizer(SparkMode):
    """(e) `DeepImageFeaturizer` on encoded bytes, float32."""

    precision = "float32"

    def session(self) -> Any:
        import sparkdl

        return sparkdl.start(
            master=f"local[{self.task.slots}]",
            app_name=f"mode {self.task.mode}",
            memory=self.task.driver_memory,
            conf={"spark.ui.enabled": False, "spark.ui.showConsoleProgress": False},
        )

    def with_features(self, files: Any) -> Any:
        try:
            from sparkdl import DeepImageFeaturizer
        except ImportError:
            return self._with_model(files)
        stage = DeepImageFeaturizer(
            inputCol="content",
            outputCol="features",
            modelName=self.task.model,
            weights=self.task.bundle,
            batchSize=self.task.batch,
            precision=self.precision,
        )
        return stage.transform(files)

    def _with_model(self, files: Any) -> Any:
        from pyspark.sql import DataFrame

        jvm = self.spark._jvm
        model = jvm.org.sparkdl.Model.load(self.task.bundle)
        model = model.select(_seq(jvm, "features_avg")).withPrecision(self.precision)
        none = getattr(jvm.scala, "None$").__getattr__("MODULE$")
        frame = model.withBatchSize(self.task.batch).appendTo(
            files._jdf, _seq(jvm, "content"), _seq(jvm, "features"), none
        )
        return DataFrame(frame, self.spark)

    def details(self) -> dict[str, Any]:
        """Return the operator's metrics over one more pass, in milliseconds per image."""
        plan = self.frame.select("features")._jdf.queryExecution()
        rows = plan.toRdd().count()
        return {"milliseconds_per_image": _times(plan.executedPlan(), rows)}


class FeaturizerBfloat16(Featurizer):
    """(f) The same in bfloat16."""

    precision = "bfloat16"


def _times(node: Any, rows: int) -> dict[str, float]:
    if node.nodeName().startswith("EvalModel"):
        metrics = node.metrics()
        names = ("feedTime", "runTime", "readTime")
        return {n: round(metrics.apply(n).value() / 1e6 / rows, 3) for n in names}
    children = node.children()
    for i in range(children.size()):
        found = _times(children.apply(i), rows)
        if found:
            return found
    return {}


def _seq(jvm: Any, *values: str) -> Any:
    return jvm.PythonUtils.toSeq(list(values))
