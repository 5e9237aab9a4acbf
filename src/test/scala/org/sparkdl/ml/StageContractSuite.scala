package org.sparkdl.ml

import java.lang.reflect.Modifier
import java.nio.file.{Files, Path, Paths}

import scala.jdk.CollectionConverters._

import org.apache.spark.SparkException
import org.apache.spark.ml.PipelineStage
import org.apache.spark.ml.param.ParamMap
import org.apache.spark.ml.util.MLReadable
import org.apache.spark.sql.{DataFrame, Row}
import org.apache.spark.sql.execution.streaming.runtime.MemoryStream
import org.apache.spark.sql.functions._

import org.sparkdl.errors.{ModelNotFoundException, SchemaMismatchException, SparkDLException}
import org.sparkdl.model.LocalFiles
import org.sparkdl.testing.SparkSuite

/** What every stage of `org.sparkdl.ml` must do. */
class StageContractSuite extends SparkSuite {
  import StageContractSuite._
  import TestBundles._

  private lazy val modelDir = cache().toString

  private lazy val stages: Seq[Contract] = Seq(
    Contract(classOf[DeepImageFeaturizer], DeepImageFeaturizer, () => new DeepImageFeaturizer()),
    Contract(classOf[DeepImagePredictor], DeepImagePredictor, () => new DeepImagePredictor())
  )

  private def ready(c: Contract): ImageStage =
    c.make().setInputCol("content").setOutputCol("out").setModelName("MobileNetV2").setModelDir(modelDir)

  private lazy val three = encoded(spark, png(0xff0000), png(0x00ff00), png(0x0000ff))

  private def each(sentence: String)(check: Contract => Unit): Unit =
    test(sentence)(stages.foreach(c => withClue(c.stage.getSimpleName + ": ")(check(c))))

  test("every stage of the package is in this suite") {
    assert(concreteStages.map(_.getName).toSet == stages.map(_.stage.getName).toSet)
  }

  each("a param has a text that ends with a full stop, a getter and a setter") { c =>
    val stage = c.make()
    stage.params.foreach { p =>
      assert(p.doc.endsWith("."), p.name)
      assert(c.stage.getMethods.exists(_.getName == s"get${p.name.capitalize}"), p.name)
      assert(c.stage.getMethods.exists(_.getName == s"set${p.name.capitalize}"), p.name)
    }
    assert(stage.explainParams().linesIterator.size == stage.params.length)
  }

  each("a copy has the same uid and params, and those of the extra map") { c =>
    val stage = ready(c)
    val copy = stage.copy(ParamMap(stage.outputCol -> "other"))
    assert(copy.uid == stage.uid && copy.getClass == stage.getClass)
    assert(copy.getOutputCol == "other" && stage.getOutputCol == "out")
    assert(copy.getModelDir == stage.getModelDir)
  }

  each("transform changes nothing on the stage and runs nothing") { c =>
    val stage = ready(c)
    val before = stage.extractParamMap().toSeq.map(p => p.param.name -> p.value).toSet
    val failing = udf((_: Int) => if (true) throw new IllegalStateException("ran") else Array.emptyByteArray)
    val out = stage.transform(three.withColumn("content", failing(col("id"))))
    assert(intercept[SparkException](out.collect()).getCause != null)
    assert(stage.extractParamMap().toSeq.map(p => p.param.name -> p.value).toSet == before)
  }

  each("transformSchema says what transform gives, with the columns in their order") { c =>
    Seq(None, Some("why")).foreach { error =>
      val stage = ready(c).setHandleInvalid("keep")
      error.foreach(stage.setErrorCol)
      val out = stage.transform(three)
      assert(out.schema == stage.transformSchema(three.schema))
      assert(out.columns.toSeq == Seq("id", "path", "content", "out") ++ error)
    }
  }

  each("wrong schemas are refused before anything runs") { c =>
    def message(change: ImageStage => Unit, df: DataFrame = three): String = {
      val stage = ready(c)
      change(stage)
      intercept[SchemaMismatchException](stage.transformSchema(df.schema)).getMessage
    }
    assert(
      message(_.setInputCol("nope")).contains("there is no column 'nope'. The DataFrame has: id, path, content.")
    )
    assert(
      message(_.setInputCol("path")).contains("expected Spark's image struct or encoded bytes (binary), got string")
    )
    assert(message(_.setOutputCol("ID")).contains("has a column 'ID' already; set outputCol to another name"))
    assert(message(_.setErrorCol("path")).contains("set errorCol to another name"))
    assert(message(_.setErrorCol("out")).contains("outputCol and errorCol are both 'out'"))
    val unset = c.make().setInputCol("content").setModelName("MobileNetV2")
    assert(
      intercept[SparkDLException](unset.transformSchema(three.schema)).getMessage.contains("outputCol is not set")
    )
  }

  each("values that a param cannot have are refused when they are set, with those that it can have") { c =>
    def message(change: ImageStage => Any) = intercept[SparkDLException](change(c.make())).getMessage
    assert(message(_.setModelName("ResNet51")).contains("Known names: InceptionV3, Xception, ResNet50"))
    assert(message(_.setScaleHint("big")).contains("Expected one of: SCALE_AREA_AVERAGING, SCALE_SMOOTH"))
    assert(message(_.setBatchSize(0)) == "batchSize must be at least 1, got 0.")
    assert(message(_.setPrecision("float16")).contains("Expected one of: float32, bfloat16."))
    assert(message(_.setHandleInvalid("drop")).contains("Expected one of: error, skip, keep."))
  }

