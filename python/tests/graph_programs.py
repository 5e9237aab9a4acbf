"""Random programs of TensorFlow, for `test_graph_fuzz`: steps on rows."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import tensorflow as tf

v1 = tf.compat.v1
WIDTH = 3
DTYPES = ["float32", "float64", "int32", "int64"]


def _loop(x: Any, weight: Any) -> Any:
    return tf.while_loop(lambda i, _: i < 3, lambda i, v: (i + 1, v + weight), (0, x))[1]


def _branch(x: Any, weight: Any) -> Any:
    return tf.cond(tf.reduce_sum(weight) > 0, lambda: x + weight, lambda: x - weight)


def _table(x: Any, weight: Any) -> Any:
    values = tf.cast(tf.range(7) * 3, x.dtype)
    return tf.gather(values, tf.math.floormod(tf.cast(x, tf.int32), 7)) + weight


def _lookup(x: Any, weight: Any, table: Any) -> Any:
    return tf.cast(table.lookup(tf.cast(x, tf.int64)), x.dtype) + weight


# From the value of the rows and a weight of as many columns, row by row.
STEPS: dict[str, Callable[[Any, Any], Any]] = {
    "add": lambda x, w: x + w,
    "multiply": lambda x, w: x * w,
    "reverse": lambda x, w: tf.reverse(x, [1]) - w,
    "clip": lambda x, w: tf.minimum(x, w),
    "where": lambda x, w: tf.where(x > w, x, -x),
    "sum": lambda x, w: x + tf.reduce_sum(x, axis=1, keepdims=True),
    "double": lambda x, w: tf.concat([x, x], 1)[:, :WIDTH] + w,
    "loop": _loop,
    "branch": _branch,
    "gather": _table,
}
LOOKUP = "lookup"  # in a table of the module's


def new_table() -> Any:
    """Return a table of some numbers."""
    keys = tf.range(-5, 6, dtype=tf.int64)
    return tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(keys, keys * 2), 100)


@dataclass(frozen=True)
class Program:
    """Steps that follow each other; what is seen after some of them are the outputs.

    Attributes
    ----------
    dtype : str
    batch : int or None
        Rows that it takes, None for any number.
    steps : tuple of (str, tuple of int)
        Names of STEPS, or LOOKUP, and weights.
    outputs : tuple of int
        After how many steps each.
    variable : bool
        Whether weights are variables.
    old : bool
        Whether control flow is that of TensorFlow 1.
    rows, partitions : int
        Of the DataFrame.
    way : str
        How it comes in and is run.
    """

    dtype: str
    batch: int | None
    steps: tuple[tuple[str, tuple[int, ...]], ...]
    outputs: tuple[int, ...]
    variable: bool
    old: bool
    rows: int
    partitions: int
    way: str

    @property
    def has_table(self) -> bool:
        """Whether a step looks something up in a table."""
        return any(name == LOOKUP for name, _ in self.steps)

    def run(self, x: Any, weights: list[Any], table: Any) -> dict[str, Any]:
        """Return the outputs for rows, as tensors."""
        seen = [x]
        for (name, _), weight in zip(self.steps, weights, strict=True):
            last = seen[-1]
            seen.append(
                _lookup(last, weight, table) if name == LOOKUP else STEPS[name](last, weight)
            )
        return {f"y{i}": tf.identity(seen[after]) for i, after in enumerate(self.outputs)}

    def weights(self) -> list[Any]:
        """Return the weights of the steps as arrays."""
        return [np.array(w, self.dtype) for _, w in self.steps]

    def data(self) -> Any:
        """Return the rows."""
        numbers = np.random.default_rng(self.rows).integers(-9, 10, (self.rows, WIDTH))
        return numbers.astype(self.dtype)

    def expected(self) -> Mapping[str, Any]:
        """Return what TensorFlow gives for the rows here."""
        x = self.data()
        if self.batch is None:
            batches = [x]
        else:
            filled = np.concatenate([x, np.repeat(x[:1], -len(x) % self.batch, axis=0)])
            batches = np.split(filled, len(filled) // self.batch)
        weights, table = [tf.constant(w) for w in self.weights()], new_table()
        found = [self.run(tf.constant(b), weights, table) for b in batches]
        return {n: np.concatenate([f[n] for f in found])[: self.rows] for n in found[0]}

    def smaller(self) -> list[Program]:
        """Return programs that have less of something."""
        fewer = [
            replace(
                self,
                steps=self.steps[:i] + self.steps[i + 1 :],
                outputs=tuple(o - (o > i) for o in self.outputs),
            )
            for i in range(len(self.steps))
        ]
        single = [replace(self, outputs=(o,)) for o in self.outputs if len(self.outputs) > 1]
        changes: list[dict[str, Any]] = [
            {"rows": 1, "partitions": 1},
            {"batch": None},
            {"variable": False},
            {"old": False},
            {"dtype": "float32"},
        ]
        simpler = [replace(self, **change) for change in changes]
        return [p for p in [*fewer, *single, *simpler] if p != self]


def by_chance(chance: random.Random, ways: Mapping[str, bool]) -> Program:
    """Return a program for one of these ways, which says whether it can have a table."""
    way = chance.choice(list(ways))
    known = [*STEPS, *([LOOKUP] if ways[way] else [])]
    names = [chance.choice(known) for _ in range(chance.randint(1, 5))]
    steps = tuple((n, tuple(chance.randint(-3, 3) for _ in range(WIDTH))) for n in names)
    count = chance.randint(1, 3)
    return Program(
        dtype=chance.choice(DTYPES),
        batch=chance.choice([None, None, 1, 4]),
        steps=steps,
        outputs=tuple(chance.randint(1, len(steps)) for _ in range(count)),
        variable=chance.random() < 0.5,
        old=chance.random() < 0.5,
        rows=chance.choice([1, 3, 7, 20]),
        partitions=chance.choice([1, 2, 5]),
        way=way,
    )
