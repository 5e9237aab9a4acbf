"""`doctor` and `models`: what is there."""

from __future__ import annotations

import argparse

from sparkdl._command_line.command import Command
from sparkdl._command_line.quiet_session import quiet_session, session_for


def _models_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model-dir", metavar="DIR", help="the model cache to look in")


def _models(arguments: argparse.Namespace) -> int:
    from sparkdl.networks.model_listing import models

    with session_for(arguments.model_dir):
        print(models(arguments.model_dir))
    return 0


def _doctor_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--master", help="of the session that is examined; default: as usual")


def _doctor(arguments: argparse.Namespace) -> int:
    from sparkdl import doctor

    with quiet_session("sparkdl doctor", arguments.master) as spark:
        report = doctor(spark)
    return 0 if report.healthy else 1


DOCTOR = Command(
    "doctor",
    "check whether everything that sparkdl needs is there",
    _doctor_arguments,
    _doctor,
)
MODELS = Command("models", "list the named models", _models_arguments, _models)
