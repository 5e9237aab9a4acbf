package org.sparkdl.model

import java.nio.charset.StandardCharsets
import java.nio.file.{Files, InvalidPathException, Path}

import scala.collection.immutable.ListMap
import scala.jdk.CollectionConverters._

import com.fasterxml.jackson.databind.{JsonNode, ObjectMapper}
import com.fasterxml.jackson.databind.node.{ArrayNode, ObjectNode}

import org.sparkdl.errors.InvalidModelException
import org.sparkdl.files.{LocalFiles, Sha256, TextFile}
import org.sparkdl.runtime.{DType, TfGraph}
import org.sparkdl.tensor.TensorSpec

/** The model bundle: a directory with `model.json` and the graph (docs/bundle.md describes the format). */
object Bundle {
  val Manifest = "model.json"
  val FormatVersion = 1

  /** That of bundles with weights beside the graph, which earlier versions of sparkdl cannot run. */
  val FormatVersionWithWeights = 2
  private val json = new ObjectMapper()

  /** Of one tensor: their bytes can be counted. */
  private val MostElements = BigInt(1L << 56)

  /** Whether the local directory is a bundle. */
  def isBundle(directory: Path): Boolean = Files.isRegularFile(directory.resolve(Manifest))

  /** Names of the files that the manifest in a local directory lists. */
  private[model] def filesOf(directory: Path): Seq[String] =
    parse(directory).path("files").properties().asScala.map(_.getKey).toSeq

  /** Reads a bundle from a local directory and checks every file against its SHA-256. */
  def read(directory: Path): ModelDefinition = {
    val root = parse(directory)
    val version = root.path("formatVersion").asInt(-1)
    if (version != FormatVersion && version != FormatVersionWithWeights)
      fail(
        directory,
        s"its formatVersion is $version, this version of sparkdl reads $FormatVersion and $FormatVersionWithWeights"
      )
    val sums = checkFiles(directory, root)
    val definition = ModelDefinition(
      name = root.path("name").asText(directory.getFileName.toString),
      graph = graphFiles(directory, root, sums),
      inputs = specs(directory, root, "inputs"),
      outputs = specs(directory, root, "outputs"),
      image = Option(root.get("image")).filterNot(_.isNull).map(readImage),
      labels = named(directory, root, "labels", sums).map(readLabels(directory, _)),
      source = ListMap(root.path("source").properties().asScala.toVector.map(e => e.getKey -> e.getValue.asText): _*),
      keras = named(directory, root, "keras", sums).map(inside(directory, _).toString),
      random = Option(root.get("random")).filterNot(_.isNull).flatMap(readRandom)
    )
    ModelDefinition.checked(runnable(definition))
  }

  private def runnable(model: ModelDefinition): ModelDefinition = {
    val graph = GraphNodes.graphOf(model.graph)
    if (model.graph.isSavedModel) model.copy(graph = SavedModels.runnable(model, graph))
    else {
      val checked = WindowChecks.in(graph, model.inputs)
      if (checked eq graph) model else model.copy(graph = StoredGraphs.store(model.graph, checked))
    }
  }

  /** Writes a model as a bundle into a local directory, which must be empty or not exist yet. */
  def write(model: ModelDefinition, directory: Path): Unit = {
    Files.createDirectories(directory)
    val root = json.createObjectNode()
    root.put("formatVersion", if (model.graph.hasWeights) FormatVersionWithWeights else FormatVersion)
    root.put("name", model.name)
    if (model.source.nonEmpty) model.source.foldLeft(root.putObject("source")) { case (all, (k, v)) => all.put(k, v) }
    if (model.graph.isSavedModel) {
      LocalFiles.copyTree(model.graph.path, directory.resolve("saved_model"))
      root.put("savedModel", "saved_model").put("tags", model.graph.tags.mkString(","))
    } else {
      model.graph.all.foreach { case (name, file) => Files.copy(file, directory.resolve(name)) }
      root.put("graph", GraphFiles.Graph).put("prepared", model.graph.prepared)
      if (model.graph.hasWeights) root.put("weights", TfGraph.WeightsFile)
    }
    model.keras.foreach { file =>
      Files.copy(Path.of(file), directory.resolve("model.keras"))
      root.put("keras", "model.keras")
    }
    model.labels.foreach { labels =>
      val rows = json.createArrayNode()
      labels.foreach { case (c, d) => rows.addArray().add(c).add(d) }
      json.writeValue(directory.resolve("labels.json").toFile, rows)
      root.put("labels", "labels.json")
    }
    model.image.foreach(writeImage(_, root.putObject("image")))
    model.random.foreach(writeRandom(_, root.putObject("random")))
    writeSpecs(root, "inputs", model.inputs)
    writeSpecs(root, "outputs", model.outputs)
    val sums = root.putObject("files")
    LocalFiles.list(directory).foreach { f =>
      sums.put(directory.relativize(f).toString.replace('\\', '/'), Sha256.of(f))
    }
    val text = json.writerWithDefaultPrettyPrinter().writeValueAsString(root)
    Files.write(directory.resolve(Manifest), text.getBytes(StandardCharsets.UTF_8))
    ()
  }

