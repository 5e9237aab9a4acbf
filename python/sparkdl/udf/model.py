"""TensorFlow models on columns: `load_model` and what it returns."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sparkdl._bundles.description.plain_values import plain_values
from sparkdl._notebook import Text, html_table
from sparkdl._places.places import path_text
from sparkdl.errors import SchemaMismatchException
from sparkdl.session.jvm_door import active_session, door

if TYPE_CHECKING:
    from py4j.java_gateway import JavaObject
    from pyspark.sql import Column, DataFrame, SparkSession


@dataclass(frozen=True)
class TensorSpec:
    """One input or output of a model.

    Attributes
    ----------
    name : str
        What it is called: the signature's key.
    dtype : str
        TensorFlow's name of the type of an element, such as "float32".
    shape : tuple of (int or None), or None
        The rows' dimension first; None for a dimension that is unknown, and for the whole shape
        when the rank is.
    """

    name: str
    dtype: str
    shape: tuple[int | None, ...] | None

    def __str__(self) -> str:
        """Return for example "x: float32 [?, 3]"."""
        return f"{self.name}: {self.dtype} {self.shape_text}"

    @property
    def shape_text(self) -> str:
        """The shape for people, for example "[?, 3]"."""
        if self.shape is None:
            return "[...]"
        return f"[{', '.join('?' if d is None else str(d) for d in self.shape)}]"


class Model:
    """A TensorFlow model to apply to columns; `load_model` makes it.

    It is immutable: the `with_...` methods return changed copies. The model is loaded once per
    executor, when a job first needs it, and runs batch by batch wherever it is in a query.

    Examples
    --------
    >>> model = sparkdl.load_model("/models/scores")  # doctest: +SKIP
    >>> df.select(model("features").alias("score"))  # doctest: +SKIP
    >>> model.register("score")  # doctest: +SKIP
    >>> spark.sql("SELECT score(features) FROM items")  # doctest: +SKIP
    """

    def __init__(self, jvm_model: JavaObject) -> None:
        self._jvm_model = jvm_model

    @property
    def name(self) -> str:
        """The name in the bundle, or the file's."""
        return str(self._jvm_model.name())

    @property
    def hash(self) -> str:
        """SHA-256 of the graph; the engine takes equal hashes for the same model."""
        return str(self._jvm_model.hash())

    @property
    def inputs(self) -> list[TensorSpec]:
        """The inputs, in the order in which a call takes columns."""
        return [_spec(s) for s in door().modelInputs(self._jvm_model)]

    @property
    def outputs(self) -> list[TensorSpec]:
        """The outputs that a call gives."""
        return [_spec(s) for s in door().modelOutputs(self._jvm_model)]

    def describe(self) -> str:
        """Return a text for people: where the model came from, inputs, outputs."""
        return Text(self._jvm_model.describe())

    def __repr__(self) -> str:
        return self.describe()

    def _repr_html_(self) -> str:
        """Return the inputs and outputs as a table."""
        ends = [("input", s) for s in self.inputs] + [("output", s) for s in self.outputs]
        rows = [(end, s.name, s.dtype, s.shape_text) for end, s in ends]
        return html_table([f"model '{self.name}'", "name", "dtype", "shape"], rows)

    def select(self, *outputs: str) -> Model:
        """Keep only these outputs, in this order.

        Raises
        ------
        SchemaMismatchException
            If the model has no such output.
        """
        return Model(door().selectOutputs(self._jvm_model, list(outputs)))

    def with_batch_size(self, rows: int) -> Model:
        """Run this many rows at once, instead of ``spark.sparkdl.batchSize``."""
        return Model(self._jvm_model.withBatchSize(int(rows)))

    def with_precision(self, precision: str) -> Model:
        """Run with "float32" or "bfloat16", instead of ``spark.sparkdl.precision``."""
        return Model(self._jvm_model.withPrecision(precision))

    def with_handle_invalid(self, policy: str) -> Model:
        """Choose what becomes of rows that cannot be fed.

        Parameters
        ----------
        policy : str
            "error" (the default), "keep" (null outputs) or, in `append_to` only, "skip".
        """
        return Model(self._jvm_model.withHandleInvalid(policy))

    def with_scale_hint(self, hint: str) -> Model:
        """Choose how images are resized, by the names that the image stages take."""
        return Model(self._jvm_model.withScaleHint(hint))

    def with_seed(self, seed: int) -> Model:
        """Make the random numbers that the model draws repeatable.

        What a row gets depends on the seed and the row alone, whatever the partitions and the
        batches; without a seed the numbers are new in every run. In `append_to` the row is all
        columns of the DataFrame; in a call and in SQL it is the inputs, so that rows with equal
        inputs get equal numbers, unless columns that tell them apart follow the inputs:
        ``model("x", "id")``. Each row is then run alone, which takes longer. It has no effect on a
        model that draws nothing.
        """
        return Model(self._jvm_model.withSeed(int(seed)))

    def flattened(self) -> Model:
        """Give each output as one array, row-major, instead of nested arrays."""
        return Model(self._jvm_model.flattened())

    def __call__(self, *columns: Column | str) -> Column:
        """Apply the model to columns, one per input in the order of `inputs`.

        One struct, whose fields have the names of the inputs, takes the place of several columns.
        A null in an input gives null, as in SQL functions. The types are checked when the query is
        analysed.

        Returns
        -------
        Column
            The output, or a struct of several.
        """
        from pyspark.sql import Column
        from pyspark.sql.functions import col

        arguments: list[Any] = [col(c) if isinstance(c, str) else c for c in columns]
        result: Any = Column(door().applyModel(self._jvm_model, [c._jc for c in arguments]))
        return result  # type: ignore[no-any-return]

    def register(
        self,
        function: str,
        spark: SparkSession | None = None,
        *,
        fields: Mapping[str, str] | None = None,
    ) -> None:
        """Register the model as a SQL function of the session.

        It takes a column per input, in the order of `inputs`, or one struct whose fields have the
        names of the inputs. It is batched, and runs once per row even where a query names it
        several times.

        Parameters
        ----------
        function : str
            Its name in SQL; a function of this name is replaced.
        spark : SparkSession, optional
            Default: the active session.
        fields : dict, optional
            From the name of an input to the name of its field in the struct, where they differ.

        Raises
        ------
        SchemaMismatchException
            If `fields` names an input that the model does not have.
        """
        self._register(function, spark, fields)

    def _register(
        self,
        function: str,
        spark: SparkSession | None,
        fields: Mapping[str, str] | None = None,
        preprocessor: JavaObject = None,
    ) -> None:
        """As `register`; `preprocessor` is the JVM's handle of a Python function, or None."""
        session = spark or active_session()
        door(session).registerModel(
            self._jvm_model, session._jsparkSession, function, dict(fields or {}), preprocessor
        )

    def append_to(
        self,
        df: DataFrame,
        input_cols: str | Sequence[str],
        output_cols: str | Sequence[str],
        error_col: str | None = None,
    ) -> DataFrame:
        """Return the DataFrame with the outputs appended.

        Parameters
        ----------
        df : DataFrame
            Read lazily.
        input_cols : str or list of str
            A column per input, in the order of `inputs`, or one struct whose fields have their
            names.
        output_cols : str or list of str
            A new column per output, in the order of `outputs`.
        error_col : str, optional
            A new column for the reasons of invalid rows, with policy "keep".
        """
        from pyspark.sql import DataFrame

        inputs, outputs = _names(input_cols), _names(output_cols)
        new = [*outputs, *([error_col] if error_col else [])]
        existing = sorted(set(new) & set(df.columns))
        if existing:
            raise SchemaMismatchException(
                f"The DataFrame has a column '{existing[0]}' already; give the new column another "
                "name, or drop the old one."
            )
        appended = door().appendModel(self._jvm_model, df._jdf, inputs, outputs, error_col)
        return DataFrame(appended, df.sparkSession)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model as a bundle into a new directory of any of Hadoop's file systems."""
        self._jvm_model.save(path_text(path))


