"""Files of every kind of picture that sparkdl decodes, made with Pillow or by hand."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

Array = npt.NDArray[Any]

JPEG = 4
"""Levels by which TensorFlow's kernel and Pillow differ on JPEG data: they round otherwise."""


def scene(height: int = 45, width: int = 61) -> Array:
    """Return RGBA pixels: gradients, a block of noise, and an alpha that has all values."""
    y, x = np.mgrid[0:height, 0:width]
    pixels = np.stack([x * 4, y * 5, x + y, 255 - x * 4], -1).astype(np.uint8)
    noise = np.random.default_rng(5).integers(0, 256, (20, 17, 4))
    pixels[10:30, 20:37] = noise
    return pixels


def photo(height: int = 90, width: int = 121) -> Array:
    """Return RGB pixels without sharp edges."""
    y, x = np.mgrid[0:height, 0:width]
    waves = [128 + 100 * np.sin(x / (19 + c)) * np.cos(y / (23 - c)) for c in range(3)]
    return np.stack(waves, -1).astype(np.uint8)


def detailed_photo(height: int, width: int, seed: int) -> Array:
    """Return RGB pixels with gradients, noise, and rectangles of many colours."""
    draw = np.random.default_rng(seed)
    noise = draw.integers(-9, 10, (height, width, 1))
    pixels = photo(height, width) + noise
    for _ in range(60):
        top, left = draw.integers(0, height), draw.integers(0, width)
        bottom, right = top + draw.integers(4, 200), left + draw.integers(4, 200)
        pixels[top:bottom, left:right] = draw.integers(0, 256, 3) + noise[top:bottom, left:right]
    return pixels.clip(0, 255).astype(np.uint8)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def pillow_pixels(content: bytes) -> Array:
    """Return what Pillow sees: upright, in 1, 3 or 4 channels, RGB first."""
    with Image.open(io.BytesIO(content)) as file:
        kind = file.format
        image: Image.Image = ImageOps.exif_transpose(file)
    if image.mode == "I;16":
        return (np.asarray(image) >> 8).astype(np.uint8)[..., None]
    if image.mode in ("1", "L"):
        return np.asarray(image.convert("L"))[..., None]
    if kind == "GIF" and "transparency" in image.info:  # black, as in TensorFlow
        clear = np.asarray(image.convert("RGBA"))
        return clear[..., :3] * (clear[..., 3:] > 0)
    alpha = image.mode in ("RGBA", "LA")
    return np.asarray(image.convert("RGBA" if alpha else "RGB"))


def webp_files() -> Iterator[tuple[str, bytes, int]]:
    """Yield the name of a kind, a file, and by how many levels its pixels may differ."""
    rgba = Image.fromarray(scene())
    rgb = rgba.convert("RGB")
    turned = [rgb.rotate(90), rgb.rotate(180)]
    exif = Image.Exif()
    exif[0x0112] = 6
    yield "webp-photo", saved(Image.fromarray(photo()), "WEBP", quality=90), 0
    yield "webp-lossy", saved(rgb, "WEBP", quality=80), 0
    yield "webp-worst", saved(rgb, "WEBP", quality=1), 0
    yield "webp-lossless", saved(rgb, "WEBP", lossless=True), 0
    yield "webp-grey", saved(rgb.convert("L"), "WEBP", lossless=True), 0
    yield "webp-alpha", saved(rgba, "WEBP", quality=80, exact=True), 0
    plain = saved(rgba, "WEBP", quality=80, alpha_quality=20)
    yield "webp-alpha-few-levels", plain, 0
    yield "webp-few-colours", saved(rgb.quantize(4).convert("RGB"), "WEBP", lossless=True), 0
    yield "webp-alpha-lossless", saved(rgba, "WEBP", lossless=True, exact=True), 0
    yield "webp-turned", saved(rgb, "WEBP", lossless=True, exif=exif.tobytes()), 0
    yield "webp-profile", saved(rgb, "WEBP", lossless=True, icc_profile=b"no profile" * 20), 0
    yield "webp-odd", saved(rgb.crop((0, 0, 1, 1)), "WEBP", lossless=True), 0
    lossy = saved(rgb, "WEBP", save_all=True, append_images=turned, quality=70)
    yield "webp-animated-lossy", lossy, 0
    frames = saved(rgb, "WEBP", save_all=True, append_images=turned, lossless=True)
    yield "webp-animated", frames, 0
    animated = saved(rgba, "WEBP", save_all=True, append_images=turned, lossless=True, exact=True)
    yield "webp-animated-alpha", animated, 0
    yield "webp-small-frame", moved_webp_frame(frames, 70, 60, 4, 8), 0


