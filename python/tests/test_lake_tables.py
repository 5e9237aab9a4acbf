"""Models in statements on tables of Delta and Iceberg, in a session that has their jars."""

from __future__ import annotations

import os
from typing import Any

import lake_statements
import pytest
from separate_program import run_program


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What every case has found and should have found, and what the programs have printed."""
    if not list(lake_statements.JARS.glob("*.jar")):
        say = pytest.fail if os.environ.get("SPARKDL_TEST_LAKE") == "required" else pytest.skip
        say(f"No jars of Delta and Iceberg in {lake_statements.JARS}: run build/sbt lakeJars")
    return run_program(lake_statements.__file__, tmp_path_factory.mktemp("tables"))[0]


@pytest.mark.parametrize("name", lake_statements.NAMES)
def test_a_statement_on_a_table_gives_what_arithmetic_gives(report: Any, name: str) -> None:
    found, expected = report["results"][name]
    assert found == expected, name


def test_the_example_labels_corrects_and_finds_photos(report: Any) -> None:
    for said in ("labels that were wrong", "before the correction", "most similar to"):
        assert said in report["printed"], said
