"""Makes what fails as small as it can be and still fail."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

Case = TypeVar("Case")


def shrink(
    case: Case,
    smaller: Callable[[Case], Iterable[Case]],
    fails: Callable[[Case], bool],
    most: int = 300,
) -> Case:
    """Return a case none of whose smaller ones fails.

    Parameters
    ----------
    case : object
        One that fails; plain data.
    smaller : callable
        Gives cases that are a step smaller, the boldest steps first.
    fails : callable
        Whether a case fails in the way that is looked into. What cannot be built does not.
    most : int
        How many cases are tried at most.
    """
    tried = 0
    while True:
        for candidate in smaller(case):
            tried += 1
            if tried > most:
                return case
            if fails(candidate):
                case = candidate
                break
        else:
            return case
