package org.sparkdl.image

import scala.util.hashing.MurmurHash3

import org.apache.hadoop.conf.{Configuration, Configured}
import org.apache.hadoop.fs.{Path, PathFilter}
import org.apache.hadoop.mapreduce.lib.input.FileInputFormat

/** Chooses files by a hash of their address and a seed, while Spark lists them, so that others are never opened.
  *
  * Hadoop makes it from its class name; Spark sends it to executors when it lists many directories.
  */
final class FileSample extends Configured with PathFilter with Serializable {
  private var ratio = 1.0
  private var seed = 0L

  override def setConf(conf: Configuration): Unit = if (conf != null) {
    ratio = conf.getDouble(FileSample.Ratio, 1.0)
    seed = conf.getLong(FileSample.Seed, 0L)
  }

  override def accept(path: Path): Boolean = {
    val hash = MurmurHash3.stringHash(path.toString, (seed ^ (seed >>> 32)).toInt)
    (hash & 0xffffffffL) < ratio * (1L << 32)
  }
}

private[image] object FileSample {
  private val Ratio = "sparkdl.sample.ratio"
  private val Seed = "sparkdl.sample.seed"

  /** Options of Spark's file sources that make them read only a sample. */
  def options(ratio: Double, seed: Long): Map[String, String] =
    if (ratio == 1.0) Map.empty
    else
      Map(
        FileInputFormat.PATHFILTER_CLASS -> classOf[FileSample].getName,
        Ratio -> ratio.toString,
        Seed -> seed.toString
      )
}
