package org.sparkdl.python

import java.io.FileNotFoundException
import java.nio.file.Paths
import java.util.{List => JList, Map => JMap}

import scala.jdk.CollectionConverters._

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.Path
import org.apache.spark.api.java.JavaRDD
import org.apache.spark.sql.{Column, DataFrame, RelationalGroupedDataset, SparkSession}
import org.apache.spark.sql.execution.python.UserDefinedPythonFunction
import org.apache.spark.sql.sparkdl.frames.RecordBatches

import org.sparkdl.{Doctor, Model, ModelUDF, Sessions, Version}
import org.sparkdl.files.{HeldFolder, Place, RemoteFiles}
import org.sparkdl.image.ImageSchema
import org.sparkdl.ml.KerasImageFileTransformer
import org.sparkdl.model.{ModelTrust, ProgramGraph, ReadOptions}
import org.sparkdl.runtime.NativeRuntime
import org.sparkdl.tensor.TensorSpec
import org.sparkdl.tensorframes.{BlockOptions, ColumnTensors, Program, TensorFrames}

/** The one object that Python calls through py4j (`sparkdl.session.jvm_door.door`).
  *
  * For everything that is not a stage; Python reaches stages as pyspark.ml's wrappers do. Arguments and results are
  * plain: text, numbers, DataFrames, Columns and java.util collections.
  */
object Door {

  /** The version of the jar, which Python compares with its own. */
  def version(): String = Version.current

  /** What to say of paths that `readImages` finds nothing in, or null. */
  def imagesHint(spark: SparkSession, paths: JList[String]): String =
    ImageSchema.hint(spark, paths.asScala.toSeq).orNull

  /** `ImageSchema.readImages`, without the hint. */
  def readImages(
      spark: SparkSession,
      paths: JList[String],
      recursive: Boolean,
      numPartitions: Int,
      dropImageFailures: Boolean,
      sampleRatio: Double,
      seed: Long
  ): DataFrame =
    ImageSchema.images(
      spark,
      paths.asScala.toVector,
      recursive,
      numPartitions,
      dropImageFailures,
      sampleRatio,
      seed
    )

  /** `Doctor.examine`: rows of place, topic, value and remedy (empty when there is nothing to fix). */
  def doctor(spark: SparkSession): JList[Array[String]] = {
    val report = Doctor.examine(spark)
    val parts = ("session" -> report.session) +: (report.driver +: report.executors).map(m => m.name -> m.findings)
    parts.flatMap { case (place, findings) => findings.map(f => Array(place, f.topic, f.value, f.remedy)) }.asJava
  }

  /** A local path for what is at a path or URI, itself or a copy; null if nothing is there. A copy stays while Python
    * fetches a few others; for longer, `holdFile`.
    */
  def fetchFile(address: String): String =
    inHadoop(address)(_.source(_)) { (path, hadoop) =>
      try fetched.hold(RemoteFiles.fetch(path, hadoop)).path
      catch { case _: FileNotFoundException => null }
    }

  /** What keeps a copy that `fetchFile` made, as long as Python has it. */
  def holdFile(path: String): HeldFolder = HeldFolder.of(Paths.get(path))

  private val fetched = new LastHeld

  /** The names in a folder; null if there is no folder. */
  def fileNames(address: String): JList[String] =
    inHadoop(address)(_.source(_))((path, hadoop) => RemoteFiles.names(path, hadoop).map(_.asJava).orNull)

  /** Copies a local file or folder to a path or URI, completely or not at all; anything that is there is replaced. */
  def storeFile(local: String, address: String): Unit =
    inHadoop(address)(_.target(_))((path, hadoop) => RemoteFiles.store(Paths.get(local), path, hadoop))

  /** Deletes a file if it is there. */
  def deleteFile(address: String): Unit =
    inHadoop(address)(_.target(_))((path, hadoop) => RemoteFiles.delete(path, hadoop))

