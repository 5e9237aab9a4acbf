"""JPEG files with the statistics of photographs, the same on every machine."""

from __future__ import annotations

from pathlib import Path

import numpy as np

# Contrast per octave of noise: photographs have about 1/f spectra, and some grain.
_OCTAVES = {3: 70.0, 7: 45.0, 15: 28.0, 31: 18.0, 63: 11.0, 125: 7.0, 250: 5.0}
_GRAIN = 7.0


def photo(seed: int, width: int, height: int) -> np.ndarray:
    """Return uint8 pixels [height, width, 3]: smooth shapes with edges, texture and grain."""
    rng = np.random.default_rng(seed)
    image = np.full((height, width, 3), 120.0, np.float32)
    for cells, contrast in _OCTAVES.items():
        grey = _noise(rng, cells, width, height)
        image += contrast * (grey[..., None] + 0.3 * rng.standard_normal(3).astype(np.float32))
    for _ in range(12):
        _add_shape(rng, image)
    image += _GRAIN * rng.standard_normal(image.shape, np.float32)
    return image.clip(0, 255).astype(np.uint8)


def _noise(rng: np.random.Generator, cells: int, width: int, height: int) -> np.ndarray:
    from PIL import Image

    rows = max(2, round(cells * height / width))
    values = rng.standard_normal((rows, cells), np.float32)
    return np.asarray(Image.fromarray(values).resize((width, height), Image.Resampling.BICUBIC))


def _add_shape(rng: np.random.Generator, image: np.ndarray) -> None:
    """Tint one ellipse with a hard edge."""
    height, width = image.shape[:2]
    y0, x0 = rng.uniform(0, height), rng.uniform(0, width)
    ry, rx = rng.uniform(0.04, 0.25, 2) * width
    top, bottom = int(max(0, y0 - ry)), int(min(height, y0 + ry + 1))
    left, right = int(max(0, x0 - rx)), int(min(width, x0 + rx + 1))
    y, x = np.ogrid[top:bottom, left:right]
    inside = ((y - y0) / ry) ** 2 + ((x - x0) / rx) ** 2 < 1
    image[top:bottom, left:right][inside] += rng.uniform(-60, 60, 3).astype(np.float32)


def write_photos(folder: Path, count: int, width: int, height: int, quality: int = 90) -> None:
    """Write `count` JPEG files; those that are there already are kept."""
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    for seed in range(count):
        path = folder / f"photo-{seed:04d}.jpg"
        if not path.exists():
            Image.fromarray(photo(seed, width, height)).save(path, quality=quality)


def picture_files(folder: Path | str) -> list[str]:
    """Return the files of JPEG, WebP and TIFF under a folder, sorted."""
    kinds = (".jpg", ".jpeg", ".webp", ".tif")
    found = sorted(str(p) for p in Path(folder).rglob("*") if p.suffix.lower() in kinds)
    if not found:
        raise SystemExit(f"There are no files of {', '.join(kinds)} in {folder}.")
    return found


def links(files: list[str], folder: Path) -> None:
    """Make a flat folder of links to the files, so that all modes read exactly these."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for i, file in enumerate(files):
        (folder / f"{i:05d}{Path(file).suffix}").symlink_to(Path(file).resolve())


def converted(files: list[str], folder: Path, suffix: str, **options: object) -> None:
    """Write the same pictures in another format, under the same names."""
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for file in files:
        with Image.open(file) as image:
            image.convert("RGB").save(folder / (Path(file).stem + suffix), **options)