  private def parse(directory: Path, name: String = Manifest): JsonNode =
    try json.readTree(textOf(directory, name))
    catch { case e: java.io.IOException => fail(directory, s"$name cannot be read: ${e.getMessage}") }

  private def textOf(directory: Path, name: String): String =
    TextFile
      .decode(Files.readAllBytes(inside(directory, name)))
      .fold(why => fail(directory, s"$name: $why"), identity)

  private def checkFiles(directory: Path, root: JsonNode): Seq[(String, String)] = {
    val sums = root.path("files").properties().asScala.map(e => e.getKey -> e.getValue.asText).toSeq
    sums.foreach { case (name, expected) =>
      val file = inside(directory, name)
      if (!Files.isRegularFile(file)) fail(directory, s"its file '$name' is missing")
      if (file.toRealPath() != directory.toRealPath().resolve(directory.normalize.relativize(file)))
        fail(directory, s"'$name' is a link; copy the bundle with what its links lead to (cp -rL)")
      val received = Sha256.of(file)
      if (received != expected)
        fail(directory, s"file '$name' was changed or damaged: expected SHA-256 $expected, got $received")
    }
    unlisted(directory, sums.map(_._1).toSet).foreach { name =>
      fail(directory, s"its manifest has no SHA-256 of '$name', which somebody has added")
    }
    sums
  }

  /** A file that the manifest does not vouch for. Hidden files right in the directory are those of file systems and
    * desktops: nothing reads them.
    */
  private def unlisted(directory: Path, listed: Set[String]): Option[String] =
    LocalFiles
      .list(directory)
      .map(directory.relativize(_).toString.replace('\\', '/'))
      .find(name => name != Manifest && !name.startsWith(".") && !listed(name))

  private def graphFiles(directory: Path, root: JsonNode, sums: Seq[(String, String)]): GraphFiles =
    if (root.hasNonNull("graph")) {
      val name = root.get("graph").asText
      val sum = sums.toMap.getOrElse(name, fail(directory, s"its manifest has no SHA-256 of '$name'"))
      val files = GraphFiles(sum, inside(directory, name), Nil)
      files.copy(prepared = root.path("prepared").asBoolean(false), hasWeights = hasWeights(directory, root, sums))
    } else if (root.hasNonNull("savedModel")) {
      val tags = root.path("tags").asText("serve").split(",").toSeq
      SavedModels.files(inside(directory, root.get("savedModel").asText), tags)
    } else fail(directory, s"its manifest names neither 'graph' nor 'savedModel'")

  /** The name of a file that the manifest may have. */
  private def named(
      directory: Path,
      root: JsonNode,
      field: String,
      sums: Seq[(String, String)],
      isAllowed: String => Boolean = _ => true
  ): Option[String] =
    Option(root.get(field)).filterNot(_.isNull).map(_.asText).map { name =>
      inside(directory, name)
      if (!isAllowed(name)) fail(directory, s"its $field are in '$name', expected '${TfGraph.WeightsFile}'")
      if (!sums.exists(_._1 == name)) fail(directory, s"its manifest has no SHA-256 of '$name'")
      name
    }

