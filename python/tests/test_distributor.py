"""`TensorFlowDistributor` and `HorovodRunner`: processes that find each other, and end together."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from image_rows import picture, structs
from pyspark import cloudpickle

import sparkdl
from sparkdl.errors import (
    InvalidInputException,
    ModelExecutionException,
    SchemaMismatchException,
    SettingsException,
)

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # which workers do not have
STEPS, RATE = 5, 0.1


def batches() -> tuple[Any, Any]:
    """Five global batches of eight rows: inputs and targets of a linear model."""
    random = np.random.default_rng(0)
    x = random.normal(size=(STEPS, 8, 3)).astype("float32")
    return x, (x @ np.array([[1.0], [-2.0], [0.5]], "float32"))


def train(steps: int, rate: float) -> Any:
    """A loop of one's own under MultiWorkerMirroredStrategy: half of each batch per process."""
    import keras
    import tensorflow as tf

    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    with strategy.scope():
        layer = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
        model = keras.Sequential([keras.Input((3,)), layer])
        optimizer = keras.optimizers.SGD(rate)
        optimizer.build(model.trainable_variables)
    rank, share = strategy.cluster_resolver.task_id, 8 // strategy.num_replicas_in_sync

    @tf.function
    def step(inputs: Any, targets: Any) -> Any:
        def replica(inputs: Any, targets: Any) -> Any:
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum((model(inputs) - targets) ** 2) / 8
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
            return loss

        return strategy.reduce("sum", strategy.run(replica, (inputs, targets)), axis=None)

    x, y = batches()
    mine = slice(share * rank, share * rank + share)
    losses = [float(step(x[i, mine], y[i, mine])) for i in range(steps)]
    print(f"{strategy.num_replicas_in_sync} replicas, the last loss is {losses[-1]:.4f}")
    return losses, model.get_weights()[0]


def plain() -> tuple[list[float], Any]:
    """The same loop in NumPy, on whole batches."""
    weights, losses = np.zeros((3, 1), "float32"), []
    for x, y in zip(*batches(), strict=True):
        losses.append(float(((x @ weights - y) ** 2).sum() / 8))
        weights = weights - RATE * 2 * x.T @ (x @ weights - y) / 8
    return losses, weights


def test_a_custom_loop_under_a_strategy_of_two_processes_gives_the_result_of_one_process(
    spark: Any, capfd: pytest.CaptureFixture[str]
):
    distributor = sparkdl.TensorFlowDistributor(numProcesses=2, localMode=False)
    losses, weights = distributor.run(train, STEPS, rate=RATE)
    expected_losses, expected = plain()
    np.testing.assert_allclose(losses, expected_losses, rtol=1e-5)
    np.testing.assert_allclose(weights, expected, rtol=1e-5)
    shown = capfd.readouterr().err
    for rank in range(2):
        assert f"worker {rank}: 2 replicas, the last loss is {losses[-1]:.4f}" in shown


def test_a_process_that_raises_ends_the_others_which_wait_for_it_with_its_traceback(spark: Any):
    def fails(rate: float) -> None:
        import tensorflow as tf

        strategy = tf.distribute.MultiWorkerMirroredStrategy()
        if strategy.cluster_resolver.task_id == 1:
            raise KeyError("no such weights")
        strategy.reduce("sum", tf.constant(rate), axis=None)  # waits for process 1

    start = time.monotonic()
    with pytest.raises(ModelExecutionException) as caught:
        sparkdl.TensorFlowDistributor(2, False).run(fails, 0.1)
    message = str(caught.value)
    assert message.startswith("Worker 1 of 2 failed: KeyError: 'no such weights'")
    assert "Traceback" in message
    assert 'raise KeyError("no such weights")' in message
    assert time.monotonic() - start < 60


def dies_once(folder: str) -> int:
    """Count the calls of process 0; process 1 is killed in the first."""
    rank = json.loads(os.environ["TF_CONFIG"])["task"]["index"]
    calls = Path(folder, f"calls-{rank}")
    with calls.open("a") as file:
        file.write("x")
    count = calls.stat().st_size
    if rank == 1 and count == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return count


def test_when_a_process_is_killed_all_begin_again(spark: Any, tmp_path: Path):
    distributor = sparkdl.TensorFlowDistributor(2, localMode=False)
    assert distributor.run(dies_once, str(tmp_path)) == 2


