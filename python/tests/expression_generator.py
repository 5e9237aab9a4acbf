"""Random programs of one row, as plain data: nested tuples of operations, inputs and constants.

An expression is ("input", column), ("constant", values) or (operation, parameters, *operands).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

Expression = tuple[Any, ...]
Program = tuple[Expression, ...]  # an expression for each output
Row = Mapping[str, Any]
Pool = dict[Expression, list[Any]]

# Columns by name: type in Spark, dtype, and the shape of a value; -1 differs between rows.
COLUMNS = {
    "x": ("double", "float64", ()),
    "v": ("array<double>", "float64", (3,)),
    "m": ("array<array<double>>", "float64", (2, 3)),
    "f": ("array<float>", "float32", (3,)),
    "q": ("array<array<float>>", "float32", (3, 3)),
    "n": ("bigint", "int64", ()),
    "k": ("array<int>", "int32", (3,)),
    "b": ("boolean", "bool", ()),
    "t": ("array<boolean>", "bool", (3,)),
    "s": ("string", "string", ()),
    "r": ("array<double>", "float64", (-1,)),
}
FLOATS = ("float32", "float64")
NUMBERS = (*FLOATS, "int32", "int64")
ANY = (*NUMBERS, "bool", "string")


@dataclass(frozen=True)
class Operation:
    """An operation: what it takes, its parameters for given shapes, and how it is done."""

    takes: Sequence[Sequence[str]]
    apply: Callable[..., Any]
    parameters: Callable[[np.random.Generator, list[tuple[int, ...]]], tuple[Any, ...]] = (
        lambda rng, shapes: ()
    )
    alike: bool = True  # whether all operands are of one type


def _axis(rng: np.random.Generator, shapes: list[tuple[int, ...]]) -> tuple[Any, ...]:
    rank = len(shapes[0])
    return (int(rng.integers(-rank, rank)),)


def _new_axis(rng: np.random.Generator, shapes: list[tuple[int, ...]]) -> tuple[Any, ...]:
    rank = len(shapes[0]) + 1
    return (int(rng.integers(-rank, rank)),)


def _axes(rng: np.random.Generator, shapes: list[tuple[int, ...]]) -> tuple[Any, ...]:
    rank, keep = len(shapes[0]), bool(rng.integers(2))
    if rng.random() < 0.3:
        return (None, keep)
    some = [a if rng.random() < 0.5 else a - rank for a in range(rank) if rng.random() < 0.6]
    return (tuple(int(a) for a in rng.permutation(some)), keep)


def _order(rng: np.random.Generator, shapes: list[tuple[int, ...]]) -> tuple[Any, ...]:
    return (tuple(int(i) for i in rng.permutation(len(shapes[0]))),)


def _shape(rng: np.random.Generator, shapes: list[tuple[int, ...]]) -> tuple[Any, ...]:
    size = int(np.prod(shapes[0]))
    shapes_of_it = [(size,), (-1,), (1, size), (size, 1), (-1, 1, 1), (1, -1), ()]
    shapes_of_it += [(d, -1) for d in range(2, size) if size % d == 0]
    return (shapes_of_it[int(rng.integers(len(shapes_of_it)))],)


def _slices(rng: np.random.Generator, shapes: list[tuple[int, ...]]) -> tuple[Any, ...]:
    """Indices as Python writes them: numbers, ("slice", a, b, step), "..." and "new"."""
    found: list[Any] = []
    for size in shapes[0][: int(rng.integers(len(shapes[0]) + 1))]:
        kind = rng.integers(5)
        if kind == 0:
            found.append(int(rng.integers(-size, size)) if size else 0)
        elif kind == 1:
            found.append("new")
        elif kind == 2 and "..." not in found:
            found.append("...")
        else:
            step = int(rng.choice([1, 2, -1, -2]))
            ends = [None if rng.random() < 0.4 else int(rng.integers(-3, 4)) for _ in range(2)]
            found.append(("slice", *ends, step))
    return (tuple(found),)


def _index(part: Any) -> Any:
    if part == "...":
        return Ellipsis
    if part == "new":
        return tf.newaxis
    return slice(*part[1:]) if isinstance(part, tuple) else part


def _pads(rng: np.random.Generator, shapes: list[tuple[int, ...]]) -> tuple[Any, ...]:
    pads = tuple(tuple(int(p) for p in rng.integers(0, 3, 2)) for _ in shapes[0])
    return (pads, str(rng.choice(["CONSTANT", "REFLECT", "SYMMETRIC"])))


def _places(rng: np.random.Generator, shapes: list[tuple[int, ...]]) -> tuple[Any, ...]:
    [axis] = _axis(rng, shapes)
    many = rng.integers(0, shapes[0][axis], int(rng.integers(1, 4)))
    return (int(many[0]) if rng.random() < 0.3 else tuple(int(i) for i in many), axis)


def _multiples(rng: np.random.Generator, shapes: list[tuple[int, ...]]) -> tuple[Any, ...]:
    return (tuple(int(i) for i in rng.integers(1, 3, len(shapes[0]))),)


def _begin_size(rng: np.random.Generator, shapes: list[tuple[int, ...]]) -> tuple[Any, ...]:
    begin = tuple(int(rng.integers(0, d)) for d in shapes[0])
    size = tuple(
        -1 if rng.random() < 0.4 else int(rng.integers(0, d - b + 1))
        for b, d in zip(begin, shapes[0], strict=True)
    )
    return (begin, size)


def _equation(rng: np.random.Generator, shapes: list[tuple[int, ...]]) -> tuple[Any, ...]:
    first, second = "abcd"[: len(shapes[0])], "bcde"[: len(shapes[1])]
    used = sorted(set(first + second))
    kept = "".join(str(c) for c in rng.permutation([c for c in used if rng.random() < 0.6]))
    return (f"{first},{second}->{kept}",)


def _target(dtype: Sequence[str]) -> Callable[..., tuple[Any, ...]]:
    return lambda rng, shapes: (str(rng.choice(list(dtype))),)


def _broadcast(rng: np.random.Generator, shapes: list[tuple[int, ...]]) -> tuple[Any, ...]:
    front = tuple(int(i) for i in rng.integers(1, 3, int(rng.integers(0, 2))))
    return (front + tuple(d if d != 1 else int(rng.integers(1, 4)) for d in shapes[0]),)


def _one(types: Sequence[str], function: Callable[..., Any]) -> Operation:
    return Operation([types], lambda p, x: function(x))


def _two(types: Sequence[str], function: Callable[..., Any]) -> Operation:
    return Operation([types, types], lambda p, x, y: function(x, y))


def _reduction(types: Sequence[str], function: Callable[..., Any]) -> Operation:
    def apply(p: tuple[Any, ...], x: Any) -> Any:
        return function(x, axis=None if p[0] is None else list(p[0]), keepdims=p[1])

    return Operation([types], apply, _axes)


def _loop(x: Any) -> Any:
    """A loop whose length depends on the row."""
    steps = tf.minimum(tf.cast(tf.reduce_sum(tf.abs(x)), tf.int32), 5)
    return tf.while_loop(lambda i, y: i < steps, lambda i, y: (i + 1, y * 1.5 + 1), (0, x))[1]


OPERATIONS: dict[str, Operation] = {
    **{
        f.__name__: _one(FLOATS, f)
        for f in (tf.exp, tf.tanh, tf.sigmoid, tf.floor, tf.round, tf.nn.relu, tf.nn.softplus)
    },
    **{f.__name__: _one(FLOATS, f) for f in (tf.math.is_nan, tf.math.erf, tf.nn.elu, tf.sin)},
    **{f.__name__: _one(NUMBERS, f) for f in (tf.abs, tf.negative, tf.square, tf.sign)},
    "sqrt_abs": _one(FLOATS, lambda x: tf.sqrt(tf.abs(x))),
    "log1p_abs": _one(FLOATS, lambda x: tf.math.log1p(tf.abs(x))),
    "not": _one(["bool"], tf.logical_not),
    "upper": _one(["string"], tf.strings.upper),
    "length": _one(["string"], tf.strings.length),
    "replace": _one(["string"], lambda x: tf.strings.regex_replace(x, "[aeiou]", "_")),
    "as_string": _one(["int32", "int64", "bool"], tf.strings.as_string),
    "part": _one(["string"], lambda x: tf.strings.substr(x, 0, 1)),
    "zeros_like": _one(NUMBERS, tf.zeros_like),
    "softmax": Operation([FLOATS], lambda p, x: tf.nn.softmax(x, axis=p[0]), _axis),
    "top": Operation([NUMBERS], lambda p, x: tf.math.top_k(x, 2).values),
    "top_places": Operation([NUMBERS], lambda p, x: tf.math.top_k(x, 2).indices),
    **{f.__name__: _two(NUMBERS, f) for f in (tf.add, tf.subtract, tf.multiply, tf.maximum)},
    "minimum": _two(NUMBERS, tf.minimum),
    "divide": _two(FLOATS, tf.math.divide_no_nan),
    "floordiv": _two(NUMBERS, lambda x, y: x // (tf.abs(y) + 1)),
    "floormod": _two(NUMBERS, lambda x, y: x % (tf.abs(y) + 1)),
    "squared_difference": _two(NUMBERS, tf.math.squared_difference),
    **{f.__name__: _two(NUMBERS, f) for f in (tf.less, tf.greater_equal)},
    "equal": _two(ANY, tf.equal),
    "not_equal": _two(ANY, tf.not_equal),
    "and": _two(["bool"], tf.logical_and),
    "or": _two(["bool"], tf.logical_or),
    "join": _two(["string"], lambda x, y: tf.strings.join([x, y], "-")),
    "add_n": _two(NUMBERS, lambda x, y: tf.add_n([x, y, x])),
    "where": Operation(
        [["bool"], NUMBERS, NUMBERS], lambda p, c, x, y: tf.where(c, x, y), alike=False
    ),
    **{
        f.__name__: _reduction(NUMBERS, f)
        for f in (tf.reduce_sum, tf.reduce_max, tf.reduce_min, tf.reduce_prod)
    },
    **{f.__name__: _reduction(FLOATS, f) for f in (tf.reduce_mean, tf.reduce_logsumexp)},
    **{f.__name__: _reduction(["bool"], f) for f in (tf.reduce_any, tf.reduce_all)},
    "argmax": Operation([NUMBERS], lambda p, x: tf.argmax(x, axis=p[0]), _axis),
    "argmin": Operation([NUMBERS], lambda p, x: tf.argmin(x, axis=p[0]), _axis),
    "cumsum": Operation([NUMBERS], lambda p, x: tf.cumsum(x, axis=p[0]), _axis),
    "cumprod": Operation(
        [NUMBERS], lambda p, x: tf.math.cumprod(x, axis=p[0], exclusive=True, reverse=True), _axis
    ),
    "reverse": Operation([ANY], lambda p, x: tf.reverse(x, [p[0]]), _axis),
    "reshape": Operation([ANY], lambda p, x: tf.reshape(x, p[0]), _shape),
    "flat": Operation([ANY], lambda p, x: tf.reshape(x, tf.reduce_prod(tf.shape(x))[None])),
    "transpose": Operation([ANY], lambda p, x: tf.transpose(x, p[0]), _order),
    "expand": Operation([ANY], lambda p, x: tf.expand_dims(x, p[0]), _new_axis),
    "squeeze": Operation([ANY], lambda p, x: tf.squeeze(x)),
    "squeeze_axis": Operation([ANY], lambda p, x: tf.squeeze(x, [p[0]]), _axis),
    "concat": Operation([ANY, ANY], lambda p, x, y: tf.concat([x, y], p[0]), _axis),
    "stack": Operation([ANY, ANY], lambda p, x, y: tf.stack([x, y], p[0]), _new_axis),
    "unstack": Operation([ANY], lambda p, x: tf.unstack(x, axis=p[0])[-1], _axis),
    "split": Operation([ANY], lambda p, x: tf.split(x, x.shape[p[0]], p[0])[0], _axis),
    "gather": Operation([ANY], lambda p, x: tf.gather(x, p[0], axis=p[1]), _places),
    "gather_by": Operation(
        [ANY, ["int32", "int64"]],
        lambda p, x, i: tf.gather(x, tf.abs(i) % x.shape[p[0]], axis=p[0]),
        _axis,
        alike=False,
    ),
    "one_hot": Operation([["int32", "int64"]], lambda p, i: tf.one_hot(i, 4, axis=p[0]), _new_axis),
    "slice": Operation([ANY], lambda p, x: tf.slice(x, p[0], p[1]), _begin_size),
    "index": Operation([ANY], lambda p, x: x[tuple(map(_index, p[0]))], _slices),
    "pad": Operation(
        [(*NUMBERS, "bool")],
        lambda p, x: tf.pad(x, p[0], "CONSTANT" if x.dtype == tf.bool else p[1]),
        _pads,
    ),
    "tile": Operation([ANY], lambda p, x: tf.tile(x, p[0]), _multiples),
    "broadcast": Operation([ANY], lambda p, x: tf.broadcast_to(x, p[0]), _broadcast),
    "shape": Operation([ANY], lambda p, x: tf.shape(x)),
    "size": Operation([ANY], lambda p, x: tf.size(x)),
    "times_rank": Operation([["int32"]], lambda p, x: x * tf.rank(x)),
    "matmul": _two(FLOATS, tf.matmul),
    "matmul_t": _two(FLOATS, lambda x, y: tf.matmul(x, y, transpose_b=True)),
    "t_matmul": _two(FLOATS, lambda x, y: tf.matmul(x, y, transpose_a=True)),
    "einsum": Operation([FLOATS, FLOATS], lambda p, x, y: tf.einsum(p[0], x, y), _equation),
    "band": Operation([FLOATS], lambda p, x: tf.linalg.band_part(x, 0, -1)),
    "diagonal": Operation([FLOATS], lambda p, x: tf.linalg.diag_part(x)),
    "cast": Operation(
        [(*NUMBERS, "bool")], lambda p, x: tf.cast(x, p[0]), _target((*NUMBERS, "bool"))
    ),
    "cond": Operation(
        [FLOATS],
        lambda p, x: tf.cond(tf.reduce_sum(x) > 0, lambda: x * 2, lambda: tf.sqrt(tf.abs(x))),
    ),
    "loop": _one(["float64"], _loop),
    "sort": Operation([NUMBERS], lambda p, x: tf.sort(x, axis=-1)),
    "unique_count": Operation([["int32"]], lambda p, x: tf.size(tf.unique(tf.reshape(x, [-1])).y)),
}


def evaluate(expression: Expression, row: Row, known: dict[Expression, Any] | None = None) -> Any:
    """Return an expression's tensor. What occurs twice is computed once."""
    known = {} if known is None else known
    if expression not in known:
        kind = expression[0]
        if kind == "input":
            known[expression] = row[expression[1]]
        elif kind == "constant":
            known[expression] = tf.constant(np.array(expression[2]), expression[1])
        else:
            operands = [evaluate(e, row, known) for e in expression[2:]]
            known[expression] = OPERATIONS[kind].apply(expression[1], *operands)
    return known[expression]


