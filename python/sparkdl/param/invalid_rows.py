"""What may become of a row that cannot be fed: the values of handleInvalid, as in Scala."""

from __future__ import annotations

ERROR, SKIP, KEEP = "error", "skip", "keep"
POLICIES = (ERROR, SKIP, KEEP)

# Where a row that is not fed would have no place in the result.
WITHOUT_KEEP = (ERROR, SKIP)
