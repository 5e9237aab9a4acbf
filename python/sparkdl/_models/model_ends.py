"""The inputs and outputs of a model: which there are, in which order, and what they are called.

Whoever converts or trains a model asks here, so that a column means the same end everywhere.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from types import ModuleType
from typing import Any

from sparkdl._models.called_models import called_with, gives, uncalled
from sparkdl.errors import InvalidModelException, SettingsException

# Names that Keras numbers, so that they depend on what else the process has built.
_DEFAULT_NAMES = re.compile(r"^(input_layer|keras_tensor)(_\d+)?$")


@dataclass(frozen=True)
class End:
    """An input or output of a model.

    Attributes
    ----------
    name : str
        What users call it.
    path : tuple
        The keys and indices that lead to it, from the outermost container in.
    place : int
        Which it is when Keras (or TensorFlow) flattens the structure, which sorts a dict by key.
    leaf : object
        The tensor, or what describes it.
    layer : str or None
        What Keras calls an output, if it has a name for it: the layer that made it.
    """

    name: str
    path: tuple[Any, ...]
    place: int
    leaf: Any
    layer: str | None = None


@dataclass(frozen=True)
class Leaf:
    """A tensor in a structure; see `End`."""

    path: tuple[Any, ...]
    place: int
    value: Any


def leaves(structure: object, tree: ModuleType) -> list[Leaf]:
    """Return the tensors of nested lists, tuples and dicts in the order in which they are written.

    It is the only order of a dict that a model and its file have in common: Keras sorts the keys
    of a dict and not those of an OrderedDict, but a file says dict for both.

    Parameters
    ----------
    structure : object
        None in it is not a tensor and is left out.
    tree : module
        `keras.tree` or `tf.nest`, whichever gives the places.
    """
    flat = tree.flatten(structure)
    numbers = count()
    places = [None if value is None else next(numbers) for value in flat]
    values = [value for value in flat if value is not None]
    numbered = tree.pack_sequence_as(structure, places) if flat else None
    return [Leaf(path, place, values[place]) for path, place in _walk(numbered, ())]


def _walk(numbered: object, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], int]]:
    if isinstance(numbered, Mapping):
        for key, part in numbered.items():
            yield from _walk(part, (*path, key))
    elif isinstance(numbered, (list, tuple)):  # also a named tuple: a file of Keras says list
        for i, part in enumerate(numbered):
            yield from _walk(part, (*path, i))
    elif isinstance(numbered, int):
        yield path, numbered
    elif numbered is not None:
        raise InvalidModelException(
            f"Cannot name the tensors in a {type(numbered).__name__}. Expected tensors, or lists, "
            "tuples and dicts of them."
        )


def distinct(names: Sequence[str]) -> list[str]:
    """Number names that occur several times, and leave all others as they are.

    >>> distinct(["a", "a", "b"]), distinct(["a", "a", "a_0"])
    (['a_0', 'a_1', 'b'], ['a_1', 'a_2', 'a_0'])
    """
    repeated = {name for name, times in Counter(names).items() if times > 1}
    taken = {*names}
    result = []
    for name in names:
        result.append(_next_number(name, taken) if name in repeated else name)
        taken.add(result[-1])
    return result


def _next_number(name: str, taken: set[str]) -> str:
    return next(n for n in (f"{name}_{i}" for i in count()) if n not in taken)


def output_ends(
    structure: object, tree: ModuleType, layers: Sequence[str] | None = None
) -> list[End]:
    """Name the results of a function or model.

    Those in a dict are named by the keys and indices that lead to them, joined by "_"; others by
    the layer that made them (`layers`, in the order of their places). Without layers a single one
    is named "output", and several "output_" and their indices.
    """
    tensors = leaves(structure, tree)
    layer_names: Sequence[str | None] = layers if layers and len(layers) == len(tensors) else ()
    layers_by_tensor = [layer_names[leaf.place] if layer_names else None for leaf in tensors]
    names = distinct(
        [
            _join(leaf.path)
            if isinstance(structure, Mapping)
            else layer or _default_name(leaf, tensors)
            for leaf, layer in zip(tensors, layers_by_tensor, strict=True)
        ]
    )
    return _ends(tensors, names, layers_by_tensor)


def _join(path: tuple[Any, ...]) -> str:
    return "_".join(map(str, path))


def _default_name(leaf: Leaf, siblings: Sequence[Leaf]) -> str:
    return "output" if len(siblings) == 1 else f"output_{_join(leaf.path)}"


def input_ends(structure: object, tree: ModuleType) -> list[End]:
    """Name the inputs of a model.

    Those in a dict are named by keys and indices, as results are; others like their tensors, or
    "input", "input_1", ... where nobody has named these.
    """
    tensors = leaves(structure, tree)
    if isinstance(structure, Mapping):
        names = distinct([_join(leaf.path) for leaf in tensors])
    else:
        names = distinct(_without_counts([leaf.value.name for leaf in tensors]))
    return _ends(tensors, names, [None] * len(tensors))


def _without_counts(names: list[str]) -> list[str]:
    chosen = {name for name in names if not _DEFAULT_NAMES.match(name)}
    free = (n for n in ("input", *(f"input_{i}" for i in range(1, 2 * len(names) + 1))))
    unused = (n for n in free if n not in chosen)
    return [name if name in chosen else next(unused) for name in names]


def _ends(tensors: Sequence[Leaf], names: Sequence[str], layers: Sequence[str | None]) -> list[End]:
    return [
        End(name, leaf.path, leaf.place, leaf.value, layer)
        for leaf, name, layer in zip(tensors, names, layers, strict=True)
    ]


def pack(structure: object, ends: Sequence[End], values: Sequence[Any]) -> Any:
    """Return a structure of Keras with values, one per end, instead of its tensors."""
    from keras import tree

    flat = dict(zip((end.place for end in ends), values, strict=True))
    return tree.pack_sequence_as(structure, [flat[place] for place in range(len(flat))])


def structure_of(model: object, kind: str) -> Any:
    """Return the "input" or "output" of a model as it was written; None if it is not known.

    Of a subclassed model it is what it was called with, and what it gave.
    """
    if getattr(model, f"{kind}s", None) is None:
        return called_with(model) if kind == "input" else gives(model)
    # A Sequential model is a functional one inside, which alone knows its structures.
    return getattr(getattr(model, "_functional", None) or model, kind)


def check_called(model: object, argument: str) -> None:
    """Raise if a model does not know what it takes; `argument` is that which takes the model."""
    if structure_of(model, "input") is None:
        raise InvalidModelException(f"{uncalled(model)}, before you pass it as {argument}=.")


def model_inputs(model: object) -> list[End]:
    """Return the inputs of a Keras model that knows them."""
    from keras import tree

    return input_ends(structure_of(model, "input"), tree)


def model_outputs(model: object) -> list[End]:
    """Return the outputs of a Keras model that knows them."""
    from keras import tree

    return output_ends(structure_of(model, "output"), tree, layer_names(model))


def layer_names(model: object) -> list[str] | None:
    """Return the layers that give a functional model's outputs, in the order of their places."""
    return list(getattr(model, "output_names", None) or []) or None


def check_distinct(names: Sequence[str], what: str) -> None:
    """Raise if names that a user gave are not distinct: an end would be lost."""
    repeated = sorted(name for name, times in Counter(names).items() if times > 1)
    if repeated:
        raise SettingsException(
            f"{what}= uses a name more than once: {', '.join(repeated)}. Expected distinct "
            f"names, got {', '.join(names)}."
        )
