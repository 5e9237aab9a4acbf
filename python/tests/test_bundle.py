"""`save_bundle`: what it takes, what it writes, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from parity import run_bundle

import sparkdl
from sparkdl._bundles.description.manifest import read_manifest, sha256, verify_bundle, write_bundle
from sparkdl.errors import InvalidModelException, ModelNotFoundException, SettingsException

X = {"x": ("float32", [None, 3])}


def double(x):
    return {"double": x * 2}


def test_a_function_becomes_a_graph_with_the_names_given(tmp_path: Path) -> None:
    path = sparkdl.save_bundle(double, tmp_path / "double", inputs=X)
    manifest = read_manifest(path)
    assert manifest["formatVersion"] == 1
    assert manifest["name"] == "double"
    assert manifest["inputs"] == [
        {"name": "x", "tensor": "x:0", "dtype": "float32", "shape": [-1, 3]}
    ]
    assert manifest["outputs"][0]["tensor"] == "double:0"
    found = run_bundle(path, {"x": np.ones((2, 3), np.float32)})
    np.testing.assert_array_equal(found["double"], np.full((2, 3), 2))


def test_the_same_model_gives_the_same_file(tmp_path: Path) -> None:
    hashes = [
        read_manifest(sparkdl.save_bundle(double, tmp_path / n, inputs=X))["files"] for n in "ab"
    ]
    assert hashes[0] == hashes[1]


def test_every_file_has_its_hash_and_a_changed_one_is_found(tmp_path: Path) -> None:
    path = Path(sparkdl.save_bundle(double, tmp_path / "m", inputs=X, labels=["a", "b"]))
    manifest = verify_bundle(path)
    assert set(manifest["files"]) == {"graph.pb", "labels.json"}
    assert manifest["files"]["graph.pb"] == sha256(path / "graph.pb")
    (path / "graph.pb").write_bytes(b"x")
    with pytest.raises(InvalidModelException, match=r"damaged: graph\.pb should have SHA-256"):
        verify_bundle(path)


def test_a_file_that_the_manifest_does_not_list_and_a_link_are_found(tmp_path: Path) -> None:
    path = Path(sparkdl.save_bundle(double, tmp_path / "m", inputs=X, labels=["a", "b"]))
    (path / ".DS_Store").write_text("of a desktop")
    verify_bundle(path)
    (path / "more.json").write_text("{}")
    with pytest.raises(
        InvalidModelException, match=r"has more\.json, which its model\.json does not"
    ):
        verify_bundle(path)
    (path / "more.json").unlink()
    (path / "labels.json").rename(tmp_path / "labels.json")
    (path / "labels.json").symlink_to(tmp_path / "labels.json")
    with pytest.raises(InvalidModelException, match=r"labels\.json is a link"):
        verify_bundle(path)


def test_an_existing_path_is_refused_and_overwrite_replaces_only_bundles(tmp_path: Path) -> None:
    path = sparkdl.save_bundle(double, tmp_path / "m", inputs=X)
    with pytest.raises(SettingsException, match="it exists"):
        sparkdl.save_bundle(double, path, inputs=X)
    sparkdl.save_bundle(double, path, inputs=X, overwrite=True)
    verify_bundle(path)
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "cat.jpg").write_bytes(b"")
    with pytest.raises(SettingsException, match="not a bundle"):
        sparkdl.save_bundle(double, photos, inputs=X, overwrite=True)
    assert (photos / "cat.jpg").exists()


def test_a_failure_leaves_nothing_behind_and_the_old_bundle_in_place(tmp_path: Path) -> None:
    path = tmp_path / "m"
    sparkdl.save_bundle(double, path, inputs=X)
    before = read_manifest(path)

    def fail(folder: Path) -> None:
        (folder / "half").write_text("half")
        raise RuntimeError("disk full")

    with pytest.raises(RuntimeError, match="disk full"):
        write_bundle(path, {}, fail, overwrite=True)
    assert [p.name for p in tmp_path.iterdir()] == ["m"]
    assert read_manifest(path) == before


def test_a_keras_model_keeps_the_names_of_inputs_and_outputs(tmp_path: Path) -> None:
    import keras

    a, b = keras.Input((3,), name="a"), keras.Input((2,), name="b")
    y = keras.layers.Dense(2, name="o")(keras.layers.Concatenate()([a, b]))
    model = keras.Model([a, b], [y, keras.layers.Softmax(name="p")(y)])
    path = sparkdl.save_bundle(model, tmp_path / "m", outputs={"probability": "p"})
    feeds = {"a": np.ones((2, 3), np.float32), "b": np.ones((2, 2), np.float32)}
    found = run_bundle(path, feeds)
    assert list(found) == ["probability"]
    expected = model.predict([feeds["a"], feeds["b"]], verbose=0)[1]
    np.testing.assert_allclose(found["probability"], expected, rtol=1e-5)


def test_names_that_keras_counts_up_do_not_reach_the_bundle(tmp_path: Path) -> None:
    import keras

    for i in range(2):
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
        manifest = read_manifest(sparkdl.save_bundle(model, tmp_path / str(i)))
        assert manifest["inputs"][0]["name"] == "input"
        assert manifest["outputs"][0]["name"] == "output"


def test_batch_norm_goes_into_the_layer_before_it(tmp_path: Path) -> None:
    import keras
    import tensorflow as tf

    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((9, 9, 3)),
            layers.Conv2D(4, 3),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.DepthwiseConv2D(3, depth_multiplier=2, use_bias=False),
            layers.BatchNormalization(scale=False),
            layers.Flatten(),
            layers.Dense(5),
            layers.BatchNormalization(center=False),
        ]
    )
    rng = np.random.default_rng(0)
    model.set_weights([rng.uniform(0.5, 1.5, w.shape) for w in model.get_weights()])
    path = Path(sparkdl.save_bundle(model, tmp_path / "m"))
    x = rng.random((2, 9, 9, 3), dtype=np.float32)
    expected = model.predict(x, verbose=0)
    np.testing.assert_allclose(run_bundle(path, {"input": x})["output"], expected, rtol=1e-5)
    graph = tf.compat.v1.GraphDef.FromString((path / "graph.pb").read_bytes())
    assert not {n.op for n in graph.node} & {"Mul", "Sub", "AddV2", "Rsqrt"}


def test_weights_that_two_layers_share_are_stored_once_and_not_scaled(tmp_path: Path) -> None:
    import keras

    shared = keras.layers.Dense(100, use_bias=False)
    x = keras.Input((100,), name="x")
    twice = keras.layers.BatchNormalization()(shared(keras.layers.ReLU()(shared(x))))
    model = keras.Model(x, twice)
    rng = np.random.default_rng(0)
    model.set_weights([rng.uniform(0.5, 1.5, w.shape) for w in model.get_weights()])
    path = Path(sparkdl.save_bundle(model, tmp_path / "m", outputs=["y"]))
    feed = rng.random((3, 100), dtype=np.float32)
    expected = model.predict(feed, verbose=0)
    np.testing.assert_allclose(run_bundle(path, {"x": feed})["y"], expected, rtol=1e-5)
    assert (path / "graph.pb").stat().st_size < 50_000


def test_control_flow_and_random_numbers_survive(tmp_path: Path) -> None:
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32, name="q")])
    def loop(q):
        for _ in tf.range(3):
            q = q + 1.0
        return q, tf.random.uniform(tf.shape(q)) - tf.random.uniform(tf.shape(q))

    path = sparkdl.save_bundle(loop, tmp_path / "m", outputs=["sum", "noise"])
    found = run_bundle(path, {"q": np.zeros((2, 3), np.float32)})
    np.testing.assert_array_equal(found["sum"], np.full((2, 3), 3))
    assert np.all(found["noise"] != 0), "two random numbers were taken for the same"


def test_a_function_whose_own_signature_has_no_names_takes_names(tmp_path: Path) -> None:
    import tensorflow as tf

    twice = tf.function(double, input_signature=[tf.TensorSpec([None, 2], tf.float32)])
    named = sparkdl.save_bundle(twice, tmp_path / "m", inputs={"q": ("float32", [None, 2])})
    ones = np.ones((1, 2), np.float32)
    assert [found.tolist() for found in run_bundle(named, {"q": ones}).values()] == [[[2, 2]]]
    plain = read_manifest(Path(sparkdl.save_bundle(twice, tmp_path / "plain")))
    assert [end["name"] for end in plain["inputs"]] == ["input_0"]


def test_layers_that_draw_random_numbers_in_inference_too_are_frozen(tmp_path: Path) -> None:
    import keras

    colors = getattr(keras.layers, "RandomSaturation", keras.layers.RandomContrast)  # of Keras 3.8
    layers = [colors(0.3), keras.layers.RandomFlip()]
    model = keras.Sequential([keras.Input((5, 5, 3)), *layers, keras.layers.Rescaling(2.0)])
    x = np.random.default_rng(0).uniform(0, 255, (2, 5, 5, 3)).astype("float32")
    found = run_bundle(sparkdl.save_bundle(model, tmp_path / "m", outputs=["y"]), {"input": x})
    np.testing.assert_allclose(found["y"], 2 * x, rtol=1e-6)


def test_a_convolution_of_volumes_in_groups_equals_keras(tmp_path: Path) -> None:
    import keras

    given = keras.Input((4, 4, 4, 4), name="x")
    layer = keras.layers.Conv3D(6, 2, groups=2, strides=2, padding="same", activation="relu")
    model = keras.Model(given, layer(given))
    rows = np.random.default_rng(0).normal(size=(3, 4, 4, 4, 4)).astype(np.float32)
    found = run_bundle(sparkdl.save_bundle(model, tmp_path / "m"), {"x": rows})
    expected = np.asarray(model(rows, training=False))
    np.testing.assert_allclose(next(iter(found.values())), expected, atol=1e-5)


def test_an_lstm_equals_keras(tmp_path: Path) -> None:
    import keras

    ids = keras.Input((5,), dtype="int32", name="ids")
    model = keras.Model(ids, keras.layers.LSTM(3)(keras.layers.Embedding(10, 4)(ids)))
    path = sparkdl.save_bundle(model, tmp_path / "m", outputs=["y"])
    feed = np.arange(10, dtype=np.int32).reshape(2, 5)
    expected = model.predict(feed, verbose=0)
    np.testing.assert_allclose(run_bundle(path, {"ids": feed})["y"], expected, rtol=1e-5)


def test_preprocessing_is_part_of_the_graph_and_takes_uint8(tmp_path: Path) -> None:
    import keras

    model = keras.Sequential([keras.Input((4, 5, 3)), keras.layers.Flatten()])
    pixels = np.random.default_rng(0).integers(0, 256, (2, 4, 5, 3), dtype=np.uint8)
    for mode in ("tf", "caffe", "torch"):
        path = sparkdl.save_bundle(model, tmp_path / mode, preprocessing=mode)
        prepare = keras.applications.imagenet_utils.preprocess_input
        expected = prepare(pixels.astype(np.float32), mode=mode)
        found = run_bundle(path, {"input": pixels})["output"]
        np.testing.assert_allclose(found, expected.reshape(2, -1), rtol=1e-5, atol=1e-5)
    image = read_manifest(path)["image"]
    assert image == {"input": "input", "height": 4, "width": 5, "channelOrder": "RGB"}


def test_an_image_model_of_any_size_needs_one(tmp_path: Path) -> None:
    import keras

    model = keras.Sequential([keras.Input((None, None, 3)), keras.layers.ReLU()])
    with pytest.raises(SettingsException, match="images of any size"):
        sparkdl.save_bundle(model, tmp_path / "m", image=True)
    path = sparkdl.save_bundle(model, tmp_path / "m", image={"height": 8, "width": 9})
    assert read_manifest(path)["inputs"][0]["shape"] == [-1, 8, 9, 3]
    own = {"height": None, "width": None}
    path = sparkdl.save_bundle(model, tmp_path / "own", image=own)
    assert read_manifest(path)["inputs"][0]["shape"] == [-1, -1, -1, 3]
    assert read_manifest(path)["image"].items() >= own.items()
    with pytest.raises(SettingsException, match="preprocessing='vgg' is unknown"):
        sparkdl.save_bundle(
            model, tmp_path / "n", preprocessing="vgg", image={"height": 8, "width": 9}
        )


def test_pickled_code_is_refused_unless_asked_for(tmp_path: Path) -> None:
    import keras

    model = keras.Sequential([keras.Input((4,)), keras.layers.Lambda(lambda x: x * 2)])
    for ending in ("keras", "h5"):
        file = tmp_path / f"m.{ending}"
        model.save(file)
        with pytest.raises(InvalidModelException, match=r"pickled Python code.*safe_mode=False"):
            sparkdl.save_bundle(file, tmp_path / "bundle")
        path = sparkdl.save_bundle(file, tmp_path / f"trusted-{ending}", safe_mode=False)
        ones = np.ones((1, 4), np.float32)
        np.testing.assert_array_equal(run_bundle(path, {"input": ones})["output"], ones * 2)
    assert not (tmp_path / "bundle").exists()


def test_a_graph_with_variables_is_refused(tmp_path: Path) -> None:
    import tensorflow as tf

    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [None, 2], name="x")
        tf.add(x, tf.compat.v1.get_variable("v", [2]), name="y")
    with pytest.raises(InvalidModelException, match="not frozen"):
        sparkdl.save_bundle(graph, tmp_path / "m")


def test_a_saved_model_with_a_table_is_copied_whole(tmp_path: Path) -> None:
    import tensorflow as tf

    class Words(tf.Module):
        def __init__(self):
            keys = tf.lookup.KeyValueTensorInitializer(["a", "b"], [1.0, 2.0])
            self.table = tf.lookup.StaticHashTable(keys, 0.0)

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="word")])
        def value(self, word):
            return {"value": self.table.lookup(word)}

    words = Words()
    folder = str(tmp_path / "saved")
    tf.saved_model.save(words, folder, signatures=words.value)
    path = sparkdl.save_bundle(folder, tmp_path / "m")
    manifest = verify_bundle(path)
    assert manifest["savedModel"] == "saved_model"
    assert manifest["source"]["signature"] == "serving_default"
    assert manifest["inputs"][0]["name"] == "word"
    assert "saved_model/saved_model.pb" in manifest["files"]


def test_a_saved_model_whose_variables_nothing_restores_is_refused_with_what_works(
    tmp_path: Path, spark: object
) -> None:
    import keras
    import tensorflow as tf

    network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    folder = str(tmp_path / "saved")
    tf.saved_model.save(network, folder)
    ways = (
        lambda: sparkdl.save_bundle(folder, tmp_path / "m"),
        lambda: sparkdl.TFInputGraph.fromSavedModelWithSignature(
            folder, "serve", "serving_default"
        ),
        lambda: sparkdl.load_model(folder),
    )
    for way in ways:
        with pytest.raises(InvalidModelException, match=r"sequential\S*/dense\S*/bias, .*export"):
            way()
    network.export(str(tmp_path / "exported"), verbose=False)
    assert sparkdl.load_model(tmp_path / "exported").outputs[0].shape == (None, 3)


def test_saved_models_and_keras_files_of_others(tmp_path: Path, shared_data: Path) -> None:
    half = shared_data / "interop" / "saved_model_half_plus_two_cpu" / "00000123"
    path = sparkdl.save_bundle(half, tmp_path / "half")
    found = run_bundle(path, {"x": np.ones((2, 1), np.float32)})
    np.testing.assert_array_equal(found["y"], [[2.5], [2.5]])
    with pytest.raises(InvalidModelException, match=r"no signature 'no'; it has classify_x_to_y"):
        sparkdl.save_bundle(half, tmp_path / "m", signature="no")
    for file in ("mnist_model.h5", "mnist_model.keras"):
        path = sparkdl.save_bundle(shared_data / "interop" / file, tmp_path / file)
        assert read_manifest(path)["outputs"][0]["shape"] == [-1, 10]


def test_a_frozen_graph_that_was_exported_for_one_image_takes_many(
    tmp_path: Path, shared_data: Path
) -> None:
    file = shared_data / "models" / "mobilenet_v1_0.25_128" / "frozen_graph.pb"
    path = sparkdl.save_bundle(
        file,
        tmp_path / "m",
        outputs={"predictions": "MobilenetV1/Predictions/Reshape_1:0"},
        preprocessing="tf",
    )
    manifest = read_manifest(path)
    assert manifest["inputs"][0]["shape"] == [-1, 128, 128, 3]
    assert manifest["outputs"][0]["shape"] == [-1, 1001]
    found = run_bundle(path, {"input": np.zeros((3, 128, 128, 3), np.uint8)})
    assert found["predictions"].shape == (3, 1001)


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        ("/nowhere/model.keras", ModelNotFoundException, "There is no model at"),
        (17, InvalidModelException, "Cannot make a bundle from a int"),
        (double, SettingsException, "A function does not say which types and shapes"),
    ],
)
def test_what_is_no_model_is_refused(tmp_path: Path, model, error, message) -> None:
    with pytest.raises(error, match=message):
        sparkdl.save_bundle(model, tmp_path / "m")


def test_a_damaged_or_newer_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidModelException, match="not a bundle"):
        read_manifest(tmp_path)
    (tmp_path / "model.json").write_text("{")
    with pytest.raises(InvalidModelException, match="not valid JSON"):
        read_manifest(tmp_path)
    (tmp_path / "model.json").write_text(json.dumps({"formatVersion": 99}))
    with pytest.raises(InvalidModelException, match="formatVersion 99"):
        read_manifest(tmp_path)
