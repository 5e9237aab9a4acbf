package org.sparkdl.image

import scala.jdk.CollectionConverters._

import org.apache.spark.ml.image.{ImageSchema => SparkSchema}
import org.apache.spark.sql.{DataFrame, Row, SparkSession}
import org.apache.spark.sql.api.java.UDF2
import org.apache.spark.sql.functions.{col, udf}
import org.apache.spark.sql.sparkdl.frames.SourceFiles
import org.apache.spark.sql.types.{StringType, StructType}
import org.slf4j.LoggerFactory

import org.sparkdl.Sessions
import org.sparkdl.errors.SparkDLException
import org.sparkdl.files.Place
import org.sparkdl.runtime.NativeRuntime

/** Reads image files into Spark's image structs. */
object ImageSchema {
  private val log = LoggerFactory.getLogger("org.sparkdl.image.ImageSchema")

  /** Type of an image column: Spark's own `struct<origin, height, width, nChannels, mode, data>`. */
  val columnSchema: StructType = SparkSchema.columnSchema

  /** The rows of [[readImages]]: the image, and null or the reason why it could not be read. */
  val readSchema: StructType =
    new StructType().add("image", columnSchema, nullable = true).add("error", StringType, nullable = true)

  /** Reads image files from a directory, decoded by TensorFlow in the executors. Lazy.
    *
    * Output: one row per file with the columns `image` (origin = the file's address, always filled; uint8 pixels in
    * BGR or BGRA order, or grey) and `error`. A file that cannot be decoded has height, width, nChannels and mode -1
    * and no data, as in Spark's own image source, and its reason in `error`, which is null for all others. EXIF
    * orientations are applied.
    *
    * @param path
    *   a directory, a file or a glob, on any file system that Hadoop reads
    * @param recursive
    *   also read the directories below
    * @param numPartitions
    *   partitions of the result; -1 leaves it to Spark (`spark.sql.files.maxPartitionBytes`)
    * @param dropImageFailures
    *   leave out files that cannot be decoded
    * @param sampleRatio
    *   share of the files to read, 0 to 1; the same files for the same seed. The others are not opened.
    * @param seed
    *   seed of the sample
    */
  def readImages(
      path: String,
      recursive: Boolean = false,
      numPartitions: Int = -1,
      dropImageFailures: Boolean = false,
      sampleRatio: Double = 1.0,
      seed: Long = 0L
  ): DataFrame =
    readImages(SparkSession.active, Seq(path), recursive, numPartitions, dropImageFailures, sampleRatio, seed)

  /** The same for a given session and several paths. */
  def readImages(
      spark: SparkSession,
      paths: Seq[String],
      recursive: Boolean,
      numPartitions: Int,
      dropImageFailures: Boolean,
      sampleRatio: Double,
      seed: Long
  ): DataFrame = {
    if (!recursive) hint(spark, paths).foreach(log.warn(_))
    images(spark, paths, recursive, numPartitions, dropImageFailures, sampleRatio, seed)
  }

  /** What to say to a user who reads these paths without the folders below, if they have nothing else. */
  private[sparkdl] def hint(spark: SparkSession, paths: Seq[String]): Option[String] =
    Subfolders.hint(patterns(spark, paths), spark.sparkContext.hadoopConfiguration)

  /** [[readImages]] without the hint. */
  private[sparkdl] def images(
      spark: SparkSession,
      paths: Seq[String],
      recursive: Boolean,
      numPartitions: Int,
      dropImageFailures: Boolean,
      sampleRatio: Double,
      seed: Long
  ): DataFrame = {
    checkArguments(paths, numPartitions, sampleRatio)
    val files = spark.read
      .format("binaryFile")
      .option("recursiveFileLookup", recursive)
      .options(FileSample.options(sampleRatio, seed))
      .load(patterns(spark, paths): _*)
      .select("path", "content")
    val images = decoded(repartitioned(withEmptyFiles(files), numPartitions), spark)
    if (dropImageFailures) images.where(col("error").isNull) else images
  }

  private def patterns(spark: SparkSession, paths: Seq[String]): Seq[String] =
    paths.map(Place.of(_).pattern(spark.sparkContext.hadoopConfiguration))

  private def checkArguments(paths: Seq[String], numPartitions: Int, sampleRatio: Double): Unit = {
    if (paths.isEmpty) throw new SparkDLException("readImages needs at least one path, got none.")
    if (numPartitions == 0 || numPartitions < -1)
      throw new SparkDLException(s"numPartitions must be at least 1, or -1 for Spark's choice; got $numPartitions.")
    if (!(sampleRatio >= 0.0 && sampleRatio <= 1.0))
      throw new SparkDLException(s"sampleRatio must be between 0 and 1, got $sampleRatio.")
  }

  /** Spark's file sources leave out files of 0 bytes; here nothing is lost, and they have a reason as other broken
    * files do.
    */
  private def withEmptyFiles(files: DataFrame): DataFrame = {
    val empty = SourceFiles.empty(files).map(path => Row(path, Array.emptyByteArray))
    if (empty.isEmpty) files else files.unionAll(files.sparkSession.createDataFrame(empty.asJava, files.schema))
  }

  /** If anything is shuffled, it is the encoded bytes, which are a fraction of the pixels. */
  private def repartitioned(files: DataFrame, numPartitions: Int): DataFrame =
    if (numPartitions < 0) files
    else {
      val current = files.rdd.getNumPartitions
      if (numPartitions < current) files.coalesce(numPartitions)
      else if (numPartitions > current) files.repartition(numPartitions)
      else files
    }

  private def decoded(files: DataFrame, spark: SparkSession): DataFrame = {
    // Not deterministic as far as the optimizer is concerned: it would otherwise copy the decoding into filters that
    // it pushes down, and decode twice. What nobody selects is still not decoded.
    val settings = Sessions.settingsOf(spark)
    val decodeFile = new DecodeFile(NativeRuntime.of(settings), settings.imageMaxPixels)
    val decode = udf(decodeFile, readSchema).asNondeterministic()
    files.select(decode(col("path"), col("content")).as("read")).select("read.image", "read.error")
  }

  /** Decodes one file to a row of [[readSchema]]. */
  private final class DecodeFile(runtime: NativeRuntime, maxPixels: Long)
      extends UDF2[String, Array[Byte], Row]
      with Serializable {

    override def call(origin: String, content: Array[Byte]): Row =
      ImageDecoder.decode(runtime, content, maxPixels) match {
        case Right(i)     => Row(Row(origin, i.height, i.width, i.nChannels, i.mode, i.data), null)
        case Left(reason) => Row(Row(origin, -1, -1, -1, ImageModes.Undefined, Array.emptyByteArray), reason)
      }
  }
}
