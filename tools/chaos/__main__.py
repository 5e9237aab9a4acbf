"""Disturb a small cluster at work; ends with 1 if a result, an error or what is left is wrong."""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from contextlib import suppress
from pathlib import Path

_CHECKOUT = Path(__file__).resolve().parent.parent.parent


def main() -> int:
    """Run rounds for as long as was asked for, and print what came of them."""
    sys.path[:0] = [str(_CHECKOUT / part) for part in ("python", "python/tests", "tools")]
    os.environ["PYTHONPATH"] = str(_CHECKOUT / "python")  # of workers
    from chaos.cluster import started
    from chaos.disk import remove
    from chaos.faults import FAULTS
    from chaos.leftovers import leftovers
    from chaos.rounds import Rounds
    from chaos.workloads import WORK, workloads

    parser = argparse.ArgumentParser(prog="tools/chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3600, help="how long (default: an hour)")
    parser.add_argument("--seed", type=int, help="of the faults (default: another one each time)")
    parser.add_argument("--each", action="store_true", help="each kind of fault once, then stop")
    parser.add_argument(
        "--faults", nargs="+", choices=FAULTS, metavar="KIND", help="one round of these, then stop"
    )
    parser.add_argument(
        "--work", nargs="+", choices=WORK, default=WORK, metavar="WORK", help="only these pieces"
    )
    given = parser.parse_args()
    seed = random.SystemRandom().randrange(1 << 32) if given.seed is None else given.seed
    print(f"seed {seed}", flush=True)
    with started() as cluster:
        models = cluster.disk / "models" / "cache"
        models.mkdir(parents=True)
        rounds = Rounds(cluster, models, workloads(cluster.spark, models, given.work))
        end, number = time.monotonic() + given.seconds, 0
        plans = [[name] for name in FAULTS] if given.each else [given.faults] * bool(given.faults)
        only = bool(plans)
        with suppress(KeyboardInterrupt):  # the figures until then
            while plans if only else time.monotonic() < end:
                names = plans.pop(0) if plans else None
                known = len(rounds.report.wrong)
                rounds.run(f"{seed}-{number}", names)
                number += 1
                print(f"round {number}: {', '.join(names or ['any'])}", flush=True)
                for wrong in rounds.report.wrong[known:]:
                    print(f"  WRONG: {wrong}", flush=True)
    report = rounds.report
    report.wrong += leftovers(cluster)
    remove(cluster.disk)
    print(report, flush=True)
    return int(bool(report.wrong))


if __name__ == "__main__":
    sys.exit(main())