def large_webp_files() -> Iterator[tuple[str, bytes]]:
    """Yield large photos, in which an error of one block would spread to all after it."""
    for height, width, quality, options in (
        (1200, 1600, 90, {"method": 0}),
        (811, 1237, 10, {"method": 6}),
        (811, 1237, 50, {"method": 2, "use_sharp_yuv": True}),
        (811, 1237, 90, {"method": 0, "alpha": True}),
        (811, 1237, 60, {"method": 2, "lossless": True}),
    ):
        pixels = detailed_photo(height, width, seed=quality)
        if options.pop("alpha", False):
            pixels = np.dstack([pixels, scene(height, width)[..., 3]])
        name = f"webp-{width}x{height}-{quality}"
        yield name, saved(Image.fromarray(pixels), "WEBP", quality=quality, exact=True, **options)


def moved_webp_frame(animation: bytes, width: int, height: int, left: int, top: int) -> bytes:
    """Return the animation with its first frame on a larger canvas."""
    content = bytearray(animation)
    canvas = content.index(b"VP8X") + 12
    content[canvas : canvas + 6] = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(
        3, "little"
    )
    frame = content.index(b"ANMF") + 8
    content[frame : frame + 6] = (left // 2).to_bytes(3, "little") + (top // 2).to_bytes(
        3, "little"
    )
    return bytes(content)


def tiff_files() -> Iterator[tuple[str, bytes, int]]:
    rgba = Image.fromarray(scene())
    rgb = rgba.convert("RGB")
    for method in ("raw", "tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "packbits"):
        yield f"tiff-{method}", saved(rgb, "TIFF", compression=method), 0
    yield "tiff-jpeg", saved(rgb, "TIFF", compression="jpeg", quality=90), JPEG
    yield "tiff-jpeg-grey", saved(rgb.convert("L"), "TIFF", compression="jpeg"), JPEG
    yield "tiff-jpeg-cmyk", saved(rgb.convert("CMYK"), "TIFF", compression="jpeg"), JPEG
    for mode in ("1", "L", "P", "LA", "RGBA", "RGBX", "CMYK", "YCbCr"):
        yield f"tiff-{mode}", saved(rgba.convert(mode), "TIFF"), int(mode in ("CMYK", "YCbCr"))
    bits = rgb.convert("1")
    for method in ("group3", "group4", "packbits", "tiff_ccitt"):
        yield f"tiff-1-{method}", saved(bits, "TIFF", compression=method), 0
    predicted = saved(rgb, "TIFF", compression="tiff_lzw", tiffinfo={317: 2})
    yield "tiff-predictor", predicted, 0
    yield "tiff-tiles", tiled(scene()[..., :3]), 0
    yield "tiff-turned", saved(rgb, "TIFF", tiffinfo={274: 6}), 0
    yield "tiff-strips", saved(rgb, "TIFF", compression="tiff_lzw", tiffinfo={278: 7}), 0
    yield "tiff-large-offsets", saved(rgb, "TIFF", big_tiff=True), 0
    yield "tiff-pages", saved(rgb, "TIFF", save_all=True, append_images=[rgb.rotate(90)]), 0
    deep = (scene()[..., 0].astype(np.uint16) << 8) + 77
    yield "tiff-16", saved(Image.fromarray(deep), "TIFF"), 0
    yield "tiff-white-is-zero", white_is_zero(saved(rgb.convert("L"), "TIFF")), 0
    yield "tiff-premultiplied", premultiplied(), 0


def _changed_entry(tiff: bytes, tag: int, value: int) -> bytes:
    """Return the file with another SHORT in that entry, which has to be there."""
    content = bytearray(tiff)
    assert content[:4] == b"II*\0"
    (at,) = struct.unpack_from("<I", content, 4)
    (count,) = struct.unpack_from("<H", content, at)
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        if struct.unpack_from("<H", content, entry) == (tag,):
            struct.pack_into("<H", content, entry + 8, value)
            return bytes(content)
    raise AssertionError(f"no entry {tag}")


def tiled(pixels: Array) -> bytes:
    """Write a TIFF by hand, of tiles of 32 x 16 pixels that reach beyond the picture."""
    height, width, channels = pixels.shape
    padded = np.pad(pixels, ((0, -height % 16), (0, -width % 32), (0, 0)))
    tiles = [
        zlib.compress(padded[top : top + 16, left : left + 32].tobytes())
        for top in range(0, height, 16)
        for left in range(0, width, 32)
    ]
    sizes = [len(tile) for tile in tiles]
    offsets = [8 + sum(sizes[:i]) for i in range(len(tiles))]
    end = 8 + sum(sizes)
    one = [(256, width), (257, height), (258, 8), (259, 8), (262, 2), (277, channels)]
    entries = [
        struct.pack("<HHII", tag, 4, 1, value) for tag, value in [*one, (322, 32), (323, 16)]
    ]
    lists = end + 2 + 12 * (len(entries) + 2) + 4
    entries.append(struct.pack("<HHII", 324, 4, len(tiles), lists))
    entries.append(struct.pack("<HHII", 325, 4, len(tiles), lists + 4 * len(tiles)))
    directory = struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4)
    numbers = struct.pack(f"<{2 * len(tiles)}I", *offsets, *sizes)
    return struct.pack("<2sHI", b"II", 42, end) + b"".join(tiles) + directory + numbers


