"""Graphs of TensorFlow: given to stages (`input`), put together (`builder`, `pieces`), `utils`.

Nothing here imports TensorFlow before a graph is made or read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sparkdl._submodules import submodules_of

if TYPE_CHECKING:
    from sparkdl.graph import builder as builder
    from sparkdl.graph import input as input
    from sparkdl.graph import pieces as pieces
    from sparkdl.graph import utils as utils
else:
    __getattr__ = submodules_of(__name__, ["builder", "input", "pieces", "utils"])
