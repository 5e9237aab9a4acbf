"""Transfer learning on a folder of images, step by step; `build/quickstart` runs it.

    python examples/quickstart [--images DIR] [--model NAME] [--weights imagenet|FILE] [--out DIR]

DIR has a folder of images per class. Without it, scikit-learn's handwritten digits are used.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

import job
import picture
import report
import sparkdl
from digits import write_digits
from network import chosen_network
from sparkdl.errors import SparkDLException

ROOT = Path(__file__).resolve().parent.parent.parent
# build/quickstart counts the seconds since its own start.
STARTED = time.monotonic() - float(os.environ.get("QUICKSTART_SECONDS", "0"))


def say(text: str) -> None:
    """Print a line of progress."""
    print(f"==> [{time.monotonic() - STARTED:3.0f}s] {text}", flush=True)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="build/quickstart", description=__doc__.split("\n")[0])
    parser.add_argument("--images", metavar="DIR", help="a folder of images per class")
    parser.add_argument(
        "--model", metavar="NAME", help="default: TinyNet for digits, MobileNetV2 for --images"
    )
    parser.add_argument(
        "--weights", default="imagenet", metavar="imagenet|FILE", help="of Keras: .h5, .keras"
    )
    parser.add_argument("--out", default=ROOT / "target" / "quickstart", type=Path, metavar="DIR")
    return parser.parse_args()


def main() -> int:
    """Run the job; what the user can mend is one line, no traceback."""
    given = arguments()
    try:
        return run(given)
    except SparkDLException as e:
        print(f"\nERROR: {e}", file=sys.stderr)
        return 1


def run(given: argparse.Namespace) -> int:
    """Do one step after the other."""
    given.out = given.out.resolve()
    given.out.mkdir(parents=True, exist_ok=True)
    if given.images is None:
        say("images: scikit-learn's handwritten digits, as PNG files")
        given.images = str(write_digits(given.out / "digits"))
        given.model = given.model or "TinyNet"
    say("Spark: starting a session with sparkdl")
    spark = sparkdl.start(
        app_name="sparkdl quick start",
        memory="2g",
        conf={
            "spark.log.level": "ERROR",
            "spark.ui.showConsoleProgress": False,
            "spark.sql.shuffle.partitions": 4,
            # Spark counts 4 MB for opening a file; small images then make many small tasks.
            "spark.sql.files.openCostInBytes": 65536,
        },
    )
    try:
        return work(spark, given)
    finally:
        spark.stop()


def work(spark: object, given: argparse.Namespace) -> int:
    """Everything that needs the session."""
    model = given.model or "MobileNetV2"
    say(f"network: {model}, weights {given.weights}")
    network = chosen_network(model, given.weights, say)
    data = job.labelled_images(spark, given.images)
    train, test = job.split(data.images)
    total = sum(data.counts.values())
    say(f"images: {total} of {len(data.classes)} classes, {data.held_out} of them held out")
    say(f"learning: {network.name}'s features, then a logistic regression")
    pipeline = job.learn(network, train)
    say("testing: the images that were held out")
    predicted = job.predict(pipeline, test)
    accuracy = job.accuracy(predicted)
    print(report.wrong_predictions(predicted, data.classes))
    say("saving the pipeline, loading it again, predicting again")
    saved = job.save(pipeline, data.classes, given.out / "pipeline")
    same = job.predicts_the_same(saved, test, predicted)
    say("drawing")
    drawn = picture.draw(predicted, data.classes, given.out / "predictions.png", network.name)
    print(report.summary(accuracy, predicted.count(), data.held_out, same, saved, drawn))
    say("done")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
