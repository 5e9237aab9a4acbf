"""Give damaged files and messages to what reads them; ends with 1 if anything goes wrong."""

from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path

_CHECKOUT = Path(__file__).resolve().parent.parent.parent


def main() -> int:
    """Run the kinds that were asked for, and print what came of each."""
    sys.path[:0] = [str(_CHECKOUT / part) for part in ("python", "python/tests", "tools")]
    from fuzz.kinds import KINDS

    parser = argparse.ArgumentParser(prog="tools/fuzz", description=__doc__)
    parser.add_argument(
        "kinds", nargs="*", metavar="KIND", help=f"of {', '.join(KINDS)}; default: all"
    )
    parser.add_argument("--inputs", type=int, default=3000, help="of each kind (default 3000)")
    parser.add_argument("--seed", type=int, help="of the inputs (default: another one each time)")
    given = parser.parse_args()
    if unknown := set(given.kinds) - set(KINDS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; expected {', '.join(KINDS)}")
    seed = random.SystemRandom().randrange(1 << 32) if given.seed is None else given.seed
    print(f"seed {seed}", flush=True)

    import sparkdl

    settings = {
        "spark.ui.enabled": False,
        "spark.ui.showConsoleProgress": False,
        "spark.default.parallelism": 4,
    }
    spark = sparkdl.start(master="local[2]", memory="3g", conf=settings)
    spark.sparkContext.setLogLevel("ERROR")
    wrong = False
    try:
        for kind in given.kinds or KINDS:
            tally = KINDS[kind](spark, given.inputs, seed)
            print(tally, flush=True)
            wrong = wrong or bool(tally.faults)
    finally:
        spark.stop()
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
