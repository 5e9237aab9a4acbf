package org.sparkdl.engine

import java.nio.file.Files
import java.util.concurrent.{Callable, Executors}

import scala.jdk.CollectionConverters._

import org.apache.spark.sql.functions._

import org.sparkdl.Settings
import org.sparkdl.errors.{InvalidModelException, ModelNotFoundException}
import org.sparkdl.model.GraphFiles
import org.sparkdl.runtime.{DType, TfTensor}
import org.sparkdl.testing.{Memory, SparkSuite, TestModels}
import org.sparkdl.testing.TestRuntime.runtime

class EngineSuite extends SparkSuite {
  import spark.implicits._

  private val settings = EngineSettings(runtime, maxMemory = 1L << 30)

  private def shipped(m: org.sparkdl.Model): ShippedModel =
    ShippedModel.of(spark.sparkContext, m.name, m.definition.graph)

  private def inParallel[T](n: Int)(body: Int => T): Seq[T] = {
    val pool = Executors.newFixedThreadPool(n)
    try pool.invokeAll((0 until n).map(i => (() => body(i)): Callable[T]).asJava).asScala.map(_.get).toSeq
    finally pool.shutdown()
  }

  test("a lock is for as long as somebody has it or waits for it") {
    val locks = new Locks
    val first = locks.withLock("a")(locks.withLock("b") { assert(!locks.isEmpty); 1 })
    intercept[IllegalStateException](locks.withLock("a")(throw new IllegalStateException))
    assert(first == 1 && locks.isEmpty)
  }

  test("tasks that arrive at the same time share one loaded model") {
    val model = shipped(TestModels.doubled(shape = Seq(-1, 11)))
    val leases = inParallel(8)(_ => Engine.acquire(model, "float32", settings))
    assert(leases.map(_.model).distinct.size == 1)
    assert(leases.count(_.loadedNow) == 1)
    leases.foreach(_.close())
    leases.foreach(_.close()) // closing twice gives back once
    assert(Engine.loaded.contains(model.hash))
  }

  test("a model whose files were taken away is an error with the file and what to do, before a job and in it") {
    val model = TestModels.doubled(shape = Seq(-1, 15))
    val sent = shipped(model)
    Files.delete(model.definition.graph.path)
    for (use <- Seq(() => shipped(model), () => Engine.acquire(sent, "float32", settings))) {
      val e = intercept[ModelNotFoundException](use())
      assert(e.getMessage.contains(s"'${model.definition.graph.path}' of model 'doubled' is gone."))
      assert(e.getMessage.contains("put them back, or load the model from where it is now"))
    }
  }

  test("a model in use stays, an unused one goes when the limit is passed, least recently used first") {
    Engine.closeUnused()
    val tiny = settings.copy(maxMemory = 1)
    val (a, b) = (shipped(TestModels.doubled(shape = Seq(-1, 12))), shipped(TestModels.doubled(shape = Seq(-1, 13))))
    val lease = Engine.acquire(a, "float32", tiny)
    Engine.acquire(b, "float32", tiny).close()
    assert(Engine.loaded == Seq(a.hash))
    lease.close()
    assert(Engine.loaded.isEmpty)
  }

  test("small models count with what their sessions take, so that very many do not fill the memory") {
    Engine.closeUnused()
    val few = settings.copy(maxMemory = 3L << 20)
    val models = (20 until 26).map(n => shipped(TestModels.doubled(shape = Seq(-1, n.toLong))))
    models.foreach(Engine.acquire(_, "float32", few).close())
    assert(Engine.loaded == models.takeRight(2).map(_.hash))
  }

  test("a model that was just loaded is not closed by a task that ends before it is leased") {
    Engine.closeUnused()
    val none = settings.copy(maxMemory = 1)
    val held = shipped(TestModels.doubled(shape = Seq(-1, 16)))
    val others = (100 until 160).map(n => shipped(TestModels.doubled(shape = Seq(-1, n.toLong))))
    val lease = Engine.acquire(held, "float32", none)
    @volatile var done = false
    val tasks = new Thread(() => while (!done) Engine.acquire(held, "float32", none).close())
    tasks.start()
    try others.foreach(Engine.acquire(_, "float32", none).close())
    finally { done = true; tasks.join(); lease.close() }
    assert(Engine.loaded.isEmpty)
  }

  test("each precision is a session of its own, with the weights of the other, which the last one closes") {
    Engine.closeUnused()
    val model = shipped(TestModels.doubled(shape = Seq(-1, 14)))
    val leases = inParallel(2)(i => Engine.acquire(model, Settings.precisions(i), settings))
    assert(Engine.loaded == Seq(model.hash, model.hash))
    val Seq(one, other) = leases.map(_.model)
    assert((one ne other) && (one.weights eq other.weights))
    leases.head.close()
    Engine.closeUnused()
    assert(Engine.loaded == Seq(model.hash) && !one.weights.isClosed)
    assert(leases.last.model.run(Seq("x:0"), Seq("y:0")) != null)
    leases.last.close()
    Engine.closeUnused()
    assert(one.weights.isClosed)
  }