def make_rows(seed: int, count: int) -> list[dict[str, Any]]:
    """Return rows of the columns, as TensorFlow's values."""
    rng = np.random.default_rng(seed)
    return [{name: _value(rng, *spec[1:]) for name, spec in COLUMNS.items()} for _ in range(count)]


def _value(rng: np.random.Generator, dtype: str, shape: tuple[int, ...]) -> Any:
    size = tuple(int(rng.integers(1, 4)) if d < 0 else d for d in shape)
    if dtype == "string":
        return tf.constant(str(rng.choice(["", "apple", "Pear", "über"])))
    if dtype == "bool":
        return tf.constant(rng.random(size) < 0.5)
    if dtype.startswith("int"):
        return tf.constant(rng.integers(-3, 4, size), dtype)
    return tf.constant(np.round(rng.normal(size=size) * 2, 3), dtype)


def make_program(seed: int, rows: Sequence[Row], outputs: int = 6, steps: int = 16) -> Program:
    """Return a random program that TensorFlow takes for each of the rows."""
    rng = np.random.default_rng(seed)
    # From the expressions that there are to their values in each row.
    pool: Pool = {("input", n): [row[n] for row in rows] for n in COLUMNS}
    made: list[Expression] = []
    while len(made) < steps:
        grown = _grown(rng, pool)
        if grown is not None and grown not in pool:
            values = _values(grown, pool, rows)
            if values is not None and all(map(_usable, values)):
                pool[grown] = values
                made.append(grown)
    some = rng.choice(len(made) - 2, outputs - 2, replace=False)
    return (*(made[int(i)] for i in some), *made[-2:])


