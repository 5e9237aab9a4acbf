"""Sequences of unequal length: padded to the longest of a batch, as Keras would get them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from training_threads import spec_for, trained

import sparkdl
from sparkdl._placement.lanes import LaneOrder
from sparkdl._placement.ragged import RaggedRows
from sparkdl.errors import InvalidInputException, SettingsException

ROWS, BATCH, PADDING = 75, 16, -1.0


def ragged(parts: list[Any]) -> RaggedRows:
    shapes = np.array([p.shape for p in parts], "int32")
    return RaggedRows(np.concatenate([p.ravel() for p in parts]), shapes)


@pytest.fixture(scope="module")
def sequences() -> tuple[list[Any], Any]:
    """Sequences of 1 to 12 pairs of numbers, one of them empty; and what to learn of each."""
    draw = np.random.default_rng(6)
    parts = [draw.normal(size=(n, 2)).astype("float32") for n in draw.integers(1, 13, ROWS)]
    parts[5] = parts[5][:0]
    return parts, np.array([p.sum() for p in parts], "float32")[:, None]


def network() -> keras.Model:
    keras.utils.set_random_seed(1)
    x = keras.Input((None, 2), name="steps")
    y = keras.layers.Masking(PADDING)(x)
    y = keras.layers.Conv1D(3, 3, padding="same")(y)  # sees the padding
    return keras.Model(x, keras.layers.Dense(1)(keras.layers.LSTM(4)(y)))


def by_keras(model: keras.Model, parts: list[Any], y: Any, batches: list[Any]) -> list[float]:
    """Train on batches that are padded by hand; return the losses of steps."""
    model.compile("sgd", "mse")
    losses = []
    for rows in batches:
        x = np.full((len(rows), max(len(parts[i]) for i in rows), 2), PADDING, "float32")
        for target, i in zip(x, rows, strict=True):
            target[: len(parts[i])] = parts[i]
        model.reset_metrics()
        losses.append(float(model.train_on_batch(x, y[rows])))
    return losses


@pytest.mark.parametrize("by_length", [False, True])
def test_losses_are_those_of_keras_on_the_same_padded_batches(
    by_length: bool, sequences: Any, tmp_path: Path
) -> None:
    parts, y = sequences
    rows = ragged(parts)
    spec = spec_for(network(), [rows], [y], tmp_path, epochs=2, batch=BATCH, padding=PADDING)
    spec = replace(spec, by_length=by_length)
    order = LaneOrder(ROWS, BATCH, 1, 0)
    lengths = np.array([p.size for p in parts]) if by_length else None
    batches = order.batches(0, None, lengths)
    numbers = np.arange(ROWS)
    taken = [numbers[batches.rows(step)] for step in range(order.steps)]
    assert sorted(i for batch in taken for i in batch) == list(numbers)
    if by_length:
        longest = [max(parts[i].size for i in batch) for batch in taken]
        assert longest[:-1] == sorted(longest[:-1])
    model = network()
    losses = by_keras(model, parts, y, [*taken, *taken])
    sizes = [len(batch) for batch in taken]
    expected = [np.average(losses[i : i + len(taken)], weights=sizes) for i in (0, len(taken))]
    for workers in (1, 3):
        fitted, history = trained(spec, (rows, y), workers, tmp_path / str(workers))
        assert history["loss"] == pytest.approx(expected, rel=1e-5), workers
        for found, wanted in zip(fitted.get_weights(), model.get_weights(), strict=True):
            np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_rows_of_like_length_are_in_the_same_batches_whatever_the_workers() -> None:
    lengths = np.random.default_rng(2).integers(5, 500, 1603)
    alone = LaneOrder(1603, 16, 1, 0)
    epochs = []
    for epoch in (0, 1):
        whole = alone.batches(epoch, 7, lengths)
        batches = [np.arange(1603)[whole.rows(step)] for step in range(alone.steps)]
        assert sorted(np.concatenate(batches)) == list(range(1603))
        assert np.mean([np.ptp(lengths[b]) for b in batches[:-1]]) < 150
        for workers in (2, 3):
            orders = [LaneOrder(1603, 16, workers, rank) for rank in range(workers)]
            shares = [o.share(0, 1603) for o in orders]
            for step, batch in enumerate(batches):
                parts = [
                    s[o.batches(epoch, 7, lengths[s]).rows(step)]
                    for o, s in zip(orders, shares, strict=True)
                ]
                assert sorted(np.concatenate(parts)) == sorted(batch)
        epochs.append([int(lengths[b].max()) for b in batches])
    assert epochs[0] != epochs[1]
    assert epochs[0] != sorted(epochs[0])


def test_an_estimator_takes_columns_of_sequences(spark: Any, sequences: Any) -> None:
    parts, y = sequences
    data = [(p.tolist(), [int(n) % 4 for n in range(i % 3)], float(v)) for i, (p, v) in
            enumerate(zip(parts, y[:, 0], strict=True))]  # fmt: skip
    frame = spark.createDataFrame(data, "steps array<array<float>>, words array<int>, y double")
    frame = frame.repartition(3).cache()
    rows = frame.collect()
    keras.utils.set_random_seed(1)
    x = keras.Input((None, 2), name="steps")
    words = keras.Input((None,), dtype="int32", name="words")
    hidden = keras.layers.GlobalAveragePooling1D()(keras.layers.Embedding(4, 3)(words))
    whole = keras.layers.Concatenate()([keras.layers.LSTM(4)(x), hidden])
    model = keras.Model([x, words], keras.layers.Dense(1)(whole))
    made = sparkdl.KerasEstimator(
        model=model,
        inputCols=["steps", "words"],
        labelCols=["y"],
        loss="mse",
        optimizer="sgd",
        batchSize=ROWS,
        shuffle=False,
        numWorkers=2,
        paddingValue={"steps": PADDING},
        verbose=0,
    )
    history = made.fit(frame).history
    padded = np.full((ROWS, max(len(r.steps) for r in rows), 2), PADDING, "float32")
    ids = np.zeros((ROWS, 2), "int32")
    for i, row in enumerate(rows):
        padded[i, : len(row.steps)] = np.array(row.steps).reshape(-1, 2)
        ids[i, : len(row.words)] = row.words
    model.compile("sgd", "mse")
    labels = np.array([r.y for r in rows], "float32")
    fit = {"batch_size": ROWS, "shuffle": False, "verbose": 0}
    expected = model.fit([padded, ids], labels, **fit).history
    assert history["loss"] == pytest.approx(expected["loss"], rel=1e-5)
    wrong = made.copy({made.paddingValue: {"stps": 1.0}})
    with pytest.raises(SettingsException, match="unknown size, which are steps, words.*stps"):
        wrong.fit(frame)
    uneven = spark.createDataFrame([([[1.0, 2.0], [1.0]], [1], 0.0)], frame.schema)
    with pytest.raises(InvalidInputException, match="row 0 .* unequal length within it.*'steps'"):
        made.fit(uneven)


def test_rows_have_one_hash_however_they_are_cut() -> None:
    draw = np.random.default_rng(3)
    parts = [draw.normal(size=(n, 2)).astype("float32") for n in (3, 0, 5, 1)]
    whole = ragged(parts).digests(np.uint64(1))
    cut = [ragged(parts[:2]), ragged(parts[2:])]
    assert list(whole) == [h for part in cut for h in part.digests(np.uint64(1))]
    longer = ragged([np.concatenate([parts[0], np.zeros((1, 2), "float32")])])
    assert longer.digests(np.uint64(1))[0] != whole[0]
    assert ragged(parts)[1:3].shapes.tolist() == [[0, 2], [5, 2]]
