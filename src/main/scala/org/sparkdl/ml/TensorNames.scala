package org.sparkdl.ml

import org.sparkdl.errors.SchemaMismatchException
import org.sparkdl.runtime.TensorName
import org.sparkdl.tensor.TensorSpec

/** Finds the input or output that a user means: by its name (the key of a signature), or by its tensor, "op:0", or
  * the tensor's operation, "op".
  */
private[ml] object TensorNames {

  /** @param kind
    *   "input" or "output", for the message
    */
  def find(model: String, kind: String, specs: Seq[TensorSpec], wanted: String): TensorSpec =
    specs
      .find(_.name == wanted)
      .orElse(specs.find(_.tensor == TensorName.indexed(wanted)))
      .orElse(specs.find(s => TensorName.indexed(s.name) == TensorName.indexed(wanted)))
      .getOrElse(
        throw new SchemaMismatchException(
          s"Model '$model' has no $kind '$wanted'. It has: ${specs.map(s => s"$s (${s.tensor})").mkString("; ")}."
        )
      )
}
