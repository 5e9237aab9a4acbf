"""Which column belongs to which input or output of a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sparkdl._models.model_ends import End
from sparkdl.errors import SchemaMismatchException


def paired(
    param: str, given: Sequence[str] | Mapping[str, str], ends: Sequence[End], what: str
) -> list[str]:
    """Return a column for each end, in their order.

    Parameters
    ----------
    param : str
        What the user set, for messages.
    given : sequence or mapping of str
        Columns in the order of the ends, or by the names of the ends.
    ends : sequence of End
    what : str
        "input" or "output".

    Raises
    ------
    SchemaMismatchException
        There are more or fewer columns than ends, or other names than theirs.
    """
    if isinstance(given, Mapping):
        return _by_name(param, given, ends, what)
    if len(given) != len(ends):
        raise SchemaMismatchException(
            f"The model has {len(ends)} {what}(s) ({_shown(ends)}), but {param} has {len(given)} "
            f"column(s) ({', '.join(given)}). Give one column per {what}, in this order or by name."
        )
    return list(given)


def _by_name(param: str, given: Mapping[str, str], ends: Sequence[End], what: str) -> list[str]:
    names = [end.name for end in ends]
    unknown = [name for name in given if name not in names]
    missing = [name for name in names if name not in given]
    if unknown or missing:
        wrong = [
            *([f"names {', '.join(unknown)}, which it does not have"] if unknown else []),
            *([f"has no column for {', '.join(missing)}"] if missing else []),
        ]
        raise SchemaMismatchException(
            f"The model has {len(ends)} {what}(s) ({_shown(ends)}), but {param} "
            f"{' and '.join(wrong)}. Give one column per {what}: {{{names[0]!r}: 'column'}}."
        )
    return [given[name] for name in names]


def _shown(ends: Sequence[End]) -> str:
    return ", ".join(f"{end.name} {list(end.leaf.shape)}" for end in ends)
