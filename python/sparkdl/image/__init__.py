"""Images: reading files into Spark's image struct."""

from __future__ import annotations

from sparkdl.image.read_images import readImages
from sparkdl.image.schema import ImageSchema

__all__ = ["ImageSchema", "readImages"]