  each("a model that is not in the cache is an error with the command that makes it") { c =>
    val e = intercept[ModelNotFoundException](ready(c).setModelName("ResNet50").transform(three))
    assert(e.getMessage.contains(s"python -m sparkdl export ResNet50 --out $modelDir/ResNet50-imagenet"))
    val unnamed = c.make().setInputCol("content").setOutputCol("out")
    assert(intercept[SparkDLException](unnamed.transform(three)).getMessage.contains("modelName is not set"))
  }

  each("what is saved is loaded with the same params and gives the same, without the original files") { c =>
    val dir = cache(seed = 1)
    val stage = ready(c).setModelDir(dir.toString).setBatchSize(2).setScaleHint("SCALE_SMOOTH").setErrorCol("why")
    val path = Files.createTempDirectory("sparkdl-saved-").resolve("stage").toString
    val expected = stage.transform(three).select("id", "out").collect().toSeq
    stage.write.save(path)
    LocalFiles.deleteTree(dir)
    val loaded = c.companion.load(path)
    def values(s: ImageStage): Map[String, Any] =
      s.extractParamMap().toSeq.map(p => p.param.name -> p.value).toMap - "weights"
    assert(loaded.uid == stage.uid && values(loaded) == values(stage))
    assert(loaded.transform(three).select("id", "out").collect().toSeq == expected)
    loaded.write.overwrite().save(path) // onto the directory that it came from
    assert(c.companion.load(path).transform(three).select("id", "out").collect().toSeq == expected)
  }

  each("a stage without a model can be saved and loaded") { c =>
    val path = Files.createTempDirectory("sparkdl-saved-").resolve("stage").toString
    c.make().setBatchSize(7).write.save(path)
    assert(c.companion.load(path).getBatchSize == 7)
  }

  each("a null is an error that says so, skipped or kept, and no other row moves") { c =>
    val df = encoded(spark, png(0xff0000), null, png(0x00ff00), null, png(0x0000ff))
    val e = intercept[SparkException](ready(c).transform(df).collect())
    assert(e.getMessage.contains("Cannot feed '/pictures/1.png'") && e.getMessage.contains("is null"))
    val expected = ready(c).transform(df.filter("content is not null")).select("id", "out").collect().toSeq
    val skipped = ready(c).setHandleInvalid("skip").transform(df).select("id", "out").collect().toSeq
    assert(skipped == expected && skipped.map(_.getInt(0)) == Seq(0, 2, 4))
    val kept = ready(c).setHandleInvalid("keep").setErrorCol("why").transform(df).collect().toSeq
    assert(kept.map(_.getAs[Int]("id")) == Seq(0, 1, 2, 3, 4))
    assert(kept.map(_.getAs[Any]("out")).map(_ == null) == Seq(false, true, false, true, false))
    assert(kept.map(_.getAs[String]("why")).map(_ != null) == Seq(false, true, false, true, false))
  }

  each("empty DataFrames and empty partitions give empty results") { c =>
    assert(ready(c).transform(three.limit(0)).collect().isEmpty)
    assert(ready(c).transform(three.filter("id = 1").repartition(4)).collect().length == 1)
  }

  each("it gives in a stream what it gives in a batch") { c =>
    val images = Seq(png(0xff0000), png(0x00ff00), png(0x0000ff), png(0x808080))
    val session = spark
    import session.implicits._
    implicit val implicitSession: org.apache.spark.sql.SparkSession = spark
    val input = MemoryStream[(Int, Array[Byte])]
    val stage = ready(c)
    val name = s"stream_${c.stage.getSimpleName}"
    val query = stage
      .transform(input.toDF().toDF("id", "content"))
      .select("id", "out")
      .writeStream
      .format("memory")
      .queryName(name)
      .start()
    try {
      input.addData(images.zipWithIndex.map(_.swap).take(2)); query.processAllAvailable()
      input.addData(images.zipWithIndex.map(_.swap).drop(2)); query.processAllAvailable()
      val batch = stage.transform(encoded(spark, images: _*)).select("id", "out").collect()
      assert(spark.table(name).collect().sortBy(_.getInt(0)).toSeq == (batch.toSeq: Seq[Row]))
    } finally query.stop()
  }
}

object StageContractSuite {
  final case class Contract(stage: Class[_], companion: MLReadable[_ <: ImageStage], make: () => ImageStage)

  /** Everything in the package's class files that can be put into a pipeline. */
  def concreteStages: Seq[Class[_]] = {
    val folder = Paths.get(classOf[ImageStage].getResource("ImageStage.class").toURI).getParent
    val names = scala.util.Using.resource(Files.list(folder))(_.iterator().asScala.map(name).toVector)
    names
      .filterNot(_.contains("$"))
      .map(n => Class.forName(s"org.sparkdl.ml.$n"))
      .filter(k => classOf[PipelineStage].isAssignableFrom(k) && !Modifier.isAbstract(k.getModifiers))
  }

  private def name(file: Path): String = file.getFileName.toString.stripSuffix(".class")
}