  /** Those of some folders that models of this JVM were read from and still need.
    *
    * @param bytes
    *   how large they are together; above `spark.sparkdl.bundles.maxUnused` garbage is collected before the answer
    */
  def heldFolders(paths: JList[String], bytes: Long): JList[String] =
    HeldFolder.heldOf(seq(paths), collect = bytes > bundlesMaxUnused()).asJava

  /** The setting `spark.sparkdl.bundles.maxUnused` in bytes. */
  def bundlesMaxUnused(): Long = Sessions.settings.bundlesMaxUnused

  /** The setting `spark.sparkdl.workers.idleTimeout` in seconds. */
  def workersIdleTimeout(): Long = Sessions.settings.workersIdleSeconds

  private def inHadoop[T](address: String)(at: (Place, Configuration) => Path)(use: (Path, Configuration) => T): T = {
    val hadoop = Sessions.current.sparkContext.hadoopConfiguration
    val place = Place.of(address)
    val path = at(place, hadoop)
    place.attempt(use(path, hadoop))
  }

  /** `Model.load`; Python keeps the model and passes it to the functions below. */
  def loadModel(
      path: String,
      signature: String,
      tags: JList[String],
      inputs: JList[String],
      outputs: JList[String],
      constants: JMap[String, Any]
  ): Model =
    Model.load(path, ReadOptions(signature, seq(tags), seq(inputs), seq(outputs)).withConstants(constants))

  /** `ModelTrust.of`. */
  def trusts(address: String, hash: String): Boolean = ModelTrust.of(address, hash)

  /** `ModelTrust.add`, of a bundle that Python has made of live code. */
  def trustBundle(path: String): Unit = ModelTrust.add(path)

  /** (name, dtype, shape or null) of each input; -1 = unknown dimension. */
  def modelInputs(model: Model): JList[JList[Any]] = model.inputs.map(described).asJava

  /** Like `modelInputs`, of the outputs. */
  def modelOutputs(model: Model): JList[JList[Any]] = model.outputs.map(described).asJava

  /** `Model.select`. */
  def selectOutputs(model: Model, outputs: JList[String]): Model = model.select(seq(outputs): _*)

  /** `Model.apply`. */
  def applyModel(model: Model, columns: JList[Column]): Column = model(seq(columns): _*)

  /** `Model.appendTo`; `error` may be null. */
  def appendModel(
      model: Model,
      df: DataFrame,
      inputs: JList[String],
      outputs: JList[String],
      error: String
  ): DataFrame = model.appendTo(df, seq(inputs), seq(outputs), Option(error))

  /** `ModelUDF.register`; `preprocessor`, which may be null, is a Python function that the arguments go through. */
  def registerModel(
      model: Model,
      spark: SparkSession,
      name: String,
      fields: JMap[String, String],
      preprocessor: UserDefinedPythonFunction
  ): Model = ModelUDF.register(spark, name, model, fields, Option(preprocessor))

  /** Checks a DataFrame before a Python function loads the images for `transformLoaded`. */
  def checkFiles(stage: KerasImageFileTransformer, df: DataFrame): Unit = stage.checkFiles(df.schema)

  /** `KerasImageFileTransformer.transform` on images that its Python function has loaded. */
  def transformLoaded(stage: KerasImageFileTransformer, df: DataFrame, image: String, reason: String): DataFrame =
    stage.transformLoaded(df, image, reason)

  /** `ModelUDF.registerImage`. */
  def registerImageModel(model: Model, spark: SparkSession, name: String): Model =
    ModelUDF.registerImage(spark, name, model)

  /** The rows as record batches of Arrow with at most that many rows each. */
  def recordBatches(df: DataFrame, rows: Int): JavaRDD[Array[Byte]] = RecordBatches.of(df, rows).toJavaRDD()

