"""Methods that take keyword arguments only, and remember them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from pyspark.ml.param import Params

F = TypeVar("F", bound=Callable[..., Any])
S = TypeVar("S", bound=Params)
P = ParamSpec("P")


def keyword_only(func: F) -> F:
    """Let a method refuse positional arguments and keep its keywords in `_input_kwargs`.

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
                f"Method {func.__name__} takes keyword arguments only; got {len(args)} without a "
                "name."
            )
        self._input_kwargs = kwargs
        return func(self, **kwargs)

    return cast(F, wrapper)


def setter_like(init: Callable[Concatenate[S, P], None]) -> Callable[Concatenate[S, P], S]:
    """Return the `setParams` of a stage: it takes the keywords of the constructor.

    The keywords, with their types and defaults, are written once, in `__init__`. The setter sets
    those that are passed, through the stage's `_set`, and leaves the others as they are, whatever
    their defaults. None means that a keyword was not passed.

    Parameters
    ----------
    init : callable
        The `__init__` in the class body, with keywords only.

    Examples
    --------
    >>> from pyspark.ml.param import TypeConverters
    >>> from sparkdl.param import declare_param
    >>> class Stage(Params):
    ...     colour = declare_param("colour", "Name of a colour.", TypeConverters.toString)
    ...     @keyword_only
    ...     def __init__(self, *, colour: str = "red") -> None:
    ...         super().__init__()
    ...         self._set(**self._input_kwargs)
    ...     setParams = setter_like(__init__)
    >>> stage = Stage(colour="blue").setParams()
    >>> stage.getOrDefault("colour")
    'blue'
    >>> stage.setParams(colour="green").getOrDefault("colour")
    'green'
    >>> inspect.signature(Stage.setParams)
    <Signature (self, *, colour: 'str' = <as it is>) -> 'Stage'>
    """
    owner = init.__qualname__.rpartition(".")[0]
    this, *keywords = inspect.signature(init).parameters.values()
    names = [p.name for p in keywords]

    @keyword_only
    def setParams(self: S, /, *args: P.args, **kwargs: P.kwargs) -> S:
        _refuse_others(kwargs, names, owner)
        return self._set(**without_none(kwargs))

    optional = [p.replace(default=_AS_IT_IS) for p in keywords]
    return _describe(setParams, init, [this, *optional], owner)


def without_none(keywords: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keywords that have a value; pyspark would set None like any other value."""
    return {name: value for name, value in keywords.items() if value is not None}


class _AsItIs:
    """The default of a keyword that is only set when it is passed."""

    def __repr__(self) -> str:
        return "<as it is>"


_AS_IT_IS = _AsItIs()


def _refuse_others(names: Iterable[str], expected: Sequence[str], owner: str) -> None:
    other = next((name for name in names if name not in expected), None)
    if other is not None:
        raise TypeError(
            f"{owner}.setParams() got an unexpected keyword argument '{other}'. Expected some of: "
            f"{', '.join(expected)}."
        )


def _describe(
    setter: F, init: Callable[..., None], parameters: Sequence[inspect.Parameter], owner: str
) -> F:
    """Give a setter the attributes that `help`, `inspect` and pickle read."""
    method: Any = setter
    method.__module__, method.__qualname__ = init.__module__, f"{owner}.setParams"
    method.__doc__ = f"Set the params that are passed; see `{owner.rpartition('.')[2]}`."
    # Types are looked up, and the source is shown, where the keywords are written.
    method.__wrapped__ = init
    method.__annotations__ = {**init.__annotations__, "return": owner}
    method.__signature__ = inspect.Signature(parameters, return_annotation=owner)
    return setter
