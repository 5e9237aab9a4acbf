"""From a user's fetches to a program."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, Union

from sparkdl._models.libraries import tensorflow
from sparkdl.errors import SettingsException
from sparkdl.errors.builtin_errors import WrongTypeException
from sparkdl.tensorframes._arguments import ProgramForm
from sparkdl.tensorframes._tensor_columns import TensorColumns

if TYPE_CHECKING:
    from sparkdl._models.live_keras import LiveModel
    from sparkdl.tensorframes._program import Program

MAP_BLOCKS = ProgramForm("map_blocks", True)
MAP_ROWS = ProgramForm("map_rows", False)
REDUCE_BLOCKS = ProgramForm("reduce_blocks", True, ("", "_input"))
REDUCE_ROWS = ProgramForm("reduce_rows", False, ("_1", "_2"))
AGGREGATE = ProgramForm("aggregate", True, ("", "_input"))


class Fetched(Protocol):
    """What type checkers see of a `tf.Tensor` or a `tf.Variable`, which they do not know."""

    @property
    def name(self) -> Any: ...

    @property
    def dtype(self) -> Any: ...

    @property
    def op(self) -> Any: ...


Fetches = Union[Callable[..., Any], "LiveModel", Fetched, Sequence[Fetched]]


def program(
    fetches: Any,
    form: ProgramForm,
    columns: Callable[[], TensorColumns],
    feed_dict: Mapping[Any, str] | None,
    initial_variables: bool,
    constants: Mapping[Any, Any] | None = None,
) -> Program:
    """Return the `Program` of some fetches.

    Parameters
    ----------
    fetches : callable, tf.Tensor or list of tf.Tensor
    form : Form
    columns : callable
        Returns the columns of the DataFrame; called for functions only.
    feed_dict : dict, optional
        From arguments, or placeholders, to columns.
    initial_variables : bool
        For tensors of a graph.
    constants : dict, optional
        For tensors of a graph: from placeholders to values.
    """
    tensorflow()
    from sparkdl.tensorframes import _functions, _graphs, _models

    feeds = _check_feeds(feed_dict)
    if constants and (callable(fetches) or _models.is_model(fetches)):
        raise SettingsException(
            "constants= gives values to placeholders of a graph, and there is none: give a "
            "function its values with functools.partial(f, rate=0.5), or in its body."
        )
    if _models.is_model(fetches):
        return _models.of_model(fetches, form, _by_name(feeds))
    if callable(fetches):
        return _functions.trace(fetches, form, columns(), _by_name(feeds))
    return _graphs.of_tensors(fetches, feeds, initial_variables, constants)


Feeds = list[tuple[Any, str]]  # pairs, since a tensor is not always hashable


def _check_feeds(feed_dict: object) -> Feeds:
    if feed_dict is None:
        return []
    if not isinstance(feed_dict, Mapping):
        raise WrongTypeException(
            "Expected feed_dict as {argument or placeholder: column}, got "
            f"{type(feed_dict).__name__}: {feed_dict!r}."
        )
    for key, column in feed_dict.items():
        if not isinstance(column, str):
            raise WrongTypeException(
                f"feed_dict binds {key!r} to {column!r}. Expected the name of a column, as text. "
                "constants= takes values of placeholders."
            )
    return [(k.deref() if hasattr(k, "deref") else k, c) for k, c in feed_dict.items()]


def _by_name(feeds: Feeds) -> dict[str, str]:
    for key, _ in feeds:
        if not isinstance(key, str):
            raise WrongTypeException(
                f"feed_dict has the key {key!r}. Expected the name of an argument, as text."
            )
    return dict(feeds)