def load_model(
    path: str | os.PathLike[str],
    *,
    signature: str = "serving_default",
    tags: Sequence[str] = ("serve",),
    inputs: Sequence[str] = (),
    outputs: Sequence[str] = (),
    constants: Mapping[str, Any] | None = None,
) -> Model:
    """Read a TensorFlow model.

    Parameters
    ----------
    path : str or PathLike
        A bundle (see `save_bundle`) or a zip of it, a SavedModel directory, or a frozen graph
        (.pb); on any file system that Hadoop reads.
    signature : str
        Which signature of a SavedModel.
    tags : list of str
        Which graph of a SavedModel.
    inputs, outputs : list of str
        Tensors of a frozen graph; by default its placeholders, and what no operation consumes.
    constants : dict, optional
        Values of placeholders and inputs that no column feeds, by name, such as
        ``{"keep_prob": 1.0}``: booleans, numbers, texts, or lists of them.

    Returns
    -------
    Model

    Raises
    ------
    ModelNotFoundException
        If there is nothing at the path.
    InvalidModelException
        If it is not a model, was changed, or lacks the signature or a tensor.
    SettingsException
        If a constant does not name a placeholder, or does not fit it.

    Examples
    --------
    >>> print(sparkdl.load_model("/models/scores").describe())  # doctest: +SKIP
    """
    text, ends = path_text(path), (list(inputs), list(outputs))
    return Model(door().loadModel(text, signature, list(tags), *ends, plain_values(constants)))


def _names(columns: str | Sequence[str]) -> list[str]:
    return [columns] if isinstance(columns, str) else list(columns)


def _spec(parts: Iterable[Any]) -> TensorSpec:
    name, dtype, shape = parts
    sizes = None if shape is None else tuple(None if d < 0 else int(d) for d in shape)
    return TensorSpec(str(name), str(dtype), sizes)
