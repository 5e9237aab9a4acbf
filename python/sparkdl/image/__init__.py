"""Images: reading files into Spark's image struct."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sparkdl._submodules import submodules_of
from sparkdl.image.read_images import readImages
from sparkdl.image.schema import ImageSchema

if TYPE_CHECKING:
    from sparkdl.image import imageIO as imageIO
else:
    __getattr__ = submodules_of(__name__, ["imageIO"])

__all__ = ["ImageSchema", "readImages"]
