package org.sparkdl.model

import java.nio.file.{Files, Path}
import java.util.concurrent.ConcurrentHashMap

import scala.util.Using

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{FileSystem, Path => HadoopPath}

import org.sparkdl.errors.{InvalidModelException, ModelNotFoundException, SparkDLException}
import org.sparkdl.files.{FileVersion, LocalFiles, Place, Sha256}
import org.sparkdl.runtime.NativeRuntime

/** Finds the bundle of a named model: `<directory>/<modelName>-<key>`, or `<modelName>-<height>x<width>-<key>` for
  * another size than the table's, where the key is "imagenet" or the first 16 hexadecimal digits of the SHA-256 of a
  * weights file. Python makes the bundles (`python -m sparkdl export`).
  *
  * @param directory
  *   the model cache, any Hadoop path
  */
final private[sparkdl] class ModelCache(directory: String, hadoop: Configuration, runtime: NativeRuntime) {
  import ModelCache._

  /** The bundle of a model with the given weights.
    *
    * @param modelName
    *   may be left out when `weights` is a bundle
    * @param weights
    *   "imagenet", a weights file of Keras, or a bundle (a directory or a zip); any Hadoop path
    * @param size
    *   height and width of the input, if they are not those of the table
    */
  def find(modelName: Option[String], weights: String, size: Option[(Int, Int)] = None): ModelDefinition = {
    val model = modelName.map(NamedModels.fromName)
    val found = findOfAnySize(model, weights, size)
    for ((height, width) <- size; image <- found.image if image.height != height || image.width != width)
      throw new InvalidModelException(
        s"inputSize is $height x $width, but the bundle of '${found.name}' takes images of ${image.height} x " +
          s"${image.width} pixels. Leave inputSize unset, or set weights to 'imagenet' or a file of Keras, of which a " +
          "bundle of any size can be made."
      )
    found
  }

  private def findOfAnySize(
      model: Option[NamedModel],
      weights: String,
      size: Option[(Int, Int)]
  ): ModelDefinition =
    if (weights == ImageNet) cachedModel(model.getOrElse(throw noName), ImageNet, size)
    else {
      val place = Place.of(weights)
      val path = place.source(hadoop)
      place.attempt {
        val fs = path.getFileSystem(hadoop)
        if (!fs.exists(path)) throw noWeights(model, weights)
        if (isBundle(fs, path))
          checkedModel(model, weights, KnownModels.read(path, weights, hadoop, runtime, ReadOptions()))
        else cachedModel(model.getOrElse(throw noName), keyOf(fs, path), size, Some(weights))
      }
    }

  private def cachedModel(
      model: NamedModel,
      key: String,
      size: Option[(Int, Int)],
      file: Option[String] = None
  ): ModelDefinition =
    model.resource match {
      case Some(folder) if file.isEmpty => ShippedBundles.read(folder)
      case _ =>
        val cache = Place.of(directory)
        val sized = size.fold("") { case (height, width) => s"-${height}x$width" }
        val bundle = new HadoopPath(cache.source(hadoop), s"${model.name}$sized-$key")
        cache.attempt {
          if (!bundle.getFileSystem(hadoop).exists(new HadoopPath(bundle, Bundle.Manifest)))
            throw notCached(model, bundle, size, file)
          KnownModels.read(bundle, bundle.toUri.toString, hadoop, runtime, ReadOptions())
        }
    }

  /** Refuses a bundle of another model than the one that the stage names, which would otherwise go unnoticed. */
  private def checkedModel(model: Option[NamedModel], weights: String, bundle: ModelDefinition): ModelDefinition = {
    model.filter(_.name != bundle.name).foreach { m =>
      throw new InvalidModelException(
        s"weights '$weights' is a bundle of '${bundle.name}', but modelName is '${m.name}'. Set the modelName of the " +
          "bundle, or leave modelName unset to take the bundle as it is, or set weights to 'imagenet' or a file."
      )
    }
    bundle
  }

  private def noWeights(model: Option[NamedModel], weights: String) = new ModelNotFoundException(
    s"There is no weights file '$weights'${model.fold("")(m => s" for ${m.name}")}. Expected 'imagenet', a weights " +
      "file of Keras (.weights.h5, .h5, .keras) or the directory of a bundle."
  )

  private def notCached(
      model: NamedModel,
      bundle: HadoopPath,
      size: Option[(Int, Int)],
      file: Option[String]
  ) = {
    val weights = file.fold("")(f => s" --weights $f") + size.fold("") { case (h, w) => s" --size $h $w" }
    val place = if (bundle.toUri.getScheme == "file") bundle.toUri.getPath else bundle.toString
    new ModelNotFoundException(
      s"There is no bundle of ${model.name} in the model cache: '$place' does not exist. Create it once with Python: " +
        s"python -m sparkdl export ${model.name}$weights --out $place (pip install 'sparkdl-py[tensorflow]')."
    )
  }
}

private[sparkdl] object ModelCache {
  val ImageNet = "imagenet"
  private val KeyLength = 16

  private def noName =
    new SparkDLException(
      s"modelName is not set. Expected one of: ${NamedModels.all.map(_.name).mkString(", ")}; it may be left out only " +
        "when weights is a bundle."
    )

  private def isBundle(fs: FileSystem, path: HadoopPath): Boolean =
    fs.getFileStatus(path).isDirectory || path.getName.endsWith(".zip")

  // Large files are hashed once per process and version of the file.
  private val keys = new ConcurrentHashMap[String, String]()

  private def keyOf(fs: FileSystem, file: HadoopPath): String = {
    val status = fs.getFileStatus(file)
    keys.computeIfAbsent(
      FileVersion.of(fs, status),
      _ => Using.resource(fs.open(file))(Sha256.of(_)).take(KeyLength)
    )
  }
}

/** Bundles in sparkdl's jar. */
private object ShippedBundles {
  private val cache = new ConcurrentHashMap[String, ModelDefinition]()

  /** Unpacks a bundle, once per process, into a directory that is removed when the process ends. */
  def read(folder: String): ModelDefinition = cache.computeIfAbsent(
    folder,
    _ => {
      val target = Files.createTempDirectory("sparkdl-shipped-").resolve(folder.split('/').last)
      sys.addShutdownHook(LocalFiles.deleteTree(target.getParent))
      Files.createDirectories(target)
      unpack(folder, Bundle.Manifest, target)
      Bundle.filesOf(target).foreach(unpack(folder, _, target))
      Bundle.read(target)
    }
  )

  private def unpack(folder: String, name: String, target: Path): Unit = {
    val resource = s"/$folder/$name"
    val stream = Option(getClass.getResourceAsStream(resource)).getOrElse(
      throw new InvalidModelException(s"sparkdl's jar has no resource '$resource'; it was not built completely.")
    )
    Using.resource(stream)(Files.copy(_, target.resolve(name)))
    ()
  }
}
