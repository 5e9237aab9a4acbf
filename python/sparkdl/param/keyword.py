"""Methods that take keyword arguments only, and remember them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])


def keyword_only(func: F) -> F:
    """Let a method refuse positional arguments and keep what it was given in `_input_kwargs`.

    `inspect` sees the method's own signature.

    Raises
    ------
    TypeError
        When the method is called with a positional argument.

    Examples
    --------
    >>> class Stage:
    ...     @keyword_only
    ...     def setParams(self, *, inputCol=None):
    ...         return self._input_kwargs
    >>> Stage().setParams(inputCol="image")
    {'inputCol': 'image'}
    """

    @wraps(func)
    def wrapper(self: Any, *args: Any, **kwargs: Any) -> Any:
        if args:
            raise TypeError(
                f"Method {func.__name__} forces keyword arguments; got {len(args)} without a name."
            )
        self._input_kwargs = kwargs
        return func(self, **kwargs)

    return cast(F, wrapper)
