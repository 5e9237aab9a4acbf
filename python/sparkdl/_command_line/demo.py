"""`demo`: drawn letters, a Spark job that reads them, and a picture of what it has read."""

from __future__ import annotations

import argparse
import random
import string
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparkdl._command_line.command import Command
from sparkdl._command_line.quiet_session import quiet_session
from sparkdl.errors import SettingsException

if TYPE_CHECKING:
    from PIL import Image

_SIZE = 96  # pixels
_LETTERS = range(70, 91)  # their heights in pixels
_DARK, _LIGHT = (0, 90), (180, 255)
_TURN = 10.0  # degrees, at most
_COUNT = 24
_COLUMNS = 8


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out", default="sparkdl-demo.png", metavar="FILE", help="default: sparkdl-demo.png"
    )
    parser.add_argument("--seed", type=int, default=1, help="other pictures; default: 1")
    parser.add_argument("--master", help="of the Spark session; default: as usual")


def _demo(a: argparse.Namespace) -> int:
    from sparkdl import DeepImagePredictor, plot

    _check_packages()
    with tempfile.TemporaryDirectory() as folder:
        _draw_all(Path(folder), random.Random(a.seed))
        print(f"{_COUNT} pictures of letters and digits are drawn.")
        with quiet_session("sparkdl demo", a.master) as spark:
            print("Spark has started. TinyNet, the network that comes with sparkdl, reads them ...")
            predictor = DeepImagePredictor(
                inputCol="content",
                outputCol="seen",
                modelName="TinyNet",
                decodePredictions=True,
                topK=1,
            )
            files = spark.read.format("binaryFile").load(Path(folder).as_uri())
            rows = (
                predictor.transform(files)
                .selectExpr(
                    "element_at(split(path, '/'), -1) AS name", "content", "seen[0].class AS seen"
                )
                .orderBy("name")
                .collect()
            )
    truth = [_drawn_in(row.name) for row in rows]
    seen = [row.seen for row in rows]
    figure = plot.predictions([row.content for row in rows], seen, truth, _COLUMNS)
    figure.savefig(a.out)
    right = sum(name == true for name, true in zip(seen, truth, strict=True))
    print(f"{right} of {_COUNT} are right: {a.out}")
    return 0


def _check_packages() -> None:
    if not all(map(find_spec, ("PIL", "matplotlib"))):
        raise SettingsException(
            "`sparkdl demo` needs Pillow and matplotlib: pip install 'sparkdl-py[plot]'"
        )


def _draw_all(folder: Path, rng: random.Random) -> None:
    signs = rng.sample(string.ascii_uppercase + string.digits, _COUNT)
    for number, sign in enumerate(signs):
        _draw(sign, rng).save(folder / f"{number:02d}-{sign}.png")


def _drawn_in(name: str) -> str:
    return Path(name).stem.rpartition("-")[2]


def _draw(sign: str, rng: random.Random) -> Image.Image:
    """Draw one sign in a colour on another, dark on light or light on dark."""
    from PIL import Image, ImageDraw, ImageFont

    ground, ink = rng.sample([_DARK, _LIGHT], 2)
    colours = [tuple(rng.randint(*limits) for _ in range(3)) for limits in (ground, ink)]
    image = Image.new("RGB", (_SIZE, _SIZE), colours[0])
    font: Any = ImageFont.load_default(size=rng.choice(_LETTERS))
    middle = (_SIZE / 2, _SIZE / 2)
    ImageDraw.Draw(image).text(middle, sign, fill=colours[1], font=font, anchor="mm")
    return image.rotate(rng.uniform(-_TURN, _TURN), Image.Resampling.BICUBIC, fillcolor=colours[0])


DEMO = Command(
    "demo", "read drawn letters, without a network, and draw the result", _arguments, _demo
)
