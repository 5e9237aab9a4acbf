"""Rounds of work among faults, and what came of them."""

from __future__ import annotations

import random
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chaos.cluster import Cluster
from chaos.faults import FAULTS, Disturbance
from chaos.workloads import Work

_FAULTS_OF_A_ROUND = 3
_SECONDS_TO_CLOSE = 20.0


@dataclass
class Report:
    """What came of all rounds.

    Attributes
    ----------
    right, excused : Counter
        By piece of work: runs with the undisturbed result, and runs that failed with the reason.
    injected : Counter
        Faults by kind.
    wrong : list of str
        What must not happen: other results, other errors, or one after the faults are over.
    megabytes : list of int
        The driver's memory after each round.
    """

    right: Counter[str] = field(default_factory=Counter)
    excused: Counter[str] = field(default_factory=Counter)
    injected: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    megabytes: list[int] = field(default_factory=list)

    def __str__(self) -> str:
        """Return the figures, one thing a line."""
        lines = [f"{sum(self.injected.values())} faults in {len(self.megabytes)} rounds:"]
        lines += [f"  {count:4d}  {name}" for name, count in self.injected.most_common()]
        lines += ["work: right, and failed with the reason"]
        lines += [f"  {self.right[n]:4d} {self.excused[n]:4d}  {n}" for n in self.right]
        lines += [f"driver's memory after each round, MB: {self.megabytes}"]
        lines += [f"WRONG: {text}" for text in self.wrong]
        return "\n".join(lines)


class Rounds:
    """Work whose undisturbed results are known.

    Parameters
    ----------
    cluster : Cluster
    models : Path
        Where the models lie.
    work : dict
        Pieces of work by name.
    """

    def __init__(self, cluster: Cluster, models: Path, work: dict[str, Work]) -> None:
        self._cluster, self._models, self._work = cluster, models, work
        self._expected = {name: piece() for name, piece in work.items()}
        self._ports = len(cluster.driver_ports())
        self.report = Report()

    def run(self, seed: str, names: list[str] | None = None) -> None:
        """Work while faults are injected (by default three of any kind), and once afterwards."""
        draw = random.Random(seed)
        names = names or draw.choices(sorted(FAULTS), k=_FAULTS_OF_A_ROUND)
        self._cluster.interrupt_when_cancelled(draw.random() < 0.5)
        disturbance = Disturbance(names, seed, self._cluster, self._models)
        disturbance.start()
        done = []
        while disturbance.is_alive():
            done.append(draw.choice(sorted(self._work)))
            self._try(done[-1], seed, disturbance)
        for name in sorted(set(done)):
            self._try(name, f"{seed}, after the faults", None)
        if (ports := self._more_ports()) > 0:
            self.report.wrong.append(f"round {seed}: the driver listens on {ports} ports more")
        self.report.injected.update(disturbance.injected)
        self.report.megabytes.append(self._cluster.driver_megabytes())

    def _more_ports(self) -> int:
        """Return on how many more ports the driver listens than before the first fault."""
        end = time.monotonic() + _SECONDS_TO_CLOSE
        while (more := len(self._cluster.driver_ports()) - self._ports) > 0:
            if time.monotonic() > end:
                break
            time.sleep(0.2)
        return more

    def _try(self, name: str, seed: str, disturbance: Disturbance | None) -> None:
        start = time.monotonic()
        try:
            result: Any = self._work[name]()
        except Exception as e:
            if disturbance is not None and disturbance.excuses(e):
                self.report.excused[name] += 1
            else:
                self._wrong(
                    name, seed, start, f"{type(e).__name__}: {' '.join(str(e).split())[:700]}"
                )
            return
        if result == self._expected[name]:
            self.report.right[name] += 1
        else:
            self._wrong(name, seed, start, "another result than undisturbed")

    def _wrong(self, name: str, seed: str, start: float, why: str) -> None:
        seconds = time.monotonic() - start
        self.report.wrong.append(f"round {seed}: {name} after {seconds:.0f} s: {why}")
