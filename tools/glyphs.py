"""Pictures of digits and letters, drawn with the fonts that Matplotlib brings, bent and blurred.

Everything comes from a seed. `drawings` gives shapes as grey values; `coloured` makes pictures of
them: any colour on any other, with slopes of brightness and noise.
"""

from __future__ import annotations

import string
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

SIZE = 32
_CANVAS = 64
_POINTS = 46
_LEAST_INK = 30  # pixels; less is a blank
_NO_LETTERS = ("cmex", "cmsy", "STIXSiz", "STIXNonUni", "LastResort")

# Small letters that differ from the capital by their size only share its class.
_MERGED = "cijklmopsuvwxyz"
CLASSES = [
    *string.digits,
    *string.ascii_uppercase,
    *(c for c in string.ascii_lowercase if c not in _MERGED),
]


def labels() -> list[tuple[str, str]]:
    """Return (class, description) in the order of the network's outputs."""

    def describe(c: str) -> str:
        if c.isdigit():
            return f"digit {c}"
        return f"letter {c}" if c.isupper() else f"small letter {c}"

    return [(c, describe(c)) for c in CLASSES]


def _fonts() -> list[Path]:
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    found = sorted(folder.glob("*.ttf"))
    return [f for f in found if not f.name.startswith(_NO_LETTERS)]


def _mask(font: ImageFont.FreeTypeFont, char: str, stroke: int) -> np.ndarray:
    image = Image.new("L", (_CANVAS, _CANVAS))
    middle = (_CANVAS / 2, _CANVAS / 2)
    draw = ImageDraw.Draw(image)
    box = draw.textbbox((0, 0), char, font=font, stroke_width=stroke)
    at = (middle[0] - (box[0] + box[2]) / 2, middle[1] - (box[1] + box[3]) / 2)
    draw.text(at, char, fill=255, font=font, stroke_width=stroke)
    return np.asarray(image, np.float32) / 255


def _masks() -> tuple[np.ndarray, np.ndarray]:
    """Return all shapes [n, 64, 64] and the class of each."""
    shapes, classes = [], []
    for path in _fonts():
        font = ImageFont.truetype(str(path), _POINTS)
        missing = _mask(font, "\uffff", 0)  # what the font draws for a sign that it lacks
        for char in string.digits + string.ascii_letters:
            of = CLASSES.index(char if char in CLASSES else char.upper())
            plain = _mask(font, char, 0)
            if plain.sum() < _LEAST_INK or np.array_equal(plain, missing):
                continue
            for stroke in (0, 1, 3):
                shapes.append(_mask(font, char, stroke))
                classes.append(of)
    return np.stack(shapes), np.array(classes)


def _bend(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Turn, shear, stretch and shift a shape, and bend it like handwriting."""
    angle, shear = rng.normal(0, 0.14), rng.normal(0, 0.22)
    sx, sy = rng.uniform(0.68, 1.25), rng.uniform(0.85, 1.3)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = turn @ np.array([[1, shear], [0, 1]]) @ np.diag([sx, sy])
    y, x = np.mgrid[0:_CANVAS, 0:_CANVAS].astype(np.float32) - _CANVAS / 2
    shift = rng.normal(0, 2.0, 2)
    waves = _waves(rng) * rng.uniform(0, 4.5)
    at_x = matrix[0, 0] * x + matrix[0, 1] * y + shift[0] + waves[0] + _CANVAS / 2
    at_y = matrix[1, 0] * x + matrix[1, 1] * y + shift[1] + waves[1] + _CANVAS / 2
    return _sample(mask, at_x, at_y)


def _waves(rng: np.random.Generator) -> np.ndarray:
    coarse = rng.normal(0, 1, (2, 5, 5)).astype(np.float32)
    return np.stack([np.asarray(Image.fromarray(c).resize((_CANVAS,) * 2, 3)) for c in coarse])


def _sample(mask: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    x, y = np.clip(x, 0, _CANVAS - 1.001), np.clip(y, 0, _CANVAS - 1.001)
    left, top = x.astype(int), y.astype(int)
    fx, fy = x - left, y - top
    upper = mask[top, left] * (1 - fx) + mask[top, left + 1] * fx
    lower = mask[top + 1, left] * (1 - fx) + mask[top + 1, left + 1] * fx
    return upper * (1 - fy) + lower * fy


def _shrink(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Average to the network's size; often by way of a coarse raster, as small scans are."""
    image = Image.fromarray((mask * 255).astype(np.uint8))
    if rng.random() < 0.55:
        image = _fitted(image, int(rng.integers(0, 5))) if rng.random() < 0.85 else image
        coarse = int(rng.choice([8, 8, 8, 10, 12, 16]))
        image = image.resize((coarse, coarse), Image.Resampling.BOX)
        values = np.asarray(image, np.float32)
        image = Image.fromarray(np.minimum(values * rng.uniform(1, 1.5), 255).astype(np.uint8))
        back = rng.choice([Image.Resampling.NEAREST, Image.Resampling.BILINEAR, 3])
        return np.asarray(image.resize((SIZE, SIZE), int(back)))
    return np.asarray(image.resize((SIZE, SIZE), Image.Resampling.BOX))


def _fitted(image: Image.Image, margin: int) -> Image.Image:
    """Crop to the shape, as scans of single characters are."""
    box = image.getbbox()
    if box is None:
        return image
    side = max(box[2] - box[0], box[3] - box[1]) + margin
    x, y = (box[0] + box[2] - side) // 2, (box[1] + box[3] - side) // 2
    return image.crop((x, y, x + side, y + side))


def drawings(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return uint8 shapes [count, 32, 32] (255 = ink) and the class of each."""
    rng = np.random.default_rng(seed)
    masks, classes = _masks()
    by_class = [np.flatnonzero(classes == c) for c in range(len(CLASSES))]
    wanted = rng.integers(0, len(CLASSES), count)
    shapes = np.empty((count, SIZE, SIZE), np.uint8)
    for i, c in enumerate(wanted):
        shapes[i] = _shrink(_bend(masks[rng.choice(by_class[c])], rng), rng)
    return shapes, wanted


def coloured(shapes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return uint8 pictures [n, 32, 32, 3] of the shapes."""
    n = len(shapes)
    ink = rng.uniform(0, 1, (n, 1, 1, 3)).astype(np.float32)
    paper = rng.uniform(0, 1, (n, 1, 1, 3)).astype(np.float32)
    grey = rng.random(n) < 0.5  # half of them white on black or black on white, or nearly
    bright = (rng.random((n, 1, 1, 1)) < 0.5).astype(np.float32)
    near = rng.uniform(0, 0.15, (n, 1, 1, 1)).astype(np.float32)
    ink[grey] = np.abs(bright - near)[grey]
    paper[grey] = np.abs(1 - bright - near)[grey]
    close = np.abs(ink - paper).max(axis=3, keepdims=True) < 0.35
    ink = np.where(close, (paper + 0.5) % 1, ink)
    amount = shapes[..., None].astype(np.float32) / 255
    slope = np.linspace(-0.5, 0.5, SIZE, dtype=np.float32)
    tilt = rng.normal(0, 0.12, (2, n, 1, 1, 1)).astype(np.float32)
    light = tilt[0] * slope[None, :, None, None] + tilt[1] * slope[None, None, :, None]
    noise = rng.standard_normal((n, SIZE, SIZE, 3), np.float32)
    noise *= rng.uniform(0, 0.08, (n, 1, 1, 1)).astype(np.float32)
    picture = paper + (ink - paper) * amount + light + noise
    return (np.clip(picture, 0, 1) * 255).astype(np.uint8)
