"""The same training by TensorFlow's own collectives: a loop under MultiWorkerMirroredStrategy."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from trainbench.networks import LOSS, NETWORKS, OPTIMIZER


def trained(name: str, epochs: int) -> dict[str, Any]:
    """Train in two processes; return the seconds of the epochs after the first, and losses."""
    import sparkdl

    distributor = sparkdl.TensorFlowDistributor(numProcesses=2, localMode=False)
    seconds, losses = distributor.run(_train, name, epochs + 1)
    return {"seconds": seconds[1:], "losses": losses}


def _train(name: str, epochs: int) -> Any:
    import tensorflow as tf

    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    network, step = NETWORKS[name], _step(strategy, name)
    rank, count = strategy.cluster_resolver.task_id, strategy.num_replicas_in_sync
    inputs, targets = (a[rank::count] for a in network.data())
    share, random = network.batch // count, np.random.default_rng(0)
    seconds, losses = [], []
    for _ in range(epochs):
        begin, total = time.perf_counter(), 0.0
        places = random.permutation(len(inputs))
        for at in range(0, len(inputs), share):
            rows = places[at : at + share]
            total += float(step(inputs[rows], targets[rows]))
        losses.append(total / network.steps)
        seconds.append(time.perf_counter() - begin)
    return seconds, losses


def _step(strategy: Any, name: str) -> Any:
    """Return a function that takes a step on this process' share of a batch; gives the loss."""
    import keras
    import tensorflow as tf

    network = NETWORKS[name]
    with strategy.scope():
        model, optimizer = network.build(), keras.optimizers.get(OPTIMIZER)
        optimizer.build(model.trainable_variables)
        loss_of = keras.losses.get(LOSS)

    @tf.function
    def step(inputs: Any, targets: Any) -> Any:
        def replica(inputs: Any, targets: Any) -> Any:
            with tf.GradientTape() as tape:
                losses = loss_of(targets, model(inputs, training=True))
                loss = tf.reduce_sum(losses) / network.batch
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
            return loss

        return strategy.reduce("SUM", strategy.run(replica, (inputs, targets)), axis=None)

    return step
