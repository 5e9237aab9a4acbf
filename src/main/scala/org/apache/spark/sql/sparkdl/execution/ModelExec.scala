package org.apache.spark.sql.sparkdl.execution

import org.apache.spark.SparkContext
import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.metric.{SQLMetric, SQLMetrics}
import org.apache.spark.sql.sparkdl.columns.ModelCall
import org.apache.spark.util.SerializableConfiguration

import org.sparkdl.engine.ShippedModel
import org.sparkdl.files.FileSource
import org.sparkdl.model.ModelDefinition
import org.sparkdl.rows.{BatchMetrics, BatchTask}

/** What the physical nodes that run models share: their name in the SQL tab, what they count, and what they send to
  * the executors.
  */
private[sparkdl] trait ModelExec extends SparkPlan {

  /** The model or program, and in what way it runs: nothing, "blocks" or "reduce". */
  protected def modelName: String
  protected def way: Option[String]

  override def nodeName: String = (Seq("EvalModel") ++ way :+ modelName).mkString(" ")

  override lazy val metrics: Map[String, SQLMetric] = SqlBatchMetrics.of(sparkContext)

  /** The metrics as executors write them. */
  protected def batchMetrics: BatchMetrics = SqlBatchMetrics(metrics)

  /** The model's files on their way to the executors. */
  protected def ship(model: ModelDefinition): ShippedModel = ShippedModel.of(sparkContext, model.name, model.graph)

  /** What an executor needs to run `call` over rows.
    *
    * @param emitError
    *   append the reasons of invalid rows as a last column
    * @param trimmed
    *   whether the outputs are rows of their own
    */
  protected def taskOf(call: ModelCall, emitError: Boolean, trimmed: Boolean = false): BatchTask = {
    val application = call.application
    val feeds = call.feeds
    val shipped = ship(application.model)
    BatchTask(
      modelName = application.model.name,
      shipped = shipped,
      precision = application.precision,
      engine = application.engine,
      capacity = application.rowsPerRun(shipped.executor),
      rowsGiven = application.rowsGiven,
      fixedBatch = application.inputs.exists(_.fixedBatch.isDefined),
      inputs = application.inputs,
      inputColumns = call.inputs.map(ModelCall.nameOf),
      feeds = feeds,
      files = if (feeds.exists(_.readsFiles)) Some(fileSource) else None,
      outputs = application.outputs.map(_.spec),
      readers = application.outputs.map(_.reader),
      handleInvalid = application.handleInvalid,
      nullIsNull = application.nullIsNull,
      emitError = emitError,
      program = application.program,
      block = application.block,
      trimmed = trimmed,
      random = application.random
    )
  }

  private def fileSource: FileSource =
    new FileSource(sparkContext.broadcast(new SerializableConfiguration(session.sessionState.newHadoopConf())))
}

final private[sparkdl] case class SqlBatchMetrics(metrics: Map[String, SQLMetric]) extends BatchMetrics {
  private val (rows_, rejected_, batches_, loads) =
    (metrics("rows"), metrics("rejected"), metrics("batches"), metrics("modelLoads"))
  private val (feed, load, run, read) =
    (metrics("feedTime"), metrics("loadTime"), metrics("runTime"), metrics("readTime"))
  override def rows(n: Long): Unit = rows_ += n
  override def rejected(n: Long): Unit = rejected_ += n
  override def batches(n: Long): Unit = batches_ += n
  override def modelLoads(n: Long): Unit = loads += n
  override def feedTime(nanos: Long): Unit = feed += nanos
  override def loadTime(nanos: Long): Unit = load += nanos
  override def runTime(nanos: Long): Unit = run += nanos
  override def readTime(nanos: Long): Unit = read += nanos
}

private[sparkdl] object SqlBatchMetrics {

  /** New metrics, with the words of the SQL tab. */
  def of(sc: SparkContext): Map[String, SQLMetric] = Map(
    "rows" -> SQLMetrics.createMetric(sc, "rows"),
    "rejected" -> SQLMetrics.createMetric(sc, "rows rejected"),
    "batches" -> SQLMetrics.createMetric(sc, "batches"),
    "modelLoads" -> SQLMetrics.createMetric(sc, "model loads"),
    "feedTime" -> SQLMetrics.createNanoTimingMetric(sc, "time to read, decode and convert inputs"),
    "loadTime" -> SQLMetrics.createNanoTimingMetric(sc, "time to load the model"),
    "runTime" -> SQLMetrics.createNanoTimingMetric(sc, "time to run the model"),
    "readTime" -> SQLMetrics.createNanoTimingMetric(sc, "time to convert outputs")
  )
}