def white_is_zero(grey: bytes) -> bytes:
    return _changed_entry(grey, 262, 0)


def premultiplied() -> bytes:
    pixels = scene()
    pixels[..., :3] = pixels[..., :3].astype(int) * pixels[..., 3:] // 255
    return _changed_entry(saved(Image.fromarray(pixels), "TIFF"), 338, 1)


def bmp_files() -> Iterator[tuple[str, bytes, int]]:
    rgb = Image.fromarray(scene()).convert("RGB")
    yield "bmp-24", saved(rgb, "BMP"), 0
    for mode in ("1", "L", "P"):
        yield f"bmp-{mode}", saved(rgb.convert(mode), "BMP"), 0
    indices = np.asarray(rgb.convert("P", palette=Image.Palette.ADAPTIVE, colors=16)) % 16
    table = np.random.default_rng(2).integers(0, 256, (256, 4)).astype(np.uint8)
    for bits in (1, 4, 8):
        rows = indices & ((1 << bits) - 1)
        colours = table[: 1 << bits]
        yield f"bmp-{bits}-bits", bmp(rows, bits, palette=colours), 0
        yield f"bmp-{bits}-os2", bmp(rows, bits, palette=colours[:, :3], os2=True), 0
        yield f"bmp-{bits}-top-down", bmp(rows, bits, palette=colours, top_down=True), 0
    yield "bmp-rle8", bmp_runs(indices, 8, table), 0
    yield "bmp-rle4", bmp_runs(indices, 4, table[:16]), 0
    words = np.random.default_rng(3).integers(0, 1 << 16, (9, 11)).astype(np.uint16)
    yield "bmp-555", bmp(words, 16), 0
    yield "bmp-565", bmp(words, 16, masks=(0xF800, 0x7E0, 0x1F)), 0
    longs = np.random.default_rng(4).integers(0, 1 << 32, (9, 11)).astype(np.uint32)
    yield "bmp-masks", bmp(longs, 32, masks=(0xFF0000, 0xFF00, 0xFF)), 0
    yield "bmp-other-masks", bmp(longs, 32, masks=(0xFF000000, 0xFF0000, 0xFF00)), 0
    alpha = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    yield "bmp-alpha", bmp(longs, 32, masks=alpha, header=108), 0
    yield "bmp-profile", bmp(longs, 32, masks=alpha, header=124), 0


