"""Trains one trial, in a process of its own: what it does to memory or crashes, it does alone.

`main` is started by the trial's task (see `run_process`), in a process that was forked after Keras
was imported and before TensorFlow was used. It reads and writes files of the trial's folder only.
"""

from __future__ import annotations

import json
import pickle
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sparkdl._models.keras_configuration import readable
from sparkdl._placement.local_arrays import arrays_of
from sparkdl._placement.placement import TRAINING, Layout
from sparkdl._placement.training_labels import targets
from sparkdl._processes import child_process
from sparkdl._processes.listener import Address
from sparkdl._processes.progress import Reporter
from sparkdl.plot.metric_values import text_of, to_json
from sparkdl.training._loop.optimizer import make_optimizer

JOB, RESULT, BUNDLE = "job.pickle", "result.json", "bundle"  # in a trial's folder


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
class TrialJob:
    """All that a training process is told."""

    trial: bytes  # a Trial by cloudpickle; read here, since its objects may import Keras
    model: str  # file of Keras
    safe_mode: bool
    layout: Layout
    threads: int
    address: Address | None


def main(folder: str) -> None:
    """Train what the folder's job says and leave result.json, and a bundle if it went well."""
    place = Path(folder)
    child_process.begin(place)
    try:
        result = _trained(place, pickle.loads((place / JOB).read_bytes()))
    except BaseException as e:
        traceback.print_exc()
        result = {"failure": f"{type(e).__name__}: {e}"}
    (place / RESULT).write_text(json.dumps(result), encoding="utf-8")


def _trained(folder: Path, job: TrialJob) -> dict[str, Any]:
    import keras

    from sparkdl._bundles.description.training_record import remember
    from sparkdl._bundles.saving import save_bundle
    from sparkdl._models.files.loading import load_to_train

    child_process.set_threads(job.threads)
    trial: Trial = pickle.loads(job.trial)
    if trial.seed is not None:
        keras.utils.set_random_seed(trial.seed)
    with keras.saving.custom_object_scope(dict(trial.custom_objects)):
        model = load_to_train(folder / job.model, trial.custom_objects, job.safe_mode)
        images, *labels = arrays_of(folder, job.layout, TRAINING, job.layout.rows[TRAINING])
        output = tuple(model.output_shape[1:])
        wanted = targets(labels[0], trial.loss, output) if labels else None
        model.compile(
            optimizer=make_optimizer(trial.optimizer, model),
            loss=keras.losses.get(readable(trial.loss)),
            auto_scale_loss=False,  # the optimizer does, if it is to
        )
        history = _fit(model, images, wanted, trial, Reporter(job.address, trial.number))
        _check_weights(model, history)
        # Converted here, where TensorFlow is at work, and not one after the other on the driver.
        save_bundle(model, folder / BUNDLE, name=Path(job.model).stem)
        remember(folder / BUNDLE, history=history)
    return {"history": history}


def _fit(
    model: Any, images: Any, labels: Any, trial: Trial, reporter: Reporter
) -> dict[str, list[Any]]:
    import keras

    given = dict(trial.fit_params)
    callbacks = list(given.pop("callbacks", None) or [])
    epochs = int(given.get("epochs", 1))
    if given.pop("verbose", 1) != 0:

        def tell(epoch: int, logs: Mapping[str, Any]) -> None:
            reporter.report(f"epoch {epoch + 1}/{epochs}: {text_of(logs)}")

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
