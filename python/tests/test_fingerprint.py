"""Which trainings go on from each other's states."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from training_threads import replace, spec_of

from sparkdl.training._driver.fingerprint import fingerprint
from sparkdl.training._loop.training_spec import build_model


def test_trainings_that_differ_have_fingerprints_that_differ_whatever_layers_are_called(
    tmp_path: Path,
) -> None:
    import keras

    x, y = np.zeros((4, 3), "float32"), np.zeros(4)

    def spec(activation: str = "relu", rate: float = 0.1) -> Any:
        hidden = keras.layers.Dense(2, activation)
        model = keras.Sequential([keras.Input((3,)), hidden, keras.layers.Dropout(rate)])
        return spec_of(model, x, y, tmp_path)

    def of(spec: Any) -> str:
        return fingerprint(spec, build_model(spec, spec.model))

    first = of(spec())
    assert of(spec()) == first  # dense_1 instead of dense
    assert of(replace(spec(), epochs=9)) == first
    others = [of(spec("tanh")), of(spec(rate=0.2)), of(replace(spec(), optimizer="adam"))]
    assert len({first, *others}) == 4


def test_an_optimizer_that_was_made_again_is_the_same_one(tmp_path: Path) -> None:
    import keras

    from sparkdl.training._estimator.training_params import TrainingParams

    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    start = spec_of(model, np.zeros((4, 3), "float32"), np.zeros(4), tmp_path)
    convert = TrainingParams.optimizer.typeConverter

    def of(rate: float) -> str:
        spec = replace(start, optimizer=convert(keras.optimizers.Adam(rate)))
        return fingerprint(spec, build_model(spec, spec.model))

    assert of(0.1) == of(0.1)  # whose names are adam and adam_1
    assert of(0.1) != of(0.2)
