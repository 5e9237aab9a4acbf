package org.sparkdl.ml

import java.io.IOException
import java.nio.file.{Files, Path}

import scala.util.control.NonFatal

import com.fasterxml.jackson.core.JsonProcessingException
import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{Path => HadoopPath}
import org.apache.spark.ml.util.{MLReader, MLWriter}

import org.sparkdl.errors.{InvalidModelException, SparkDLException}
import org.sparkdl.files.{LocalFiles, RemoteFiles, Sha256}
import org.sparkdl.model.{Bundle, ModelDefinition}

/** Writes a stage: its params as Spark ML writes them, and its model as a bundle in `<path>/bundle`, so that it can
  * be loaded where neither the weights nor the model cache are.
  *
  * @param params
  *   Spark's writer of the params
  */
private[ml] class StageWriter(stage: ModelStage, params: MLWriter) extends MLWriter {

  /** The model is looked up before `overwrite` deletes anything. */
  override def save(path: String): Unit = {
    model
    super.save(path)
  }

  private lazy val model: Option[ModelDefinition] =
    if (stage.hasModel) Some(stage.savedModel(sparkSession)) else None

  override protected def saveImpl(path: String): Unit = {
    params.session(sparkSession).save(path)
    model.foreach(SavedBundle.write(_, path, sparkSession.sparkContext.hadoopConfiguration))
  }
}

/** Reads what [[StageWriter]] wrote. The bundle becomes the stage's model; a labels file is in the bundle. */
private[ml] class StageReader[T <: ModelStage](params: MLReader[T]) extends MLReader[T] {

  override def load(path: String): T = {
    val stage =
      try params.session(sparkSession).load(path)
      catch { case NonFatal(e) if isDamage(e, path) => throw damaged(path, e) }
    SavedBundle.copy(path, sparkSession.sparkContext.hadoopConfiguration).foreach { bundle =>
      stage.set(stage.modelParam, bundle)
      if (stage.hasParam("labels")) stage.clear(stage.getParam("labels"))
    }
    stage
  }

  /** Whether it is what the files say that cannot be read, and not that they are missing or out of reach. */
  private def isDamage(error: Throwable, path: String): Boolean = {
    val isOfFiles = error match {
      case _: JsonProcessingException           => false
      case _: IOException | _: SparkDLException => true
      case _                                    => false
    }
    val metadata = new HadoopPath(path, "metadata")
    !isOfFiles && metadata.getFileSystem(sparkSession.sparkContext.hadoopConfiguration).exists(metadata)
  }

  private def damaged(path: String, error: Throwable) = new InvalidModelException(
    s"Cannot load the stage saved at '$path': ${error.getMessage}. Its metadata are damaged, or those of another " +
      "stage: load it as what it was saved as, or save it again.",
    error
  )
}

/** The bundle inside the directory of a saved stage. */
private object SavedBundle {
  private val Name = "bundle"

  def write(model: ModelDefinition, path: String, hadoop: Configuration): Unit =
    LocalFiles.withTemporaryDirectory("sparkdl-bundle-") { local =>
      Bundle.write(model, local)
      RemoteFiles.store(local, new HadoopPath(path, Name), hadoop)
    }

  /** Copies the bundle into a directory of this process, named by its contents, and returns its path; None when the
    * stage was saved without a model.
    *
    * A stage must not depend on the directory that it was loaded from: that may be overwritten, even by the stage
    * itself or by the pipeline around it, which deletes the directory first.
    */
  def copy(path: String, hadoop: Configuration): Option[String] = {
    val bundle = new HadoopPath(path, Name)
    val fs = bundle.getFileSystem(hadoop)
    if (!fs.exists(bundle)) None
    else {
      RemoteFiles.fetch(bundle, hadoop).using { source =>
        Bundle.read(source) // checks every file
        val target = root.resolve(Sha256.of(source.resolve(Bundle.Manifest)).take(24))
        if (!Files.exists(target)) LocalFiles.atomically(target)(LocalFiles.copyTree(source, _))
        Some(target.toUri.toString.stripSuffix("/"))
      }
    }
  }

  private lazy val root: Path = {
    val directory = Files.createTempDirectory("sparkdl-loaded-")
    sys.addShutdownHook(LocalFiles.deleteTree(directory))
    directory
  }
}
