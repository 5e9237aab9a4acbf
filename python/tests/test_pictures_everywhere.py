"""Pictures of every format give the same as a PNG of their pixels, wherever pictures come in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from image_rows import as_png
from picture_files import all_files, pillow_pixels

import sparkdl

KINDS = ("webp-lossless", "tiff-strips", "tiff-1-group4", "bmp-rle8", "bmp-565", "gif-animated")
EXACT = {name: content for name, content, limit in all_files() if name in KINDS and limit == 0}
FORMS = ("own", "png")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("formats")
    for form in FORMS:
        (root / form).mkdir()
    for name, content in EXACT.items():
        (root / "own" / name).write_bytes(content)
        (root / "png" / name).write_bytes(as_png(pillow_pixels(content)[..., :3]))
    return root


@pytest.fixture(scope="module")
def rows(spark: Any, folder: Path) -> Any:
    """Return a row per kind: the file and its path, in its own format and as a PNG."""
    listed = [
        (name, i % 2, *(bytearray((folder / form / name).read_bytes()) for form in FORMS),
         *(str(folder / form / name) for form in FORMS))
        for i, name in enumerate(EXACT)
    ]  # fmt: skip
    schema = "name string, label int, own binary, png binary, own_path string, png_path string"
    return spark.createDataFrame(listed, schema).coalesce(1).cache()


@pytest.fixture(scope="module")
def model(folder: Path) -> Path:
    """Return the file of a network of pictures of any size, with what every pixel decides."""
    import keras

    keras.utils.set_random_seed(2)
    layers = keras.layers
    pooled = [layers.Conv2D(3, 3), layers.GlobalAveragePooling2D(), layers.Softmax()]
    file = folder / "m.keras"
    keras.Sequential([keras.Input((None, None, 3)), layers.Rescaling(1 / 255), *pooled]).save(file)
    return file


def assert_same(frame: Any, one: str, other: str) -> None:
    """Compare two columns, of vectors or arrays."""
    found = frame.select("name", one, other).collect()
    assert len(found) == len(KINDS)
    for row in found:
        values = [np.asarray(getattr(cell, "values", cell)) for cell in (row[one], row[other])]
        assert values[0].size, row.name
        np.testing.assert_array_equal(*values, err_msg=row.name)


def test_stages_and_functions_take_files_in_a_column(rows: Any, model: Path) -> None:
    sparkdl.registerKerasImageUDF("means_of_picture", str(model))
    bundle = sparkdl.load_model(
        sparkdl.save_bundle(model, model.with_name("bundle"), image={"height": None, "width": None})
    )
    frame = rows
    for form in FORMS:
        for name, stage in {
            "features": sparkdl.DeepImageFeaturizer(modelName="TinyNet"),
            "classes": sparkdl.DeepImagePredictor(modelName="TinyNet"),
            "means": sparkdl.TFImageTransformer(tfInputGraph=sparkdl.TFInputGraph.fromKeras(model)),
        }.items():
            stage.setInputCol(form).setOutputCol(f"{name}_{form}")
            frame = stage.transform(frame)
        frame = frame.selectExpr("*", f"means_of_picture({form}) AS sql_{form}")
        frame = frame.withColumn(f"column_{form}", bundle(form))
    frame = frame.cache()
    for name in ("features", "classes", "means", "sql", "column"):
        assert_same(frame, f"{name}_own", f"{name}_png")


def test_files_are_read_from_their_paths(rows: Any, model: Path) -> None:
    frame = rows
    for form in FORMS:
        frame = sparkdl.KerasImageFileTransformer(
            inputCol=f"{form}_path", outputCol=f"means_{form}", modelFile=model
        ).transform(frame)
    assert_same(frame, "means_own", "means_png")


def test_networks_are_trained_on_them(rows: Any, model: Path) -> None:
    heads, networks = [], []
    for form in FORMS:
        classifier = sparkdl.ImageClassifierEstimator(
            inputCol=form,
            labelCol="label",
            baseModel="TinyNet",
            epochs=2,
            validationFraction=0.0,
            seed=5,
            verbose=0,
        )
        heads.append(classifier.fit(rows).history["loss"])
        trained = sparkdl.KerasImageFileEstimator(
            inputCol=f"{form}_path",
            outputCol="out",
            labelCol="label",
            modelFile=model,
            targetSize=[24, 32],
            kerasOptimizer="sgd",
            kerasLoss="sparse_categorical_crossentropy",
            kerasFitParams={"epochs": 2, "batch_size": 6, "shuffle": False, "verbose": 0},
        ).fit(rows)
        networks.append(trained.history["loss"])
    np.testing.assert_allclose(*heads, rtol=1e-5)
    np.testing.assert_allclose(*networks, rtol=1e-5)
    assert np.isfinite(heads).all()
    assert np.isfinite(networks).all()