class Mute(Exception):
    """An exception that cannot be pickled and has no text."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()

    def __str__(self) -> str:
        raise RuntimeError("no text")


def gives_what_cannot_travel(kind: str) -> Any:
    if kind == "error":
        raise Mute
    return threading.Lock()


def test_what_cannot_be_sent_is_named_and_not_tried_again(spark: Any):
    alone = sparkdl.TensorFlowDistributor(1)
    with pytest.raises(ModelExecutionException, match="Worker 0 of 1 failed: Mute: <exception str"):
        alone.run(gives_what_cannot_travel, "error")
    with pytest.raises(ModelExecutionException, match="returned, of type lock, cannot be sent to"):
        alone.run(gives_what_cannot_travel, "result")
    rows = sparkdl.tf_dataset(spark.range(8), "id", 4, shard=True)
    with pytest.raises(SettingsException, match="cannot be sent to the processes.*shard=True"):
        alone.run(print, [rows])


def about_me(**keywords: Any) -> tuple[Any, str | None, dict[str, Any]]:
    return json.loads(os.environ["TF_CONFIG"]), os.environ.get("CUDA_VISIBLE_DEVICES"), keywords


def test_local_mode_runs_on_this_machine_and_gives_what_process_0_returns():
    config, gpus, keywords = sparkdl.TensorFlowDistributor(2).run(about_me, a=1)
    assert config["task"] == {"type": "worker", "index": 0}
    places = config["cluster"]["worker"]
    assert len(set(places)) == 2
    assert all(p.startswith("localhost:") for p in places)
    assert gpus == "-1"
    assert keywords == {"a": 1}


def test_horovods_runner_takes_as_many_processes_as_there_are_slots(spark: Any):
    config, _, keywords = sparkdl.HorovodRunner(np=0, driver_log_verbosity="log_callback_only").run(
        about_me, rate=0.5
    )
    assert len(config["cluster"]["worker"]) == 2
    assert keywords == {"rate": 0.5}


def test_a_function_for_horovod_is_told_what_to_use_instead(monkeypatch: pytest.MonkeyPatch):
    from sparkdl.training.horovod_runner import _without_horovod

    def main() -> None:
        import horovod.tensorflow  # noqa: F401

    monkeypatch.setitem(sys.modules, "horovod", None)
    with pytest.raises(SettingsException, match="does not start Horovod.*KerasEstimator"):
        _without_horovod(main, False)

    def other() -> None:
        import no_such_module  # noqa: F401

    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        _without_horovod(other, True)


def test_what_cannot_run_is_refused_before_anything_starts(spark: Any):
    with pytest.raises(SettingsException, match="numProcesses must be at least 1, got 0"):
        sparkdl.TensorFlowDistributor(0)
    with pytest.raises(SettingsException, match="Cannot run 3 workers.*2 task slot"):
        sparkdl.TensorFlowDistributor(3, False).run(about_me)
    with pytest.raises(SettingsException, match="a task has 0 GPUs. Start Spark with"):
        sparkdl.TensorFlowDistributor(2, False, useGpu=True).run(about_me)
    with pytest.raises(SettingsException, match="each of 2 processes, but the driver has 0"):
        sparkdl.TensorFlowDistributor(2, True, useGpu=True).run(about_me)


def test_addresses_of_gpus_are_places_in_what_cuda_is_told_already():
    from sparkdl._processes.gpus import visible_devices

    shown = {"CUDA_VISIBLE_DEVICES": "4, GPU-b,6"}
    assert visible_devices(["2", "0"], shown) == "6,4"
    assert visible_devices(["GPU-b"], shown) == "GPU-b"
    assert visible_devices(["GPU-c"], {}) == "GPU-c"
    for unknown in ("3", "GPU-c"):
        with pytest.raises(SettingsException, match=r"=4,GPU-b,6 shows 3\. The discovery script"):
            visible_devices([unknown], shown)


def test_processes_see_the_gpus_that_spark_gave_them_and_no_others(monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    from sparkdl.training._distributed_call import environment

    places = ["a:1", "b:2"]
    assert environment(0, places, ("3", "5"))["CUDA_VISIBLE_DEVICES"] == "3,5"
    assert environment(0, places, None)["CUDA_VISIBLE_DEVICES"] == "-1"
    assert "CUDA_VISIBLE_DEVICES" not in environment(0, places, ())


def plain_values(ids: Any, pairs: Any, words: Any) -> Any:
    texts = [[w.decode() for w in row] for row in words.numpy().tolist()]
    return ids.numpy().tolist(), pairs.numpy().tolist(), texts


def share_of(data: Any, images: Any, folder: str) -> None:
    """Write what this process gets of two datasets."""
    import tensorflow as tf

    tf.distribute.MultiWorkerMirroredStrategy()  # must be the first that TensorFlow does
    data, images = data(), images()
    epochs = [[plain_values(*batch) for batch in data] for _ in range(2)]
    pixels = [[p.tobytes().hex() for p in batch.numpy()] for batch in images]
    rank = json.loads(os.environ["TF_CONFIG"])["task"]["index"]
    Path(folder, str(rank)).write_text(json.dumps([int(data.cardinality()), epochs, pixels]))


def test_processes_share_out_the_batches_that_the_estimator_trains_on(spark: Any, tmp_path: Path):
    rows = spark.range(0, 50, 1, 3).selectExpr(
        "id", "array(CAST(id AS float), 1f) AS pair", "array('é', CAST(id AS string)) AS words"
    )
    columns = ("id", "pair", "words")
    data = sparkdl.tf_dataset(rows, columns, 8, shuffle=True, seed=1, shard=True)
    pictures = [picture(4, 4, seed=i) for i in range(3)]
    frame = structs(spark, pictures[0], None, *pictures[1:])
    images = sparkdl.tf_dataset(frame, "image", 2, shard=True, handle_invalid="skip")
    distributor = sparkdl.TensorFlowDistributor(2, localMode=False)
    distributor.run(share_of, data, images=images, folder=str(tmp_path))
    shares = [json.loads((tmp_path / str(rank)).read_text()) for rank in range(2)]
    assert [cardinality for cardinality, _, _ in shares] == [7, 7]
    orders = []
    for epoch in range(2):
        batches = list(zip(*(epochs[epoch] for _, epochs, _ in shares), strict=True))
        sizes = [[len(ids) for ids, *_ in batch] for batch in batches]
        assert sizes == [[4, 4]] * 6 + [[1, 1]]
        orders.append([sorted(i for ids, *_ in batch for i in ids) for batch in batches])
        assert sorted(i for batch in orders[-1] for i in batch) == list(range(50))
        for ids, pairs, words in (share for batch in batches for share in batch):
            assert pairs == [[i, 1] for i in ids]
            assert words == [["é", str(i)] for i in ids]
    assert orders[0] != orders[1]
    assert orders[0] == [sorted(alone(epoch=0, step=s)) for s in range(7)]
    # The third image is alone in its batch, of which process 1 has no row.
    expected = [[p.tobytes().hex()] for p in pictures]
    assert [pixels for _, _, pixels in shares] == [[expected[0], expected[2]], [expected[1], []]]


def alone(epoch: int, step: int) -> list[int]:
    """The rows of a batch of the only worker of a training."""
    from sparkdl._placement.lanes import LaneOrder

    order = LaneOrder(rows=50, batch=8, workers=1, rank=0)
    kept: list[int] = order.share(0, 50)[order.batches(epoch, 1).rows(step)].tolist()
    return kept


def test_rows_that_cannot_be_shared_out_are_an_error_before_anything_runs(spark: Any):
    rows = spark.range(0, 8).selectExpr("id", "IF(id = 3, NULL, id) AS x", "X'00' AS word")
    distributor = sparkdl.TensorFlowDistributor(2, localMode=False)
    with pytest.raises(InvalidInputException, match="column 'x' is null.*handle_invalid"):
        distributor.run(share_of, sparkdl.tf_dataset(rows, "x", 4, shard=True))
    with pytest.raises(SettingsException, match="2 processes share.* at least 2, got 1"):
        distributor.run(share_of, sparkdl.tf_dataset(rows, "id", 1, shard=True))
    few = sparkdl.tf_dataset(rows, "id", 9, drop_remainder=True, epochs=None, shard=True)
    with pytest.raises(InvalidInputException, match="no batch: 8 row.*batch_size is 9 with drop"):
        distributor.run(share_of, few)
    with pytest.raises(SettingsException, match="use localMode=False, which with master local"):
        sparkdl.TensorFlowDistributor(2).run(
            share_of, sparkdl.tf_dataset(rows, "id", 4, shard=True)
        )
    with pytest.raises(SchemaMismatchException, match="Column 'word' has bytes, which"):
        sparkdl.tf_dataset(rows, "word", shard=True)
