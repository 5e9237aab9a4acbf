package org.sparkdl.ml

import java.lang.reflect.Modifier
import java.nio.file.{Files, Path, Paths}

import scala.jdk.CollectionConverters._

import org.apache.spark.SparkException
import org.apache.spark.ml.PipelineStage
import org.apache.spark.ml.param.ParamMap
import org.apache.spark.ml.util.MLReadable
import org.apache.spark.sql.{DataFrame, Row}
import org.apache.spark.sql.functions._
import org.apache.spark.sql.streaming.Trigger

import org.sparkdl.errors.{InvalidModelException, ModelNotFoundException, SchemaMismatchException, SparkDLException}
import org.sparkdl.files.LocalFiles
import org.sparkdl.model.Bundle
import org.sparkdl.testing.SparkSuite

/** What every stage of `org.sparkdl.ml` must do. */
class StageContractSuite extends SparkSuite {
  import TestStages.AnyStage
  import StageContractSuite._
  import TestBundles._

  private lazy val modelDir = cache().toString

  private def images(make: () => ImageStage, companion: MLReadable[_ <: ModelStage]): Contract = Contract(
    companion,
    () => make(),
    () => {
      val stage = make()
      stage.set(stage.inputCol, "content").set(stage.outputCol, "out")
      stage.set(stage.modelName, "MobileNetV2").set(stage.modelDir, modelDir)
    },
    (stage, column) => stage.set(stage.asInstanceOf[ImageStage].inputCol, column),
    (stage, column) => stage.set(stage.asInstanceOf[ImageStage].outputCol, column),
    "content",
    "path",
    pictures
  )

  private def pictures(numbers: Seq[Int]): DataFrame =
    encoded(spark, numbers.map(i => if (i < 0) null else png(fourColours(i))): _*)

  private lazy val tripled = TestStages.tripled().toString

  private def tensors(
      make: () => TensorStage,
      companion: MLReadable[_ <: ModelStage],
      input: (TensorStage, String) => TensorStage,
      output: (TensorStage, String) => TensorStage,
      model: (TensorStage, String) => TensorStage
  ): Contract = Contract(
    companion,
    () => make(),
    () => model(output(input(make(), "content"), "out"), tripled),
    (stage, column) => input(stage.asInstanceOf[TensorStage], column),
    (stage, column) => output(stage.asInstanceOf[TensorStage], column),
    "content",
    "path",
    TestStages.vectors(spark, _)
  )

  private lazy val colours =
    write(Files.createTempDirectory("sparkdl-bundle-").resolve("colours"), "colours").toString
  private lazy val averages = TestStages.averages().toString

  private lazy val stages: Seq[Contract] = Seq(
    images(() => new DeepImageFeaturizer(), DeepImageFeaturizer),
    images(() => new DeepImagePredictor(), DeepImagePredictor),
    tensors(
      () => new TFTransformer(),
      TFTransformer,
      (s, c) => s.asInstanceOf[TFTransformer].setInputMapping(Map(c -> "x")),
      (s, c) => s.asInstanceOf[TFTransformer].setOutputMapping(Map("y" -> c)),
      (s, m) => s.asInstanceOf[TFTransformer].setTfInputGraph(m)
    ),
    tensors(
      () => new KerasTransformer(),
      KerasTransformer,
      (s, c) => s.asInstanceOf[KerasTransformer].setInputCol(c),
      (s, c) => s.asInstanceOf[KerasTransformer].setOutputCol(c),
      (s, m) => s.asInstanceOf[KerasTransformer].setModelFile(m)
    ),
    tensors(
      () => new KerasModel(),
      KerasModel,
      (s, c) => s.asInstanceOf[KerasModel].setInputCol(c),
      (s, c) => s.asInstanceOf[KerasModel].setOutputCol(c),
      (s, m) => s.asInstanceOf[KerasModel].setModelFile(m)
    ),
    Contract(
      ImageClassifierModel,
      () => new ImageClassifierModel(),
      () =>
        new ImageClassifierModel()
          .setInputCol("content")
          .setPredictionCol("")
          .setProbabilityCol("out")
          .setPredictedLabelCol("")
          .setModelFile(colours),
      (stage, column) => stage.asInstanceOf[ImageClassifierModel].setInputCol(column),
      (stage, column) => stage.asInstanceOf[ImageClassifierModel].setProbabilityCol(column),
      "content",
      "path",
      pictures
    ),
    Contract(
      TFImageTransformer,
      () => new TFImageTransformer(),
      () =>
        new TFImageTransformer()
          .setInputCol("content")
          .setOutputCol("out")
          .setTfInputGraph(colours)
          .setOutputTensor("features_avg"),
      (stage, column) => stage.asInstanceOf[TFImageTransformer].setInputCol(column),
      (stage, column) => stage.asInstanceOf[TFImageTransformer].setOutputCol(column),
      "content",
      "path",
      pictures
    ),
    Contract(
      KerasImageFileTransformer,
      () => new KerasImageFileTransformer(),
      () => new KerasImageFileTransformer().setInputCol("content").setOutputCol("out").setModelFile(averages),
      (stage, column) => stage.asInstanceOf[KerasImageFileTransformer].setInputCol(column),
      (stage, column) => stage.asInstanceOf[KerasImageFileTransformer].setOutputCol(column),
      "content",
      "id",
      TestStages.files(spark, _)
    )
  )

