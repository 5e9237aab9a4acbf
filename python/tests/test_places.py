"""Every way in which a file is taken or made, with paths and URIs of every kind."""

from __future__ import annotations

import gc
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hdfs import mini_cluster
from pyspark.ml import PipelineModel

import sparkdl
from sparkdl._bundles.bundle_store import stored_bundle
from sparkdl._bundles.description.manifest import read_manifest, sha256, verify_bundle
from sparkdl._places.places import local_copy, place_of
from sparkdl.errors import InvalidModelException, ModelNotFoundException, SettingsException
from sparkdl.labels import read_labels
from sparkdl.networks.model_cache import _lock, cache_dir, ensure_bundle
from sparkdl.session.jvm_door import door

FOLDERS = ("plain", "with space", "half%20way")


@dataclass(frozen=True)
class Spelling:
    """A way to write where something is: in which folder, and what goes before its name."""

    folder: str
    prefix: Callable[[Path, str], Any]


def _in_hdfs(folder: str) -> Spelling:
    return Spelling(folder.replace("%20", " "), lambda _, root: f"{root}/{folder}/")


SPELLINGS = {
    "a path": Spelling("plain", lambda here, _: f"{here}/plain/"),
    "a pathlib.Path": Spelling("plain", lambda here, _: here / "plain"),
    "a path with a space": Spelling("with space", lambda here, _: f"{here}/with space/"),
    "a path with %20 in it": Spelling("half%20way", lambda here, _: f"{here}/half%20way/"),
    "file:/": Spelling("plain", lambda here, _: f"file:{here}/plain/"),
    "file:///": Spelling("plain", lambda here, _: f"file://{here}/plain/"),
    "file://localhost/": Spelling("plain", lambda here, _: f"file://localhost{here}/plain/"),
    "file: with %20": Spelling("with space", lambda here, _: f"file://{here}/with%20space/"),
    "hdfs:": _in_hdfs("plain"),
    "hdfs: with %20": _in_hdfs("with%20space"),
}


@dataclass(frozen=True)
class Machine:
    """A folder of this machine and the root of an HDFS, which hold the same files."""

    here: Path
    root: str
    spark: Any

    def address(self, spelling: str, name: str) -> Any:
        """Return where a file is, written in this way."""
        prefix = SPELLINGS[spelling].prefix(self.here, self.root)
        return prefix / name if isinstance(prefix, Path) else prefix + name

    def where(self, spelling: str, name: str) -> str:
        """Return where that has to be: a local path, or a path of HDFS."""
        folder = SPELLINGS[spelling].folder
        return f"/{folder}/{name}" if "hdfs" in spelling else f"{self.here}/{folder}/{name}"

    def hdfs(self) -> Any:
        """Return Hadoop's file system, and its class of paths."""
        path = self.spark._jvm.org.apache.hadoop.fs.Path
        return path(self.root).getFileSystem(self.spark._jsc.hadoopConfiguration()), path

    def has(self, spelling: str, name: str) -> bool:
        """Say whether something is there."""
        if "hdfs" not in spelling:
            return os.path.exists(self.where(spelling, name))
        files, path = self.hdfs()
        return bool(files.exists(path(self.where(spelling, name))))


