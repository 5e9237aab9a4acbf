"""`export` and `bundle`: models become bundles."""

from __future__ import annotations

import argparse
import json
from typing import Any

from sparkdl._command_line.command import Command
from sparkdl._command_line.quiet_session import session_for
from sparkdl.errors import SettingsException

_NO_VERIFY = "do not compare the bundle with the model"


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


def _export(arguments: argparse.Namespace) -> int:
    a = arguments
    with session_for(a.weights, a.out, a.labels):
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


def _bundle(arguments: argparse.Namespace) -> int:
    from sparkdl._bundles.saving import save_bundle

    a = arguments
    with session_for(a.model, a.out, a.labels):
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


EXPORT = Command("export", "make the bundle of a named model", _export_arguments, _export)
BUNDLE = Command("bundle", "make the bundle of a model in a file", _bundle_arguments, _bundle)
