"""What the environment says to spark-submit is read the way spark-submit reads it."""

from pathlib import Path

import pytest

from sparkdl.session.submit_arguments import SubmitArguments


@pytest.fixture
def defaults(tmp_path: Path) -> Path:
    file = tmp_path / "spark-defaults.conf"
    file.write_text("# a comment\nspark.master  local[3]\nspark.jars.packages=a:a:1\n")
    return file


def test_reads_defaults_in_both_notations(defaults):
    arguments = SubmitArguments("pyspark-shell", defaults)
    assert arguments.get("spark.master") == "local[3]"
    assert arguments.get("spark.jars.packages") == "a:a:1"
    assert arguments.get("spark.jars") is None


def test_an_option_wins_over_conf_which_wins_over_defaults(defaults):
    text = (
        "--packages o:o:1 --conf spark.jars.packages=c:c:1 --conf spark.master=yarn pyspark-shell"
    )
    arguments = SubmitArguments(text, defaults)
    assert arguments.get("spark.jars.packages") == "o:o:1"
    assert arguments.get("spark.master") == "yarn"


def test_takes_out_only_what_is_set_elsewhere_now(defaults):
    text = (
        "--packages=o:o:1 --conf spark.jars.packages=c:c:1 "
        "--master yarn --name 'my app' pyspark-shell"
    )
    arguments = SubmitArguments(text, defaults)
    kept = arguments.without({"spark.jars.packages"})
    assert kept == "--master yarn --name 'my app' pyspark-shell"
