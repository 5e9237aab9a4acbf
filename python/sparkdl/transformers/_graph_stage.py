"""Stages that take a TensorFlow graph."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sparkdl.param.converters import graph
from sparkdl.param.declaration import declare_param
from sparkdl.transformers._old_methods import OldGraphMethods
from sparkdl.transformers._stage import ModelStage

if TYPE_CHECKING:
    from sparkdl.graph.input import TFInputGraph

T = TypeVar("T", bound="GraphStage")


class GraphStage(OldGraphMethods, ModelStage):
    """A stage whose model is `tfInputGraph`."""

    tfInputGraph = declare_param(
        "tfInputGraph",
        "The graph: path of a bundle, of a SavedModel directory (its serving_default signature) or "
        "of a frozen graph (.pb).",
        graph,
    )
    # The user's graph, which knows what its tensors were called before it was a bundle.
    _graph: Any = None

    def _set(self: T, **params: Any) -> T:
        graph = params.get("tfInputGraph")
        if graph is not None:
            self._graph = graph if hasattr(graph, "bundle") else None
        return super()._set(**params)

    def getTfInputGraph(self) -> str:
        """Return the path of the graph."""
        return self.getOrDefault(self.tfInputGraph)

    def setTfInputGraph(self: T, value: TFInputGraph | str | Path) -> T:
        """Set the graph, or its path."""
        return self._set(tfInputGraph=value)