  private def each(sentence: String)(check: Contract => Unit): Unit =
    test(sentence)(stages.foreach(c => withClue(c.stage.getSimpleName + ": ")(check(c))))

  test("every stage of the package is in this suite") {
    assert(concreteStages.map(_.getName).toSet == stages.map(_.stage.getName).toSet)
  }

  each("a param has a text that ends with a full stop, a getter and a setter that Java can chain") { c =>
    val stage = c.make()
    stage.params.foreach { p =>
      assert(p.doc.endsWith("."), p.name)
      assert(c.stage.getMethods.exists(_.getName == s"get${p.name.capitalize}"), p.name)
      val setters = c.stage.getMethods.filter(_.getName == s"set${p.name.capitalize}").map(_.getReturnType).toSet
      assert(setters == Set(c.stage), s"what the setter of ${p.name} returns")
    }
    assert(stage.explainParams().linesIterator.size == stage.params.length)
  }

  each("a copy has the same uid and params, and those of the extra map") { c =>
    val stage = c.ready()
    val copy = stage.copy(ParamMap(stage.batchSize -> 5))
    assert(copy.uid == stage.uid && copy.getClass == stage.getClass)
    assert(copy.getBatchSize == 5 && !stage.isSet(stage.batchSize))
    assert(values(copy) - "batchSize" == values(stage))
  }

  each("transform changes nothing on the stage and runs nothing") { c =>
    val stage = c.ready()
    val before = values(stage)
    val fail = udf((i: Int) => if (i >= 0) throw new IllegalStateException("ran") else true)
    val input = c.three.withColumn(c.column, when(fail(col("id")), col(c.column)))
    val out = stage.transform(input)
    assert(intercept[SparkException](out.collect()).getCause != null)
    assert(values(stage) == before)
  }

  each("transformSchema says what transform gives, with the columns in their order") { c =>
    Seq(None, Some("why")).foreach { error =>
      val stage = c.ready().having("handleInvalid", "keep")
      error.foreach(stage.having("errorCol", _))
      val out = stage.transform(c.three)
      assert(out.schema == stage.transformSchema(c.three.schema))
      assert(out.columns.toSeq == c.three.columns.toSeq ++ Seq("out") ++ error)
    }
  }

  each("wrong schemas are refused before anything runs") { c =>
    def message(change: ModelStage => Any): String = {
      val stage = c.ready()
      change(stage)
      intercept[SchemaMismatchException](stage.transformSchema(c.three.schema)).getMessage
    }
    assert(message(c.input(_, "nope")).contains("there is no column 'nope'. The DataFrame has: id, path, content."))
    assert(message(c.input(_, c.wrong)).contains(s"got ${c.three.schema(c.wrong).dataType.simpleString}"))
    assert(message(c.output(_, "ID")).matches("(?s).*has a column 'ID' already; set \\w+ to another name.*"))
    assert(message(_.having("errorCol", "path")).contains("set errorCol to another name"))
    assert(message(_.having("errorCol", "out")).matches("(?s).*\\w+ and errorCol are both 'out'.*"))
  }

  each("what is needed and not set is named") { c =>
    val e = intercept[SparkDLException](c.make().having("batchSize", 2).transformSchema(c.three.schema))
    assert(e.getMessage.contains("is not set"))
  }

  each("values that a param cannot have are refused when they are set, with those that it can have") { c =>
    def message(change: ModelStage => Any) = intercept[SparkDLException](change(c.make())).getMessage
    assert(message(_.having("batchSize", 0)) == "batchSize must be at least 1, got 0.")
    assert(message(_.having("precision", "float16")).contains("Expected one of: float32, bfloat16."))
    assert(message(_.having("handleInvalid", "drop")).contains("Expected one of: error, skip, keep."))
  }

  each("a model that does not exist is an error that names it") { c =>
    val stage = c.ready()
    stage.set(stage.modelParam, "/no/such/model")
    val e = intercept[SparkDLException](stage.transform(c.three))
    assert(e.isInstanceOf[ModelNotFoundException] && e.getMessage.contains("/no/such/model"))
  }

