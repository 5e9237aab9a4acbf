"""Gives setuptools the version; everything else stands in pyproject.toml."""

from pathlib import Path

from setuptools import setup

setup(version=(Path(__file__).resolve().parent.parent / "VERSION").read_text().strip())
