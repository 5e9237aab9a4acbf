"""The command line, `python -m sparkdl`: export, bundle, doctor, models."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sparkdl.errors import SettingsException, SparkDLException

Arguments = argparse.Namespace
_NO_VERIFY = "do not compare the bundle with the model"


@contextmanager
def _session_for(*paths: str | None) -> Iterator[None]:
    """Start a Spark session for a block if a path is on a file system that only Spark reaches."""
    from sparkdl import start
    from sparkdl._places.places import place_of
    from sparkdl._places.remote_files import is_reachable

    if is_reachable() or all(place_of(p).local for p in paths if p):
        yield
        return
    spark = start(master="local[1]", app_name="sparkdl", conf={"spark.ui.enabled": False})
    try:
        yield
    finally:
        spark.stop()


def _export_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="NAME", help="a name that `models` lists")
    parser.add_argument("--weights", default="imagenet", metavar="FILE", help="of Keras: .h5 ...")
    parser.add_argument("--out", metavar="DIR", help="default: into the model cache")
    parser.add_argument("--labels", metavar="FILE", help="names of the classes")
    parser.add_argument(
        "--size", nargs=2, type=int, metavar=("HEIGHT", "WIDTH"), help="of the input, in pixels"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace an existing bundle")
    parser.add_argument("--no-verify", action="store_true", help=_NO_VERIFY)


def _export(arguments: Arguments) -> int:
    a = arguments
    with _session_for(a.weights, a.out, a.labels):
        if a.out is None:
            from sparkdl.networks.model_cache import ensure_bundle

            path = ensure_bundle(
                a.model, a.weights, labels=a.labels, verify=not a.no_verify, size=a.size
            )
            print(path or f"{a.model} comes with sparkdl: nothing to export.")
            return 0
        from sparkdl.networks.keras_export import export_named

        done = export_named(
            a.model, a.out, a.weights, a.labels, a.overwrite, not a.no_verify, a.size
        )
        print(done)
        return 0


def _bundle_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help=".keras, .h5, .pb or a SavedModel")
    parser.add_argument("--out", required=True, metavar="DIR", help="the bundle to make")
    parser.add_argument("--name", help="of the model in messages; default: DIR's")
    parser.add_argument("--image", action="store_true", help="it takes images: uint8, RGB")
    parser.add_argument("--preprocessing", choices=("tf", "caffe", "torch"), help="of the images")
    parser.add_argument("--labels", metavar="FILE", help="names of the classes")
    parser.add_argument("--signature", default="serving_default", help="of a SavedModel")
    parser.add_argument(
        "--constant",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="of a placeholder that no column feeds: a number, true, false, a text or a JSON list",
    )
    parser.add_argument("--unsafe", action="store_true", help="run code that is in the file")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing bundle")
    parser.add_argument("--no-verify", action="store_true", help=_NO_VERIFY)


def _bundle(arguments: Arguments) -> int:
    from sparkdl._bundles.saving import save_bundle

    a = arguments
    with _session_for(a.model, a.out, a.labels):
        path = save_bundle(
            a.model,
            a.out,
            name=a.name,
            image=a.image or None,
            preprocessing=a.preprocessing,
            labels=a.labels,
            signature=a.signature,
            constants=dict(map(_constant, a.constant)),
            safe_mode=not a.unsafe,
            overwrite=a.overwrite,
            verify=not a.no_verify,
        )
        print(path)
    return 0


def _constant(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise SettingsException(
            f"--constant {text!r}: expected NAME=VALUE, for example keep_prob=1.0."
        )
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value


def _models_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model-dir", metavar="DIR", help="the model cache to look in")


def _models(arguments: Arguments) -> int:
    from sparkdl.networks.model_listing import models

    with _session_for(arguments.model_dir):
        print(models(arguments.model_dir))
    return 0


def _doctor_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--master", help="of the session that is examined; default: as usual")


def _doctor(arguments: Arguments) -> int:
    from sparkdl import doctor, start

    spark = start(master=arguments.master, app_name="sparkdl doctor")
    try:
        return 0 if doctor(spark).healthy else 1
    finally:
        spark.stop()


# Name, help, arguments, action (which returns the exit code).
COMMANDS: list[
    tuple[str, str, Callable[[argparse.ArgumentParser], None], Callable[[Arguments], int]]
] = [
    ("export", "make the bundle of a named model", _export_arguments, _export),
    ("bundle", "make the bundle of a model in a file", _bundle_arguments, _bundle),
    ("doctor", "check whether everything that sparkdl needs is there", _doctor_arguments, _doctor),
    ("models", "list the named models", _models_arguments, _models),
]


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; errors that a user can fix print one line."""
    parser = argparse.ArgumentParser(prog="python -m sparkdl", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, text, add_arguments, action in COMMANDS:
        command = commands.add_parser(name, help=text, description=text)
        add_arguments(command)
        command.set_defaults(action=action)
    arguments = parser.parse_args(argv)
    try:
        return int(arguments.action(arguments))
    except SparkDLException as e:
        print(f"{type(e).__name__}: {e}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
