package org.sparkdl.model

import java.nio.file.Paths

import scala.jdk.CollectionConverters._
import scala.util.Try
import scala.util.Using

import com.fasterxml.jackson.databind.{JsonNode, ObjectMapper}
import org.tensorflow.proto.{AssetFileDef, GraphDef, MetaGraphDef, NodeDef}

import org.sparkdl.graph.Reached
import org.sparkdl.runtime.TensorName

/** Operations that reach out of their graph: to files, to other machines, to Python, to the process itself, or to
  * another graph that is hidden in a value. Python's `_models/files/reaching_operations.py` finds the same.
  */
private[model] object ReachingOperations {
  import VariableUses.{Main, functionsOf, inputs}

  private val Table = "/org/sparkdl/reaching_operations.json"

  /** One list for Scala and Python, `python/sparkdl/resources/reaching_operations.json`. */
  private lazy val table: JsonNode =
    Using.resource(getClass.getResourceAsStream(Table))(in => new ObjectMapper().readTree(in))

  private def listed(kind: String): Set[String] = table.get(kind).asScala.map(_.asText).toSet
  private lazy val operations = listed("operations")
  private lazy val tablesFromFiles = listed("tablesFromFiles")
  private lazy val variablesFromFiles = listed("variablesFromFiles")

  /** What attributes have to be, for operations that reach out only if they are something else. */
  private lazy val allowed: Map[String, Seq[(String, String)]] = table
    .get("allowed")
    .properties()
    .asScala
    .map(op => op.getKey -> op.getValue.properties().asScala.map(a => a.getKey -> a.getValue.asText).toSeq)
    .toMap

  /** Those of a whole graph: TensorFlow may compute what depends on constants only even if nothing needs it. */
  def of(graph: GraphDef): Seq[String] = described(placed(graph).filter(p => reachesOut(p.node)))

  /** Those that loading a SavedModel runs, or computing some of its tensors. Its variables come from its own files,
    * and so may its tables.
    */
  def of(meta: MetaGraphDef, tensors: Seq[String]): Seq[String] = {
    val graph = new Calls(meta.getGraphDef)
    val sources = new TensorSources(meta.getGraphDef)
    val assets = new OwnAssets(meta)
    def isOwnTable(p: PlacedNode) = tablesFromFiles(p.op) && {
      val files = sources.of(p.body, p.input(1))
      files.nonEmpty && files.forall(assets.isPath)
    }
    def found(roots: Seq[String])(expected: PlacedNode => Boolean) =
      graph.reached(roots).filter(p => reachesOut(p.node) && !expected(p))
    val restored = Seq(meta.getSaverDef.getRestoreOpName).filter(_.nonEmpty)
    described(
      found(tensors)(_ => false) ++ found(initializers(meta))(isOwnTable) ++
        found(restored)(p => variablesFromFiles(p.op))
    )
  }

  private def reachesOut(node: NodeDef): Boolean =
    operations(node.getOp) || allowed.getOrElse(node.getOp, Nil).exists { case (attribute, expected) =>
      Option(node.getAttrMap.get(attribute)).exists(value => !value.getS.toStringUtf8.matches(expected))
    }

  private def described(found: Seq[PlacedNode]): Seq[String] = found
    .map(p => s"${p.op} '${p.node.getName}'${if (p.body == Main) "" else s" in function '${p.body}'"}")
    .distinct

  private def placed(graph: GraphDef): Seq[PlacedNode] =
    graph.getNodeList.asScala.toVector.map(PlacedNode(Main, _)) ++ graph.getLibrary.getFunctionList.asScala.flatMap {
      f =>
        f.getNodeDefList.asScala.map(PlacedNode(f.getSignature.getName, _))
    }

  /** What a SavedModel runs after its variables were read, by the rules of TensorFlow's loader. */
  private def initializers(meta: MetaGraphDef): Seq[String] = {
    val key = "__saved_model_init_op"
    val signed =
      Option(meta.getSignatureDefMap.get(key)).flatMap(s => Option(s.getOutputsMap.get(key))).map(_.getName)
    val collected = Seq("saved_model_main_op", "legacy_init_op")
      .flatMap(c => Option(meta.getCollectionDefMap.get(c)))
      .flatMap(_.getNodeList.getValueList.asScala)
    signed.toSeq ++ collected
  }

  /** A SavedModel's own assets. */
  final private class OwnAssets(meta: MetaGraphDef) {
    private val main = meta.getGraphDef.getNodeList.asScala.toVector
    private val variables = placed(meta.getGraphDef).map(_.node).filter(_.getOp == "VarHandleOp")

    /** The nodes that are given their paths when it is loaded. */
    private val paths: Set[String] = {
      val collected = Option(meta.getCollectionDefMap.get("saved_model_assets")).toSeq
        .flatMap(_.getAnyList.getValueList.asScala)
        .flatMap(any => Try(AssetFileDef.parseFrom(any.getValue)).toOption) // else TensorFlow cannot read it either
      (meta.getAssetFileDefList.asScala ++ collected)
        .filter(asset => isInside(asset.getFilename))
        .map(asset => TensorName.operation(asset.getTensorInfo.getName))
        .toSet
    }

    /** Whether a node gives the path of an asset: itself, or from a variable that never has another value. */
    def isPath(p: PlacedNode): Boolean = p.body == Main &&
      (paths(p.node.getName) || p.op == "ReadVariableOp" && holdsPath(TensorName.operation(p.input(0))))

    private def holdsPath(variable: String): Boolean = {
      val users =
        main.filter(n => inputs(n).exists(i => !TensorName.isControl(i) && TensorName.operation(i) == variable))
      val (assignments, others) = users.partition(_.getOp == "AssignVariableOp")
      val names = variables.filter(_.getName == variable).map(sharedName)
      assignments.nonEmpty && assignments.forall(a => paths(TensorName.operation(a.getInput(1)))) &&
      others.forall(n => Reading(n.getOp)) && names.size == 1 && variables.count(v =>
        names.contains(sharedName(v))
      ) == 1
    }

    private def sharedName(variable: NodeDef) = Option(variable.getAttrMap.get("shared_name"))
      .map(_.getS.toStringUtf8)
      .filter(_.nonEmpty)
      .getOrElse(variable.getName)
  }

  private val Reading = Set("ReadVariableOp", "VarIsInitializedOp")

  private def isInside(file: String): Boolean =
    file.nonEmpty && !Paths.get(file).isAbsolute && !Paths.get(file).iterator().asScala.exists(_.toString == "..")

  /** A graph as far as it is run for some of its nodes; of a function, all is. */
  final private class Calls(graph: GraphDef) {
    private val nodes = graph.getNodeList.asScala.map(n => n.getName -> PlacedNode(Main, n)).toMap
    private val functions = placed(graph).filter(_.body != Main).groupBy(_.body)

    def reached(roots: Seq[String]): Seq[PlacedNode] =
      Reached
        .from(roots.map(TensorName.operation).flatMap(nodes.get)) { p =>
          val before = if (p.body == Main) inputs(p.node).map(TensorName.operation).flatMap(nodes.get) else Nil
          before ++ functionsOf(p.node).flatMap(functions.getOrElse(_, Nil))
        }
        .toSeq
  }
}
