"""What came of damaged inputs: how many were taken or refused, and what should not have been."""

from __future__ import annotations

import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from sparkdl.errors import SparkDLException

_MOST_SHOWN = 20
TAKEN = "taken"


@dataclass
class Tally:
    """The outcomes of one kind of inputs.

    Attributes
    ----------
    kind : str
    outcomes : Counter
        How many inputs were taken or ended in which class of error.
    faults : list of str
        Inputs with another end: an error that does not say what to do, rows that moved.
    """

    kind: str
    outcomes: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    _start: float = field(default_factory=time.monotonic)
    seconds: float = 0.0

    def attempt(self, name: str, action: Callable[[], object]) -> bool:
        """Do something with an input: it may succeed, or be refused with an error of sparkdl's.

        Returns
        -------
        bool
            Whether it succeeded.
        """
        try:
            action()
        except SparkDLException as e:
            self.outcomes[type(e).__name__] += 1
            return False
        except Exception as e:
            last = traceback.extract_tb(e.__traceback__)[-1]
            self.fault(
                f"{name}: {type(e).__name__}: {str(e)[:300]} ({last.filename}:{last.lineno})"
            )
            return False
        self.outcomes[TAKEN] += 1
        return True

    def fault(self, text: str) -> None:
        """Note an input with an end that it must not have."""
        self.faults.append(text)

    def finish(self) -> Tally:
        """Note the time, and return the tally."""
        self.seconds = time.monotonic() - self._start
        return self

    def __str__(self) -> str:
        """Return a paragraph: the kind, the outcomes, the first faults."""
        parts = ", ".join(f"{count} {name}" for name, count in self.outcomes.most_common())
        count = sum(self.outcomes.values())
        lines = [f"{self.kind}: {count} inputs in {self.seconds:.0f} s: {parts}"]
        if self.faults:
            lines += [f"  {len(self.faults)} FAULTS, the first of them:"]
            lines += [f"  - {fault}" for fault in self.faults[:_MOST_SHOWN]]
        return "\n".join(lines)
