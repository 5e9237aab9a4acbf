"""Which column belongs to which input or output of a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sparkdl._models.model_ends import End
from sparkdl.errors import SchemaMismatchException


def pair_columns(
    param: str, columns: Sequence[str] | Mapping[str, str], ends: Sequence[End], what: str
) -> list[str]:
    """Return a column for each end, in their order.

    Parameters
    ----------
    param : str
        The param that the user set, for messages.
    columns : sequence or mapping of str
        Columns in the order of the ends, or by the names of the ends.
    ends : sequence of End
    what : str
        "input" or "output".

    Raises
    ------
    SchemaMismatchException
        There are more or fewer columns than ends, or other names than theirs.
    """
    if isinstance(columns, Mapping):
        return _by_name(param, columns, ends, what)
    if len(columns) != len(ends):
        raise SchemaMismatchException(
            f"The model has {len(ends)} {what}(s) ({_end_texts(ends)}), but {param} has "
            f"{len(columns)} column(s) ({', '.join(columns)}). Set one column per {what}, in this "
            "order or by name."
        )
    return list(columns)


def _by_name(param: str, columns: Mapping[str, str], ends: Sequence[End], what: str) -> list[str]:
    names = [end.name for end in ends]
    unknown = [name for name in columns if name not in names]
    missing = [name for name in names if name not in columns]
    if unknown or missing:
        wrong = [
            *([f"names {', '.join(unknown)}, which it does not have"] if unknown else []),
            *([f"has no column for {', '.join(missing)}"] if missing else []),
        ]
        raise SchemaMismatchException(
            f"The model has {len(ends)} {what}(s) ({_end_texts(ends)}), but {param} "
            f"{' and '.join(wrong)}. Set one column per {what}: {{{names[0]!r}: 'column'}}."
        )
    return [columns[name] for name in names]


def _end_texts(ends: Sequence[End]) -> str:
    return ", ".join(f"{end.name} {list(end.leaf.shape)}" for end in ends)
