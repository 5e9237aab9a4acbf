package org.sparkdl.engine

import java.util.concurrent.TimeoutException

import scala.concurrent.{Await, ExecutionContext, Future}
import scala.concurrent.duration._
import scala.util.Try

import org.apache.spark.SparkException
import org.apache.spark.sql.DataFrame
import org.apache.spark.sql.functions._

import org.sparkdl.Model
import org.sparkdl.runtime.DType
import org.sparkdl.testing.{SparkSuite, TestModels}

class EndlessRunsSuite extends SparkSuite {
  import spark.implicits._
  private implicit val threads: ExecutionContext = ExecutionContext.global

  /** y = x, after a loop that goes on as long as there is a negative x: for ever. */
  private def loop(name: String): Model = {
    val float = Map("T" -> DType.Float32)
    TestModels.load(
      name,
      Seq("y"),
      _.placeholder("x", DType.Float32, Seq(-1L))
        .node("Enter", "enter", Seq("x"), float + ("frame_name" -> name))
        .node("Merge", "merge", Seq("enter", "next"), float + ("N" -> 2L))
        .const("axis", DType.Int32, Seq(0))
        .node("Enter", "axis_in", Seq("axis"), Map("T" -> DType.Int32, "frame_name" -> name, "is_constant" -> true))
        .const("zero", DType.Float32, Seq(0), vector = false)
        .node("Enter", "zero_in", Seq("zero"), float ++ Map("frame_name" -> name, "is_constant" -> true))
        .node("Less", "negative", Seq("merge", "zero_in"), float)
        .node("Any", "any", Seq("negative", "axis_in"), Map("Tidx" -> DType.Int32))
        .node("LoopCond", "goes_on", Seq("any"))
        .node("Switch", "switch", Seq("merge", "goes_on"), float)
        .node("NextIteration", "next", Seq("switch:1"), float)
        .node("Exit", "done", Seq("switch"), float)
        .node("EnsureShape", "y", Seq("done"), float + ("shape" -> Seq(-1L)))
    )
  }

  private def applied(model: Model, value: Float, rows: Int = 1): DataFrame =
    spark.range(0, rows.toLong, 1, 1).select(model((col("id") * 0 + value).cast("float")) as "y")

  private def within[T](time: FiniteDuration)(job: Future[T]): T = Await.result(job, time)

  /** Fails where the only two task slots of the session are not free. */
  private def assertSlotsAreFree(): Unit = {
    val together = new java.util.concurrent.CyclicBarrier(2)
    EndlessRunsSuite.meeting = together
    val met = spark.sparkContext.parallelize(0 until 2, 2).map { _ =>
      Try(EndlessRunsSuite.meeting.await(10, java.util.concurrent.TimeUnit.SECONDS)).isSuccess
    }
    assert(met.collect().forall(identity), "two tasks did not run at once")
  }

  test(
    "a run that takes longer than spark.sparkdl.runTimeout fails with the setting, and the model works afterwards"
  ) {
    val model = loop("too_long")
    spark.conf.set("spark.sparkdl.runTimeout", "1s")
    try {
      val e = intercept[SparkException](within(30.seconds)(Future(applied(model, -1f).collect())))
      assert(e.getMessage.contains("could not run model 'too_long' on a batch of partition 0"))
      assert(e.getMessage.contains("longer than 1 s (spark.sparkdl.runTimeout) and was ended"))
      assert(applied(model, 3f).as[Float].head() == 3f)
    } finally spark.conf.unset("spark.sparkdl.runTimeout")
    assertSlotsAreFree()
  }

  test("a cancelled job's endless run is ended, and a job that shares the model gets its results") {
    val model = loop("cancelled")
    val endless = Future {
      spark.sparkContext.setJobGroup("endless", "endless", interruptOnCancel = true)
      Try(applied(model, -1f).collect())
    }
    waitFor(Engine.loaded.contains(model.definition.graph.hash))
    Thread.sleep(300) // it is in its run
    val neighbour = Future { spark.sparkContext.clearJobGroup(); applied(model, 2f, rows = 100).as[Float].collect() }
    intercept[TimeoutException](within(1.second)(neighbour)) // the first run has the lock
    spark.sparkContext.cancelJobGroup("endless")
    assert(within(30.seconds)(endless).isFailure)
    assert(within(30.seconds)(neighbour).toSeq == Seq.fill(100)(2f))
    assertSlotsAreFree()
  }

  private def waitFor(condition: => Boolean): Unit = {
    val deadline = System.nanoTime() + 30e9.toLong
    while (!condition && System.nanoTime() < deadline) Thread.sleep(20)
    assert(condition)
  }
}

private object EndlessRunsSuite {
  @volatile var meeting: java.util.concurrent.CyclicBarrier = _
}
