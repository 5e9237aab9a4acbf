package org.sparkdl

import java.nio.file.Paths

import scala.util.Try

import org.apache.spark.network.util.JavaUtils

import org.sparkdl.errors.SettingsException
import org.sparkdl.files.Place

/** The settings of a Spark session that sparkdl reads, with their defaults.
  *
  * A param of a stage takes precedence over the session's setting. They are read on the driver when a plan is made
  * (`spark.conf.set` works at any time), except `native.dir`, which the first use of TensorFlow in a JVM decides.
  */
object Settings {
  private val Prefix = "spark.sparkdl."

  /** A setting: its key, its default, and what it means in one sentence. */
  final case class Setting(name: String, default: String, doc: String) { val key: String = Prefix + name }

  val batchSize: Setting =
    Setting(
      "batchSize",
      "0",
      "Rows per run; 0 = 8 images (4 on executors of less than 2 GiB), or 32 to 1024 rows with about 64 KiB of inputs and outputs."
    )
  val blocksMaxMemory: Setting = Setting(
    "blocks.maxMemory",
    "256k",
    "Inputs and outputs of one block of rows, for block programs that are given no block size."
  )
  val intraOpThreads: Setting =
    Setting("intraOpThreads", "0", "Threads of one TensorFlow operation; 0 = cores of the executor / task slots.")
  val precision: Setting = Setting(
    "precision",
    "float32",
    "'float32', or 'bfloat16' for faster matrix products of about 3 significant digits on CPUs with AVX512_BF16 or AMX."
  )
  val runTimeout: Setting = Setting(
    "runTimeout",
    "0",
    "How long one run of a model may take, such as '5m', before it is ended and its task fails; '0' = no limit."
  )
  val modelsDir: Setting = Setting(
    "models.dir",
    "",
    "Directory of the named models' bundles, any Hadoop path; empty = .sparkdl/models in the home directory."
  )
  val modelsMaxMemory: Setting = Setting(
    "models.maxMemory",
    "4g",
    "Loaded models that no task uses are closed, least recently used first, while all models are larger than this."
  )
  val modelsTrusted: Setting = Setting(
    "models.trusted",
    "",
    "Models whose graphs may use files, the network, Python and the process: their paths, folders of them, or hashes, " +
      "separated by commas; 'all' for every model."
  )
  val bundlesMaxUnused: Setting = Setting(
    "bundles.maxUnused",
    "64m",
    "Bundles that this process made of live models and files of Keras, and that nothing uses any more, are removed, least " +
      "recently used first, while they are larger than this; '0' keeps none."
  )
  val nativeDir: Setting = Setting(
    "native.dir",
    "",
    "Local directory, 700 MB, for TensorFlow's native library; empty = .sparkdl/native in the home directory."
  )
  val imageMaxPixels: Setting = Setting(
    "image.maxPixels",
    "89478485",
    "Images of more pixels (height x width, as their headers say) are invalid; the default is Pillow's MAX_IMAGE_PIXELS."
  )

  /** Read by Python only, as are the next. */
  val workersIdleTimeout: Setting = Setting(
    "workers.idleTimeout",
    "10m",
    "How long a process with Keras loaded (300 MB, one on each machine that trains) waits for the next fit; '0s' = not at all."
  )
  val pythonFunctionsLoad: Setting = Setting(
    "pythonFunctions.load",
    "false",
    "Whether Python loads the functions of saved stages (imageLoader), which runs code from their files: 'true' or 'false'."
  )

  /** Read by Python only. */
  val trainingPort: Setting = Setting(
    "training.port",
    "0",
    "First of the ports on which driver and workers of a training listen, as many as spark.port.maxRetries says; 0 = any."
  )

  /** Read by Python only. */
  val trainingPlainText: Setting = Setting(
    "training.plainText",
    "false",
    "Whether training, which does not encrypt, may run where Spark is told to encrypt connections or disks: 'true' or 'false'."
  )

  val all: Seq[Setting] =
    Seq(
      batchSize,
      blocksMaxMemory,
      intraOpThreads,
      precision,
      runTimeout,
      modelsDir,
      modelsMaxMemory,
      modelsTrusted,
      bundlesMaxUnused,
      nativeDir,
      imageMaxPixels,
      workersIdleTimeout,
      pythonFunctionsLoad,
      trainingPort,
      trainingPlainText
    )

  /** The allowed values of [[precision]]. */
  val precisions: Seq[String] = Seq("float32", "bfloat16")

  /** Reads settings from a lookup such as `spark.conf.getOption`. */
  final class Reader(lookup: String => Option[String]) extends Serializable {
    private def text(s: Setting): String = lookup(s.key).map(_.trim).filter(_.nonEmpty).getOrElse(s.default)

    private def number[T](s: Setting, expected: String)(parse: String => Option[T]): T =
      parse(text(s)).getOrElse(
        throw new SettingsException(s"Setting ${s.key} = '${text(s)}': expected $expected. ${s.doc}")
      )

    def batchSize: Int =
      number(Settings.batchSize, "a whole number of at least 0")(t => Try(t.toInt).toOption.filter(_ >= 0))
    def intraOpThreads: Int =
      number(Settings.intraOpThreads, "a whole number of at least 0")(t => Try(t.toInt).toOption.filter(_ >= 0))
    def precision: String =
      number(Settings.precision, precisions.mkString("'", "' or '", "'"))(Some(_).filter(precisions.contains))
    private def size(s: Setting, example: String, least: Long = 1): Long = number(s, s"a size such as '$example'") {
      t =>
        Try(JavaUtils.byteStringAsBytes(t)).toOption.filter(_ >= least)
    }

    def modelsMaxMemory: Long = size(Settings.modelsMaxMemory, "4g")
    def modelsTrusted: Seq[String] =
      text(Settings.modelsTrusted).split(",").toSeq.map(_.trim).filter(_.nonEmpty)
    def bundlesMaxUnused: Long = size(Settings.bundlesMaxUnused, "64m", least = 0)
    private def seconds(s: Setting, example: String): Long = number(s, s"a time such as '$example'") { t =>
      Try(JavaUtils.timeStringAsSec(t)).toOption.filter(_ >= 0)
    }
    def workersIdleSeconds: Long = seconds(Settings.workersIdleTimeout, "10m")
    def runTimeoutSeconds: Long = seconds(Settings.runTimeout, "5m")
    def blocksMaxMemory: Long = size(Settings.blocksMaxMemory, "256k")
    def imageMaxPixels: Long =
      number(Settings.imageMaxPixels, "a whole number of at least 1")(t => Try(t.toLong).toOption.filter(_ >= 1))
    def nativeDir: String = Some(text(Settings.nativeDir)).filter(_.nonEmpty).fold("") { address =>
      Place.local(address, s"Setting ${Settings.nativeDir.key}").toString
    }
    def modelsDir: String = Some(text(Settings.modelsDir))
      .filter(_.nonEmpty)
      .getOrElse(Paths.get(System.getProperty("user.home"), ".sparkdl", "models").toString)
  }
}