@pytest.fixture(scope="module")
def machine(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    here = tmp_path_factory.mktemp("places")
    with mini_cluster(tmp_path_factory.mktemp("hdfs")) as root:
        made = Machine(here, root, spark)
        _write_files(here / "plain")
        for folder in FOLDERS[1:]:
            shutil.copytree(here / "plain", here / folder)
        files, path = made.hdfs()
        for folder in FOLDERS[:2]:
            files.copyFromLocalFile(path(f"file:{here / folder}"), path(f"{root}/{folder}"))
        yield made
        files.close()


def _write_files(folder: Path) -> None:
    import keras
    import tensorflow as tf

    folder.mkdir()
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((3,), name="x"), keras.layers.Dense(1)], name="small")
    for name in ("m.keras", "m.h5"):
        model.save(folder / name)
    pictures = keras.Sequential(
        [keras.Input((4, 4, 3)), keras.layers.GlobalAveragePooling2D()], name="pictures"
    )
    pictures.save(folder / "pictures.keras")
    model.export(folder / "saved")
    sparkdl.save_bundle(model, folder / "bundle")
    shutil.copy(folder / "bundle" / "graph.pb", folder / "m.pb")
    sparkdl.save_bundle(
        pictures, folder / "TinyNet-imagenet", outputs=["features_avg"], image=True, name="TinyNet"
    )
    (folder / "labels.txt").write_bytes(b"\xef\xbb\xbfcat\r\ndog\r\n")
    (folder / "weights.h5").write_bytes(b"weights")
    (folder / "picture.png").write_bytes(_png())
    v1 = tf.compat.v1
    (folder / "checkpoint").mkdir()
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [None], "x")
        v = v1.get_variable("v", initializer=2.0)
        tf.multiply(x, v, name="y")
        session.run(v1.global_variables_initializer())
        v1.train.Saver().save(session, str(folder / "checkpoint" / "model"))


def _transform(machine: Machine, file: Any, model: bool = False) -> None:
    rows = machine.spark.sql("SELECT array(1f, 2f, 3f) AS a")
    given = {"model": file} if model else {"modelFile": file}
    stage = sparkdl.KerasTransformer(inputCol="a", outputCol="p", **given)
    assert len(stage.transform(rows).first().p) == 1


def _keras_udf(machine: Machine, file: Any) -> None:
    sparkdl.registerKerasUDF("of_place", file)
    assert machine.spark.sql("SELECT of_place(array(1f, 2f, 3f)) AS p").first().p is not None


def _tf_transformer(machine: Machine, file: Any) -> None:
    rows = machine.spark.sql("SELECT array(1f, 2f, 3f) AS a")
    name = sparkdl.load_model(file).outputs[0].name
    inputs = sparkdl.load_model(file).inputs[0].name
    stage = sparkdl.TFTransformer(
        tfInputGraph=file, inputMapping={"a": inputs}, outputMapping={name: "p"}
    )
    assert stage.transform(rows).first().p is not None


def _featurizer(machine: Machine, **params: Any) -> None:
    images = machine.spark.createDataFrame([(_png(),)], "image binary")
    stage = sparkdl.DeepImageFeaturizer(inputCol="image", outputCol="f", **params)
    assert stage.transform(images).first().f.size == 3


def _png() -> bytearray:
    import io

    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (5, 5), (1, 2, 3)).save(out, "png")
    return bytearray(out.getvalue())


def _weights_file(machine: Machine, file: Any) -> None:
    from sparkdl.networks.model_cache import ensure_bundle

    local = machine.here / "plain" / "weights.h5"
    cache = machine.here / "cache"
    bundle = cache / f"MobileNetV2-{sha256(local)[:16]}"
    if not bundle.exists():
        shutil.copytree(machine.here / "plain" / "bundle", bundle)
    assert ensure_bundle("MobileNetV2", file, cache.as_uri()) == str(bundle)


def _estimator_model(machine: Machine, file: Any) -> None:
    from sparkdl.transformers._model_to_train import keras_file

    estimator = sparkdl.KerasEstimator(modelFile=file)
    assert keras_file(estimator).read_bytes()[:2] == b"PK"
    saved = machine.here / "estimator"
    estimator.write().overwrite().save(saved.as_uri())
    assert keras_file(sparkdl.KerasEstimator.load(saved.as_uri())).name == "m.keras"


def _own_network(machine: Machine, file: Any) -> None:
    from sparkdl.estimators._classifier.base_network import own_network

    assert own_network(sparkdl.ImageClassifierEstimator(modelFile=file)).inputs[0].shape[1] == 4


