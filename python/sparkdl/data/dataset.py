"""`tf_dataset`: rows of a DataFrame for a custom training loop."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sparkdl._models.libraries import tensorflow
from sparkdl.data._as_dataset import as_dataset
from sparkdl.data._epoch_order import EpochOrder
from sparkdl.data._feed import BatchFeed, Batching
from sparkdl.data._source import Source
from sparkdl.data._structure import fields_by_name, names_in
from sparkdl.errors import SparkDLException

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from sparkdl.data._structure import Columns


def tf_dataset(
    df: DataFrame,
    columns: Columns,
    batch_size: int = 32,
    *,
    shuffle: bool = False,
    seed: int = 0,
    epochs: int | None = 1,
    image_size: Sequence[int] | None = None,
    num_workers: int = 2,
    drop_remainder: bool = False,
    cache: bool = False,
    handle_invalid: str = "error",
    rows: int | None = None,
    shard: bool = False,
    timeout: float = 600.0,
) -> Any:
    """Return a `tf.data.Dataset` that is fed from a DataFrame, partition by partition.

    Spark prepares the rows: executors decode and resize images in the JVM, with the code that
    feeds models at inference, and send batches of Arrow to the driver, where this dataset is used.
    Nothing is collected as a whole: the driver holds at most `num_workers` + 1 partitions.

    Input and Output, each with the batch as first dimension:

    - numbers and booleans keep their type, but double and decimal become float32; their shape is
      ``[batch]``, which Keras' functional models also take for inputs of shape ``[batch, 1]``;
    - structs become a dict of their fields, by name;
    - arrays, also nested ones, of one length in all rows become a tensor of their shape; MLlib
      vectors float32 ``[batch, size]``;
    - strings, and bytes when there is no `image_size`, become ``tf.string``;
    - image structs, and with `image_size` encoded bytes (JPEG, PNG, BMP, GIF, WebP, TIFF), become
      uint8 ``[batch, height, width, 3]``, RGB, 0 to 255.

    The order is that of the DataFrame. With `shuffle`, Spark once spreads the rows over the
    partitions at random, and in each epoch the partitions and the rows within them come in another
    order. It depends only on the DataFrame's own order, on `seed` and on the number of the epoch.
    Epochs are counted from 0 over the life of the dataset, so that the second iteration has other
    orders than the first. Each row comes once per epoch, and no batch has rows of two epochs.

    Parameters
    ----------
    df : DataFrame
    columns : str, or tuple, list or dict of them, nested in any way
        Names of columns, or of fields of structs ("s.v"). The elements of the dataset have the
        same structure, lists as tuples: ``("image", "label")`` is what `keras.Model.fit` takes, as
        is ``({"left": "a", "right": "b"}, "label", "weight")``.
    batch_size : int
        Rows of a batch; the last of an epoch may have fewer.
    shuffle : bool
    seed : int
        Seed of the shuffling.
    epochs : int, optional
        Passes over the rows in one iteration; None for an iteration that does not end.
    image_size : (int, int), optional
        Height and width. Without it, image structs keep their size, which must be the same in all
        rows.
    num_workers : int
        Partitions that Spark prepares at the same time, each on one task slot.
    drop_remainder : bool
        Leave out the last batch of an epoch if it has fewer rows.
    cache : bool
        Executors keep the prepared rows, in memory or else on disk, so that only the first epoch
        decodes and shuffles.
    handle_invalid : {"error", "skip"}
        What becomes of a row with a null, or with an image that cannot be decoded. "skip" leaves it
        out, and warns at the end of an epoch with the number and the first reasons.
    rows : int, optional
        How many rows an epoch has, if you know it (`df.count()`): the dataset then knows how many
        batches it has. `keras.Model.fit` shows that number, and warns after an epoch without it.
        Another number of rows is an error when they end.
    shard : bool
        Divide the rows among the processes of a `TensorFlowDistributor`; see Returns.
    timeout : float
        The most seconds that training waits for a partition.

    Returns
    -------
    tf.data.Dataset or Shards
        With `shard`, Shards, which are an argument for `TensorFlowDistributor.run`: its function
        gets, instead of them, a function that returns the `tf.data.Dataset` (to be called once
        there is a strategy). Each process has its own rows on its local disk.
        `batch_size` is then that of the global batch, of which each process has its share: as many
        rows as the others, or one more; of a last, smaller batch perhaps none, so that all take the
        same number of steps. The global batches, and their order, do not depend on the number of
        processes: they are those of `KerasEstimator`. Rows that cannot be used are an error before
        anything runs, or are skipped without a warning. `num_workers`, `cache`, `rows` and
        `timeout` then have no effect. Texts take as much room as the longest of their column; bytes
        are refused.

    Raises
    ------
    SchemaMismatchException
        A column is missing, or has a type that no tensor takes (or that `shard` does not).
    InvalidInputException
        The DataFrame is empty, or its first row cannot be used. An error in a later row ends the
        iteration with a `tf.errors.OpError`, whose text has the same message.
    SettingsException
        TensorFlow is not installed, or there is no session with sparkdl's jar.

    Examples
    --------
    >>> data = tf_dataset(
    ...     df, ("image", "label"), 64, shuffle=True, image_size=(32, 32)
    ... )  # doctest: +SKIP
    >>> for epoch in range(5):  # doctest: +SKIP
    ...     for images, labels in data:
    ...         train_step(images, labels)
    """
    tensorflow()
    names_in(columns)  # refuses what is no structure of names
    columns = fields_by_name(df, columns)
    source = Source(df, names_in(columns), _size(image_size))
    batching = Batching(
        size=_at_least_one("batch_size", batch_size),
        drop_remainder=bool(drop_remainder),
        epochs=None if epochs is None else _at_least_one("epochs", epochs),
        ahead=_at_least_one("num_workers", num_workers),
        timeout=float(timeout),
        skip=_skips(handle_invalid),
    )
    order = EpochOrder(bool(shuffle), int(seed))
    if shard:
        from sparkdl.data._shards import Shards  # imports what training on a cluster needs

        return Shards(source, columns, order, batching)
    feed = BatchFeed(source, order, batching, bool(cache))
    specs = [f.spec(batching.fixed_size) for f in feed.fields]
    count = None if rows is None else batching.batches(rows)
    dataset = as_dataset(feed.batches, columns, specs, count)
    # TensorFlow never frees the function of a dataset, so the feed outlives the dataset.
    weakref.finalize(dataset, feed.forget).atexit = False
    return dataset


def _at_least_one(name: str, value: int) -> int:
    if int(value) < 1:
        raise SparkDLException(f"{name} must be at least 1, got {value}.")
    return int(value)


def _size(value: Sequence[int] | None) -> tuple[int, int] | None:
    if value is None:
        return None
    if len(value) != 2 or min(value) < 1:
        raise SparkDLException(f"image_size must be (height, width) in pixels, got {value!r}.")
    return int(value[0]), int(value[1])


def _skips(value: str) -> bool:
    from sparkdl.param.invalid_rows import SKIP, WITHOUT_KEEP  # a package that imports pyspark

    if value not in WITHOUT_KEEP:
        raise SparkDLException(f'handle_invalid must be "error" or "skip", got {value!r}.')
    return value == SKIP
