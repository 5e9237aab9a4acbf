"""`TensorFlowDistributor` and `HorovodRunner`: processes that find each other, and end together."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

import numpy as np
import pytest
from pyspark import cloudpickle

import sparkdl
from sparkdl.errors import ModelExecutionException, SettingsException

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # which workers do not have
STEPS, RATE = 5, 0.1


def batches() -> tuple[Any, Any]:
    """Five global batches of eight rows: inputs and targets of a linear model."""
    random = np.random.default_rng(0)
    x = random.normal(size=(STEPS, 8, 3)).astype("float32")
    return x, (x @ np.array([[1.0], [-2.0], [0.5]], "float32"))


def train(steps: int, rate: float) -> Any:
    """A loop of one's own under MultiWorkerMirroredStrategy: half of each batch per process."""
    import tensorflow as tf

    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    with strategy.scope():
        weights = tf.Variable(tf.zeros([3, 1]), aggregation=tf.VariableAggregation.SUM)
    rank, share = strategy.cluster_resolver.task_id, 8 // strategy.num_replicas_in_sync

    @tf.function
    def step(inputs: Any, targets: Any) -> Any:
        def replica(inputs: Any, targets: Any) -> Any:
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum((inputs @ weights - targets) ** 2) / 8
            weights.assign_sub(rate * tape.gradient(loss, weights))  # of all replicas
            return loss

        return strategy.reduce("sum", strategy.run(replica, (inputs, targets)), axis=None)

    x, y = batches()
    mine = slice(share * rank, share * rank + share)
    losses = [float(step(x[i, mine], y[i, mine])) for i in range(steps)]
    print(f"{strategy.num_replicas_in_sync} replicas, the last loss is {losses[-1]:.4f}")
    return losses, weights.numpy()


def plain() -> tuple[list[float], Any]:
    """The same loop in NumPy, on whole batches."""
    weights, losses = np.zeros((3, 1), "float32"), []
    for x, y in zip(*batches(), strict=True):
        losses.append(float(((x @ weights - y) ** 2).sum() / 8))
        weights = weights - RATE * 2 * x.T @ (x @ weights - y) / 8
    return losses, weights


def test_a_loop_of_ones_own_under_a_strategy_of_two_processes_gives_what_one_process_gives(
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


def about_me(**given: Any) -> tuple[Any, str | None, dict[str, Any]]:
    return json.loads(os.environ["TF_CONFIG"]), os.environ.get("CUDA_VISIBLE_DEVICES"), given


def test_local_mode_runs_on_this_machine_and_gives_what_process_0_returns():
    config, gpus, given = sparkdl.TensorFlowDistributor(2).run(about_me, a=1)
    assert config["task"] == {"type": "worker", "index": 0}
    places = config["cluster"]["worker"]
    assert len(set(places)) == 2
    assert all(p.startswith("localhost:") for p in places)
    assert gpus == "-1"
    assert given == {"a": 1}


def test_horovods_runner_takes_as_many_processes_as_there_are_slots(spark: Any):
    config, _, given = sparkdl.HorovodRunner(np=0).run(about_me, rate=0.5)
    assert len(config["cluster"]["worker"]) == 2
    assert given == {"rate": 0.5}


def test_a_function_for_horovod_is_told_what_to_use_instead(monkeypatch: pytest.MonkeyPatch):
    from sparkdl.training.horovod_runner import _without_horovod

    def main() -> None:
        import horovod.tensorflow  # noqa: F401

    monkeypatch.setitem(sys.modules, "horovod", None)
    with pytest.raises(SettingsException, match="does not start Horovod.*KerasEstimator"):
        _without_horovod(main, {}, alone=False)

    def other() -> None:
        import no_such_module  # noqa: F401

    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        _without_horovod(other, {}, alone=True)


def test_what_cannot_run_is_refused_before_anything_starts(spark: Any):
    with pytest.raises(SettingsException, match="numProcesses must be at least 1, got 0"):
        sparkdl.TensorFlowDistributor(0)
    with pytest.raises(SettingsException, match="Cannot run 3 workers.*2 task slot"):
        sparkdl.TensorFlowDistributor(3, False).run(about_me)
    with pytest.raises(SettingsException, match="a task has 0 GPUs. Start Spark with"):
        sparkdl.TensorFlowDistributor(2, False, useGpu=True).run(about_me)
    with pytest.raises(SettingsException, match="each of 2 processes, but the driver has 0"):
        sparkdl.TensorFlowDistributor(2, True, useGpu=True).run(about_me)


def test_processes_see_the_gpus_that_spark_gave_them_and_no_others():
    from sparkdl.training._tf_worker import environment

    places = ["a:1", "b:2"]
    assert environment(0, places, ("3", "5"))["CUDA_VISIBLE_DEVICES"] == "3,5"
    assert environment(0, places, None)["CUDA_VISIBLE_DEVICES"] == "-1"
    assert "CUDA_VISIBLE_DEVICES" not in environment(0, places, ())
