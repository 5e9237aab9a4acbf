"""What a fitted transformer remembers of its training."""

from __future__ import annotations

from typing import Any

from sparkdl._bundles.description.manifest import MANIFEST
from sparkdl._bundles.description.training_record import recall
from sparkdl._places.places import local_copy
from sparkdl.errors.user_warnings import warn


class Trained:
    """A stage with a `modelFile` that an estimator may have trained."""

    @property
    def history(self) -> dict[str, list[Any]]:
        """Losses and metrics per epoch, as Keras' `History.history`; empty if nothing trained it.

        An epoch has one number or, for a metric with several results such as
        ``F1Score(average=None)``, a list of them (of lists, if the result is a matrix).
        The history is in the bundle, so a saved and loaded stage has it too.
        """
        return self._record()[0]

    @property
    def failure(self) -> str | None:
        """Why training failed, in which case the model returns zeros; None if it did not."""
        return self._record()[1]

    def _record(self) -> tuple[dict[str, list[Any]], str | None]:
        bundle = self._local_bundle()
        return ({}, None) if bundle is None else recall(bundle)

    def _local_bundle(self) -> str | None:
        """Return the path of the bundle or of its copy; None if the model is not a bundle."""
        stage: Any = self
        bundle = local_copy(stage.getModelFile()) if stage.isSet("modelFile") else None
        return str(bundle) if bundle is not None and (bundle / MANIFEST).is_file() else None

    def _warn_if_failed(self) -> None:
        if self.failure is not None:
            warn(
                "The model has learnt nothing and returns zeros, because its training failed. "
                f"{self.failure}"
            )
