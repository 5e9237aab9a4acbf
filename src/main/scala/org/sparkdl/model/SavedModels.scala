package org.sparkdl.model

import java.nio.file.{Files, Path}

import scala.jdk.CollectionConverters._

import org.tensorflow.proto.{GraphDef, MetaGraphDef, SavedModel, SignatureDef, TensorInfo}
import org.slf4j.LoggerFactory

import org.sparkdl.errors.InvalidModelException
import org.sparkdl.files.{LocalFiles, Sha256}
import org.sparkdl.runtime.DType
import org.sparkdl.tensor.TensorSpec

/** SavedModel directories, as TensorFlow 1 and 2 and Keras export them. */
private[model] object SavedModels {
  private val log = LoggerFactory.getLogger("org.sparkdl.model.SavedModels")
  val Graph = "saved_model.pb"
  private val Default = "serving_default"

  /** Names of a graph in other forms. */
  private val OtherForms = Seq("saved_model.cpb", "saved_model.pbtxt")

  def isSavedModel(directory: Path): Boolean = Files.isRegularFile(directory.resolve(Graph))

  /** The identity of a SavedModel directory. */
  def files(directory: Path, tags: Seq[String]): GraphFiles = {
    val lines = LocalFiles.list(directory).map(f => s"${directory.relativize(f)}:${Sha256.of(f)}")
    GraphFiles(Sha256.of(lines.mkString("\n").getBytes("UTF-8")), directory, tags)
  }

  /** Reads the signature `key` of the graph with `tags`; names that do not exist are errors that list those that do.
    */
  def read(directory: Path, tags: Seq[String], key: String): ModelDefinition = {
    val meta = metaGraph(directory, tags)
    checkAssets(directory)
    val signatures = meta.getSignatureDefMap.asScala.toMap.filterNot(_._1.startsWith("__"))
    val resolved = resolvedKey(directory, key, signatures.keys.toSeq.sorted)
    CompositeTensors.problem(meta, resolved, signatures(resolved)).foreach(fail(directory, _))
    UnsavedVariables.problem(meta, resolved, signatures(resolved)).foreach(fail(directory, _))
    val model = definition(directory, tags, resolved, signatures(resolved))
    model.copy(graph = runnable(model, meta.getGraphDef), random = draws(meta.getGraphDef, signatures(resolved)))
  }

  /** The SavedModel of a model, which has this graph, without what rows must not see of each other, without what
    * TensorFlow would take for something else, and without what keeps sessions from having variables in common; with
    * checks of rows that are too small.
    */
  def runnable(model: ModelDefinition, graph: GraphDef): GraphFiles = {
    val stateless = StateWrites.without(model.graph, graph, model.outputs.map(_.tensor))
    val runnable = WindowChecks.in(VariableLookups.asGathers(FalseFusions.without(stateless)), model.inputs)
    if (runnable eq graph) model.graph else StoredGraphs.store(model.graph, runnable)
  }

  /** The key itself; where there is no default signature, the key of the only other one. */
  private def resolvedKey(directory: Path, key: String, keys: Seq[String]): String =
    if (keys.contains(key)) key
    else if (key == Default && keys.length == 1) {
      log.warn(s"The SavedModel '$directory' has no signature '$key'; its only one, '${keys.head}', is used.")
      keys.head
    } else fail(directory, s"it has no signature '$key'; it has: ${keys.mkString("'", "', '", "'")}")

  /** The graph with these tags. */
  def metaGraph(directory: Path, tags: Seq[String]): MetaGraphDef = {
    val saved = parse(directory)
    saved.getMetaGraphsList.asScala.find(tagged(_, tags)).getOrElse {
      val sets = saved.getMetaGraphsList.asScala.map(_.getMetaInfoDef.getTagsList.asScala.mkString("'", ",", "'"))
      fail(directory, s"it has no graph with the tags '${tags.mkString(",")}'; it has: ${sets.mkString(", ")}")
    }
  }

  /** The file of the SavedModel in `directory` with another graph under these tags. */
  def withGraph(directory: Path, tags: Seq[String], graph: GraphDef): SavedModel = {
    val saved = parse(directory).toBuilder
    saved.getMetaGraphsBuilderList.asScala.filter(m => tagged(m.build(), tags)).foreach(_.setGraphDef(graph))
    saved.build()
  }

  private def tagged(meta: MetaGraphDef, tags: Seq[String]): Boolean =
    meta.getMetaInfoDef.getTagsList.asScala.toSet == tags.toSet

  private def draws(graph: GraphDef, signature: SignatureDef): Option[RandomDraws] =
    DrawingNodes.of(graph, signature.getOutputsMap.asScala.values.map(_.getName).toSeq, seed = None)

  private def definition(directory: Path, tags: Seq[String], key: String, signature: SignatureDef): ModelDefinition =
    ModelDefinition.checked(
      ModelDefinition(
        name = directory.getFileName.toString,
        graph = files(directory, tags),
        inputs = specs(directory, signature.getInputsMap.asScala.toMap),
        outputs = specs(directory, signature.getOutputsMap.asScala.toMap),
        source = Map("kind" -> "SavedModel", "signature" -> key)
      )
    )

  private def specs(directory: Path, infos: Map[String, TensorInfo]): Seq[TensorSpec] =
    infos.toSeq.sortBy(_._1).map { case (name, info) =>
      val dtype = DType
        .fromCode(info.getDtypeValue)
        .getOrElse(
          fail(
            directory,
            s"tensor '$name' has the type ${info.getDtype}, which cannot be a column; cast it in the graph"
          )
        )
      val shape = info.getTensorShape
      val dims = if (shape.getUnknownRank) None else Some(shape.getDimList.asScala.map(_.getSize).toSeq)
      TensorSpec(name, info.getName, dtype, dims)
    }

  private def parse(directory: Path): SavedModel = {
    OtherForms.map(directory.resolve(_)).filter(Files.exists(_)).foreach { other =>
      fail(
        directory,
        s"beside $Graph there is ${other.getFileName}, and TensorFlow might read that one: remove one of them"
      )
    }
    try MappedProtos.savedModel(directory.resolve(Graph))
    catch { case e: java.io.IOException => fail(directory, s"$Graph cannot be read: ${e.getMessage}") }
  }

  /** Refuses assets that are links out of the SavedModel: TensorFlow reads what they lead to. */
  private def checkAssets(directory: Path): Unit = {
    val assets = directory.resolve("assets")
    if (Files.isDirectory(assets))
      LocalFiles.list(assets).filterNot(_.toRealPath().startsWith(directory.toRealPath())).foreach { asset =>
        fail(
          directory,
          s"'${directory.relativize(asset)}' is a link out of its folder; copy the model with what its links lead to"
        )
      }
  }

  private def fail(directory: Path, why: String): Nothing =
    throw new InvalidModelException(s"Cannot read the SavedModel '$directory': $why.")
}
