"""A head on a frozen network: ImageClassifierEstimator against plain Keras.

    python benchmarks/fine_tuning.py [--model NAME] [--images N] [--epochs E] [--slots S]

Both get the same JPEG files and random weights, and train the same head for the same epochs, a
fifth of the images held out. Plain Keras decodes and resizes the images with tf.data and runs the
network in every epoch, as its guide to transfer learning does. The two run one after the other, in
processes of their own; times are those of `fit`, with everything that it loads and compiles. Of
random weights the accuracies mean nothing, but that both learn as little.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from imagebench import report

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "python")]
CLASSES, SIDE, BATCH, UNITS = 4, 256, 32, 512
WAYS = {
    "sparkdl": "ImageClassifierEstimator",
    "keras": "Keras, the network in every epoch, no Spark",
}


def make_images(folder: Path, count: int) -> None:
    """Write noisy JPEG files of one colour per class."""
    from PIL import Image

    rng = np.random.default_rng(0)
    colours = rng.integers(60, 200, (CLASSES, 3))
    for i in range(count):
        noise = rng.normal(0, 30, (SIDE, SIDE, 3))
        pixels = np.clip(colours[i % CLASSES] + noise, 0, 255).astype(np.uint8)
        kind = folder / f"class{i % CLASSES}"
        kind.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(kind / f"{i}.jpg", quality=90)


def make_weights(name: str, file: Path) -> None:
    """Write weights of the network without its top."""
    import keras
    from sparkdl.networks.model_weights import build
    from sparkdl.networks.named_models import named_model

    keras.utils.set_random_seed(0)
    build(named_model(name), top=False).save_weights(file)


def with_sparkdl(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Time `fit` in a running session, with the network's bundle in the cache."""
    import sparkdl

    spark = sparkdl.start(
        master=f"local[{options.slots}]",
        conf={"spark.ui.enabled": False, "spark.sparkdl.models.dir": str(folder / "cache")},
    )
    files = spark.read.format("binaryFile").option("recursiveFileLookup", True)
    rows = files.load(str(folder / "images"))
    rows = rows.selectExpr("content", "element_at(split(path, '/'), -2) AS kind")
    network = {"baseModel": options.model, "weights": str(folder / "w.weights.h5")}
    columns = {"inputCol": "content", "labelCol": "kind"}
    estimator = sparkdl.ImageClassifierEstimator(
        **network, **columns, epochs=options.epochs, earlyStoppingPatience=0, batchSize=BATCH
    )
    sparkdl.DeepImageFeaturizer(
        inputCol="content", modelName=options.model, weights=network["weights"]
    ).transform(rows.limit(1)).collect()
    start = time.monotonic()
    model = estimator.fit(rows)
    seconds = time.monotonic() - start
    spark.stop()
    return {"seconds": seconds, "accuracy": model.history["val_accuracy"][-1]}


def with_keras(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Time `fit` of a frozen network and a head."""
    import keras
    from sparkdl.networks.classifier_keras import named_network

    base, pixels = named_network(options.model, str(folder / "w.weights.h5"))
    base.trainable = False
    shared = {"validation_split": 0.2, "seed": 0, "batch_size": BATCH, "subset": "both"}
    training, validation = keras.utils.image_dataset_from_directory(
        folder / "images", image_size=base.input_shape[1:3], verbose=False, **shared
    )
    inputs = keras.Input(base.input_shape[1:])
    x = inputs if pixels is None else pixels(inputs)
    x = keras.layers.Dense(UNITS, activation="relu")(base(x, training=False))
    model = keras.Model(inputs, keras.layers.Dense(CLASSES, activation="softmax")(x))
    model.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    start = time.monotonic()
    done = model.fit(
        training.prefetch(2), validation_data=validation, epochs=options.epochs, verbose=0
    )
    return {
        "seconds": time.monotonic() - start,
        "accuracy": done.history["val_accuracy"][-1],
    }


def alone(mode: str, folder: Path) -> dict[str, Any]:
    """Run one of the two in a separate process."""
    command = [sys.executable, __file__, *sys.argv[1:], "--mode", mode, "--folder", str(folder)]
    path = os.pathsep.join([str(ROOT / "python"), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path, "PYSPARK_PYTHON": sys.executable}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def main() -> None:
    """Measure both."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", default="MobileNetV2")
    parser.add_argument("--images", type=int, default=400)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--slots", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--mode", choices=("sparkdl", "keras"))
    parser.add_argument("--folder")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()
    if options.mode:
        run = with_sparkdl if options.mode == "sparkdl" else with_keras
        print(json.dumps(run(options, Path(options.folder))))
        return
    with tempfile.TemporaryDirectory(prefix="sparkdl-fine-tuning-") as place:
        folder = Path(place)
        make_images(folder / "images", options.images)
        make_weights(options.model, folder / "w.weights.h5")
        results = {mode: alone(mode, folder) for mode in ("sparkdl", "keras")}
    write(options, results)


def write(options: argparse.Namespace, results: dict[str, Any]) -> None:
    """Write table, JSON and picture, and print the table."""
    machine, base = report.machine(), results["keras"]["seconds"]
    work = f"{options.model}, {options.images} images of {SIDE} x {SIDE}, {options.epochs} epochs"
    lines = [
        f"{machine['cpu']}, {options.slots} cores used; {work}.\n",
        "| | seconds of fit | x Keras | accuracy |",
        "|---|--:|--:|--:|",
    ]
    for mode, r in results.items():
        cells = f"{r['seconds']:.1f} | {base / r['seconds']:.2f} | {r['accuracy']:.3f}"
        lines.append(f"| {WAYS[mode]} | {cells} |")
    text = "\n".join([*lines, ""])
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "fine-tuning.md").write_text(text)
    content = {"machine": machine, "work": work, "results": results}
    (options.out / "fine-tuning.json").write_text(json.dumps(content, indent=1))
    bars = {WAYS[mode]: r["seconds"] for mode, r in results.items()}
    coloured = [mode == "sparkdl" for mode in results]
    if not report.bars(options.out / "fine-tuning.png", {f"{work}: seconds": (bars, coloured)}):
        print("No picture: install matplotlib.")
    print(f"\n{text}\nWritten to {options.out}")


if __name__ == "__main__":
    main()
