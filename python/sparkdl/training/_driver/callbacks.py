"""Keras' callbacks on the driver, which are told of the workers' epochs and steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sparkdl.errors import SettingsException
from sparkdl.plot.metric_values import to_json

if TYPE_CHECKING:
    import keras


class Callbacks:
    """Callbacks, and a model that has the workers' weights whenever they are called.

    Parameters
    ----------
    callbacks : sequence of keras.callbacks.Callback
    model : keras.Model
        Compiled; its learning rate and `stop_training` are what callbacks can change.
    epochs, steps : int
    results : mapping
        A value of the shape that each metric gives; metrics that are missing are not checked.

    Raises
    ------
    SettingsException
        A callback cannot tell whether what it watches gets better.
    """

    def __init__(
        self,
        callbacks: Sequence[keras.callbacks.Callback],
        model: keras.Model,
        epochs: int,
        steps: int,
        results: Mapping[str, Any],
    ) -> None:
        import keras

        self._callbacks, self._model = list(callbacks), model
        self.rate: float | None = None  # the learning rate, if a callback has set it
        self._history = keras.callbacks.History()  # last, so that it has what others add to logs
        self._all = keras.callbacks.CallbackList(
            [*self._callbacks, self._history], model=model, epochs=epochs, steps=steps, verbose=0
        )
        model.stop_training = False
        self._all.on_train_begin()
        for callback in self._callbacks:
            _check_watched(callback, results)
            _set_direction(callback)
        self._first_values = [dict(vars(c)) for c in self._callbacks]

    def __bool__(self) -> bool:
        return bool(self._callbacks)

    @property
    def history(self) -> dict[str, list[Any]]:
        """The numbers of all epochs, by name."""
        return {k: [to_json(v) for v in vs] for k, vs in self._history.history.items()}

    @property
    def stopped(self) -> bool:
        """Whether a callback has asked for the end."""
        return bool(self._model.stop_training)

    def begin(self, epoch: int) -> None:
        """Tell them that an epoch begins."""
        before = self._learning_rate()
        self._all.on_epoch_begin(epoch)
        self._note_rate(before)

    def end(self, epoch: int, losses: Sequence[float], logs: dict[str, Any]) -> None:
        """Tell them of an epoch's steps, all at once, and of its end."""
        before = self._learning_rate()
        for step, loss in enumerate(losses if self else ()):
            self._all.on_train_batch_begin(step)
            self._all.on_train_batch_end(step, {"loss": loss})
        self._all.on_epoch_end(epoch, logs)
        self._note_rate(before)

    def finish(self) -> None:
        """Tell them that training has ended."""
        self._all.on_train_end({k: v[-1] for k, v in self._history.history.items()})

    def memory(self) -> tuple[list[dict[str, Any]], list[NDArray[Any]]]:
        """Return what callbacks have noted since training began: numbers, and lists of arrays."""
        notes: list[dict[str, Any]] = []
        arrays: list[NDArray[Any]] = []
        for callback, first_values in zip(self._callbacks, self._first_values, strict=True):
            note: dict[str, Any] = {}
            for name, value in vars(callback).items():
                if _is_plain(value) and not _same(value, first_values.get(name)):
                    note[name] = value.item() if isinstance(value, np.generic) else value
                elif _is_arrays(value):
                    note[name] = {"arrays": [len(arrays), len(value)]}
                    arrays += value
            notes.append(note)
        return notes, arrays

    def remember(
        self,
        history: Mapping[str, list[Any]],
        notes: Sequence[Mapping[str, Any]],
        arrays: Sequence[NDArray[Any]],
    ) -> None:
        """Give callbacks back what `memory` returned, if there are as many of them as then."""
        self._history.history = {k: [_as_logged(v) for v in vs] for k, vs in history.items()}
        if len(notes) != len(self._callbacks):
            return
        for callback, note in zip(self._callbacks, notes, strict=True):
            for name, value in note.items():
                if isinstance(value, Mapping):
                    start, count = value["arrays"]
                    value = [np.array(a) for a in arrays[start : start + count]]
                setattr(callback, name, value)

    def _learning_rate(self) -> float | None:
        try:
            return float(np.asarray(self._model.optimizer.learning_rate))
        except AttributeError:  # MultiOptimizer has several
            return None

    def _note_rate(self, before: float | None) -> None:
        now = self._learning_rate()
        if now != before:
            self.rate = now


def _check_watched(callback: keras.callbacks.Callback, results: Mapping[str, Any]) -> None:
    """Refuse a callback that compares epochs by a metric which gives several numbers.

    They raise at the end of the second epoch; Keras' ModelCheckpoint saves every epoch instead.
    """
    import keras

    if not isinstance(callback, (keras.callbacks.EarlyStopping, keras.callbacks.ReduceLROnPlateau)):
        return
    watched: str = callback.monitor
    shape = np.shape(results.get(watched.removeprefix("val_"), 0.0))
    if shape:
        raise SettingsException(
            f"callbacks: {type(callback).__name__} watches {watched!r}, which has "
            f"{int(np.prod(shape))} numbers per epoch (shape {list(shape)}), and can compare one. "
            "Watch a loss, or a metric that gives one number, such as one with average='macro' or "
            "with a single threshold."
        )


def _set_direction(callback: keras.callbacks.Callback) -> None:
    """Have a callback find out whether what it watches should rise or fall.

    Keras' callbacks do so at the end of the first epoch, and then turn the sign of their
    `min_delta`, which must not be among the notes: after a restart they would turn it again.
    """
    if getattr(callback, "monitor_op", callback) is None:
        try:
            callback._set_monitor_op()
        except ValueError as e:
            raise SettingsException(f"callbacks: {e}") from e


def _as_logged(value: float | list[Any]) -> float | NDArray[Any]:
    """Return a value of `history` as it was in Keras' logs."""
    return np.asarray(value, "float32") if isinstance(value, list) else value


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, (bool, int, float, str, np.number, np.bool_))


def _same(value: object, other: object) -> bool:
    return type(value) is type(other) and bool(value == other)


def _is_arrays(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, np.ndarray) for v in value)
