"""How a param is declared, in every class of sparkdl that has any."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from pyspark.ml.param import Param, Params

V = TypeVar("V")


def declare_param(name: str, doc: str, converter: Callable[[Any], V]) -> Param[V]:
    """Return a param for the body of a class, where an attribute of the same name must hold it.

    Parameters
    ----------
    name : str
        Name of the param, which is also that of the attribute.
    doc : str
        What `explainParams` prints, in the words of Scala where a class there has the param too.
    converter : callable
        From a user's value to the one that the stage keeps, or an error. The type that it returns
        is that of the param.

    Examples
    --------
    >>> from pyspark.ml.param import TypeConverters
    >>> class HasColour(Params):
    ...     colour = declare_param("colour", "Name of a colour.", TypeConverters.toString)
    >>> HasColour().colour.doc
    'Name of a colour.'
    """
    return Param(Params._dummy(), name, doc, converter)
