package org.apache.spark.sql.sparkdl.nodes

import org.apache.spark.sql.catalyst.expressions.{Alias, Attribute, AttributeReference, NamedExpression}

import org.sparkdl.application.ModelApplication
import org.sparkdl.tensor.ShapeMetadata

/** The columns that models and programs add. */
private[nodes] object NewColumns {

  /** Outputs of programs are never null: rows that cannot be fed are errors or are left out. */
  def ofProgram(application: ModelApplication, names: Seq[String]): Seq[AttributeReference] =
    names.zip(application.outputs).map { case (name, o) =>
      AttributeReference(name, o.dataType, nullable = false, ShapeMetadata.ofCell(o.spec))()
    }

  /** A projection has other attributes each time that a plan is used, as on both sides of a join. The optimizer takes
    * it out.
    */
  def renew(attributes: Seq[Attribute]): Seq[NamedExpression] = attributes.map(a => Alias(a, a.name)())
}
