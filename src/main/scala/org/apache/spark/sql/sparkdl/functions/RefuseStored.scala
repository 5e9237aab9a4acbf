package org.apache.spark.sql.sparkdl.functions

import scala.util.Try

import org.apache.spark.sql.catalyst.expressions.{Alias, ApplyFunctionExpression, Expression}
import org.apache.spark.sql.catalyst.plans.logical._
import org.apache.spark.sql.catalyst.rules.Rule
import org.apache.spark.sql.catalyst.types.DataTypeUtils
import org.apache.spark.sql.classic.SparkSession
import org.apache.spark.sql.connector.catalog.TableChange
import org.apache.spark.sql.sparkdl.columns.ModelCall
import org.apache.spark.sql.sparkdl.versions.SparkApi

import org.sparkdl.errors.SchemaMismatchException

/** Refuses models in what a command keeps or evaluates without rows: the definition of a table, whose format
  * evaluates its constraints inside of a writer, and the arguments of a procedure.
  */
object RefuseStored extends Rule[LogicalPlan] {

  override def apply(plan: LogicalPlan): LogicalPlan = { modelsIn(plan).headOption.foreach(refuse(_, plan)); plan }

  private def modelsIn(plan: LogicalPlan): Seq[String] = {
    val kept = SparkApi.current.expressionsKept(plan)
    if (kept.nonEmpty) kept.flatMap(modelIn) else modelsInCommand(plan)
  }

  private def modelsInCommand(plan: LogicalPlan): Seq[String] = plan match {
    case command: AlterTableCommand =>
      command.expressions.flatMap(modelIn) ++ command.changes.flatMap(textsOf).flatMap(modelInText(_, command.table))
    case command: V2CreateTablePlan =>
      val table = LocalRelation(DataTypeUtils.toAttributes(command.tableSchema))
      val constraints = SparkApi.current.checkConstraints(command) ++ constraintsInProperties(command)
      command.expressions.flatMap(modelIn) ++ constraints.flatMap(modelInText(_, table))
    case _ => Nil
  }

  /** Delta keeps its constraints in properties, which the command that makes a table may also give. */
  private def constraintsInProperties(create: LogicalPlan): Seq[String] =
    create.productIterator.collect { case spec: TableSpecBase => spec.properties }.toVector.flatten.collect {
      case (key, text) if key.toLowerCase.startsWith("delta.constraints.") => text
    }

  private def modelIn(e: Expression): Option[String] = e.collectFirst {
    case call: ModelCall                                => call.prettyName
    case function: ModelFunction                        => function.prettyName
    case ApplyFunctionExpression(f: CatalogFunction, _) => f.name()
  }

  /** What a change of a table says in SQL. Other formats have changes of their own, as Delta for its constraints. */
  private def textsOf(change: TableChange): Seq[String] = change match {
    case change: Product => change.productIterator.collect { case text: String => text }.toVector
    case _               => Nil
  }

  private def modelInText(text: String, table: LogicalPlan): Option[String] = {
    val state = SparkSession.active.sessionState
    val analyzed = Try {
      val condition = Alias(state.sqlParser.parseExpression(text), "condition")()
      state.analyzer.execute(Project(Seq(condition), LocalRelation(table.output)))
    }
    // A text that is no expression on the table's columns is not ours to refuse.
    analyzed.toOption.flatMap(_.expressions.flatMap(modelIn).headOption)
  }

  private def refuse(model: String, command: LogicalPlan): Nothing = throw new SchemaMismatchException(
    s"Model '$model' cannot stand in ${command.nodeName}: constraints and defaults of a table and arguments of a " +
      "procedure are evaluated where no model runs. Apply the model in a query, for example in the one that writes the " +
      "table: INSERT INTO ... SELECT ... WHERE, or a column that keeps the model's result and has the constraint."
  )
}