def _values(expression: Expression, pool: Pool, rows: Sequence[Row]) -> list[Any] | None:
    try:
        return [
            evaluate(expression, row, {e: values[i] for e, values in pool.items()})
            for i, row in enumerate(rows)
        ]
    except (tf.errors.OpError, ValueError, TypeError, IndexError):
        return None


def _grown(rng: np.random.Generator, pool: Pool) -> Expression | None:
    name = list(OPERATIONS)[int(rng.integers(len(OPERATIONS)))]
    operation = OPERATIONS[name]
    operands: list[Expression] = []
    for types in operation.takes:
        if operands and operation.alike:
            types = [pool[operands[0]][0].dtype.name]
        found = [e for e, values in pool.items() if values[0].dtype.name in types]
        if not found:
            return None
        # What is new is used more often, so that expressions become deep.
        operands.append(found[int(len(found) * rng.random() ** 0.45)])
    likes = [pool[e][0] for e in operands]
    if len(operands) > 1 and rng.random() < 0.25:
        operands[-1] = _constant(rng, likes[-1])
    try:
        return (name, operation.parameters(rng, [tuple(v.shape) for v in likes]), *operands)
    except (ValueError, IndexError):  # there is no axis of a scalar
        return None


def _usable(value: Any) -> bool:
    small = value.shape.rank <= 4 and tf.size(value) <= 200
    return small and value.dtype.name in ANY and all(d > 0 for d in value.shape)


def _constant(rng: np.random.Generator, like: Any) -> Expression:
    shape = tuple(like.shape)[int(rng.integers(0, len(like.shape) + 1)) :]
    value = _value(rng, like.dtype.name, shape).numpy()
    if like.dtype == tf.string:
        return ("constant", "string", value.decode())
    return ("constant", like.dtype.name, _tuples(value.tolist()))


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def smaller_programs(program: Program) -> Iterator[Program]:
    """Give programs with an output less, or with an expression replaced by a part of it."""
    if len(program) > 1:
        yield from (program[:i] + program[i + 1 :] for i in range(len(program)))
        return
    yield from ((e,) for e in _smaller(program[0]))


def _smaller(expression: Expression) -> Iterator[Expression]:
    if expression[0] in ("input", "constant"):
        return
    yield from (e for e in expression[2:] if e[0] not in ("input", "constant"))
    for i, operand in enumerate(expression[2:], 2):
        candidates = [*_smaller(operand)]
        if operand[0] not in ("input", "constant"):
            candidates += [("input", name) for name in COLUMNS]
        for candidate in candidates:
            yield (*expression[:i], candidate, *expression[i + 1 :])
