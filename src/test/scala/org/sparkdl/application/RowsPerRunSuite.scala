package org.sparkdl.application

import org.apache.spark.SparkConf
import org.scalatest.funsuite.AnyFunSuite

import org.sparkdl.Settings
import org.sparkdl.engine.ExecutorMemory
import org.sparkdl.model.{GraphFiles, ImageInfo, ModelDefinition}
import org.sparkdl.runtime.DType
import org.sparkdl.tensor.TensorSpec

class RowsPerRunSuite extends AnyFunSuite {

  private def application(batchSize: Option[Int] = None): ModelApplication = {
    val pixels = TensorSpec("images", "images:0", DType.UInt8, Some(Seq(-1L, 224L, 224L, 3L)))
    val image = Some(ImageInfo("images", 224, 224, "RGB"))
    val model = ModelDefinition("network", GraphFiles("hash", "graph.pb", Nil), Seq(pixels), Nil, image)
    ModelApplication.of(new Settings.Reader(_ => None), model, Seq(pixels), Nil, HandleInvalid.Error, batchSize)
  }

  private def executor(settings: (String, String)*): Option[ExecutorMemory] =
    Some(ExecutorMemory.of(new SparkConf(loadDefaults = false).setAll(settings)))

  test("a run has 8 images, and 4 on executors of less than 2 GiB, unless somebody says how many") {
    assert(application().rowsPerRun(executor = None) == 8)
    assert(application().rowsPerRun(executor()) == 4)
    assert(application().rowsPerRun(executor("spark.executor.memoryOverhead" -> "1023m")) == 4)
    assert(application().rowsPerRun(executor("spark.executor.memoryOverhead" -> "1g")) == 8)
    assert(application(Some(16)).rowsPerRun(executor()) == 16)
  }
}
