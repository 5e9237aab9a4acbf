"""Trains one trial, in its own process, which alone suffers when it leaks memory or crashes.

The trial's task starts `main` (see `run_process`) in a process that was forked after Keras was
imported and before TensorFlow was used. It reads and writes only files in the trial's folder.
"""

from __future__ import annotations

import json
import pickle
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sparkdl._models.files.travelling import loads
from sparkdl._models.keras_arguments import LossLike, OptimizerLike
from sparkdl._models.keras_configuration import loss_of
from sparkdl._models.model_ends import model_outputs
from sparkdl._placement.local_arrays import arrays_of
from sparkdl._placement.placement import TRAINING, Layout
from sparkdl._placement.training_labels import targets
from sparkdl._processes import child_process
from sparkdl._processes.listener import Address
from sparkdl._processes.progress import Reporter
from sparkdl.plot.metric_values import text_of, to_json
from sparkdl.training._loop.compiling import compile_with
from sparkdl.training._loop.optimizer import make_optimizer

if TYPE_CHECKING:
    import keras

JOB, RESULT, BUNDLE = "job.pickle", "result.json", "bundle"  # in a trial's folder


@dataclass(frozen=True)
class Trial:
    """What distinguishes a trial from the others."""

    number: int
    optimizer: OptimizerLike
    loss: LossLike
    fit_params: Mapping[str, Any]
    seed: int | None
    custom_objects: Mapping[str, Any]


@dataclass(frozen=True)
class TrialJob:
    """All that a trial's process needs to know."""

    trial: bytes  # a Trial by cloudpickle; read here, since its objects may import Keras
    model: str  # file of Keras
    safe_mode: bool
    layout: Layout
    threads: int
    address: Address | None


def main(folder: str) -> None:
    """Train as the folder's job says; leave result.json, and a bundle if all went well."""
    place = Path(folder)
    child_process.begin(place)
    try:
        result = _train(place, pickle.loads((place / JOB).read_bytes()))
    except BaseException as e:
        traceback.print_exc()
        result = {"failure": f"{type(e).__name__}: {e}"}
    (place / RESULT).write_text(json.dumps(result), encoding="utf-8")


def _train(folder: Path, job: TrialJob) -> dict[str, Any]:
    import keras

    from sparkdl._bundles.description.training_record import remember
    from sparkdl._bundles.saving import save_bundle
    from sparkdl._models.files.loading import load_to_train

    child_process.set_threads(job.threads)
    trial: Trial = loads(job.trial)
    if trial.seed is not None:
        keras.utils.set_random_seed(trial.seed)
    with keras.saving.custom_object_scope(dict(trial.custom_objects)):
        model = load_to_train(folder / job.model, trial.custom_objects, job.safe_mode)
        images, *labels = arrays_of(folder, job.layout, TRAINING, job.layout.rows[TRAINING])
        [end] = model_outputs(model)
        output = tuple(end.leaf.shape[1:])
        wanted_outputs = targets(labels[0], trial.loss, output) if labels else None
        optimizer = make_optimizer(trial.optimizer, model)
        compile_with(model, optimizer=optimizer, loss=loss_of(trial.loss))
        history = _fit(model, images, wanted_outputs, trial, Reporter(job.address, trial.number))
        _check_weights(model, history)
        # Converted here, by many processes at once, and not in turn on the driver.
        save_bundle(model, folder / BUNDLE, name=Path(job.model).stem)
        remember(folder / BUNDLE, history=history)
    return {"history": history}


def _fit(
    model: keras.Model,
    images: NDArray[Any],
    labels: NDArray[Any] | None,
    trial: Trial,
    reporter: Reporter,
) -> dict[str, list[Any]]:
    import keras

    fit_params = dict(trial.fit_params)
    callbacks = list(fit_params.pop("callbacks", None) or [])
    epochs = int(fit_params.get("epochs", 1))
    if fit_params.pop("verbose", 1) != 0:

        def report(epoch: int, logs: Mapping[str, Any]) -> None:
            reporter.report(f"epoch {epoch + 1}/{epochs}: {text_of(logs)}", epochs=1)

        callbacks.append(keras.callbacks.LambdaCallback(on_epoch_end=report))
    fitted = model.fit(images, labels, **fit_params, verbose=0, callbacks=callbacks)
    return {name: [to_json(v) for v in values] for name, values in fitted.history.items()}


def _check_weights(model: keras.Model, history: Mapping[str, list[Any]]) -> None:
    if all(np.isfinite(np.asarray(w)).all() for w in model.get_weights()):
        return
    losses = history.get("loss", [])
    first = next((i + 1 for i, v in enumerate(losses) if not np.isfinite(v)), len(losses))
    raise ArithmeticError(
        f"the weights are no longer numbers (nan or infinite) since epoch {first} of "
        f"{len(losses)}. A smaller learning rate, or images scaled to -1..1, may help."
    )