  test("weights that two sessions share count once against the limit") {
    Engine.closeUnused()
    val model = TestModels.doubled(shape = Seq(-1, 17))
    val graph = model.definition.graph
    val two = settings.copy(maxMemory = 2 * LoadedModel.SessionBytes + graph.bytes)
    Settings.precisions.foreach(Engine.acquire(shipped(model), _, two).close())
    assert(Engine.loaded.size == 2)
  }

  test("many threads run one model at once, each with its own result") {
    val lease = Engine.acquire(shipped(TestModels.doubled(shape = Seq(-1, 15))), "float32", settings)
    val run = lease.model.run(Seq("x:0"), Seq("y:0"))
    val results = inParallel(8) { thread =>
      (1 to 50).map { i =>
        val in = TfTensor.allocate(runtime, DType.Float32, Array(4L, 15L))
        (0 until 60).foreach(k =>
          org.apache.spark.unsafe.Platform.putFloat(null, in.address + 4L * k, thread * 1000f + i)
        )
        val out = run(Array(in))
        val value = org.apache.spark.unsafe.Platform.getFloat(null, out(0).address + 4L * 59)
        (in +: out.toSeq).foreach(_.close())
        value
      }
    }
    results.zipWithIndex.foreach { case (values, t) => assert(values == (1 to 50).map(i => 2 * (t * 1000f + i))) }
    lease.close()
  }

  test("native memory stays flat over 500 batches, also when consumers stop early") {
    val width = 50000
    val model = TestModels.doubled(DType.Float32, Seq(-1, width.toLong)).withBatchSize(8)
    val repeated = udf((id: Long) => Array.fill(width)(id.toFloat)) // array_repeat makes an object of each number
    def pass(batches: Int): Unit = {
      val rows = spark.range(0, batches * 8L, 1, 1).select(repeated(col("id")) as "a")
      val sums = rows.select(element_at(model(col("a")), 1) as "y").agg(sum("y")).as[Double].head()
      assert(sums == (0L until batches * 8L).sum * 2.0)
      rows.select(model(col("a")) as "y").limit(3).collect()
      ()
    }
    pass(60)
    val before = Memory.nativeMB
    pass(500) // 500 batches of 1.6 MB in and 1.6 MB out: a leak of either would be 800 MB
    assert(Memory.nativeMB - before < 400)
  }

  test("two jobs with two models at once") {
    val results = inParallel(2) { i =>
      val m = if (i == 0) TestModels.doubled(shape = Seq(-1)) else TestModels.identity(DType.Float32, Seq(-1))
      spark.range(0, 2000, 1, 4).select(m(col("id").cast("float")) as "y").agg(sum("y")).as[Double].head()
    }
    assert(results == Seq(2.0 * 1999000, 1999000.0))
  }

  test("a cancelled job gives its model back") {
    Engine.closeUnused()
    val m = TestModels.doubled(shape = Seq(-1, 16))
    val slow = udf { (i: Long) => Thread.sleep(20); Array.fill(16)(i.toFloat) }
    val group = "to be cancelled"
    val job = new Thread(() => {
      spark.sparkContext.setJobGroup(group, group, interruptOnCancel = true)
      scala.util.Try(spark.range(0, 100000, 1, 2).select(m.withBatchSize(4)(slow(col("id")))).foreach(_ => ()))
      ()
    })
    job.start()
    while (!Engine.loaded.contains(m.hash)) Thread.sleep(20)
    spark.sparkContext.cancelJobGroup(group)
    job.join(30000)
    assert(!job.isAlive)
    val deadline = System.nanoTime() + 20e9.toLong
    while (Engine.loaded.nonEmpty && System.nanoTime() < deadline) { Engine.closeUnused(); Thread.sleep(50) }
    assert(Engine.loaded.isEmpty)
  }

  test("a graph that TensorFlow cannot load is an error with its name and the remedy") {
    val file = java.nio.file.Files.createTempFile("broken", ".pb")
    java.nio.file.Files.write(file, "this is no graph".getBytes)
    val broken = ShippedModel.of(spark.sparkContext, "broken", GraphFiles("0" * 64, file, Nil))
    val e = intercept[InvalidModelException](Engine.acquire(broken, "float32", settings))
    assert(
      e.getMessage.contains("cannot load model 'broken' (000000000000)") && e.getMessage.contains("TensorFlow 2.18")
    )
  }
}
