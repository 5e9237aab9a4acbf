"""How `KerasEstimator` fits: columns, model, placement, workers, and the fitted stage."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparkdl._placement.placement import (
    TRAINING,
    VALIDATION,
    Layout,
    encoded,
    layout,
    placed,
    receiver,
)
from sparkdl._placement.training_columns import Fields, training_columns
from sparkdl._placement.validation import Fraction
from sparkdl._places.places import place_of
from sparkdl._places.temporary_folders import new_folder
from sparkdl._processes.cluster import check_slots, task_slots
from sparkdl._processes.console import show
from sparkdl._processes.spark_jobs import describe_jobs
from sparkdl._processes.workers import run_workers
from sparkdl.errors import InvalidModelException, SettingsException
from sparkdl.errors.user_warnings import warn
from sparkdl.training._driver.checkpoints import Checkpoints
from sparkdl.training._estimator.model_checks import (
    announced,
    check_lists,
    check_trainable,
    output_columns,
)
from sparkdl.training._loop.training_spec import Spec, check_shares, compiled
from sparkdl.transformers._model_to_train import keras_file

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from sparkdl.transformers import KerasModel


def fit(estimator: Any, dataset: DataFrame) -> KerasModel:
    """Train an estimator's model on a DataFrame.

    Raises
    ------
    SettingsException, SchemaMismatchException, InvalidModelException, InvalidInputException
        Something is wrong that shows before training begins.
    ModelExecutionException
        Training failed.
    """
    sc = dataset.sparkSession.sparkContext
    check_slots(sc, estimator.getNumWorkers() if estimator.isSet("numWorkers") else 1)
    file = _file(estimator)
    model = _model(estimator, file)
    columns, fields = _columns(estimator, model, dataset)
    with _placed(estimator, columns, fields) as (blocks, found):
        spec = _spec(estimator, file, found)
        with describe_jobs(sc, f"{estimator.uid}: train"):
            trained, history = _trained(estimator, spec, compiled(spec, model), blocks)
    _check_weights(trained)
    return _fitted(estimator, trained, history, spec)


def _model(estimator: Any, file: Path) -> Any:
    """Load the model on the driver, so that what is wrong with it is known before anything runs."""
    from sparkdl._models.files.loading import load_to_train

    model = load_to_train(file, estimator.custom_objects, estimator.safe_mode)
    if not getattr(model, "inputs", None) or not getattr(model, "outputs", None):
        raise InvalidModelException(
            f"The model {model.name!r} does not know its inputs. Expected a Sequential model with "
            "an Input, or a functional one."
        )
    return model


def _columns(estimator: Any, model: Any, dataset: DataFrame) -> tuple[DataFrame, Fields]:
    if not estimator.isSet("inputCols"):
        raise SettingsException("Set inputCols: a column per input of the model.")
    check_trainable(model)
    check_lists(estimator, model)
    output_columns(estimator, model)
    given = {n: estimator.getOrDefault(n) for n in ("sampleWeightCol", "validationCol")}
    return training_columns(
        dataset,
        model,
        estimator.getInputCols(),
        estimator.getLabelCols() if estimator.isSet("labelCols") else [],
        given["sampleWeightCol"],
        given["validationCol"],
    )


def _file(estimator: Any) -> Path:
    if not estimator.isSet("modelFile"):
        raise SettingsException(
            "There is no model to train. Set model: one of Keras, the path of its file, or a "
            "function that returns one."
        )
    return keras_file(estimator)


@contextmanager
def _placed(estimator: Any, columns: DataFrame, fields: Fields) -> Iterator[tuple[Any, Layout]]:
    """Encode the rows, and let the executors forget them at the end."""
    blocks = encoded(columns, fields)
    fraction = estimator.getOrDefault("validationFraction")
    if fraction and estimator.getOrDefault("validationCol"):
        raise SettingsException(
            "validationFraction and validationCol are both set: use one of them."
        )
    chosen = Fraction(fraction, estimator.getSeed()) if fraction else None
    try:
        with describe_jobs(blocks.context, f"{estimator.uid}: load rows"):
            yield blocks, layout(blocks, fields, chosen)
    finally:
        blocks.unpersist()


def _spec(estimator: Any, file: Path, found: Layout) -> Spec:
    get = estimator.getOrDefault
    if found.fields.labels and get("loss") is None:
        raise SettingsException(
            "There are labels but no loss. Set loss, such as 'mse' or "
            "'sparse_categorical_crossentropy'."
        )
    if get("loss") is not None and not found.fields.labels:
        raise SettingsException("There is a loss but no label. Set labelCols: a column per output.")
    return Spec(
        model=file.read_bytes(),
        suffix=file.suffix,
        custom_objects=estimator.custom_objects or {},
        safe_mode=estimator.safe_mode,
        optimizer=get("optimizer"),
        loss=get("loss"),
        metrics=get("metrics"),
        batch=get("batchSize"),
        epochs=get("epochs"),
        shuffle=get("shuffle"),
        seed=get("seed"),
        sync_every=get("syncEvery"),
        checkpoint_steps=get("checkpointSteps"),
        layout=found,
        loss_weights=get("lossWeights"),
    )


def _trained(estimator: Any, spec: Spec, model: Any, blocks: Any) -> tuple[Any, Any]:
    """Return the model, which was compiled, with the weights of the workers, and its history."""
    from sparkdl.training._driver.dialogue import Dialogue
    from sparkdl.training._loop.epochs import train

    sc = blocks.context
    count = _workers(estimator, sc, spec)
    check_shares(spec, count)
    verbose = estimator.getVerbose() != 0
    checkpoints = _checkpoints(estimator, spec, model)
    dialogue = Dialogue(spec, model, _callbacks(estimator), checkpoints, verbose)
    if verbose:
        show(_announced(spec, count))
        for line in announced(spec.layout.fields, model):
            show(line)
    if not dialogue.stop:
        run_workers(
            sc,
            count,
            train,
            (spec,),
            data=placed(blocks, spec.layout, spec.batch, count),
            receive=receiver(spec.layout, spec.batch, count),
            handler=dialogue,
            progress=dialogue.progress,
            log=None,
            seconds=estimator.getTimeout(),
            description=f"{estimator.uid}: train",
            modules=("keras", "sparkdl.training._loop.epochs"),
        )
    trained = dialogue.finish()
    if not estimator.getOrDefault("checkpointDir"):
        checkpoints.clear()
    return trained, dialogue.history


def _workers(estimator: Any, sc: Any, spec: Spec) -> int:
    """Return how many workers train: never more than a batch has rows."""
    if estimator.isSet("numWorkers"):
        asked: int = estimator.getNumWorkers()
    else:
        asked = task_slots(sc)
    if asked > spec.batch and estimator.isSet("numWorkers"):
        warn(f"{spec.batch} workers train instead of {asked}: a batch has {spec.batch} rows.")
    return min(asked, spec.batch)


def _callbacks(estimator: Any) -> list[Any]:
    found = list(estimator.getOrDefault("callbacks") or [])
    folder = estimator.getOrDefault("tensorBoardDir")
    if folder:
        from sparkdl.training._driver.tensor_board import Board

        found.append(Board(folder, estimator.getOrDefault("histogramEpochs")))
    return found


def _checkpoints(estimator: Any, spec: Spec, model: Any) -> Checkpoints:
    """Return the states of this very training, or, if it is not to be resumed, an empty folder."""
    folder = estimator.getOrDefault("checkpointDir")
    if not folder:
        return Checkpoints(str(new_folder("states")))
    from sparkdl.training._driver.fingerprint import fingerprint

    found = Checkpoints(f"{folder.rstrip('/')}/{fingerprint(spec, model)}")
    if not estimator.getOrDefault("resume"):
        found.clear()
    return found


def _announced(spec: Spec, count: int) -> str:
    rows = spec.layout.rows
    batches = math.ceil(rows[TRAINING] / spec.batch)
    more = f", validating on {rows[VALIDATION]}" if rows[VALIDATION] else ""
    return (
        f"training on {rows[TRAINING]} rows{more}: {spec.epochs} epochs of {batches} batches of "
        f"{spec.batch}, {count} worker(s)"
    )


def _check_weights(model: Any) -> None:
    import numpy as np

    if not all(np.isfinite(w).all() for w in model.get_weights()):
        warn(
            "The weights are no longer numbers (nan or infinite). A smaller learning rate, scaled "
            "inputs or keras.callbacks.TerminateOnNaN may help."
        )


def _fitted(estimator: Any, model: Any, history: Any, spec: Spec) -> KerasModel:
    """Return the stage that applies the trained model to what this estimator takes."""
    from sparkdl._bundles.description.training_record import remember
    from sparkdl._bundles.saving import save_bundle
    from sparkdl.transformers import KerasModel

    folder = new_folder("trained") / "model"
    save_bundle(model, folder, name=_name(model, estimator))
    about = {"rows": spec.layout.rows[TRAINING], "batchSize": spec.batch}
    remember(folder, history=history, about=about, model=model)
    stage = KerasModel(
        inputCols=[field.name for field in spec.layout.fields.inputs],
        outputCols=output_columns(estimator, model),
        outputMode=estimator.getOutputMode(),
    )
    return stage.setModelFile(str(folder))


def _name(model: Any, estimator: Any) -> str:
    return str(getattr(model, "name", None) or Path(place_of(estimator.getModelFile()).name).stem)
