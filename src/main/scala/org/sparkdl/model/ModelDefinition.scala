package org.sparkdl.model

import java.nio.file.{Files, Path, Paths}

import org.sparkdl.errors.{InvalidModelException, SchemaMismatchException}
import org.sparkdl.files.{HeldFolder, LocalFiles}
import org.sparkdl.runtime.TfGraph
import org.sparkdl.tensor.TensorSpec

/** The image input of a model: which input, and what its pixels must be.
  *
  * @param height
  *   in pixels, what images are resized to; -1, with width, where each keeps its own size
  * @param channelOrder
  *   "RGB", "BGR" or "L" (one grey channel): the order that the graph takes
  * @param preprocessing
  *   how pixels are changed when they become floats: "none", "tf", "caffe" or "torch" (docs/images.md)
  */
final case class ImageInfo(
    input: String,
    height: Int,
    width: Int,
    channelOrder: String,
    preprocessing: String = "none"
) {
  def ownSize: Boolean = height == ImageInfo.Own && width == ImageInfo.Own
}

object ImageInfo {

  /** The height and the width where images keep theirs. */
  val Own: Int = -1
}

/** Where the graph's bytes are on this machine, and what identifies them.
  *
  * @param hash
  *   SHA-256 of the frozen graph; of the lines "path:sha256" of all files for a SavedModel, and of that and the graph
  *   for one whose graph was changed
  * @param location
  *   the local file or directory; text, because Spark serializes plans and a `Path` cannot be
  * @param tags
  *   empty for a frozen graph; the tag set of a SavedModel
  * @param prepared
  *   a frozen graph that was simplified at export, so that the session need not do it
  * @param hasWeights
  *   whether large constants of a frozen graph are in a file beside it
  * @param held
  *   folders that the files are in, or in which links among them end: they stay there as long as anything has this
  */
final case class GraphFiles(
    hash: String,
    location: String,
    tags: Seq[String],
    prepared: Boolean = false,
    hasWeights: Boolean = false,
    private[sparkdl] val held: Seq[HeldFolder] = Nil
) {
  def path: Path = Paths.get(location)
  def isSavedModel: Boolean = tags.nonEmpty

  /** The file with the large constants of a frozen graph that has one. */
  def weights: Option[Path] = if (hasWeights) Some(path.resolveSibling(TfGraph.WeightsFile)) else None

  /** All files, each with its name in the folder that they need. */
  def all: Seq[(String, Path)] =
    if (isSavedModel) LocalFiles.list(path).map(f => path.relativize(f).toString -> f)
    else (GraphFiles.Graph -> path) +: weights.map(TfGraph.WeightsFile -> _).toSeq

  /** The size of all files in bytes, which is nearly that of the weights in memory. */
  def bytes: Long = all.map { case (_, file) => Files.size(file) }.sum
}

/** A model as the driver knows it: its signature and where its graph is. Immutable; holds nothing native.
  *
  * @param labels
  *   (class, description) of each class, in the order of the predictions
  * @param source
  *   where it came from, free text for people
  * @param keras
  *   the local file of the model as Keras has it, which travels with the bundle and is not run
  * @param random
  *   how it draws random numbers, if it does
  */
final case class ModelDefinition(
    name: String,
    graph: GraphFiles,
    inputs: Seq[TensorSpec],
    outputs: Seq[TensorSpec],
    image: Option[ImageInfo] = None,
    labels: Option[Seq[(String, String)]] = None,
    source: Map[String, String] = Map.empty,
    keras: Option[String] = None,
    random: Option[RandomDraws] = None
) {
  def input(name: String): TensorSpec = find("input", inputs, name)
  def output(name: String): TensorSpec = find("output", outputs, name)

  /** The image information when `input` is the image input. */
  def imageOf(input: TensorSpec): Option[ImageInfo] = image.filter(_.input == input.name)

  /** The same model, which keeps these folders and no others. */
  private[model] def holding(folders: Seq[HeldFolder]): ModelDefinition = copy(graph = graph.copy(held = folders))

  /** The same model, which keeps a folder besides. */
  private[model] def holdingToo(folder: HeldFolder): ModelDefinition = holding(graph.held :+ folder)

  private def find(kind: String, specs: Seq[TensorSpec], name: String): TensorSpec =
    specs
      .find(_.name == name)
      .getOrElse(
        throw new SchemaMismatchException(
          s"Model '${this.name}' has no $kind '$name'. It has: ${specs.mkString("; ")}."
        )
      )

  /** A description for people: name, source, inputs, outputs. */
  def describe: String = {
    def lines(specs: Seq[TensorSpec]) = specs.map(s => s"  ${s.name}: ${s.typeString} (${s.tensor})")
    val facts = (source - TrainingHistory.Key).toSeq.sorted // a history is too long
    val from =
      if (facts.isEmpty) "" else facts.map { case (k, v) => s"$k=$v" }.mkString(", from ", ", ", "")
    val pictures = image.map { i =>
      val size = if (i.ownSize) "of any size" else s"${i.height} x ${i.width} pixels"
      val preprocessing = if (i.preprocessing == "none") "" else s", preprocessing '${i.preprocessing}'"
      s"images: $size, ${i.channelOrder}$preprocessing, input '${i.input}'"
    }
    val draws = random.map(_ => "random: draws numbers, new ones in every run unless a seed is set")
    val classes = labels.map(l => s"classes: ${l.size}, from '${l.head._2}' to '${l.last._2}'")
    val memory = if (Files.exists(graph.path)) Some(s"memory: ${MemoryNeed.of(graph).describe}") else None
    (Seq(s"model '$name'$from", s"hash ${graph.hash}") ++ memory ++ Seq("inputs:") ++ lines(inputs) ++ Seq(
      "outputs:"
    ) ++ lines(
      outputs
    ) ++
      pictures ++ draws ++ classes).mkString("\n")
  }
}

object GraphFiles {

  /** What the file of a frozen graph is called beside other files. */
  val Graph = "graph.pb"

  def apply(hash: String, path: Path, tags: Seq[String]): GraphFiles = GraphFiles(hash, path.toString, tags)
}

object ModelDefinition {

  /** Refuses signatures that cannot be run on a batch of rows. */
  private[model] def checked(model: ModelDefinition): ModelDefinition = {
    if (model.outputs.isEmpty) throw new InvalidModelException(s"Model '${model.name}' has no outputs.")
    model.image.foreach(i => model.input(i.input))
    model
  }
}
