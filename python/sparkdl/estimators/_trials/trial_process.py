"""Trains one trial, in a process of its own: what it does to memory or crashes, it does alone.

`train` is started by the Python worker of the trial's task (see `_train_task`), in a process that
was forked after Keras was imported and before TensorFlow was used. It reads and writes files of
the trial's folder only.
"""

from __future__ import annotations

import json
import os
import pickle
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sparkdl._metric_values import text_of, to_json
from sparkdl._placement.training_labels import targets
from sparkdl._processes.child_process import end_with_parent, keep_memory, set_threads
from sparkdl._processes.progress import Address, Sender
from sparkdl.estimators._trials.image_blocks import Layout
from sparkdl.param._configuration import readable
from sparkdl.training._loop.optimizer import made_optimizer

# Files of a trial's folder.
IMAGES, LABELS, JOB = "images.bin", "labels.bin", "job.pickle"
RESULT, BUNDLE, LOG = "result.json", "bundle", "log.txt"


@dataclass(frozen=True)
class Trial:
    """What differs between trials, and what its model becomes."""

    number: int
    optimizer: Any
    loss: Any
    fit_params: Mapping[str, Any]
    seed: int | None
    custom_objects: Mapping[str, Any]


@dataclass(frozen=True)
class Job:
    """All that a training process is told."""

    trial: bytes  # a Trial by cloudpickle; read here, since its objects may import Keras
    model: str  # file of Keras
    safe_mode: bool
    layout: Layout
    threads: int
    address: Address | None


def train(folder: str) -> None:
    """Train what the folder's job says and leave result.json, and a bundle if it went well."""
    place = Path(folder)
    end_with_parent(place)
    keep_memory()
    with open(place / LOG, "ab") as log:  # what TensorFlow says matters only when a trial fails
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    try:
        result = _trained(place, pickle.loads((place / JOB).read_bytes()))
    except BaseException as e:
        traceback.print_exc()
        result = {"failure": f"{type(e).__name__}: {e}"}
    (place / RESULT).write_text(json.dumps(result), encoding="utf-8")


def _trained(folder: Path, job: Job) -> dict[str, Any]:
    import keras

    from sparkdl._model_files.loading import load_to_train
    from sparkdl._training_record import remember
    from sparkdl.bundle import save_bundle

    set_threads(job.threads)
    trial: Trial = pickle.loads(job.trial)
    if trial.seed is not None:
        keras.utils.set_random_seed(trial.seed)
    with keras.saving.custom_object_scope(dict(trial.custom_objects)):
        model = load_to_train(folder / job.model, trial.custom_objects, job.safe_mode)
        images, labels = arrays(folder, job.layout)
        if labels is not None:
            labels = targets(labels, trial.loss, tuple(model.output_shape[1:]))
        model.compile(
            optimizer=made_optimizer(trial.optimizer, model),
            loss=keras.losses.get(readable(trial.loss)),
            auto_scale_loss=False,  # the optimizer does, if it is to
        )
        history = _fit(model, images, labels, trial, Sender(job.address, trial.number))
        _check_weights(model, history)
        # Converted here, where TensorFlow is at work, and not one after the other on the driver.
        save_bundle(model, folder / BUNDLE, name=Path(job.model).stem)
        remember(folder / BUNDLE, history=history)
    return {"history": history}


def arrays(folder: Path, layout: Layout) -> tuple[Any, Any]:
    """Return images and labels (or None) as arrays that stay on disk until they are read."""
    images = np.memmap(folder / IMAGES, layout.dtype, "r", shape=(layout.rows, *layout.image))
    if layout.label is None:
        return images, None
    return images, np.fromfile(folder / LABELS, "float64").reshape(layout.rows, *layout.label)


def _fit(
    model: Any, images: Any, labels: Any, trial: Trial, sender: Sender
) -> dict[str, list[Any]]:
    import keras

    given = dict(trial.fit_params)
    callbacks = list(given.pop("callbacks", None) or [])
    epochs = int(given.get("epochs", 1))
    if given.pop("verbose", 1) != 0:

        def tell(epoch: int, logs: Mapping[str, Any]) -> None:
            sender.send(f"epoch {epoch + 1}/{epochs}: {text_of(logs)}")

        callbacks.append(keras.callbacks.LambdaCallback(on_epoch_end=tell))
    done = model.fit(images, labels, **given, verbose=0, callbacks=callbacks)
    return {name: [to_json(v) for v in values] for name, values in done.history.items()}


def _check_weights(model: Any, history: Mapping[str, list[Any]]) -> None:
    if all(np.isfinite(np.asarray(w)).all() for w in model.get_weights()):
        return
    losses = history.get("loss", [])
    first = next((i + 1 for i, v in enumerate(losses) if not np.isfinite(v)), len(losses))
    raise ArithmeticError(
        f"the weights are no longer numbers (nan or infinite) since epoch {first} of "
        f"{len(losses)}. A smaller learning rate, or images scaled to -1..1, may help."
    )
