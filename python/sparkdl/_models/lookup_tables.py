"""Lookup tables that the layers of a model of Keras 3 hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import TYPE_CHECKING, Any

import tensorflow as tf
from tensorflow.saved_model.experimental import TrackableResource

if TYPE_CHECKING:
    import keras


def tables_of(model: keras.Model) -> list[TrackableResource]:
    """Return every table that is an attribute of a layer, or in what is one, once.

    Keras finds them, too, but to do so it calls the model as in training, and forgets them all if
    that fails.
    """
    return list(_tables_in(model._flatten_layers(), set()))


def _tables_in(parts: Iterable[Any], seen: set[int]) -> Iterator[TrackableResource]:
    for part in parts:
        if id(part) in seen:
            continue
        seen.add(id(part))
        if isinstance(part, TrackableResource):
            yield part
        else:
            yield from _tables_in(_parts_of(part), seen)


def _parts_of(whole: Any) -> Iterable[Any]:
    if isinstance(whole, Mapping):
        return list(whole.values())
    if isinstance(whole, (list, tuple, set)):
        return list(whole)
    if not isinstance(whole, tf.__internal__.tracking.Trackable):
        return ()
    lists = getattr(whole, "_tracked", ())  # attributes in which Keras wraps lists and dicts
    parts = whole._trackable_children("checkpoint").values()
    return chain(parts, [getattr(whole, name) for name in lists])
