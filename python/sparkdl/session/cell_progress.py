"""A bar of Spark's tasks in a notebook's cell that takes long, whatever Spark does for it."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sparkdl._notebook import Bar, has_bars, kernel
from sparkdl.session.quiet_logs import CONSOLE_BAR

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_EVERY_SECONDS = 0.5
_PATIENCE = 4  # how many looks find work before there is a bar


class TaskBar:
    """The tasks of all stages that have run since it was made.

    Parameters
    ----------
    tracker : pyspark.StatusTracker
    """

    def __init__(self, tracker: Any) -> None:
        self._tracker = tracker
        self._stages: dict[int, tuple[int, int]] = {}  # tasks that are done, and all of them
        self._looks = 0
        self._bar: Bar | None = None

    def look(self) -> None:
        """Ask Spark how far it is. The bar of a training, which says more, stands alone."""
        active = self._tracker.getActiveStageIds()
        for stage in active:
            info = self._tracker.getStageInfo(stage)
            if info is not None:
                self._stages[stage] = info.numCompletedTasks, info.numTasks
        for stage in self._stages.keys() - set(active):
            self._stages[stage] = (self._stages[stage][1],) * 2
        self._looks += bool(active)
        if Bar.shown > (self._bar is not None):
            self.close()
        elif active and self._looks >= _PATIENCE:
            self._draw()

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _draw(self) -> None:
        done, total = (sum(numbers) for numbers in zip(*self._stages.values(), strict=True))
        if self._bar is None:
            self._bar = Bar(total, unit="task", stays=False)
        self._bar.stand_at(done, total)


class CellProgress:
    """Looks at Spark while a cell runs, from a thread of its own."""

    def __init__(self) -> None:
        self._over: threading.Event | None = None
        self._thread: threading.Thread | None = None

    def begin(self, *_: object) -> None:
        """Look until the cell is over."""
        from pyspark import SparkContext

        context = SparkContext._active_spark_context
        if context is None or self._thread is not None:
            return
        self._over = threading.Event()
        bar = TaskBar(context.statusTracker())
        self._thread = threading.Thread(target=_look_at, args=(bar, self._over), daemon=True)
        self._thread.start()

    def end(self, *_: object) -> None:
        """Take the bar away, as the cell is over."""
        if self._over is not None and self._thread is not None:
            self._over.set()
            self._thread.join()
            self._over = self._thread = None


def _look_at(bar: TaskBar, over: threading.Event) -> None:
    with suppress(Exception):  # Spark was stopped, or its JVM ended, as the cell itself says
        while not over.wait(_EVERY_SECONDS):
            bar.look()
    bar.close()


_progress = CellProgress()


def follow_cells(spark: SparkSession) -> None:
    """Show a bar in all cells from now on, beginning with this one, unless Spark shows its own."""
    if not has_bars() or spark.sparkContext.getConf().get(CONSOLE_BAR) == "true":
        return
    events = kernel().events  # which takes a function only once
    events.register("pre_run_cell", _progress.begin)
    events.register("post_run_cell", _progress.end)
    _progress.begin()
