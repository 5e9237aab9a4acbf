package org.sparkdl.engine

import org.apache.spark.SparkConf
import org.scalatest.funsuite.AnyFunSuite

import org.sparkdl.model.MemoryNeed

class ModelMemorySuite extends AnyFunSuite {
  private val vgg19 = MemoryNeed(575000000L)

  private def executor(settings: (String, String)*): ExecutorMemory =
    ExecutorMemory.of(new SparkConf(loadDefaults = false).setAll(settings))

  private def mib(memory: ExecutorMemory): (Long, Long, Long) =
    (memory.heap >> 20, memory.overhead >> 20, memory.reserved >> 20)

  test("the memory of executors is that of Spark's settings, with Spark's defaults and units") {
    assert(mib(executor()) == ((1024, 384, 0)))
    assert(mib(executor("spark.executor.memory" -> "8g")) == ((8192, 819, 0)))
    assert(mib(executor("spark.executor.memory" -> "2048")) == ((2048, 384, 0)))
    assert(mib(executor("spark.executor.minMemoryOverhead" -> "1g")) == ((1024, 1024, 0)))
    assert(mib(executor("spark.executor.memoryOverhead" -> "3000m")) == ((1024, 3000, 0)))
    val factors =
      Seq("spark.executor.memoryOverheadFactor" -> "0.5", "spark.kubernetes.memoryOverheadFactor" -> "0.4")
    assert(mib(executor(factors :+ ("spark.executor.memory" -> "4g"): _*)) == ((4096, 2048, 0)))
    assert(mib(executor(factors.last, "spark.executor.memory" -> "5g")) == ((5120, 2048, 0)))
    val offHeap = Seq("spark.memory.offHeap.size" -> "1g", "spark.executor.pyspark.memory" -> "512m")
    assert(mib(executor(offHeap: _*)) == ((1024, 384, 512)))
    assert(mib(executor(offHeap :+ ("spark.memory.offHeap.enabled" -> "true"): _*)) == ((1024, 384, 1536)))
  }

  test("the overhead that is asked for suffices, and one step less does not") {
    for (heap <- Seq("512m", "1g", "6g"); weights <- Seq(14L, 98L, 575L, 3000L)) {
      def memory(overhead: Long) = {
        val settings = Seq("spark.executor.memory" -> heap, "spark.executor.memoryOverhead" -> s"${overhead}m")
        ModelMemory(MemoryNeed(weights * 1000000), executor(settings: _*))
      }
      val asked = memory(0).overhead >> 20
      assert(memory(asked).suffices)
      assert(asked == 0 || !memory(asked - 64).suffices)
    }
  }

  test("the largest model that fits is one for which executors suffice") {
    for (overhead <- Seq("384m", "1000m", "8g")) {
      val memory = executor("spark.executor.memoryOverhead" -> overhead)
      val most = ModelMemory.largest(memory).get.weights
      assert(ModelMemory(MemoryNeed(most), memory).suffices)
      assert(!ModelMemory(MemoryNeed(most + (64L << 20)), memory).suffices)
    }
    assert(ModelMemory.largest(executor("spark.executor.memory" -> "256m")).isEmpty)
  }

  test("Spark's default executors suffice for ResNet50 and not for VGG19") {
    assert(ModelMemory(MemoryNeed(103000000L), executor()).suffices)
    assert(!ModelMemory(vgg19, executor()).suffices)
  }

  test("the warning has the model, its size, what it needs, what there is, and the setting with its value") {
    val text = MemoryWarning.text("VGG19", ModelMemory(vgg19, executor()))
    val asked = ModelMemory(vgg19, executor()).overhead >> 20
    assert(text.startsWith("Model 'VGG19' has 575 MB of weights; an executor needs "))
    assert(text.contains("Executors have 1408 MiB (heap 1024 MiB, overhead 384 MiB)"))
    assert(text.contains(s"set spark.executor.memoryOverhead=${asked}m or more before the application starts"))
  }

  test("the warning is given once per application and model, and only where there is a reason") {
    val (small, large) = (ModelMemory(MemoryNeed(1000), executor()), ModelMemory(vgg19, executor()))
    def said(application: String, hash: String, memory: ModelMemory) =
      MemoryWarning.once(application, hash, "model", memory)
    assert(!said("memory suite", "a", small))
    assert(Seq("a", "a", "b").map(said("memory suite", _, large)) == Seq(true, false, true))
    assert(said("another application of the suite", "a", large))
  }
}
