package org.sparkdl.doctor

import scala.util.{Failure, Success, Try}

import org.apache.spark.network.util.JavaUtils
import org.apache.spark.sql.SparkSession

import org.sparkdl.{Settings, Version}
import org.sparkdl.files.Place

/** What the driver can tell about the session. */
private[sparkdl] object DriverChecks {
  def of(session: SparkSession, settings: Settings.Reader): Seq[Finding] =
    Seq(spark(session), master(session), modelCache(session, settings), overhead(session, settings)) ++
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
      if (fs.exists(folder))
        fs.listStatus(folder).toSeq.filter(_.isDirectory).map(_.getPath.getName).filterNot(_.startsWith("."))
      else Nil
    } match {
      case Success(Seq()) => Finding("model cache", s"$path, empty")
      case Success(names) => Finding("model cache", s"$path: ${names.sorted.mkString(", ")}")
      case Failure(e) =>
        Finding("model cache", path, s"it cannot be read (${e.getMessage}): set ${Settings.modelsDir.key}.")
    }
  }

  /** Models and tensors live outside the heap, in what YARN and Kubernetes call the memory overhead of an executor.
    */
  private def overhead(session: SparkSession, settings: Settings.Reader): Finding = {
    val conf = session.sparkContext.getConf
    val needed = settings.modelsMaxMemory + (1L << 30)
    if (session.sparkContext.isLocal)
      memoryOf("driver", Linux.memoryMB << 20, Runtime.getRuntime.maxMemory + needed)
    else {
      val heap = JavaUtils.byteStringAsBytes(conf.get("spark.executor.memory", "1g"))
      val configured = conf.getOption("spark.executor.memoryOverhead").map(JavaUtils.byteStringAsBytes)
      val overhead = configured.getOrElse(math.max(384L << 20, heap / 10))
      val text = s"executor overhead ${overhead >> 20} MB, models may take ${settings.modelsMaxMemory >> 20} MB"
      if (overhead >= needed) Finding("native memory", text)
      else
        Finding(
          "native memory",
          text,
          s"set spark.executor.memoryOverhead to ${needed >> 20}m or more (models and 1 GB for tensors), " +
            s"or ${Settings.modelsMaxMemory.key} to less."
        )
    }
  }

  private def memoryOf(who: String, machine: Long, needed: Long): Finding = {
    val text = s"$who may use ${needed >> 20} MB (heap, models, 1 GB for tensors) of ${machine >> 20} MB"
    if (machine == 0 || needed <= machine) Finding("native memory", text)
    else Finding("native memory", text, s"set spark.driver.memory or ${Settings.modelsMaxMemory.key} to less.")
  }

  /** The current settings, each read as the engine reads it. */
  private def values(settings: Settings.Reader): Seq[Finding] = Seq(
    Settings.batchSize -> (() => settings.batchSize.toString),
    Settings.intraOpThreads -> (() => settings.intraOpThreads.toString),
    Settings.precision -> (() => settings.precision),
    Settings.modelsMaxMemory -> (() => settings.modelsMaxMemory.toString),
    Settings.imageMaxPixels -> (() => settings.imageMaxPixels.toString)
  ).map { case (setting, read) =>
    Try(read()) match {
      case Success(value) => Finding(setting.key, value)
      case Failure(e)     => Finding(setting.key, "unreadable", e.getMessage)
    }
  }
}
