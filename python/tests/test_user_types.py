"""Type checkers find the mistakes of a user's program, by whatever public name they are made."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

import sparkdl
import sparkdl.tensorframes as tfs
from sparkdl.estimators._classifier.compared_params import ComparedParams

ROOT = Path(sparkdl.__file__).parent.parent
BEGINNING = """\
import sparkdl
import sparkdl.tensorframes as tfs
from pyspark.sql import DataFrame, SparkSession
def frame() -> DataFrame: raise NotImplementedError
def half(x: float) -> float: return x / 2
"""
# For every public name, and for what stages and models have: what is wrong in each line.
WRONG = """\
sparkdl.version(3)
sparkdl.start(master=3)
sparkdl.start(memry="4g")
sparkdl.doctor("session")
sparkdl.readImages(3)
sparkdl.show(frame(), height="96")
sparkdl.DeepImageFeaturizer(modelname="x")
sparkdl.DeepImageFeaturizer(inputCol=3)
sparkdl.DeepImageFeaturizer.load("x").setPooling(3)
sparkdl.DeepImagePredictor(topK="5")
sparkdl.DeepImagePredictor().setParams(topK="5")
sparkdl.DeepImagePredictor.load("x").setTopK("5")
sparkdl.TFTransformer(inputMapping=3)
sparkdl.TFTransformer.load("x").getNothing()
sparkdl.KerasTransformer(inputCol=3)
sparkdl.KerasTransformer(batchsize=3)
sparkdl.KerasTransformer().setParams(inputCol=3)
sparkdl.KerasTransformer().setParams(batchsize=3)
sparkdl.KerasTransformer().setParams("a")
sparkdl.KerasTransformer.load(3)
sparkdl.TFImageTransformer(channelOrder=3)
sparkdl.TFImageTransformer.read().load("x").getNothing()
sparkdl.KerasImageFileTransformer(outputCol=3)
sparkdl.KerasImageFileTransformer.load("x").getNothing()
sparkdl.KerasEstimator(epochs="3")
sparkdl.KerasEstimator.load("x").getNothing()
sparkdl.KerasEstimator().fit(frame()).getNothing()
sparkdl.KerasModel(inputCols="x", outputcol="y")
sparkdl.KerasModel.load("x").getNothing()
sparkdl.ImageClassifierModel(inputCol=3)
sparkdl.ImageClassifierModel.load("x").getNothing()
sparkdl.KerasImageFileEstimator(labelcol="x")
sparkdl.KerasImageFileEstimator.load("x").getNothing()
sparkdl.ImageClassifierEstimator(basemodel="x")
sparkdl.ImageClassifierEstimator.load("x").getNothing()
sparkdl.ImageClassifierEstimator().fit(frame()).getNothing()
sparkdl.compare_models(frame(), ["VGG16"], inputcol="image")
sparkdl.compare_models(frame(), ["VGG16"], epochs="3")
sparkdl.TFInputGraph.fromSavedModel(3, "tag", "signature")
sparkdl.imageInputPlaceholder("3")
sparkdl.load_model(3)
sparkdl.Model.nothing
sparkdl.load_model("x").register(3)
sparkdl.save_bundle(half, 3)
sparkdl.models(3)
sparkdl.models()[0].nothing
sparkdl.tf_dataset(frame(), "x", batchsize=3)
sparkdl.TensorFlowDistributor(numProcesses="2")
sparkdl.TensorFlowDistributor().run(half, 3.0).nothing
sparkdl.HorovodRunner(np="2")
sparkdl.HorovodRunner(np=2).run(half, x=3.0).nothing
sparkdl.registerKerasImageUDF("f", "x", batchSize=3)
sparkdl.registerKerasUDF(3, "x")
sparkdl.nothing
sparkdl.errors.Nothing
sparkdl.estimators.nothing
sparkdl.graph.builder.nothing
sparkdl.image.imageIO.nothing
sparkdl.labels.read_labels(3)
sparkdl.param.nothing
sparkdl.plot.predictions([], 3)
sparkdl.tensorframes.nothing
sparkdl.training.nothing
sparkdl.transformers.nothing
sparkdl.udf.nothing
tfs.aggregate(half, frame(), blocksize=3)
tfs.analyze("x")
tfs.append_shape(frame(), "x", 3)
tfs.block(frame(), 3)
tfs.map_blocks(3, frame())
tfs.map_blocks(half, "x")
tfs.map_blocks(half, frame()).limit("x")
tfs.map_rows(half, frame(), trim=True)
tfs.map_rows(half, "x")
tfs.print_schema(3)
tfs.reduce_blocks(half, 3)
tfs.reduce_rows(3, frame())
tfs.row(frame(), 3)
""".splitlines()
RIGHT = """\
sparkdl.KerasTransformer(inputCol="a", batchSize=2)
sparkdl.KerasTransformer().setParams(inputCol="a").setParams().transform
sparkdl.DeepImageFeaturizer.load("x").setPooling("max").transform(frame()).show()
sparkdl.compare_models(frame(), ["VGG16"], inputCol="image", epochs=3)
tfs.map_blocks(half, frame()).show()
sparkdl.TensorFlowDistributor().run(half, 3.0) / 2
sparkdl.start(memory="4g").sql("SELECT 1")
""".splitlines()


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("program") / "program.py"
    file.write_text("\n".join([BEGINNING.rstrip(), *WRONG, *RIGHT]) + "\n")
    return file


def check(found: Mapping[int, str]) -> None:
    first = len(BEGINNING.splitlines()) + 1
    wrong = dict(enumerate(WRONG, first))
    right = dict(enumerate(RIGHT, first + len(WRONG)))
    assert [line for number, line in wrong.items() if number not in found] == [], "not found"
    said = {line: found[number] for number, line in right.items() if number in found}
    assert said == {}, "nothing is wrong there"
    assert not found.keys() & range(first)


def test_mypy_finds_mistakes(program: Path) -> None:
    mypy_api = pytest.importorskip("mypy.api")
    given = ["--strict", "--no-error-summary", "--config-file", str(ROOT / "pyproject.toml")]
    given += ["--cache-dir", str(ROOT / ".mypy_cache"), str(program)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MYPYPATH", str(ROOT))
        said, trouble, _ = mypy_api.run(given)
    assert not trouble
    # By the name alone: of a program that mypy has in its cache it says the folder of that time.
    lines = re.findall(rf"(?m)^(?:.*/)?{program.name}:(\d+): error: (.*)$", said)
    check({int(number): text for number, text in lines})


@pytest.mark.skipif(not importlib.util.find_spec("pyright"), reason="pyright is not installed")
def test_pyright_finds_mistakes(program: Path) -> None:
    settings = {"include": [program.name], "extraPaths": [str(ROOT)]}
    (program.parent / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable]
    done = subprocess.run(command, cwd=program.parent, capture_output=True, text=True)
    errors = [e for e in json.loads(done.stdout)["generalDiagnostics"] if e["severity"] == "error"]
    check({e["range"]["start"]["line"] + 1: e["message"] for e in errors})


def test_every_public_name_has_a_line_and_a_type() -> None:
    names = [n for n in sparkdl.__all__ if not n.startswith("__")]
    wanted = [*(f"sparkdl.{n}" for n in [*names, *sparkdl._MODULES])]
    wanted += [f"tfs.{n}" for n in tfs.__all__]
    said = [line.split("(")[0] + "." for line in WRONG]
    assert [n for n in wanted if not any(s.startswith(f"{n}.") for s in said)] == []


def test_type_checkers_read_each_public_name_from_where_it_is_imported() -> None:
    tree = ast.parse(Path(sparkdl.__file__).read_text(encoding="utf-8"))
    imports = [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
    known = {a.asname: n.module for n in imports for a in n.names}
    assert {name: known.get(name) for name in sparkdl._EXPORTS} == sparkdl._EXPORTS


def test_the_params_of_a_comparison_are_those_of_its_estimator() -> None:
    estimators = inspect.signature(sparkdl.ImageClassifierEstimator.__init__).parameters
    own = {name: p.annotation for name, p in estimators.items() if name != "self"}
    for chosen in ("baseModel", "model", "modelFile", "weights"):
        del own[chosen]
    own["inputSize"] = "Sequence[int] | Mapping[str, Sequence[int]] | None"
    assert {n: t.__forward_arg__ for n, t in ComparedParams.__annotations__.items()} == own