  /** Name, dtype or null, shape with the rows first or null, and nullability of each column; -1 = unknown. */
  def frameTensors(df: DataFrame): JList[JList[Any]] = df.schema.fields.toSeq.map { field =>
    val tensor = ColumnTensors.of(field)
    val shape = tensor.flatMap(_.shape).map(_.map(Long.box).asJava).orNull
    java.util.Arrays.asList[Any](field.name, tensor.map(_.dtype.name).orNull, shape, Boolean.box(field.nullable))
  }.asJava

  /** A program of TensorFrames.
    *
    * @param path
    *   local file of a frozen GraphDef, which is taken over
    * @param names
    *   of the outputs
    * @param tensors
    *   of the outputs, in the same order
    * @param feeds
    *   placeholder to column, where their names differ
    */
  def tensorProgram(
      path: String,
      names: JList[String],
      tensors: JList[String],
      feeds: JMap[String, String]
  ): Program = {
    val program = Program.named(
      ProgramGraph.takeOver(NativeRuntime.of(Sessions.settings), Paths.get(path)),
      seq(names).zip(seq(tensors))
    )
    feeds.asScala.foldLeft(program) { case (p, (placeholder, column)) => p.feed(placeholder, column) }
  }

  /** `TensorFrames.mapBlocks` or `mapBlocksTrimmed`. */
  def mapBlocks(df: DataFrame, program: Program, trim: Boolean, blockSize: Int, handleInvalid: String): DataFrame = {
    val options = blockOptions(blockSize, handleInvalid)
    if (trim) TensorFrames.mapBlocksTrimmed(df, program, options) else TensorFrames.mapBlocks(df, program, options)
  }

  /** `TensorFrames.mapRows`. */
  def mapRows(df: DataFrame, program: Program, handleInvalid: String): DataFrame =
    TensorFrames.mapRows(df, program, blockOptions(DefaultBlocks, handleInvalid))

  /** `TensorFrames.reduceBlocks`, as a DataFrame of one row, or of none when `df` has none. */
  def reduceBlocks(df: DataFrame, program: Program, blockSize: Int, handleInvalid: String): DataFrame =
    TensorFrames.reducedBlocks(df, program, blockOptions(blockSize, handleInvalid))

  /** `TensorFrames.reduceRows`, as `reduceBlocks` here. */
  def reduceRows(df: DataFrame, program: Program, handleInvalid: String): DataFrame =
    TensorFrames.reducedRows(df, program, blockOptions(DefaultBlocks, handleInvalid))

  /** `TensorFrames.aggregate`. */
  def aggregateBlocks(
      grouped: RelationalGroupedDataset,
      program: Program,
      blockSize: Int,
      handleInvalid: String
  ): DataFrame = TensorFrames.aggregate(grouped, program, blockOptions(blockSize, handleInvalid))

  /** `TensorFrames.analyze`. */
  def analyzeTensors(df: DataFrame): DataFrame = TensorFrames.analyze(df)

  /** `TensorFrames.appendShape`. */
  def appendTensorShape(df: DataFrame, column: String, shape: JList[Int]): DataFrame =
    TensorFrames.appendShape(df, column, seq(shape).toArray)

  /** `TensorFrames.explainTensors`. */
  def explainTensors(df: DataFrame): String = TensorFrames.explainTensors(df)

  private val DefaultBlocks = 0
  private val WholePartitions = -1

  private def blockOptions(blockSize: Int, handleInvalid: String): BlockOptions = {
    val options = BlockOptions(handleInvalid = handleInvalid)
    blockSize match {
      case DefaultBlocks   => options
      case WholePartitions => options.withWholePartitions()
      case rows            => options.withBlockRows(rows)
    }
  }

  private def seq[T](list: JList[T]): Seq[T] = list.asScala.toVector

  private def described(spec: TensorSpec): JList[Any] =
    java.util.Arrays.asList[Any](spec.name, spec.dtype.name, spec.shape.map(_.map(Long.box).asJava).orNull)
}
