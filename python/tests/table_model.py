"""A table of people, and a model of it as Keras' tutorials on structured data build them."""

from __future__ import annotations

from typing import Any

import numpy as np

FEATURES = ("age", "rooms", "colour", "income")
COLOURS = ("red", "blue", "grün")
SCHEMA = "age double, rooms int, colour string, income array<double>, bought int, town string"
ROWS = 96


def people() -> list[tuple[Any, ...]]:
    """Return rows of `SCHEMA`, whose texts have one to five bytes."""
    draw = np.random.default_rng(1)
    rows = []
    for i in range(ROWS):
        age, rooms = float(draw.integers(18, 80)), int(draw.integers(1, 5))
        colour = COLOURS[int(draw.integers(3))] if i % 7 else "?"
        bought = int(age + 10 * rooms + 20 * (colour == "red") > 80)
        town = ("Bern", "Rome", "Ulm")[(rooms + bought) % 3]
        rows.append((age, rooms, colour, [float(np.float32(draw.normal()))], bought, town))
    return rows


def table_model(*last: Any) -> Any:
    """Return a model with an input per column; its last layers are given."""
    import keras

    keras.utils.set_random_seed(4)
    age = keras.Input((1,), name="age")
    rooms = keras.Input((1,), name="rooms", dtype="int64")
    colour = keras.Input((1,), name="colour", dtype="string")
    income = keras.Input((), name="income")
    words = keras.layers.StringLookup(vocabulary=list(COLOURS))(colour)
    features = [
        keras.layers.Normalization(mean=50.0, variance=300.0)(age),
        keras.layers.CategoryEncoding(4, "one_hot")(
            keras.layers.IntegerLookup(vocabulary=[1, 2, 3])(rooms)
        ),
        keras.layers.Flatten()(keras.layers.Embedding(4, 2)(words)),
        keras.layers.Reshape((1,))(income),
    ]
    out = keras.layers.Dense(8, activation="tanh")(keras.layers.Concatenate()(features))
    for layer in last or [keras.layers.Dense(1, activation="sigmoid", name="bought")]:
        out = layer(out)
    return keras.Model([age, rooms, colour, income], out, name="people")


def tensors(rows: list[tuple[Any, ...]]) -> dict[str, Any]:
    """Return the rows as Keras takes them."""
    import tensorflow as tf

    age, rooms, colour, income, *_ = zip(*rows, strict=True)
    return {
        "age": tf.constant(age, tf.float32),
        "rooms": tf.constant(rooms, tf.int64),
        "colour": tf.constant(colour),
        "income": tf.constant([i[0] for i in income], tf.float32),
    }
