"""The commands, and how their errors are shown."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from sparkdl._command_line.bundles import BUNDLE, EXPORT
from sparkdl._command_line.demo import DEMO
from sparkdl._command_line.overviews import DOCTOR, MODELS
from sparkdl._command_line.pictures import FEATURES, PREDICT
from sparkdl._version import __version__
from sparkdl.errors import SettingsException, SparkDLException

_DESCRIPTION = "TensorFlow and Keras models on Spark DataFrames."
COMMANDS = (DEMO, DOCTOR, MODELS, PREDICT, FEATURES, EXPORT, BUNDLE)
_SHELLS = ("bash", "zsh", "tcsh")
_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None, program: str = "sparkdl") -> int:
    """Run a command and return its exit code; errors that a user can fix print one line."""
    parser = _parser(program)
    arguments = parser.parse_args(argv)
    try:
        if arguments.completion:
            print(_completion(parser, arguments.completion))
            return 0
        if arguments.command is None:
            parser.print_help()
            return 0
        return int(arguments.run(arguments))
    except KeyboardInterrupt:
        return _INTERRUPTED
    except Exception as e:
        if not _can_be_mended(e):
            raise
        print(f"{type(e).__name__}: {_first_paragraph(e)}", file=sys.stderr)
        return 1


def _parser(program: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=program, description=_DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"sparkdl {__version__}")
    parser.add_argument(
        "--completion", choices=_SHELLS, help="print what makes a shell complete commands"
    )
    commands = parser.add_subparsers(metavar="COMMAND", dest="command")
    for command in COMMANDS:
        sub = commands.add_parser(command.name, help=command.help, description=command.help)
        command.add_arguments(sub)
        sub.set_defaults(run=command.run)
    return parser


def _completion(parser: argparse.ArgumentParser, shell: str) -> str:
    try:
        import shtab
    except ModuleNotFoundError:
        raise SettingsException(
            "--completion needs the package shtab: pip install 'sparkdl-py[completion]'"
        ) from None
    return str(shtab.complete(parser, shell))


def _can_be_mended(e: Exception) -> bool:
    if isinstance(e, SparkDLException | OSError | ModuleNotFoundError):
        return True
    errors = sys.modules.get("pyspark.errors")  # imported where Spark can have raised it
    return errors is not None and isinstance(e, errors.AnalysisException)


def _first_paragraph(e: Exception) -> str:
    """Return the message without the plan and the frames of the JVM that Spark adds."""
    return str(e).split("\n\n")[0].split("\nJVM stacktrace")[0].rstrip("; \n")
