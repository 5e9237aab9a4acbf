"""`KSessionWrap`: what remains of Keras' sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sparkdl.graph.builder import IsolatedSession

if TYPE_CHECKING:
    import tensorflow as tf


class KSessionWrap:
    """A session of TensorFlow 1 with its own graph, which is the default one in the block.

    In Keras 2 this also became the session of Keras. Keras 3 has none: layers that are made in the
    block add their variables to the graph, and `sess.run(tf.compat.v1.global_variables_initializer
    ())` gives them values. `IsolatedSession(using_keras=True)` does that, and more, by itself.

    Parameters
    ----------
    graph : tf.Graph, optional
        The graph to work in; by default a new one.

    Examples
    --------
    >>> with KSessionWrap() as (sess, graph):  # doctest: +SKIP
    ...     x = tf.compat.v1.placeholder(tf.float32, [None, 3])
    """

    def __init__(self, graph: tf.Graph | None = None) -> None:
        self._session = IsolatedSession(graph)

    def __enter__(self) -> tuple[Any, Any]:
        self._session.__enter__()
        return self._session.sess, self._session.graph

    def __exit__(self, *error: object) -> None:
        self._session.__exit__(*error)
