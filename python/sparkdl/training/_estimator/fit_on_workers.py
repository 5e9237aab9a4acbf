"""How `KerasEstimator` fits: columns, model, placement, workers, and the fitted stage."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from sparkdl._models.model_ends import check_called, model_outputs
from sparkdl._models.overridden import overrides
from sparkdl._placement.placement import TRAINING, VALIDATION, Layout, receiver
from sparkdl._placement.training_columns import Fields, training_columns
from sparkdl._placement.validation import Fraction
from sparkdl._places.held_folders import hold_new
from sparkdl._places.places import place_of
from sparkdl._places.temporary_folders import new_folder, scratch_folder
from sparkdl._processes.cluster import check_slots, task_slots
from sparkdl._processes.console import show
from sparkdl._processes.loading_ahead import load_ahead
from sparkdl._processes.spark_jobs import describe_jobs
from sparkdl._processes.workers import run_workers
from sparkdl.errors import SettingsException
from sparkdl.errors.user_warnings import warn
from sparkdl.param.predictions import COLUMNS, PREDICTIONS
from sparkdl.training._driver.checkpoints import Checkpoints
from sparkdl.training._estimator.keras_estimator_params import KerasEstimatorParams
from sparkdl.training._estimator.model_checks import (
    check_activities,
    check_lists,
    check_trainable,
    describe_pairing,
    output_columns,
)
from sparkdl.training._estimator.own_training import check_own_loss, check_own_training
from sparkdl.training._estimator.placed_rows import PlacedRows, Placement
from sparkdl.training._estimator.prediction_checks import check_predictions, predicted_output
from sparkdl.training._loop.training_spec import Spec, check_shares, compile_model
from sparkdl.transformers._model_to_train import keras_file, loading_of

if TYPE_CHECKING:
    import keras
    from pyspark import SparkContext
    from pyspark.sql import DataFrame

    from sparkdl.transformers import KerasModel

History: TypeAlias = dict[str, list[Any]]  # losses and metrics per epoch, by name
_MODULES = ("sparkdl.training._loop.lean_keras", "sparkdl.training._loop.epochs")  # of workers


def fit(estimator: KerasEstimatorParams, dataset: DataFrame, placed: PlacedRows) -> KerasModel:
    """Train an estimator's model on a DataFrame, whose rows may have been placed before.

    Raises
    ------
    SettingsException, SchemaMismatchException, InvalidModelException, InvalidInputException
        Something is wrong that can be seen before training begins.
    ModelExecutionException
        Training failed.
    """
    sc = dataset.sparkSession.sparkContext
    check_slots(sc, estimator.getNumWorkers() if estimator.isSet("numWorkers") else 1)
    load_ahead(sc, _MODULES, f"{estimator.uid}: load Keras")
    file = _model_file(estimator)
    model = _load_model(estimator, file)
    columns, fields = _columns(estimator, model, dataset)
    fraction = _fraction(estimator)
    with describe_jobs(sc, f"{estimator.uid}: load rows"):
        placement = placed.place(columns, fields, fraction)
    spec = _spec(estimator, file, model, placement.layout)
    with describe_jobs(sc, f"{estimator.uid}: train"):
        compiled = compile_model(spec, model)
        check_predictions(estimator, compiled)
        trained, history = _train(estimator, spec, compiled, sc, placement)
    _check_weights(trained)
    return _fitted_stage(estimator, trained, history, spec)


def _load_model(estimator: KerasEstimatorParams, file: Path) -> keras.Model:
    """Load the model on the driver, so that its faults are known before anything runs."""
    from sparkdl._models.files.loading import load_to_train

    loading = loading_of(estimator)
    model = load_to_train(file, loading.custom_objects, loading.safe_mode)
    check_called(model, "model")
    return model


def _columns(
    estimator: KerasEstimatorParams, model: keras.Model, dataset: DataFrame
) -> tuple[DataFrame, Fields]:
    if not estimator.isSet("inputCols"):
        raise SettingsException("Set inputCols: a column per input of the model.")
    check_trainable(model)
    validates = estimator.getValidationFraction() or estimator.getValidationCol()
    check_own_training(model, bool(validates))
    check_lists(estimator, model)
    output_columns(estimator, model)
    return training_columns(
        dataset,
        model,
        estimator.getInputCols(),
        estimator.getLabelCols() if estimator.isSet("labelCols") else [],
        estimator.getSampleWeightCol(),
        estimator.getValidationCol(),
        estimator.getPaddingValue(),
    )


def _model_file(estimator: KerasEstimatorParams) -> Path:
    if not estimator.isSet("modelFile"):
        raise SettingsException(
            "There is no model to train. Set model: a Keras model, the path of its file, or a "
            "function that returns one."
        )
    return keras_file(estimator)


def _fraction(estimator: KerasEstimatorParams) -> Fraction | None:
    fraction = estimator.getValidationFraction()
    if fraction and estimator.getValidationCol():
        raise SettingsException(
            "validationFraction and validationCol are both set: use one of them."
        )
    return Fraction(fraction, estimator.getSeed()) if fraction else None


def _spec(estimator: KerasEstimatorParams, file: Path, model: keras.Model, rows: Layout) -> Spec:
    own_loss = overrides(model, "compute_loss")
    if rows.fields.labels and estimator.getLoss() is None and not own_loss:
        raise SettingsException(
            "There are labels but no loss. Set loss, such as 'mse' or "
            "'sparse_categorical_crossentropy'."
        )
    if estimator.getLoss() is not None and not rows.fields.labels:
        raise SettingsException("There is a loss but no label. Set labelCols: a column per output.")
    loading = loading_of(estimator)
    return Spec(
        model=file,
        custom_objects=loading.custom_objects,
        safe_mode=loading.safe_mode,
        optimizer=estimator.getOptimizer(),
        loss=estimator.getLoss(),
        metrics=estimator.getMetrics(),
        batch=estimator.getBatchSize(),
        epochs=estimator.getEpochs(),
        shuffle=estimator.getShuffle(),
        seed=estimator.getSeed(),
        sync_every=estimator.getSyncEvery(),
        checkpoint_steps=estimator.getCheckpointSteps(),
        layout=rows,
        loss_weights=estimator.getLossWeights(),
        by_length=estimator.getBucketByLength(),
    )


def _train(
    estimator: KerasEstimatorParams,
    spec: Spec,
    model: keras.Model,
    sc: SparkContext,
    placement: Placement,
) -> tuple[keras.Model, History]:
    """Return the compiled model with the weights that the workers reach, and its history."""
    from sparkdl.training._driver.dialogue import Dialogue
    from sparkdl.training._loop.epochs import train

    count = _workers(estimator, sc, spec)
    check_shares(spec, count)
    check_activities(model, count)
    check_own_loss(model, spec, count)
    verbose = estimator.getVerbose() != 0
    if verbose:
        show(_headline(spec, count))
        for line in describe_pairing(spec.layout.fields, model):
            show(line)
    with _checkpoints(estimator, spec, model) as checkpoints:
        dialogue = Dialogue(spec, model, _callbacks(estimator), checkpoints, verbose)
        if not dialogue.stop:
            run_workers(
                sc,
                count,
                train,
                (spec,),
                data=placement.send(spec.batch, count),
                receive=receiver(spec.layout, spec.batch, count),
                handler=dialogue,
                progress=dialogue.progress,
                log=None,
                seconds=estimator.getTimeout(),
                description=f"{estimator.uid}: train",
                modules=_MODULES,
            )
        return dialogue.finish(), dialogue.history


def _workers(estimator: KerasEstimatorParams, sc: SparkContext, spec: Spec) -> int:
    """Return how many workers train: never more than a batch has rows."""
    wanted = estimator.getNumWorkers() if estimator.isSet("numWorkers") else task_slots(sc)
    if wanted > spec.batch and estimator.isSet("numWorkers"):
        warn(f"{spec.batch} workers train instead of {wanted}: a batch has {spec.batch} rows.")
    return min(wanted, spec.batch)


def _callbacks(estimator: KerasEstimatorParams) -> list[keras.callbacks.Callback]:
    callbacks = list(estimator.getCallbacks() or [])
    folder = estimator.getTensorBoardDir()
    if folder:
        from sparkdl.training._driver.tensor_board import Board

        callbacks.append(Board(folder, estimator.getHistogramEpochs()))
    return callbacks


@contextmanager
def _checkpoints(
    estimator: KerasEstimatorParams, spec: Spec, model: keras.Model
) -> Iterator[Checkpoints]:
    """Give the states of this very training, none of them if it must not be resumed.

    Without a folder of the user's, they go when it ends, well or not.
    """
    folder = estimator.getCheckpointDir()
    if not folder:
        with scratch_folder() as scratch:
            yield Checkpoints(str(scratch))
        return
    from sparkdl.training._driver.fingerprint import fingerprint

    checkpoints = Checkpoints(f"{folder.rstrip('/')}/{fingerprint(spec, model)}")
    if not estimator.getResume():
        checkpoints.clear()
    yield checkpoints


def _headline(spec: Spec, count: int) -> str:
    rows = spec.layout.rows
    batches = math.ceil(rows[TRAINING] / spec.batch)
    more = f", validating on {rows[VALIDATION]}" if rows[VALIDATION] else ""
    return (
        f"training on {rows[TRAINING]} rows{more}: {spec.epochs} epochs of {batches} batches of "
        f"{spec.batch}, {count} worker(s)"
    )


def _check_weights(model: keras.Model) -> None:
    import numpy as np

    if not all(np.isfinite(w).all() for w in model.get_weights()):
        warn(
            "The weights are no longer numbers (nan or infinite). A smaller learning rate, scaled "
            "inputs or keras.callbacks.TerminateOnNaN may help."
        )


def _fitted_stage(
    estimator: KerasEstimatorParams, model: keras.Model, history: History, spec: Spec
) -> KerasModel:
    """Return the stage that applies the trained model to the estimator's columns."""
    from sparkdl._bundles.description.training_record import remember
    from sparkdl._bundles.saving import save_bundle
    from sparkdl.transformers import KerasModel

    folder = new_folder("trained") / "model"
    labels = _labels(estimator, model, spec.layout.fields)
    save_bundle(model, folder, name=_name(model, estimator), labels=labels)
    about = {"rows": spec.layout.rows[TRAINING], "batchSize": spec.batch}
    remember(folder, history=history, about=about, model=model)
    predictions = _predictions(estimator)
    stage = KerasModel(
        inputCols=[field.name for field in spec.layout.fields.inputs],
        outputMode=estimator.getOutputMode(),
        **predictions,
    )
    if estimator.isSet("outputCols") or not any(predictions.get(column) for column in COLUMNS):
        stage.setOutputCols(output_columns(estimator, model))
    return stage.setModelFile(hold_new(folder))


def _predictions(estimator: KerasEstimatorParams) -> dict[str, Any]:
    """Return the params of predictions that are set, which are also those of the fitted model."""
    return {p: estimator.getOrDefault(p) for p in PREDICTIONS if estimator.isSet(p)}


def _labels(
    estimator: KerasEstimatorParams, model: keras.Model, fields: Fields
) -> list[Any] | None:
    """Return the texts that classes have in the column of labels; None where they are numbers."""
    ends = model_outputs(model)
    wanted = predicted_output(estimator, ends)
    texts = [f.classes for f, end in zip(fields.labels, ends, strict=False) if end is wanted]
    return [(text, text) for text in texts[0]] if texts and texts[0] else None


def _name(model: keras.Model, estimator: KerasEstimatorParams) -> str:
    return str(getattr(model, "name", None) or Path(place_of(estimator.getModelFile()).name).stem)
