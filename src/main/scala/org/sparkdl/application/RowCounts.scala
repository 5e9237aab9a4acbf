package org.sparkdl.application

import org.sparkdl.errors.SchemaMismatchException
import org.sparkdl.tensor.TensorSpec

/** Checks that the inputs and outputs of a model have one entry per row of a run; otherwise results would belong to
  * no row.
  */
private[sparkdl] object RowCounts {

  /** Throws SchemaMismatchException for inputs and outputs whose shapes in the graph rule that out. */
  def check(application: ModelApplication): Unit = {
    val model = application.model.name
    checkInputs(model, application.inputs.filter(_.fixedBatch.isDefined))
    application.outputs.map(_.spec).foreach(checkOutput(model, _, application.rowsPerRun(executor = None)))
  }

  private def checkInputs(model: String, fixed: Seq[TensorSpec]): Unit =
    if (fixed.flatMap(_.fixedBatch).distinct.size > 1)
      throw new SchemaMismatchException(
        s"The inputs of model '$model' take different numbers of rows: ${fixed.mkString("; ")}. Expected the same first " +
          "dimension of all, or an unknown one; give an input that is the same for all rows a value (constants)."
      )

  private def checkOutput(model: String, output: TensorSpec, rows: Int): Unit =
    problem(output, rows).foreach { why =>
      throw new SchemaMismatchException(
        s"Output '${output.name}' of model '$model' is ${output.typeString}: $why " +
          remedy(output.shape.flatMap(_.headOption), "model")
      )
    }

  /** The remedy for an output whose first dimension is `rows`; None for a scalar.
    *
    * @param kind
    *   "model" or "program"
    */
  def remedy(rows: Option[Long], kind: String): String = rows match {
    case Some(1) =>
      s"If the $kind is made for one row at a time, run it row by row: batchSize=1 in a stage, with_batch_size(1) or " +
        s"withBatchSize(1) of a Model, batch_size=1 where a function is registered. Otherwise the $kind must not mix rows."
    case Some(_) =>
      s"The $kind must not mix or drop rows: give the output a first dimension for them in the graph, or choose another."
    case None =>
      s"The $kind must not merge its rows: keep the first dimension in the graph (no reduction over axis 0; tf.reshape " +
        "to [-1] for a number per row), or choose another output."
  }

  private def problem(output: TensorSpec, rows: Int): Option[String] =
    if (output.shape.exists(_.isEmpty)) Some("it is a scalar; expected a first dimension, one entry per row.")
    else
      output.fixedBatch
        .filter(_ != rows)
        .map(n => s"its first dimension is $n, whatever the number of rows; expected one entry per row.")
}
