"""Which tensors a Python callable takes, and from which columns."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sparkdl.errors import SchemaMismatchException
from sparkdl.errors.builtin_errors import WrongTypeException

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


@dataclass(frozen=True)
class ProgramForm:
    """What kind of program an operation runs.

    Attributes
    ----------
    name : str
        The operation.
    block : bool
        Whether tensors have a first dimension of rows.
    endings : tuple of str
        What may follow the column's name in an argument's.
    """

    name: str
    block: bool
    endings: tuple[str, ...] = ("",)

    def column(self, argument: str, columns: Mapping[str, Any]) -> str:
        """Return the column that an argument's name stands for.

        >>> ProgramForm("reduce_rows", False, ("_1", "_2")).column("x_2", {"x": ...})
        'x'
        """
        suffixes = [e for e in self.endings if argument.endswith(e)]
        if not suffixes:
            names = " and ".join(f"'{argument}{e}'" for e in self.endings)
            raise SchemaMismatchException(
                f"The argument '{argument}' cannot be bound: {self.name} merges two rows, so a "
                f"function takes every column twice, '{argument}' as {names}."
            )
        candidates = [argument.removesuffix(e) for e in suffixes]
        return next((c for c in candidates if c in columns), candidates[0])


@dataclass(frozen=True)
class Argument:
    """One tensor that a callable takes."""

    name: str
    declared: Any = None  # the tf.TensorSpec of an input_signature
    positional: bool = False


def label(function: object) -> str:
    """Return what messages call a callable."""
    name = getattr(function, "__name__", None) or type(function).__name__
    return "the function" if name == "<lambda>" else f"the function '{name}'"


def arguments(function: Callable[..., Any], feeds: Mapping[str, str]) -> list[Argument]:
    """Return the tensors that a callable takes.

    These are the parameters without a default, and those that `feeds` names; `**kwargs` takes any
    others that `feeds` names.
    """
    parameters = _parameters(function)
    kinds = {p.kind for p in parameters}
    parameters_by_name = {p.name: p for p in parameters if p.kind in (*_POSITIONAL, p.KEYWORD_ONLY)}
    required = [n for n, p in parameters_by_name.items() if p.default is p.empty or n in feeds]
    others = [n for n in feeds if n not in parameters_by_name]
    if others and inspect.Parameter.VAR_KEYWORD not in kinds:
        raise SchemaMismatchException(
            f"feed_dict names {', '.join(map(repr, others))}, but {label(function)} has the "
            f"arguments {', '.join(parameters_by_name) or 'none'}. Expected {{argument: column}}."
        )
    if not required and not others and kinds - {*_POSITIONAL, inspect.Parameter.KEYWORD_ONLY}:
        raise WrongTypeException(
            f"The arguments of {label(function)} have no names (*args or **kwargs), so they cannot "
            "be bound to columns. Name them, lambda x, y: f(x, y), or, for **kwargs, pass "
            'feed_dict={"argument": "column"}.'
        )
    return [_argument(parameters_by_name[n]) for n in required] + [Argument(n) for n in others]


def _parameters(function: Callable[..., Any]) -> list[Any]:
    # A tf.function knows more than inspect: the tensors of an input_signature.
    signature = getattr(function, "function_type", None)
    try:
        return list((signature or inspect.signature(function)).parameters.values())
    except (TypeError, ValueError) as e:
        raise WrongTypeException(
            f"Cannot tell the arguments of {label(function)} ({e}). Wrap it in a function whose "
            'arguments have the names of columns: lambda x: {"z": f(x)}.'
        ) from e


def _argument(parameter: inspect.Parameter) -> Argument:
    declared = getattr(parameter, "type_constraint", None)
    is_spec = hasattr(declared, "shape") and hasattr(declared, "dtype")
    positional = parameter.kind is parameter.POSITIONAL_ONLY
    return Argument(parameter.name, declared if is_spec else None, positional)
