"""The keywords of a stage are written once: `setter_like` makes `setParams` of the constructor."""

from __future__ import annotations

import inspect
import subprocess
import sys
import typing
from typing import Any

import pytest
from pyspark import cloudpickle
from pyspark.ml import Transformer

import sparkdl
from sparkdl.param import HasInputCol, HasOutputCol, HasOutputMode, keyword_only, setter_like


class Drawing(HasInputCol, HasOutputMode, Transformer):
    """A stage of a user's."""

    @keyword_only
    def __init__(self, *, inputCol: str | None = None, outputMode: str = "vector") -> None:
        super().__init__()
        self._set(**self._input_kwargs)  # type: ignore[attr-defined]

    setParams = setter_like(__init__)

    def _transform(self, dataset: Any) -> Any:
        return dataset


class Painting(Drawing, HasOutputCol):
    """A stage that has one keyword more, and does something when params are set."""

    times = 0

    @keyword_only
    def __init__(
        self,
        *,
        inputCol: str | None = None,
        outputMode: str = "vector",
        outputCol: str | None = None,
    ) -> None:
        super().__init__()
        self._set(**self._input_kwargs)

    setParams = setter_like(__init__)

    def _set(self, **given: Any) -> Any:
        self.times += 1
        return super()._set(**given)


def test_only_what_is_given_is_set_and_the_rest_stays_whatever_its_default() -> None:
    stage = Drawing(inputCol="a", outputMode="image")
    assert stage.setParams() is stage
    assert stage.setParams(inputCol="b") is stage
    assert (stage.getInputCol(), stage.getOutputMode()) == ("b", "image")
    assert stage.setParams(inputCol=None).getInputCol() == "b"


def test_other_names_and_positional_arguments_are_refused() -> None:
    stage: Any = Drawing()
    with pytest.raises(
        TypeError,
        match=r"^Drawing.setParams\(\) got an unexpected keyword argument 'inputcol'. Expected "
        r"some of: inputCol, outputMode.$",
    ):
        stage.setParams(inputCol="a", inputcol="b")
    assert not stage.isSet("inputCol"), "what is refused sets nothing"
    with pytest.raises(TypeError, match="Method setParams takes keyword arguments only; got 1"):
        stage.setParams("a")


def test_a_subclass_has_a_setter_of_its_own_which_sets_as_the_subclass_does() -> None:
    stage = Painting()
    before = stage.times
    assert stage.setParams(outputCol="c", inputCol="d") is stage
    assert (stage.getOutputCol(), stage.getInputCol(), stage.times) == ("c", "d", before + 1)
    assert "outputCol" not in inspect.signature(Drawing.setParams).parameters


def test_a_copy_and_a_pickle_have_the_setter() -> None:
    stage = Drawing(inputCol="a")
    copy = stage.copy({stage.outputMode: "image"}).setParams(inputCol="b")
    assert (copy.getInputCol(), copy.getOutputMode(), stage.getInputCol()) == ("b", "image", "a")
    module = sys.modules[__name__]
    cloudpickle.register_pickle_by_value(module)
    try:  # as of a class in a notebook
        pickled = cloudpickle.dumps(stage)
    finally:
        cloudpickle.unregister_pickle_by_value(module)
    code = (
        "import pickle, sys; stage = pickle.load(sys.stdin.buffer)\n"
        "print(stage.setParams(outputMode='image').getOutputMode(), stage.getInputCol())"
    )
    done = subprocess.run([sys.executable, "-c", code], input=pickled, capture_output=True)
    assert done.stdout.decode().split() == ["image", "a"], done.stderr.decode()


def test_help_shows_the_keywords_that_the_constructor_has() -> None:
    setter = sparkdl.KerasTransformer.setParams
    assert setter.__qualname__ == "KerasTransformer.setParams"
    assert setter.__module__ == "sparkdl.transformers.keras_tensor"
    assert setter.__doc__ == "Set the params that are passed; see `KerasTransformer`."
    found = inspect.signature(setter)
    assert list(found.parameters) == list(
        inspect.signature(sparkdl.KerasTransformer.__init__).parameters
    )
    assert str(found.parameters["outputMode"]) == "outputMode: 'str' = <as it is>"
    assert str(found).endswith("-> 'KerasTransformer'")
    assert typing.get_type_hints(sparkdl.KerasModel.setParams)["batchSize"] == int | None
