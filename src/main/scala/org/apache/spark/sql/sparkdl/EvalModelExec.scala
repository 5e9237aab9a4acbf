package org.apache.spark.sql.sparkdl

import org.apache.spark.{SparkContext, TaskContext}
import org.apache.spark.rdd.RDD
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{
  Attribute,
  AttributeSet,
  Expression,
  NamedExpression,
  SortOrder,
  UnsafeProjection
}
import org.apache.spark.sql.execution.{OrderPreservingUnaryExecNode, PartitioningPreservingUnaryExecNode, SparkPlan}
import org.apache.spark.sql.execution.metric.{SQLMetric, SQLMetrics}
import org.apache.spark.util.SerializableConfiguration

import org.sparkdl.engine.ShippedModel
import org.sparkdl.plan.{BatchIterator, BatchMetrics, BatchTask, FileSource}

/** The operator: [[EvalModel]] as Spark runs it. One task runs one partition, in the order of its rows. */
case class EvalModelExec(
    call: ModelCall,
    rejected: Option[Expression],
    rowSource: Option[Expression],
    outputs: Seq[Attribute],
    error: Option[Attribute],
    carried: Seq[Attribute],
    child: SparkPlan
) extends OrderPreservingUnaryExecNode
    with PartitioningPreservingUnaryExecNode {

  override def output: Seq[Attribute] = carried ++ outputs ++ error
  override def producedAttributes: AttributeSet = AttributeSet(outputs ++ error)
  override protected def outputExpressions: Seq[NamedExpression] = output
  override protected def orderingExpressions: Seq[SortOrder] = child.outputOrdering
  override def nodeName: String = s"EvalModel ${call.application.model.name}"

  override lazy val metrics: Map[String, SQLMetric] = {
    val sc: SparkContext = sparkContext
    Map(
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

  override protected def doExecute(): RDD[InternalRow] = {
    val task = batchTask
    val measures = SqlBatchMetrics(metrics)
    val layout = RowLayout(child.output, call.children, carried, rejected, rowSource)
    val all = output
    child.execute().mapPartitions { rows =>
      val toUnsafe = UnsafeProjection.create(all, all)
      new BatchIterator(task, new ChildRows(rows, layout), measures, TaskContext.get()).map(toUnsafe)
    }
  }

  private def batchTask: BatchTask = {
    val application = call.application
    val feeds = call.feeds
    val fetches = application.outputs.map(_.spec.tensor).distinct
    BatchTask(
      modelName = application.model.name,
      shipped = ShippedModel.of(sparkContext, application.model.graph),
      precision = application.precision,
      engine = application.engine,
      capacity = application.rowsPerRun,
      fixedBatch = application.inputs.exists(_.fixedBatch.isDefined),
      inputNames = application.inputs.map(_.name),
      inputTensors = application.inputs.map(_.tensor),
      feeds = feeds,
      files = if (feeds.exists(_.readsFiles)) Some(fileSource) else None,
      fetches = fetches,
      readers = application.outputs.map(o => fetches.indexOf(o.spec.tensor) -> o.reader),
      handleInvalid = application.handleInvalid,
      nullIsNull = application.nullIsNull,
      emitError = error.isDefined
    )
  }

  private def fileSource: FileSource =
    new FileSource(SerializableConfiguration.broadcast(sparkContext, session.sessionState.newHadoopConf()))

  override protected def withNewChildInternal(newChild: SparkPlan): EvalModelExec = copy(child = newChild)
}

final private case class SqlBatchMetrics(metrics: Map[String, SQLMetric]) extends BatchMetrics {
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