def _read_images(machine: Machine, folder: Any) -> None:
    glob = folder / "*.png" if isinstance(folder, Path) else f"{folder}*.png"
    assert sparkdl.readImages(glob).first().image.width == 5


def _command_bundle(machine: Machine, file: Any) -> None:
    from sparkdl._command_line.main import main

    out = str(machine.here / "of-command")
    assert main(["bundle", os.fspath(file), "--out", out, "--overwrite"]) == 0
    verify_bundle(out)


def _models_table(machine: Machine, folder: Any) -> None:
    from sparkdl.networks.model_cache import is_cached
    from sparkdl.networks.named_models import named_model

    model = named_model("MobileNetV2")
    assert not is_cached(model, folder)


def _from_checkpoint(machine: Machine, folder: Any) -> None:
    graph = sparkdl.TFInputGraph.fromCheckpoint(folder, ["x"], ["y"])
    assert graph.outputs == ["y"]


def _from_saved_model(machine: Machine, folder: Any) -> None:
    graph = sparkdl.TFInputGraph.fromSavedModelWithSignature(folder, "serve", "serving_default")
    assert len(graph.outputs) == 1


def _graph_function(machine: Machine, file: Any) -> None:
    from sparkdl.graph.builder import GraphFunction

    assert len(GraphFunction.fromKeras(file).output_names) == 1


def _image_udf(machine: Machine, file: Any) -> None:
    sparkdl.registerKerasImageUDF("of_picture", file)


def _fitted(machine: Machine, bundle: Any) -> None:
    model = sparkdl.KerasModel().setModelFile(bundle)
    assert "small" in model.summary() or "bundle" in model.summary()


def _catalog(machine: Machine, folder: Any) -> None:
    name = f"places{abs(hash(os.fspath(folder)))}"
    machine.spark.conf.set(f"spark.sql.catalog.{name}", "org.sparkdl.sql.ModelCatalog")
    machine.spark.conf.set(f"spark.sql.catalog.{name}.path", os.fspath(folder))
    found = machine.spark.sql(f"SELECT {name}.bundle(array(1f, 2f, 3f)) AS p").first().p
    assert found is not None


# What is taken: the name of the entry, the file that it takes, and how it is tried.
TAKEN: dict[str, tuple[str, Callable[[Machine, Any], Any]]] = {
    "load_model(bundle)": ("bundle", lambda m, f: sparkdl.load_model(f)),
    "load_model(SavedModel)": ("saved", lambda m, f: sparkdl.load_model(f)),
    "load_model(.pb)": ("m.pb", lambda m, f: sparkdl.load_model(f)),
    "KerasTransformer(modelFile=.keras)": ("m.keras", _transform),
    "KerasTransformer(modelFile=.h5)": ("m.h5", _transform),
    "KerasTransformer(model=.keras)": ("m.keras", lambda m, f: _transform(m, f, model=True)),
    "KerasTransformer(modelFile=bundle)": ("bundle", _transform),
    "TFTransformer(bundle)": ("bundle", _tf_transformer),
    "TFTransformer(SavedModel)": ("saved", _tf_transformer),
    "registerKerasUDF(.h5)": ("m.h5", _keras_udf),
    "registerKerasUDF(bundle)": ("bundle", _keras_udf),
    "registerKerasImageUDF": ("pictures.keras", _image_udf),
    "save_bundle(.keras)": ("m.keras", lambda m, f: stored_bundle(f)),
    "save_bundle(.pb)": ("m.pb", lambda m, f: stored_bundle(f)),
    "save_bundle(SavedModel)": ("saved", lambda m, f: stored_bundle(f)),
    "save_bundle(labels=)": (
        "labels.txt",
        lambda m, f: stored_bundle(str(m.here / "plain" / "m.keras"), labels=f),
    ),
    "read_labels": ("labels.txt", lambda m, f: _equal(read_labels(f)[0], ("cat", "cat"))),
    "read_manifest": ("bundle", lambda m, f: read_manifest(f)),
    "verify_bundle": ("bundle", lambda m, f: verify_bundle(f)),
    "TFInputGraph.fromKeras": ("m.h5", lambda m, f: sparkdl.TFInputGraph.fromKeras(f)),
    "TFInputGraph.fromBundle": ("bundle", lambda m, f: sparkdl.TFInputGraph.fromBundle(f)),
    "TFInputGraph.fromCheckpoint": ("checkpoint", _from_checkpoint),
    "TFInputGraph.fromSavedModel": ("saved", _from_saved_model),
    "GraphFunction.fromKeras": ("m.keras", _graph_function),
    "weights=bundle": ("TinyNet-imagenet", lambda m, f: _featurizer(m, weights=f)),
    "weights=file": ("weights.h5", _weights_file),
    "models(model_dir)": ("", _models_table),
    "ModelCatalog": ("", _catalog),
    "KerasEstimator(modelFile=)": ("m.keras", _estimator_model),
    "ImageClassifierEstimator(modelFile=)": ("pictures.keras", _own_network),
    "KerasModel(modelFile=)": ("bundle", _fitted),
    "python -m sparkdl bundle": ("m.keras", _command_bundle),
    "readImages": ("", _read_images),
}


