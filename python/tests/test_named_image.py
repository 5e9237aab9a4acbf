"""The named models from Spark: parity with Keras, and real weights on real pictures."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import stage_bundles
from parity import compared_networks, largest_difference, parity_case
from pyspark.ml import Pipeline
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.evaluation import MulticlassClassificationEvaluator

import sparkdl
from sparkdl import DeepImageFeaturizer, DeepImagePredictor
from sparkdl.errors import InvalidModelException, ModelNotFoundException
from sparkdl.image import ImageSchema

CHECKOUT = Path(__file__).resolve().parent.parent.parent
POOLINGS = ("avg", "max", "none")

# What ImageNet calls the contents of the photos (it has no sunflower).
CONTENTS = {
    "cat.bmp": {"tabby", "tiger_cat", "Egyptian_cat"},
    "cat_720p.jpg": {"tabby", "tiger_cat", "Egyptian_cat"},
    "parrot.jpg": {"macaw", "lorikeet"},
    "owl.jpg": {"great_grey_owl"},
    "hot_dog.jpg": {"hotdog"},
    "sunflower.bmp": {"daisy"},
    "dragonfly.bmp": {"dragonfly", "damselfly"},
    "grace_hopper.bmp": {"military_uniform"},
}


def frame_of(spark: Any, pixels: np.ndarray) -> Any:
    """Return rows of (id, image) for uint8 RGB pixels [n, h, w, 3], in one partition."""
    images = [ImageSchema.toImage(np.ascontiguousarray(p[..., ::-1])) for p in pixels]
    schema = f"id int, image {ImageSchema.columnSchema.simpleString()}"
    return spark.createDataFrame(list(enumerate(images)), schema).coalesce(1)


def column(frame: Any, name: str = "out") -> np.ndarray:
    return np.stack([r[0].toArray() for r in frame.select(name).collect()])


@pytest.mark.parametrize("name", compared_networks())
def test_features_and_predictions_equal_keras(spark: Any, name: str) -> None:
    # All outputs in one run: TensorFlow optimises the graph for each set of outputs again.
    case = parity_case(name)
    model = sparkdl.load_model(case.bundle).select(*case.expected)
    rows = frame_of(spark, case.pixels).select(model("image").alias("o")).select("o.*").collect()
    for output, expected in case.expected.items():
        found = np.array([r[output] for r in rows])
        assert largest_difference(found, expected) < 1e-4, output
    spark._jvm.org.sparkdl.engine.Engine.closeUnused()


def test_the_stages_give_the_outputs_that_their_params_name(spark: Any) -> None:
    case = parity_case("MobileNetV2")
    frame = frame_of(spark, case.pixels)
    given = {"inputCol": "image", "outputCol": "out", "modelName": "MobileNetV2"}
    given["weights"] = case.bundle
    for pooling in POOLINGS:
        found = column(DeepImageFeaturizer(pooling=pooling, **given).transform(frame))
        assert largest_difference(found, case.expected[f"features_{pooling}"]) < 1e-4, pooling
    found = column(DeepImagePredictor(**given).transform(frame))
    assert largest_difference(found, case.expected["predictions"]) < 1e-4


@pytest.fixture(scope="module")
def weights(shared_data: Path) -> Path:
    (file,) = (shared_data / "models" / "mobilenet_v2_1.0_224").glob("*_keras_legacy.h5")
    return file


@pytest.fixture(scope="module")
def real_bundle(shared_data: Path, weights: Path) -> Path:
    """MobileNetV2 with the real weights; kept in target/, where the Scala suite finds it."""
    from sparkdl.networks.keras_export import export_named

    path = CHECKOUT / "target" / "bundles" / "MobileNetV2"
    index = shared_data / "imagenet" / "imagenet_class_index.json"
    export_named("MobileNetV2", path, str(weights), labels=index, overwrite=True)
    return path


def test_a_weights_file_becomes_a_bundle_in_the_cache_once(
    spark: Any, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = shutil.copy(weights, tmp_path / "weights.h5")
    stage = DeepImageFeaturizer(inputCol="image", outputCol="out", modelName="MobileNetV2")
    stage.setWeights(moved).setModelDir(tmp_path / "cache")
    pixels = np.zeros((1, 20, 30, 3), np.uint8)
    first = column(stage.transform(frame_of(spark, pixels)))
    assert len(list((tmp_path / "cache").glob("MobileNetV2-*"))) == 1
    monkeypatch.setattr("sparkdl.networks.keras_export.export_named", None)
    np.testing.assert_array_equal(column(stage.transform(frame_of(spark, pixels))), first)


def test_the_models_are_looked_for_where_the_session_of_the_dataframe_says(spark: Any) -> None:
    other = spark.newSession()
    other.conf.set("spark.sparkdl.models.dir", stage_bundles.model_dir())
    stage = DeepImageFeaturizer(inputCol="content", outputCol="out", modelName="MobileNetV2")
    frame = stage_bundles.encoded(other, stage_bundles.png(255, 0, 0))
    assert len(column(stage.transform(frame))) == 1
    assert not stage.isSet("weights")
    assert stage.setModelName("TinyNet").transform(frame).count() == 1, "nothing of it stays"


def test_weights_that_are_not_there_are_named(spark: Any) -> None:
    stage = DeepImageFeaturizer(inputCol="image", outputCol="out", modelName="VGG16")
    frame = frame_of(spark, np.zeros((1, 2, 2, 3), np.uint8))
    with pytest.raises(ModelNotFoundException, match=r"no weights file '/no/such.h5' for VGG16"):
        stage.setWeights("/no/such.h5").transform(frame)
    with pytest.raises(ModelNotFoundException, match="'/no/such/bundle'"):
        stage.setWeights("/no/such/bundle").transform(frame)


def test_a_bundle_of_another_model_is_refused(spark: Any, real_bundle: Path) -> None:
    stage = DeepImageFeaturizer(inputCol="image", outputCol="out", modelName="VGG16")
    frame = frame_of(spark, np.zeros((1, 2, 2, 3), np.uint8))
    with pytest.raises(InvalidModelException, match="of 'MobileNetV2', but modelName is 'VGG16'"):
        stage.setWeights(real_bundle).transform(frame)


def test_transfer_learning_on_clothing(spark: Any, shared_data: Path, real_bundle: Path) -> None:
    def read(part: str) -> Any:
        folder = shared_data / "labelled" / "clothing_a" / part
        files = spark.read.format("binaryFile").option("recursiveFileLookup", True)
        label = "element_at(split(path, '/'), -2)"
        kinds = sorted(f.name for f in folder.iterdir() if f.is_dir())
        number = " ".join(f"when '{k}' then {i}.0d" for i, k in enumerate(kinds))
        return files.load(str(folder)).selectExpr(
            "path", "content", f"case {label} {number} end as label"
        )

    featurizer = DeepImageFeaturizer(
        inputCol="content", outputCol="features", modelName="MobileNetV2", weights=real_bundle
    )
    train = featurizer.transform(read("train").repartition(2)).select("label", "features").cache()
    model = Pipeline(stages=[LogisticRegression(maxIter=50, regParam=0.01)]).fit(train)
    predicted = model.transform(featurizer.transform(read("test").repartition(2)))
    evaluator = MulticlassClassificationEvaluator(metricName="accuracy")
    assert evaluator.evaluate(predicted) >= 0.97


def test_the_predictor_names_what_is_on_the_photos(
    spark: Any, shared_data: Path, real_bundle: Path
) -> None:
    predictor = DeepImagePredictor(
        inputCol="content",
        outputCol="best",
        modelName="MobileNetV2",
        weights=real_bundle,
        decodePredictions=True,
    )
    photos = shared_data / "imagenet" / "photos"
    frame = spark.read.format("binaryFile").load([str(photos / n) for n in CONTENTS])
    rows = predictor.transform(frame).select("path", "best").collect()
    assert len(rows) == len(CONTENTS)
    for row in rows:
        best = [b.description for b in row.best]
        assert len(best) == 5
        assert CONTENTS[Path(row.path).name] & set(best), f"{row.path}: {best}"


def test_every_strange_file_has_an_answer_and_no_good_one_moves(
    spark: Any, shared_data: Path, real_bundle: Path
) -> None:
    good = bytearray((shared_data / "imagenet" / "photos" / "hot_dog.jpg").read_bytes())
    strange = sorted(p for p in (shared_data / "robustness").rglob("*") if p.is_file())
    rows = []
    for file in strange:
        rows += [(len(rows), str(file), bytearray(file.read_bytes()))]
        rows += [(len(rows), "good", good)]
    frame = spark.createDataFrame(rows, "id int, path string, content binary").coalesce(2)
    stage = DeepImageFeaturizer(
        inputCol="content",
        outputCol="out",
        modelName="MobileNetV2",
        weights=real_bundle,
        handleInvalid="keep",
        errorCol="why",
    )
    found = stage.transform(frame).select("id", "path", "out", "why").orderBy("id").collect()
    assert [r.id for r in found] == list(range(len(rows)))
    reference = found[1].out.toArray()
    good_rows = [r for r in found if r.path == "good"]
    assert all(r.why is None for r in good_rows)
    # Another place in the batch may round otherwise, depending on the processor.
    moved = max(float(np.abs(r.out.toArray() - reference).max()) for r in good_rows)
    assert moved < 1e-5 < float(np.abs(reference).max()) / 1e3
    answers = documented_answers()
    for row in found:
        if row.path != "good":
            answer = answers["/".join(Path(row.path).parts[-2:])]
            size = re.fullmatch(r"\d+ x \d+ x \d+", answer)
            assert (row.out is None, row.why) == ((False, None) if size else (True, answer))


def documented_answers() -> dict[str, str]:
    """Return the table of docs/images.md: a size, or a reason, for each file."""
    text = (CHECKOUT / "docs" / "images.md").read_text()
    table = text[text.index("## Awkward files") :]
    rows = re.findall(r"^\| `(\S+)` \| .* \| (.*) \|$", table, re.MULTILINE)
    return dict(rows)