  private def hasWeights(directory: Path, root: JsonNode, sums: Seq[(String, String)]): Boolean =
    named(directory, root, "weights", sums, TfGraph.WeightsFile == _).isDefined

  /** A file of the bundle; a name that leads out of the directory is refused. */
  private def inside(directory: Path, name: String): Path = {
    val file =
      try directory.resolve(name).normalize
      catch { case _: InvalidPathException => fail(directory, s"'$name' is not the name of a file") }
    if (!file.startsWith(directory.normalize)) fail(directory, s"'$name' leads out of the directory")
    file
  }

  private def specs(directory: Path, root: JsonNode, field: String): Seq[TensorSpec] =
    root.path(field).asScala.toVector.map { s =>
      if (!s.hasNonNull("name") || !s.hasNonNull("tensor"))
        fail(directory, s"an entry of '$field' lacks a name or a tensor")
      val shape = Option(s.get("shape")).filterNot(_.isNull).map { dims =>
        if (!isShape(dims))
          fail(
            directory,
            s"the shape of '${text(s, "name")}' is $dims, expected whole numbers, -1 for an unknown dimension, of fewer " +
              "than 2^56 elements"
          )
        dims.asScala.map(_.asLong).toSeq
      }
      TensorSpec(text(s, "name"), text(s, "tensor"), DType.fromName(text(s, "dtype")), shape)
    }

  private def isShape(dims: JsonNode): Boolean =
    dims.isArray && dims.asScala.forall(d => d.canConvertToLong && d.isIntegralNumber && d.asLong >= -1) &&
      dims.asScala.map(d => BigInt(math.max(d.asLong, 1L))).product < MostElements

  private def writeSpecs(root: ObjectNode, field: String, specs: Seq[TensorSpec]): Unit = {
    val array = root.putArray(field)
    specs.foreach { s =>
      val node = array.addObject().put("name", s.name).put("tensor", s.tensor).put("dtype", s.dtype.name)
      s.shape match {
        case Some(dims) => val d = node.putArray("shape"); dims.foreach(x => d.add(x))
        case None       => node.putNull("shape")
      }
    }
  }

  private def readImage(node: JsonNode): ImageInfo = {
    def pixels(field: String) = if (node.hasNonNull(field)) node.get(field).asInt else ImageInfo.Own
    val preprocessing = node.path("preprocessing").asText("none")
    ImageInfo(text(node, "input"), pixels("height"), pixels("width"), text(node, "channelOrder"), preprocessing)
  }

  private def writeImage(image: ImageInfo, node: ObjectNode): Unit = {
    def pixels(field: String, n: Int) = if (n == ImageInfo.Own) node.putNull(field) else node.put(field, n)
    node.put("input", image.input)
    pixels("height", image.height)
    pixels("width", image.width)
    node.put("channelOrder", image.channelOrder).put("preprocessing", image.preprocessing)
    ()
  }

  private def readRandom(node: JsonNode): Option[RandomDraws] = RandomDraws.of(
    Option(node.get("seed")).filterNot(_.isNull).map(_.asText),
    node.path("unseeded").asScala.toVector.map(_.asText)
  )

  private def writeRandom(random: RandomDraws, node: ObjectNode): Unit = {
    random.seed.foreach(node.put("seed", _))
    if (random.unseeded.nonEmpty) random.unseeded.foreach(node.withArray[ArrayNode]("unseeded").add(_))
  }

  private def readLabels(directory: Path, name: String): Seq[(String, String)] = {
    val list = parse(directory, name)
    val pairs = list.asScala.toVector.map(_.asScala.toVector)
    if (!list.isArray || pairs.isEmpty || !pairs.forall(pair => pair.size == 2 && pair.forall(_.isTextual)))
      fail(directory, s"$name is not a list of [class, description], a pair of texts for each class")
    pairs.map(pair => pair.head.asText -> pair.last.asText)
  }

  private def text(node: JsonNode, field: String): String = node.path(field).asText("")

  private def fail(directory: Path, why: String): Nothing = throw new InvalidModelException(
    s"Cannot read the model bundle '$directory': $why. Make it again with sparkdl.save_bundle or 'python -m sparkdl export'."
  )
}
