package org.apache.spark.sql.sparkdl

import org.apache.spark.sql.catalyst.plans.logical.{AlterTableCommand, LogicalPlan}
import org.apache.spark.sql.connector.catalog.TableChange
import org.apache.spark.sql.sparkdl.functions.RefuseStored

import org.sparkdl.errors.SchemaMismatchException
import org.sparkdl.testing.PlainSql

class StoredExpressionsSuite extends PlainSql {

  test("a model in a constraint of a table is refused when the constraint is added, others are not") {
    val table = prepare().queryExecution.analyzed
    def added(text: String) = RefuseStored(AddsConstraint(table, Seq(HasText("positive", text))))
    val e = intercept[SchemaMismatchException](added("twice(x) > 0 AND id > 3"))
    assert(e.getMessage.contains("Model 'twice' cannot stand in AddsConstraint"))
    assert(e.getMessage.contains("Apply the model in a query, for example in the one that writes the table"))
    assert(added("x > 0") == AddsConstraint(table, Seq(HasText("positive", "x > 0"))))
    assert(added("no expression (") == AddsConstraint(table, Seq(HasText("positive", "no expression ("))))
  }
}

/** As table formats add constraints of their own. */
case class AddsConstraint(table: LogicalPlan, changes: Seq[TableChange]) extends AlterTableCommand {
  override protected def withNewChildInternal(newChild: LogicalPlan): AddsConstraint = copy(table = newChild)
}

case class HasText(name: String, expr: String) extends TableChange
