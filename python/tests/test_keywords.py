"""The keywords of a stage are written once: `setter_like` makes `setParams` of the constructor."""

from __future__ import annotations

import inspect
import subprocess
import sys
import typing
from pathlib import Path
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


CALLS = {
    "sparkdl.KerasTransformer(inputCol=3)": 'has incompatible type "int"; expected "str | None"',
    "sparkdl.KerasTransformer().setParams(inputCol=3)": (
        'Argument "inputCol" has incompatible type "int"; expected "str | None"'
    ),
    "sparkdl.KerasTransformer(batchsize=3)": 'Unexpected keyword argument "batchsize"',
    "sparkdl.KerasTransformer().setParams(batchsize=3)": 'Unexpected keyword argument "batchsize"',
    "sparkdl.KerasTransformer().setParams('a')": "Too many positional arguments",
    "sparkdl.DeepImagePredictor(topK='5')": 'has incompatible type "str"; expected "int"',
    "sparkdl.DeepImagePredictor().setParams(topK='5')": (
        'has incompatible type "str"; expected "int"'
    ),
    "sparkdl.load_model(3)": 'expected "str | PathLike[str]"',
    "sparkdl.KerasTransformer(inputCol='a', batchSize=2)": "",
    "sparkdl.KerasTransformer().setParams(inputCol='a').setParams().transform": "",
}


def test_a_type_checker_sees_the_types_of_a_users_call(tmp_path: Path) -> None:
    mypy_api = pytest.importorskip("mypy.api")
    program = tmp_path / "program.py"
    program.write_text("\n".join(["import sparkdl", *CALLS]) + "\n")
    root = Path(sparkdl.__file__).parent.parent
    given = ["--strict", "--no-error-summary", "--config-file", str(root / "pyproject.toml")]
    given += ["--cache-dir", str(root / ".mypy_cache"), str(program)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MYPYPATH", str(root))
        found, trouble, _ = mypy_api.run(given)
    lines = [line.split(":", 3) for line in found.splitlines()]
    said = {int(number): text for _, number, kind, text in lines if kind == " error"}
    for number, (call, expected) in enumerate(CALLS.items(), 2):
        assert expected in said.get(number, ""), f"{call}: {said.get(number)} {trouble}"
        assert expected or number not in said, f"{call}: {said.get(number)}"


def test_every_public_name_has_a_type_for_type_checkers() -> None:
    import ast

    tree = ast.parse(Path(sparkdl.__file__).read_text(encoding="utf-8"))
    imports = [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
    known = {a.asname: n.module for n in imports for a in n.names}
    for name, module in sparkdl._EXPORTS.items():
        assert known.get(name) == module, f"{name} is Any where type checkers look"
