"""Values of placeholders that no column feeds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pyspark.ml.param import Params

from sparkdl._bundles.description.plain_values import plain_values
from sparkdl.param.declaration import declare_param

T = TypeVar("T", bound="ConstantsParams")


class ConstantsParams(Params):
    """A stage on any graph, as Scala's HasConstants."""

    constants = declare_param(
        "constants",
        "Values of placeholders and inputs that no column feeds, by name: booleans, numbers, "
        "texts, or lists of them.",
        plain_values,
    )

    def getConstants(self) -> dict[str, Any]:
        """Return the values of placeholders that no column feeds."""
        return self.getOrDefault(self.constants)

    def setConstants(self: T, value: Mapping[str, Any]) -> T:
        """Set the values of placeholders that no column feeds."""
        return self._set(constants=value)
