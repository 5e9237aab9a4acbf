package org.sparkdl.model

import java.nio.file.{Files, Path, Paths}
import java.util.{Map => JMap}

import scala.jdk.CollectionConverters._
import scala.util.Using

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{Path => HadoopPath}

import org.sparkdl.errors.{InvalidModelException, ModelNotFoundException}
import org.sparkdl.files.{HeldFolder, MadeFolders, Place, RemoteFiles, Sha256}
import org.sparkdl.runtime.NativeRuntime

/** What to read from files that hold more than one model, or that do not name their tensors.
  *
  * @param signature
  *   of a SavedModel
  * @param tags
  *   of a SavedModel
  * @param inputs
  *   tensors of a frozen graph; empty: its placeholders
  * @param outputs
  *   tensors of a frozen graph; empty: those that nothing consumes
  * @param constants
  *   values of placeholders and inputs that no column feeds, by name: booleans, numbers, texts, or sequences of them,
  *   such as `Map("keep_prob" -> 1.0)`
  */
final case class ReadOptions(
    signature: String = "serving_default",
    tags: Seq[String] = Seq("serve"),
    inputs: Seq[String] = Nil,
    outputs: Seq[String] = Nil,
    constants: Map[String, Any] = Map.empty
) {

  /** The same with these constants; lists may be Java's. */
  def withConstants(constants: JMap[String, _]): ReadOptions = copy(constants = constants.asScala.toMap)

  /** Equal for equal constants, in whatever collections they were given. */
  private[model] def comparable: ReadOptions = copy(constants = constants.map { case (name, value) =>
    name -> ConstantValue.of(name, value)
  })
}

/** Reads a model from a path: a bundle, a zip of one, a SavedModel directory, a frozen graph. */
object ModelReader {

  /** Reads the model at `path`; one that is not on a local disk is copied to one first.
    *
    * Runs on the driver. Raises [[ModelNotFoundException]] and [[InvalidModelException]].
    */
  def read(
      path: String,
      hadoop: Configuration,
      runtime: NativeRuntime,
      options: ReadOptions = ReadOptions()
  ): ModelDefinition = readHeld(runtime, path, localFile(path, hadoop), options)

  /** Like `read`, for a place that is known already; messages call it `address`. */
  private[sparkdl] def readAt(
      path: HadoopPath,
      address: String,
      hadoop: Configuration,
      runtime: NativeRuntime,
      options: ReadOptions
  ): ModelDefinition = readHeld(runtime, address, fetch(path, address, hadoop), options)

  /** The model in a local file or folder, which it holds. */
  private def readHeld(
      runtime: NativeRuntime,
      path: String,
      local: HeldFolder,
      options: ReadOptions
  ): ModelDefinition = readLocal(runtime, path, Paths.get(local.path), options).holdingToo(local)

  private def readLocal(
      runtime: NativeRuntime,
      path: String,
      local: Path,
      options: ReadOptions
  ): ModelDefinition =
    if (Files.isDirectory(local))
      if (Bundle.isBundle(local)) Constants.applyTo(runtime, ModelTrust.checked(path, Bundle.read(local)), options)
      else if (SavedModels.isSavedModel(local))
        Constants.applyTo(
          runtime,
          ModelTrust.checked(path, SavedModels.read(local, options.tags, options.signature)),
          options
        )
      else
        throw new InvalidModelException(
          s"'$path' is not a model: expected a directory with ${Bundle.Manifest} (a bundle) or saved_model.pb, " +
            s"got one with: ${names(local)}. It is ${FileKinds.of(local).what}. ${FileKinds.of(local).remedy}"
        )
    else readFile(runtime, path, local, options)

  private def readFile(
      runtime: NativeRuntime,
      path: String,
      local: Path,
      options: ReadOptions
  ): ModelDefinition = {
    val kind = FileKinds.of(local)
    kind.kind match {
      case FileKinds.Graph                         => readGraph(runtime, path, local, options)
      case FileKinds.TextGraph                     => readMade(binary(local))(readGraph(runtime, path, _, options))
      case k if FileKinds.ZippedModels.contains(k) => readMade(unzip(local))(readLocal(runtime, path, _, options))
      case k if FileKinds.OfKeras.contains(k)      => throw kerasFile(local)
      case _                                       => throw FileKinds.notAModel(path, kind)
    }
  }

  /** What is in a folder that was made for it. */
  private def readMade(folder: HeldFolder)(read: Path => ModelDefinition): ModelDefinition =
    read(modelRoot(Paths.get(folder.path))).holdingToo(folder)

  /** A frozen graph, which is checked before TensorFlow sees it: importing it may compute constants. */
  private def readGraph(runtime: NativeRuntime, path: String, file: Path, options: ReadOptions): ModelDefinition = {
    ModelTrust.checkFile(path, file)
    FrozenGraphs.read(runtime, file, options)
  }

  /** The binary form, which TensorFlow's C API reads, of a graph in text form. */
  private def binary(text: Path): HeldFolder = {
    val name = text.getFileName.toString.replaceFirst("\\.pbtxt$", "") + ".pb"
    made.folder(Sha256.of(text).take(24))(d => { Files.write(d.resolve(name), FrozenGraphs.fromText(text)); () })
  }

  private def kerasFile(path: Path) = new InvalidModelException(
    s"'$path' is a Keras file, which only Python can read. Convert it to a bundle once and give the bundle's directory: " +
      s"python -m sparkdl bundle $path --out DIRECTORY (pip install 'sparkdl-py[tensorflow]')."
  )

  private def names(directory: Path): String =
    Using.resource(Files.list(directory))(_.iterator().asScala.map(_.getFileName.toString).take(10).mkString(", "))

  /** The local file or folder at `path`, or a copy of it. */
  private[sparkdl] def localFile(path: String, hadoop: Configuration): HeldFolder =
    fetch(Place.of(path).source(hadoop), path, hadoop)

  private def fetch(path: HadoopPath, address: String, hadoop: Configuration): HeldFolder =
    try Place.of(address).attempt(RemoteFiles.fetch(path, hadoop))
    catch {
      case _: java.io.FileNotFoundException =>
        throw new ModelNotFoundException(
          s"There is no model at '$address'. Expected a bundle (sparkdl.save_bundle, 'python -m sparkdl export'), " +
            "a SavedModel directory or a frozen graph (.pb). " +
            "Convert a Keras file to a bundle first: python -m sparkdl bundle FILE --out DIRECTORY."
        )
    }

  private val made = new MadeFolders("sparkdl-models-")

  private def unzip(file: Path): HeldFolder = made.folder(Sha256.of(file).take(24))(Zips.unpack(file, _))

  /** What is in a folder when it is all that is there: the file of a graph, the top directory of a zip. */
  private def modelRoot(directory: Path): Path = Using.resource(Files.list(directory)) { entries =>
    entries.iterator().asScala.toVector match {
      case Vector(only) => only
      case _            => directory
    }
  }
}
