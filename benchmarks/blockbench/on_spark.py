"""What the ways on Spark have in common: a session and cached rows."""

from __future__ import annotations

from typing import Any

from blockbench.task import Task


class SparkWay:
    """Caches the rows, so that reading costs all ways the same; a subclass does the work."""

    def __init__(self, task: Task) -> None:
        import sparkdl

        self.task = task
        # sparkdl's jar is there in all of them; those without it do not notice.
        self.spark = sparkdl.start(
            master=f"local[{task.slots}]",
            memory=task.driver_memory,
            conf={"spark.ui.enabled": False, "spark.ui.showConsoleProgress": False},
        )
        self.spark.sparkContext.setLogLevel("ERROR")
        self.rows = self.frame().cache()
        self.rows.count()

    def frame(self) -> Any:
        """Return the rows."""
        raise NotImplementedError

    def result(self) -> Any:
        """Return the DataFrame that is the work."""
        raise NotImplementedError

    def run(self) -> None:
        """Do the work; the "noop" sink takes every row and drops it."""
        self.result().write.format("noop").mode("overwrite").save()

    def details(self) -> dict[str, Any]:
        """Return the time of sparkdl's operator in one more pass, in nanoseconds per row."""
        from imagebench.stages import operator_times

        query = self.result()._jdf.queryExecution()
        query.toRdd().count()
        times = operator_times(query.executedPlan())
        return {"nanoseconds_per_row": {n: round(v / self.task.rows, 1) for n, v in times.items()}}

    def ranges(self, *columns: str) -> Any:
        """Return `task.rows` rows with these columns, SQL expressions of `id`."""
        return self.spark.range(0, self.task.rows, 1, 4 * self.task.slots).selectExpr(*columns)
