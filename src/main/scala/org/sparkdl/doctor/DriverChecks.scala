package org.sparkdl.doctor

import scala.util.{Failure, Success, Try}

import org.apache.spark.sql.SparkSession

import org.sparkdl.{Settings, Version}
import org.sparkdl.engine.{ExecutorMemory, ModelMemory}
import org.sparkdl.files.Place
import org.sparkdl.model.MemoryNeed

/** What the driver can tell about the session. */
private[sparkdl] object DriverChecks {
  def of(session: SparkSession, settings: Settings.Reader): Seq[Finding] =
    Seq(spark(session), master(session), modelCache(session, settings), NativeMemory.of(session)) ++
      values(settings)

  private def spark(session: SparkSession): Finding =
    if (Version.spark.exists(minor => session.version.startsWith(s"$minor."))) Finding("Spark", session.version)
    else {
      val tested = Version.either(Version.spark)
      Finding("Spark", session.version, s"this sparkdl is tested with Spark $tested: use that version.")
    }

  private def master(session: SparkSession): Finding =
    Finding(
      "master",
      s"${session.sparkContext.master}, default parallelism ${session.sparkContext.defaultParallelism}"
    )

  private def modelCache(session: SparkSession, settings: Settings.Reader): Finding = {
    val path = settings.modelsDir
    Try {
      val hadoop = session.sparkContext.hadoopConfiguration
      val folder = Place.of(path).source(hadoop)
      val fs = folder.getFileSystem(hadoop)
      val bundles = if (fs.exists(folder)) fs.listStatus(folder).toSeq.filter(_.isDirectory).map(_.getPath) else Nil
      bundles.filterNot(_.getName.startsWith(".")).sortBy(_.getName).map { bundle =>
        bundle.getName -> MemoryNeed(fs.getContentSummary(bundle).getLength)
      }
    } match {
      case Success(Seq())  => Finding("model cache", s"$path, empty")
      case Success(models) => cached(session, path, models)
      case Failure(e) =>
        Finding("model cache", path, s"it cannot be read (${e.getMessage}): set ${Settings.modelsDir.key}.")
    }
  }

  /** The models with what an executor needs for each; a problem if executors have less. */
  private def cached(session: SparkSession, path: String, models: Seq[(String, MemoryNeed)]): Finding = {
    val executor = ExecutorMemory.of(session.sparkContext.getConf)
    val text = models.map { case (name, need) => s"$name (executors need ${MemoryNeed.size(need.most)})" }
    val largest = ModelMemory(models.map(_._2).maxBy(_.weights), executor)
    val fits = session.sparkContext.isLocal || largest.suffices
    Finding("model cache", s"$path: ${text.mkString(", ")}", if (fits) "" else s"for the largest, ${largest.remedy}.")
  }

  /** The current settings, each read as the engine reads it. */
  private def values(settings: Settings.Reader): Seq[Finding] = Seq(
    Settings.batchSize -> (() => settings.batchSize.toString),
    Settings.intraOpThreads -> (() => settings.intraOpThreads.toString),
    Settings.precision -> (() => settings.precision),
    Settings.runTimeout -> (() => settings.runTimeoutSeconds.toString),
    Settings.modelsMaxMemory -> (() => settings.modelsMaxMemory.toString),
    Settings.imageMaxPixels -> (() => settings.imageMaxPixels.toString)
  ).map { case (setting, read) =>
    Try(read()) match {
      case Success(value) => Finding(setting.key, value)
      case Failure(e)     => Finding(setting.key, "unreadable", e.getMessage)
    }
  }
}
