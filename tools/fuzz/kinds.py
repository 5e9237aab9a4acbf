"""The kinds of inputs that are damaged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fuzz.bundles import fuzz_bundles
from fuzz.images import fuzz_images
from fuzz.keras_files import fuzz_keras_files
from fuzz.messages import fuzz_messages
from fuzz.stages import fuzz_stages
from fuzz.states import fuzz_states
from fuzz.tally import Tally

KINDS: dict[str, Callable[[Any, int, int], Tally]] = {
    "images": fuzz_images,
    "bundles": fuzz_bundles,
    "keras": fuzz_keras_files,
    "stages": fuzz_stages,
    "states": fuzz_states,
    "messages": fuzz_messages,
}
"""By name, each with the session, how many inputs, and the seed."""
