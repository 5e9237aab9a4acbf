package org.apache.spark.sql.sparkdl

import java.lang.reflect.Modifier
import java.util.jar.JarFile

import scala.jdk.CollectionConverters._
import scala.util.{Try, Using}

import org.apache.spark.sql.catalyst.expressions.Expression
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan
import org.apache.spark.sql.execution.SparkPlan
import org.scalatest.funsuite.AnyFunSuite

/** The one list of Spark's logical nodes and commands that may hold an expression, and so a model: a version of Spark
  * with others fails here.
  */
class LogicalNodesSuite extends AnyFunSuite {

  /** What becomes of a model in each of them. */
  private val nodes: Map[String, Seq[String]] = Map(
    "taken out, to run over the rows of a child" -> Seq(
      "ArrowEvalPython",
      "ArrowEvalPythonUDTF",
      "BatchEvalPython",
      "BatchEvalPythonUDTF",
      "CollectMetrics",
      "Expand",
      "Filter",
      "Generate",
      "MergeRows",
      "Project",
      "RebalancePartitions",
      "RepartitionByExpression",
      "Sort",
      "Window",
      "WindowGroupLimit"
    ),
    "taken out, above it too: AggregateResults" -> Seq("Aggregate"),
    "taken out, above it too, or refused: JoinConditions, Refusals" -> Seq("Join"),
    "rewritten by Spark into joins, subqueries and projections before" -> Seq(
      "AsOfJoin",
      "DomainJoin",
      "LateralJoin",
      "OrderedJoin",
      "Pivot",
      "SQLTableFunction",
      "Unpivot",
      "CTERelationDef",
      "WithWindowDefinition",
      "DataFrameDropColumns",
      "ResolvedInlineTable"
    ),
    "functions of Scala, Python and R on columns that a projection below computes" -> Seq(
      "AppendColumns",
      "AppendColumnsWithObject",
      "CoGroup",
      "DeserializeToObject",
      "FlatMapCoGroupsInArrow",
      "FlatMapCoGroupsInPandas",
      "FlatMapGroupsInArrow",
      "FlatMapGroupsInPandas",
      "FlatMapGroupsInPandasWithState",
      "FlatMapGroupsInR",
      "FlatMapGroupsInRWithArrow",
      "FlatMapGroupsWithState",
      "MapGroups",
      "MapInArrow",
      "MapInPandas",
      "SerializeFromObject",
      "TransformWithState",
      "TransformWithStateInPySpark",
      "TypedFilter"
    ),
    "constants only: Spark refuses what is none when it analyses, RefuseStored refuses calls of procedures" -> Seq(
      "Call",
      "GlobalLimit",
      "LocalLimit",
      "Offset",
      "Range",
      "RelationTimeTravel",
      "Tail"
    ),
    "what was planned or described already" -> Seq(
      "DataSourceV2ScanRelation",
      "DummyExpressionHolder",
      "InMemoryRelation",
      "LogicalRDD",
      "SimpleCaseStatement"
    ),
    "gone after analysis" -> Seq(
      "GeneralParameterizedQuery",
      "NameParameterizedQuery",
      "PlanWithUnresolvedIdentifier",
      "PosParameterizedQuery",
      "UnresolvedEventTimeWatermark",
      "UnresolvedExecuteImmediate",
      "UnresolvedHaving",
      "UnresolvedHint",
      "UnresolvedInlineTable",
      "UnresolvedTableValuedFunction",
      "UnresolvedTranspose"
    ),
    "commands that run queries with their expressions" -> Seq(
      "DeleteFromTable",
      "MergeIntoTable",
      "ReplaceData",
      "SetVariable",
      "UpdateTable",
      "WriteDelta"
    ),
    "filters of a data source, which Spark refuses when it cannot translate them" -> Seq("OverwriteByExpression"),
    "definitions of tables, in which Spark takes its own functions only, or RefuseStored refuses" -> Seq(
      "AddCheckConstraint",
      "AddColumns",
      "AddConstraint",
      "AlterColumns",
      "CreateMaterializedViewAsSelect",
      "CreateStreamingTable",
      "CreateStreamingTableAsSelect",
      "CreateTable",
      "CreateVariable",
      "DescribeColumn",
      "ReplaceColumns",
      "ReplaceTable"
    )
  )

  test("every logical node of Spark that may hold an expression is in the list") {
    val found = Seq(classOf[LogicalPlan], classOf[SparkPlan]).flatMap(classesBeside).filter(mayHoldExpression)
    assert(found.size > 80, "the program finds Spark's nodes")
    val listed = nodes.values.flatten.toSeq
    assert(listed.distinct.size == listed.size, "each once")
    val names = found.map(_.getSimpleName)
    assert(names.filterNot(listed.contains).sorted == Nil, "not in the list: say what becomes of a model in them")
    assert(listed.filterNot(names.contains).sorted == Nil, "in the list, but not in Spark")
  }

  private def classesBeside(one: Class[_]): Seq[Class[_]] = {
    val jar = one.getProtectionDomain.getCodeSource.getLocation.getPath
    val names =
      Using.resource(new JarFile(jar))(_.entries().asScala.map(_.getName).filter(_.endsWith(".class")).toVector)
    names
      .flatMap(n => named(n.stripSuffix(".class").replace('/', '.')))
      .filter(c => classOf[LogicalPlan].isAssignableFrom(c) && !Modifier.isAbstract(c.getModifiers))
  }

  private val types = """org\.apache\.spark\.sql\.[\w.$]+""".r
  private val columns =
    Set("Attribute", "AttributeReference", "AttributeSet", "AttributeMap", "AttributeSeq", "ExprId", "ExpressionInfo")

  private def mayHoldExpression(node: Class[_]): Boolean =
    node.getDeclaredConstructors.exists(_.getGenericParameterTypes.exists { t =>
      types.findAllIn(t.getTypeName).flatMap(named).exists(isExpression)
    })

  private def isExpression(c: Class[_]): Boolean =
    !columns(c.getSimpleName) && (classOf[Expression].isAssignableFrom(c) ||
      c.getName.startsWith("org.apache.spark.sql.catalyst.expressions."))

  private def named(name: String): Option[Class[_]] = Try(
    Class.forName(name, false, getClass.getClassLoader)
  ).toOption
}