def _equal(found: Any, expected: Any) -> None:
    assert found == expected


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty working directory, which has to stay so."""
    monkeypatch.chdir(tmp_path)
    yield
    assert os.listdir(tmp_path) == [], "something was written into the working directory"


@pytest.mark.usefixtures("nowhere")
@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("entry", TAKEN)
def test_whatever_takes_a_file_takes_its_path_or_uri(
    entry: str, spelling: str, machine: Machine
) -> None:
    name, take = TAKEN[entry]
    take(machine, machine.address(spelling, name))


def _save_bundle(machine: Machine, target: Any) -> None:
    sparkdl.save_bundle(str(machine.here / "plain" / "m.keras"), target)
    sparkdl.save_bundle(str(machine.here / "plain" / "m.keras"), target, overwrite=True)
    with pytest.raises(SettingsException, match="it exists"):
        sparkdl.save_bundle(str(machine.here / "plain" / "m.keras"), target)
    verify_bundle(target)
    assert sparkdl.load_model(target).name == "made"


def _model_save(machine: Machine, target: Any) -> None:
    sparkdl.load_model(machine.here / "plain" / "bundle").save(target)
    verify_bundle(target)


def _export_bundle(machine: Machine, target: Any) -> None:
    sparkdl.KerasModel().setModelFile(machine.here / "plain" / "bundle").export_bundle(target)
    verify_bundle(target)


def _trained(machine: Machine) -> Any:
    import keras

    from sparkdl._bundles.description.training_record import remember

    folder = machine.here / "trained"
    if not folder.exists():
        file = machine.here / "plain" / "m.keras"
        sparkdl.save_bundle(str(file), folder)
        remember(folder, history={"loss": [1.0]}, model=keras.saving.load_model(file))
    return sparkdl.KerasModel().setModelFile(folder)


def _export_keras(machine: Machine, target: Any) -> None:
    for _ in range(2):  # what is there is replaced
        _trained(machine).export_keras(target)
    copy = local_copy(target)
    assert copy is not None
    assert copy.read_bytes()[:2] == b"PK"


def _export_json(machine: Machine, target: Any) -> None:
    _trained(machine).export_keras(target)
    weights = local_copy(os.fspath(target).replace(".json", ".weights.h5"))
    assert weights is not None
    assert weights.read_bytes()[1:4] == b"HDF"


def _checkpoints(machine: Machine, target: Any) -> None:
    import numpy as np

    from sparkdl.estimators._classifier.feature_table import FeatureTable
    from sparkdl.estimators._classifier.head_state import state_folder
    from sparkdl.training._driver.checkpoints import Checkpoints
    from sparkdl.training._loop.training_state import state_parts

    of_head = sparkdl.ImageClassifierEstimator(checkpointDir=target, epochs=3)
    table = FeatureTable([], np.zeros(1, "int32"), ["a"], np.zeros(1, bool))
    for folder in (
        str(sparkdl.KerasEstimator(checkpointDir=target).getCheckpointDir()),
        state_folder(of_head, table, "head", None),
    ):
        states = Checkpoints(folder)
        assert states.newest() is None
        for epoch in range(3):
            states.write(epoch, 0, state_parts({"epoch": epoch}, [np.zeros(1)]))
            states.write(epoch, 0, state_parts({"epoch": epoch}, [np.ones(1)]))
        newest = Checkpoints(folder).newest()
        assert newest is not None
        assert newest[0] == {"epoch": 2}
        assert newest[1][0] == [1]


def _tensor_board(machine: Machine, target: Any) -> None:
    from sparkdl.training._driver.tensor_board import Board

    board = Board(str(sparkdl.KerasEstimator(tensorBoardDir=target).getTensorBoardDir()), 0)
    board.on_epoch_end(0, {"loss": 1.0})
    board.on_train_end(None)
    folder = local_copy(target)
    assert folder is not None
    assert [f.name.split(".")[0] for f in (folder / "train").iterdir()] == ["events"]


def _command_out(machine: Machine, target: Any) -> None:
    from sparkdl._command_line.main import main

    source = str(machine.here / "plain" / "m.keras")
    assert main(["bundle", source, "--out", os.fspath(target)]) == 0
    verify_bundle(target)


# What is made: the name of the entry, the name that it gets, and how it is tried.
MADE: dict[str, tuple[str, Callable[[Machine, Any], Any]]] = {
    "save_bundle": ("made", _save_bundle),
    "Model.save": ("saved-model", _model_save),
    "export_bundle": ("exported", _export_bundle),
    "export_keras(.keras)": ("exported.keras", _export_keras),
    "export_keras(.json)": ("exported.json", _export_json),
    "checkpointDir": ("states", _checkpoints),
    "tensorBoardDir": ("board", _tensor_board),
    "python -m sparkdl bundle --out": ("of-command", _command_out),
}


@pytest.mark.usefixtures("nowhere")
@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("entry", MADE)
def test_whatever_makes_a_file_makes_it_where_its_path_or_uri_says(
    entry: str, spelling: str, machine: Machine
) -> None:
    name, make = MADE[entry]
    own = f"{list(SPELLINGS).index(spelling)}/{name}"  # several spellings are of one folder
    make(machine, machine.address(spelling, own))
    assert machine.has(spelling, own)


def test_stages_and_pipelines_are_saved_on_another_file_system_with_all_they_need(
    machine: Machine,
) -> None:
    import numpy as np

    from sparkdl.transformers._model_to_train import keras_file

    here, rows = machine.here / "plain", machine.spark.sql("SELECT array(1f, 2f, 3f) AS a")
    stage = sparkdl.KerasTransformer(inputCol="a", outputCol="p", modelFile=here / "m.keras")
    loading = sparkdl.KerasImageFileTransformer(
        inputCol="path", outputCol="q", modelFile=here / "pictures.keras", imageLoader=np.load
    )
    estimator = sparkdl.KerasEstimator(modelFile=here / "m.keras")
    PipelineModel([stage, loading]).write().save(f"{machine.root}/pipeline")
    estimator.write().save(f"{machine.root}/estimator")
    again, loader = PipelineModel.load(f"{machine.root}/pipeline").stages
    assert again.transform(rows).collect() == stage.transform(rows).collect()
    assert loader.getImageLoader().text == "import:numpy:load"
    loaded = sparkdl.KerasEstimator.load(f"{machine.root}/estimator")
    assert keras_file(loaded).read_bytes() == (here / "m.keras").read_bytes()


def test_a_remote_file_is_fetched_once_and_again_when_it_has_changed(
    machine: Machine, tmp_path: Path
) -> None:
    files, path = machine.hdfs()
    uri = f"{machine.root}/changing.txt"

    def put(text: str) -> None:
        (tmp_path / "file").write_text(text)
        files.copyFromLocalFile(False, True, path(f"file:{tmp_path}/file"), path(uri))

    put("cat\n")
    first = local_copy(uri)
    assert first is not None
    assert local_copy(uri) == first
    assert first.name == "changing.txt"
    put("cat\ndog\n")
    assert read_labels(uri) == [("cat", "cat"), ("dog", "dog")]
    assert first.read_text() == "cat\n"


def test_a_copy_of_a_bundle_stays_as_long_as_somebody_has_its_path(machine: Machine) -> None:
    files, path = machine.hdfs()
    local = machine.here / "plain" / "bundle"
    files.copyFromLocalFile(path(f"file:{local}"), path(f"{machine.root}/mine"))
    bundle = stored_bundle(f"{machine.root}/mine")
    copied = str(bundle)

    def is_held() -> bool:
        gc.collect()
        return copied in door().heldFolders([copied], 1 << 40)

    for folder in FOLDERS[:2]:
        for name in place_of(f"{machine.root}/{folder}").names() or []:
            local_copy(f"{machine.root}/{folder}/{name}")
    assert is_held()
    del bundle
    end = time.monotonic() + 60
    while is_held() and time.monotonic() < end:
        time.sleep(0.1)
    assert not is_held()


def test_a_bundle_is_not_written_over_what_is_none(machine: Machine) -> None:
    source = str(machine.here / "plain" / "m.keras")
    with pytest.raises(SettingsException, match=r"what is there is not a bundle"):
        sparkdl.save_bundle(source, f"{machine.root}/plain", overwrite=True)
    assert machine.has("hdfs:", "m.keras")


def test_what_is_missing_is_named_as_it_was_given(machine: Machine) -> None:
    gone = f"{machine.root}/none.keras"
    rows = machine.spark.sql("SELECT array(1f, 2f, 3f) AS a")
    with pytest.raises(ModelNotFoundException, match=f"There is no model at {gone}"):
        sparkdl.KerasTransformer(inputCol="a", outputCol="p", modelFile=gone).transform(rows)
    with pytest.raises(SettingsException, match=f"There is no labels file '{gone}'"):
        read_labels(gone)
    with pytest.raises(InvalidModelException, match=f"Cannot train {gone}"):
        _estimator_model(machine, gone)
    with pytest.raises(SettingsException, match="The model cache hdfs:.* is not on this machine"):
        ensure_bundle("MobileNetV2", model_dir=f"{machine.root}/cache")


def test_the_file_system_of_a_path_without_a_scheme_is_sparks_default(machine: Machine) -> None:
    conf = machine.spark._jsc.hadoopConfiguration()
    before = conf.get("fs.defaultFS")
    conf.set("fs.defaultFS", machine.root)
    try:
        assert read_labels("/plain/labels.txt")[0] == ("cat", "cat")
        assert sparkdl.load_model("/plain/bundle").name == "bundle"
        made = sparkdl.save_bundle(str(machine.here / "plain" / "m.keras"), machine.here / "local")
        assert json.loads((Path(made) / "model.json").read_text())["name"] == "local"
    finally:
        conf.set("fs.defaultFS", before)


def test_the_model_cache_is_made_for_its_owner_alone_and_may_be_a_file_uri(tmp_path: Path) -> None:
    assert cache_dir(f"file:{tmp_path}/models") == cache_dir(tmp_path / "models")
    with _lock(tmp_path / "models" / "TinyNet-imagenet"):
        assert (tmp_path / "models").stat().st_mode & 0o777 == 0o700
