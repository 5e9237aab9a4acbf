"""Which worker has which rows, in which order, and which rows are for validation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sparkdl._placement.lanes import LaneOrder
from sparkdl._placement.validation import Fraction

CASES = [(103, 16, 3), (64, 32, 4), (5, 8, 2), (3, 32, 5), (100, 7, 7), (50, 127, 4)]


def numbers(order: LaneOrder, step: int, seed: int | None, epoch: int = 0) -> list[int]:
    """Return the rows of a worker's share of a batch, by their numbers."""
    mine = order.share(0, order.rows)
    return [int(i) for i in mine[order.batches(epoch, seed).rows(step)]]


@pytest.mark.parametrize(("rows", "batch", "workers"), CASES)
@pytest.mark.parametrize("seed", [None, 3])
def test_every_row_is_in_one_batch_of_one_worker_and_all_take_as_many_steps(
    rows: int, batch: int, workers: int, seed: int | None
) -> None:
    orders = [LaneOrder(rows, batch, workers, r) for r in range(workers)]
    assert {o.steps for o in orders} == {-(-rows // batch)}
    assert sum(o.mine for o in orders) == rows
    steps = [[numbers(o, s, seed) for o in orders] for s in range(orders[0].steps)]
    assert sorted(i for step in steps for share in step for i in share) == list(range(rows))
    for step, shares in enumerate(steps):
        sizes = [len(s) for s in shares]
        assert sum(sizes) == orders[0].size(step)
        assert max(sizes) - min(sizes) <= 1
        assert sizes[0] == max(sizes) > 0


@pytest.mark.parametrize(("rows", "batch", "workers"), CASES)
def test_global_batches_do_not_depend_on_the_number_of_workers(
    rows: int, batch: int, workers: int
) -> None:
    alone = LaneOrder(rows, batch, 1, 0)
    for seed in (None, 3):
        for step in range(alone.steps):
            together = [
                i
                for r in range(workers)
                for i in numbers(LaneOrder(rows, batch, workers, r), step, seed, 2)
            ]
            assert sorted(together) == sorted(numbers(alone, step, seed, 2))


def test_without_shuffling_batches_are_those_of_keras() -> None:
    order = LaneOrder(103, 16, 1, 0)
    assert numbers(order, 2, None) == list(range(32, 48))
    assert numbers(order, 6, None) == list(range(96, 103))


def test_each_epoch_and_seed_has_its_own_order() -> None:
    order = LaneOrder(320, 32, 1, 0)
    orders = [numbers(order, 0, s, e) for s, e in ((1, 0), (1, 1), (2, 0))]
    assert orders[0] == numbers(order, 0, 1, 0)
    assert len({tuple(o) for o in orders}) == 3


def test_a_row_comes_into_every_batch_as_often_as_into_others() -> None:
    order = LaneOrder(320, 32, 1, 0)
    counts = np.zeros(10)
    for epoch in range(500):
        batches = order.batches(epoch, 1)
        counts[next(s for s in range(10) if 5 in batches.rows(s))] += 1
    assert counts.min() > 25
    assert counts.max() < 80


@pytest.mark.parametrize("fraction", [0.05, 0.1, 0.2, 1 / 3, 0.5, 0.77, 0.99])
def test_a_fraction_of_the_rows_is_chosen_from_everywhere(fraction: float) -> None:
    chosen = Fraction(fraction, 4)
    rows = chosen.chosen(0, 1000)
    assert len(rows) == pytest.approx(1000 * fraction, abs=1)
    assert len(set(rows)) == len(rows)
    halves = [int((rows < 500).sum()), int((rows >= 500).sum())]
    assert abs(halves[0] - halves[1]) <= 2
    for row in (0, 1, 7, 499, 500, 998, 1000):
        assert chosen.before(row) == int((rows < row).sum())
    assert _in_parts(chosen) == list(rows)
    assert fraction in (0.5, 0.99) or list(rows) != list(Fraction(fraction, 5).chosen(0, 1000))


def _in_parts(chosen: Any) -> list[int]:
    return [int(i) + s for s in range(0, 1000, 37) for i in chosen.chosen(s, min(37, 1000 - s))]
