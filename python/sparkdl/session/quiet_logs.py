"""The log of a JVM that `start` starts: what a user must know, unless somebody has set it up."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from sparkdl.session.submit_arguments import SubmitArguments, spark_folder

CONSOLE_BAR = "spark.ui.showConsoleProgress"
_FILE = Path(__file__).resolve().parent.parent / "resources" / "log4j2.properties"
_OPTIONS = "spark.driver.extraJavaOptions"
_LEVEL = "TF_CPP_MIN_LOG_LEVEL"
_ERRORS = "2"


def with_quiet_logs(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the settings of a session that is about to start, with those of a quiet log.

    TensorFlow reads its level from the environment of the JVM, which is that of this process.
    """
    os.environ.setdefault(_LEVEL, _ERRORS)
    quiet = {f"spark.executorEnv.{_LEVEL}": os.environ[_LEVEL], **settings}
    environment = SubmitArguments()
    options = settings.get(_OPTIONS) or environment.get(_OPTIONS) or ""
    if "log4j" not in options and not _is_set_up():
        quiet[_OPTIONS] = f"{options} -Dlog4j2.configurationFile={_FILE.as_uri()}".lstrip()
        environment.give_way({_OPTIONS})
    return quiet


def without_console_bar(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the settings without the bar of Spark's stages, which would fill a notebook's cell."""
    given = SubmitArguments().get(CONSOLE_BAR)
    return {**({CONSOLE_BAR: "false"} if given is None else {}), **settings}


def _is_set_up() -> bool:
    return "LOG4J_CONFIGURATION_FILE" in os.environ or any(spark_folder().glob("log4j2*.*"))
