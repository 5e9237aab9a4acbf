"""Bundles of the named models give what `keras.applications` gives."""

from __future__ import annotations

import collections

import numpy as np
import pytest
from parity import compared_networks, largest_difference, parity_case, run_bundle

from sparkdl._bundles.description.manifest import read_manifest


@pytest.mark.parametrize("name", compared_networks())
def test_features_and_predictions_equal_keras(name: str) -> None:
    case = parity_case(name)
    found = run_bundle(case.bundle, {"images": case.pixels})
    assert sorted(found) == ["features_avg", "features_max", "features_none", "predictions"]
    for output, expected in case.expected.items():
        assert largest_difference(found[output], expected) < 1e-4, output
        different = np.abs(expected[0] - expected[1]).max() / np.abs(expected).max()
        assert different > 1e-2, f"{output} hardly depends on the image: the test says nothing"
    _check_table(case)


def _check_table(case) -> None:
    model = case.model
    assert case.expected["features_avg"].shape[1] == model.features
    assert model.featureMap[2] == model.features
    assert case.expected["features_none"].shape[1] == np.prod(model.featureMap)
    assert case.expected["predictions"].shape[1] == model.classes
    graph_mb = (
        sum((case.bundle / name).stat().st_size for name in read_manifest(case.bundle)["files"])
        / 1e6
    )
    # Weights are stored once; batch norm folded into weights makes the graph a little smaller.
    assert 0.94 * model.weightsMB < graph_mb < 1.03 * model.weightsMB + 0.2
    manifest = read_manifest(case.bundle)
    assert manifest["inputs"][0] == {
        "name": "images",
        "tensor": "images:0",
        "dtype": "uint8",
        "shape": [-1, model.height, model.width, 3],
    }
    shapes = {o["name"]: o["shape"] for o in manifest["outputs"]}
    assert shapes == {n: [-1, v.shape[1]] for n, v in case.expected.items()}


def test_the_graph_is_ready_to_run() -> None:
    import tensorflow as tf

    graph = (parity_case("MobileNetV2").bundle / "graph.pb").read_bytes()
    nodes = tf.compat.v1.GraphDef.FromString(graph).node
    ops = collections.Counter(n.op for n in nodes)
    assert ops["Identity"] == 4  # the outputs
    assert ops["Mul"] == ops["Rsqrt"] == ops["FusedBatchNormV3"] == ops["ReadVariableOp"] == 0
    assert not [i for n in nodes for i in n.input if i.startswith("^")]
    # Attributes that one version of TensorFlow writes and another does not know.
    assert not [k for n in nodes for k in n.attr if k.startswith("_")]


def test_grouped_convolutions_and_dense_layers_on_maps_become_fast_operations() -> None:
    import tensorflow as tf

    graph = (parity_case("ConvNeXtTiny").bundle / "graph.pb").read_bytes()
    ops = collections.Counter(n.op for n in tf.compat.v1.GraphDef.FromString(graph).node)
    assert ops["DepthwiseConv2dNative"] == 18
    assert ops["MatMul"] == 1
    assert ops["StatefulPartitionedCall"] == ops["Shape"] == 0
