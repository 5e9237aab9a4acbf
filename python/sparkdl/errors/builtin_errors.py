"""Exceptions that are also the builtin ones that sparkdl 1.x raised, so that old code catches them.

They are SparkDLExceptions first; no user needs these names.
"""

from __future__ import annotations

from sparkdl.errors import SparkDLException


class WrongTypeException(SparkDLException, TypeError):
    """An argument has a type that does not fit."""


class WrongStateException(SparkDLException, AssertionError):
    """Arguments do not fit each other, or come from different graphs."""


class UnknownNameException(SparkDLException, KeyError):
    """A name does not exist."""

    __str__ = Exception.__str__  # KeyError would show the text in quotes