def _packed(rows: Array, bits: int, top_down: bool) -> bytes:
    """Return the rows as they are stored: padded to four bytes, the lowest first."""
    if bits >= 8:
        lines = [row.tobytes() for row in rows]
    else:
        planes = (rows[..., None] >> np.arange(bits - 1, -1, -1)) & 1
        lines = [np.packbits(row.reshape(-1)).tobytes() for row in planes]
    lines = [line + b"\0" * (-len(line) % 4) for line in lines]
    return b"".join(lines if top_down else lines[::-1])


def bmp(
    rows: Array,
    bits: int,
    *,
    palette: Array | None = None,
    masks: tuple[int, ...] = (),
    header: int = 40,
    top_down: bool = False,
    os2: bool = False,
    compression: int | None = None,
    data: bytes | None = None,
) -> bytes:
    """Write a BMP by hand, as programs other than Pillow do."""
    height, width = rows.shape
    if os2:
        info = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        method = compression if compression is not None else 3 if masks else 0
        signed = -height if top_down else height
        info = struct.pack("<IiiHHIIiiII", header, width, signed, 1, bits, method, 0, 0, 0, 0, 0)
        info += b"".join(m.to_bytes(4, "little") for m in masks)
        info += b"\0" * (header - len(info))
    table = b"" if palette is None else palette.tobytes()
    offset = 14 + len(info) + len(table)
    pixels = _packed(rows, bits, top_down) if data is None else data
    return struct.pack("<2sIHHI", b"BM", offset + len(pixels), 0, 0, offset) + info + table + pixels


def bmp_runs(rows: Array, bits: int, palette: Array) -> bytes:
    """Write a BMP of runs, literal stretches, and rows that end early."""
    data = b""
    for row in rows[::-1]:
        half = len(row) // 2
        for value, count in _runs(row[:half]):
            data += bytes([count, value if bits == 8 else value << 4 | value])
        rest = row[half:]
        if bits == 8:
            literal = rest.astype(np.uint8).tobytes()
        else:
            padded = np.append(rest, [0] * (len(rest) % 2)).astype(np.uint8)
            literal = (padded[::2] << 4 | padded[1::2]).tobytes()
        data += bytes([0, len(rest)]) + literal + b"\0" * (len(literal) % 2) + b"\0\0"
    return bmp(rows, bits, palette=palette, compression=1 if bits == 8 else 2, data=data + b"\0\1")


def _runs(row: Array) -> Iterator[tuple[int, int]]:
    start = 0
    for end in range(1, len(row) + 1):
        if end == len(row) or row[end] != row[start]:
            yield int(row[start]), end - start
            start = end


def gif_files() -> Iterator[tuple[str, bytes, int]]:
    picture = Image.fromarray(scene()).convert("P")
    whole = saved(picture, "GIF")
    yield "gif", whole, 0
    yield "gif-interlaced", saved(picture, "GIF", interlace=1), 0
    turned = [picture.rotate(90), picture.rotate(180)]
    yield "gif-animated", saved(picture, "GIF", save_all=True, append_images=turned), 0
    yield "gif-small-frame", moved_gif_frame(whole, (80, 70), (6, 9)), 0
    yield "gif-beside-canvas", moved_gif_frame(whole, (20, 70), (6, 9)), 0
    yield "gif-without-canvas", moved_gif_frame(whole, (0, 0), (0, 0)), 0
    clear = saved(picture, "GIF", transparency=7)
    yield "gif-small-transparent", moved_gif_frame(clear, (80, 70), (6, 9)), 0


def moved_gif_frame(gif: bytes, canvas: tuple[int, int], place: tuple[int, int]) -> bytes:
    content = bytearray(gif)
    width, height = struct.unpack_from("<HH", content, 6)
    frame = content.index(b"\x2c" + struct.pack("<HHHH", 0, 0, width, height))
    struct.pack_into("<HH", content, 6, *canvas)
    struct.pack_into("<HH", content, frame + 1, *place)
    return bytes(content)


def all_files() -> Iterator[tuple[str, bytes, int]]:
    """Yield every kind of picture: its name, a file, and by how many levels it may differ."""
    yield from webp_files()
    yield from tiff_files()
    yield from bmp_files()
    yield from gif_files()
