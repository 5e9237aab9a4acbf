package org.sparkdl.model

import java.nio.file.{Files, Path}

import scala.jdk.CollectionConverters._

import org.tensorflow.proto.{GraphDef, SavedModel, SignatureDef, TensorInfo}

import org.sparkdl.errors.InvalidModelException
import org.sparkdl.runtime.DType
import org.sparkdl.tensor.TensorSpec

/** SavedModel directories, as TensorFlow 1 and 2 and Keras export them. */
private[model] object SavedModels {
  val Graph = "saved_model.pb"

  def isSavedModel(directory: Path): Boolean = Files.isRegularFile(directory.resolve(Graph))

  /** The identity of a SavedModel directory. */
  def files(directory: Path, tags: Seq[String]): GraphFiles = {
    val lines = LocalFiles.list(directory).map(f => s"${directory.relativize(f)}:${Sha256.of(f)}")
    GraphFiles(Sha256.of(lines.mkString("\n").getBytes("UTF-8")), directory, tags)
  }

  /** Reads the signature `key` of the graph with `tags`; names that do not exist are errors that list those that do.
    */
  def read(directory: Path, tags: Seq[String], key: String): ModelDefinition = {
    val saved = parse(directory)
    val meta =
      saved.getMetaGraphsList.asScala.find(_.getMetaInfoDef.getTagsList.asScala.toSet == tags.toSet).getOrElse {
        val sets = saved.getMetaGraphsList.asScala.map(_.getMetaInfoDef.getTagsList.asScala.mkString("'", ",", "'"))
        fail(directory, s"it has no graph with the tags '${tags.mkString(",")}'; it has: ${sets.mkString(", ")}")
      }
    val signatures = meta.getSignatureDefMap.asScala.toMap.filter(_._2.getOutputsCount > 0)
    val signature = signatures.getOrElse(
      key,
      fail(
        directory,
        s"it has no signature '$key'; it has: ${signatures.keys.toSeq.sorted.mkString("'", "', '", "'")}"
      )
    )
    definition(directory, tags, key, signature).copy(random = draws(meta.getGraphDef, signature))
  }

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

  private def parse(directory: Path): SavedModel =
    try SavedModel.parseFrom(Files.readAllBytes(directory.resolve(Graph)))
    catch { case e: java.io.IOException => fail(directory, s"$Graph cannot be read: ${e.getMessage}") }

  private def fail(directory: Path, why: String): Nothing =
    throw new InvalidModelException(s"Cannot read the SavedModel '$directory': $why.")
}