  each("what is saved is loaded with the same params and gives the same, without the original files") { c =>
    val stage = c.ready().having("batchSize", 2).having("errorCol", "why")
    val own = Files.createTempDirectory("sparkdl-own-").resolve("bundle")
    Bundle.write(stage.findModel(spark), own)
    stage.set(stage.modelParam, own.toString)
    val path = Files.createTempDirectory("sparkdl-saved-").resolve("stage").toString
    val expected = c.results(stage, c.three)
    stage.write.save(path)
    LocalFiles.deleteTree(own)
    val loaded = c.companion.load(path)
    def others(s: ModelStage) = values(s) - s.modelParam.name
    assert(loaded.uid == stage.uid && others(loaded) == others(stage))
    assert(c.results(loaded, c.three) == expected)
    loaded.write.overwrite().save(path) // onto the directory that it came from
    assert(c.results(c.companion.load(path), c.three) == expected)
  }

  each("a stage without a model can be saved and loaded") { c =>
    val path = Files.createTempDirectory("sparkdl-saved-").resolve("stage").toString
    c.make().having("batchSize", 7).write.save(path)
    assert(c.companion.load(path).getBatchSize == 7)
    val Seq(metadata) = LocalFiles.list(Path.of(path, "metadata")).filter(_.getFileName.toString.startsWith("part-"))
    val text = Files.readString(metadata)
    for (
      damaged <- Seq(text.dropRight(9), text.replace("batchSize", "noSuchParam"), text.replace("\"uid\"", "\"\""))
    ) {
      LocalFiles.list(metadata.getParent).filter(_.toString.endsWith(".crc")).foreach(Files.delete)
      Files.writeString(metadata, damaged)
      val why = intercept[InvalidModelException](c.companion.load(path)).getMessage
      assert(why.startsWith(s"Cannot load the stage saved at '$path': ") && why.endsWith("or save it again."), why)
    }
  }

  each("a null is an error that says so, skipped or kept, and no other row moves") { c =>
    val df = c.rows(Seq(0, -1, 1, -1, 2))
    val e = intercept[SparkException](c.ready().transform(df).collect())
    assert(e.getMessage.contains("Cannot feed") && e.getMessage.contains("is null"))
    val expected = c.results(c.ready(), df.filter(s"${c.column} is not null"))
    val skipped = c.results(c.ready().having("handleInvalid", "skip"), df)
    assert(skipped == expected && skipped.map(_.getInt(0)) == Seq(0, 2, 4))
    val kept = c.ready().having("handleInvalid", "keep").having("errorCol", "why").transform(df).collect().toSeq
    assert(kept.map(_.getAs[Int]("id")) == Seq(0, 1, 2, 3, 4))
    assert(kept.map(_.getAs[Any]("out")).map(_ == null) == Seq(false, true, false, true, false))
    assert(kept.map(_.getAs[String]("why")).map(_ != null) == Seq(false, true, false, true, false))
  }

  each("empty DataFrames and empty partitions give empty results") { c =>
    assert(c.ready().transform(c.three.limit(0)).collect().isEmpty)
    assert(c.ready().transform(c.three.filter("id = 1").repartition(4)).collect().length == 1)
  }

  each("it gives in a stream what it gives in a batch") { c =>
    val source = Files.createTempDirectory("sparkdl-stream-").resolve("in").toString
    c.rows(Seq(0, 1, 2, 3)).write.parquet(source)
    val name = s"stream_${c.stage.getSimpleName}"
    val query = c
      .ready()
      .transform(spark.readStream.schema(c.three.schema).parquet(source))
      .select("id", "out")
      .writeStream
      .format("memory")
      .queryName(name)
      .trigger(Trigger.AvailableNow())
      .start()
    try {
      query.awaitTermination()
      val streamed = spark.table(name).collect().sortBy(_.getInt(0)).toSeq
      assert(streamed == c.results(c.ready(), c.rows(Seq(0, 1, 2, 3))))
    } finally query.stop()
  }
}

object StageContractSuite {

  /** A stage and what it can be tried on.
    *
    * @param wrong
    *   a column of a type that the stage does not take
    * @param ready
    *   with everything that it needs to append the column "out"
    * @param rows
    *   id, path and the input column, in one partition: a row for each number from 0 to 3, -1 for a null
    */
  final case class Contract(
      companion: MLReadable[_ <: ModelStage],
      make: () => ModelStage,
      ready: () => ModelStage,
      input: (ModelStage, String) => ModelStage,
      output: (ModelStage, String) => ModelStage,
      column: String,
      wrong: String,
      rows: Seq[Int] => DataFrame
  ) {
    val stage: Class[_] = make().getClass
    lazy val three: DataFrame = rows(Seq(0, 1, 2))
    def results(stage: ModelStage, df: DataFrame): Seq[Row] =
      stage.transform(df).select("id", "out").collect().toSeq
  }

  private def values(s: ModelStage): Map[String, Any] =
    s.extractParamMap().toSeq.map(p => p.param.name -> p.value).toMap

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
