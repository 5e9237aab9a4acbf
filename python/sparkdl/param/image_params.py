"""Where sparkdl 1.x had `CanLoadImage`, which is `sparkdl.param.CanLoadImage` now."""

from __future__ import annotations

from sparkdl._old_names import old_names_of

__getattr__ = old_names_of(__name__)
