"""Methods that stages had in sparkdl 1.x, each with a `DeprecationWarning` that says today's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sparkdl._old_names import warn_of

if TYPE_CHECKING:
    from pathlib import Path

    from sparkdl.graph.input import TFInputGraph


class OldGraphMethods:
    """Those of stages that take a graph."""

    _graph: Any

    def getTFInputGraph(self) -> TFInputGraph:
        """Return the graph, by the name that this has in 1.x."""
        warn_of("getTFInputGraph", "getTfInputGraph returns the path of the graph's bundle")
        from sparkdl.graph.input import TFInputGraph

        stage: Any = self
        is_graph = isinstance(self._graph, TFInputGraph)
        return self._graph if is_graph else TFInputGraph.fromBundle(stage.getTfInputGraph())

    def setTFInputGraph(self, value: TFInputGraph | str | Path) -> Any:
        """Set the graph, by the name that this has in 1.x."""
        warn_of("setTFInputGraph", "it is setTfInputGraph now")
        stage: Any = self
        return stage.setTfInputGraph(value)


class OldFitParams:
    """Those of stages that take a file of Keras: arguments of `fit`, which they never use."""

    _keras_fit_params: Mapping[str, Any] = {"verbose": 1}

    @property
    def kerasFitParams(self) -> dict[str, Any]:
        """What the estimator gave `fit`; {"verbose": 1} without one. It is not a param any more."""
        warn_of("kerasFitParams of a transformer", "it is a param of the estimator")
        return dict(self._keras_fit_params)

    def getKerasFitParams(self) -> dict[str, Any]:
        """Return what the estimator gave `fit`."""
        warn_of("getKerasFitParams of a transformer", "it is a getter of the estimator")
        return dict(self._keras_fit_params)

    def setKerasFitParams(self, value: Mapping[str, Any]) -> Any:
        """Set what `getKerasFitParams` returns, and nothing else."""
        warn_of("setKerasFitParams of a transformer", "it is a setter of the estimator")
        self._keras_fit_params = dict(value)
        return self
