package org.sparkdl.rows

import java.nio.file.{Files, Path}

import org.apache.spark.SparkException
import org.apache.spark.sql.{DataFrame, Row}
import org.apache.spark.sql.functions._

import org.sparkdl.{Model, ModelUDF}
import org.sparkdl.errors.{SchemaMismatchException, SettingsException}
import org.sparkdl.ml.KerasTransformer
import org.sparkdl.runtime.{DType, GraphDefs}
import org.sparkdl.sql.ModelCatalog
import org.sparkdl.tensorframes.{Program, TensorFrames}
import org.sparkdl.testing.{Operators, SparkSuite, TestModels}

class RandomModelsSuite extends SparkSuite with Operators {
  import spark.implicits._

  private val rows = 64

  /** Equal inputs, told apart by id. */
  private lazy val zeros: DataFrame =
    spark.range(0, rows.toLong, 1, 2).select(col("id"), array(lit(0f), lit(0f)) as "x")

  private def noise(g: GraphDefs): GraphDefs = g
    .placeholder("x", DType.Float32, Seq(-1L, 2L))
    .placeholder("sparkdl_seed", DType.Int64, Seq(2L))
    .node("Shape", "shape", Seq("x"), Map("T" -> DType.Float32))
    .node(
      "StatelessRandomNormal",
      "drawn",
      Seq("shape", "sparkdl_seed"),
      Map("dtype" -> DType.Float32, "T" -> DType.Int32, "Tseed" -> DType.Int64)
    )
    .node("AddV2", "y", Seq("x", "drawn"), Map("T" -> DType.Float32))

  /** y = x + noise, from the hidden seed. */
  private lazy val file: Path = TestModels.write("noise", noise)
  private def model: Model = { spark; Model.load(file.toString).withBatchSize(8) }

  /** The same with one of TensorFlow's operations that has its own seed. */
  private def stateful(g: GraphDefs): GraphDefs = g
    .placeholder("x", DType.Float32, Seq(-1L, 2L))
    .node("Shape", "shape", Seq("x"), Map("T" -> DType.Float32))
    .node(
      "RandomStandardNormal",
      "drawn",
      Seq("shape"),
      Map("dtype" -> DType.Float32, "T" -> DType.Int32, "seed" -> 1L, "seed2" -> 2L)
    )
    .node("AddV2", "y", Seq("x", "drawn"), Map("T" -> DType.Float32))

  private def drawn(df: DataFrame): Seq[Seq[Float]] =
    df.select("id", "y").as[(Long, Seq[Float])].collect().toSeq.sortBy(_._1).map(_._2)

  private def ofColumn(m: Model, df: DataFrame = zeros): Seq[Seq[Float]] =
    drawn(df.select(col("id"), m(col("x")) as "y"))

  test("the seed is no input, and each row and each run gets new numbers") {
    assert(model.inputs.map(_.name) == Seq("x"))
    assert(model.describe().contains("random: draws numbers"))
    assert((ofColumn(model) ++ ofColumn(model)).distinct.size == 2 * rows)
  }

  test("with a seed a stage gives a row the same, whatever the partitions, the batches and the order") {
    def stage(seed: Long, batch: Int) =
      new KerasTransformer()
        .setInputCol("x")
        .setOutputCol("y")
        .setModelFile(file.toString)
        .setSeed(seed)
        .setBatchSize(batch)
    val expected = drawn(stage(3, 8).transform(zeros))
    assert(expected.distinct.size == rows)
    assert(drawn(stage(3, 1).transform(zeros.repartition(7))) == expected)
    assert(drawn(stage(3, 32).transform(zeros.sort(col("id").desc))) == expected)
    assert(drawn(stage(3, 5).transform(zeros).filter("id < 9 AND y[0] < 100").limit(50)) == expected.take(9))
    assert(drawn(stage(4, 8).transform(zeros)) != expected)
    assert(stage(3, 8).copy(org.apache.spark.ml.param.ParamMap.empty).asInstanceOf[KerasTransformer].getSeed == 3)
  }

  test("a row is the same in whatever form Spark holds it") {
    val seeded = model.withSeed(1)
    val unsafe = zeros.withColumn("name", concat(lit("n"), col("id"))).withColumn("none", lit(null).cast("string"))
    val safe = spark.createDataFrame(unsafe.rdd, unsafe.schema) // evaluated row by row, from objects
    def noise(df: DataFrame) = drawn(seeded.appendTo(df, Seq("x"), Seq("y")))
    assert(noise(unsafe) == noise(safe) && noise(unsafe) == noise(unsafe.cache()))
    unsafe.unpersist()
  }

  test("the numbers of a column with a seed follow from its inputs, or from the columns after them") {
    val seeded = model.withSeed(1)
    assert(ofColumn(seeded).distinct.size == 1)
    val keyed = drawn(zeros.select(col("id"), seeded(col("x"), col("id")) as "y"))
    assert(keyed.distinct.size == rows)
    assert(keyed == drawn(zeros.repartition(5).select(col("id"), seeded(col("x"), col("id")) as "y")))
    assert(drawn(zeros.select(col("id"), seeded(col("x"), col("id") % 3) as "y")).distinct.size == 3)
    val e = intercept[SchemaMismatchException](zeros.select(model(col("x"), col("id"))).collect())
    assert(e.getMessage.contains("has 1 input(s)") && e.getMessage.contains("got 2 column(s)"))
  }

  test("a SQL function takes the key after its inputs, also after a struct of them") {
    ModelUDF.register(spark, "noise", model.withSeed(1))
    zeros.createOrReplaceTempView("zeros")
    val expected = drawn(spark.sql("SELECT id, noise(x, id) y FROM zeros"))
    assert(expected.distinct.size == rows)
    assert(drawn(spark.sql("SELECT id, noise(struct(x), id) y FROM zeros")) == expected)
    val once = spark.sql("SELECT id, noise(x, id) y FROM zeros WHERE noise(x, id)[0] < 100")
    assert(drawn(once) == expected && operators(once.select("id", "y")).size == 1)
  }

  test("the functions of a catalog draw anew, or from the catalog's seed") {
    val folder = Files.createTempDirectory("sparkdl-random-")
    model.save(folder.resolve("noise").toString)
    TestModels.doubled().save(folder.resolve("twice").toString)
    for ((name, seed) <- Seq("fresh" -> None, "one" -> Some("1"), "other" -> Some("2"))) {
      spark.conf.set(s"spark.sql.catalog.$name", classOf[ModelCatalog].getName)
      spark.conf.set(s"spark.sql.catalog.$name.path", folder.toString)
      seed.foreach(spark.conf.set(s"spark.sql.catalog.$name.seed", _))
    }
    def query(call: String, df: DataFrame = zeros) = {
      df.createOrReplaceTempView("zeros")
      drawn(spark.sql(s"SELECT id, $call y FROM zeros"))
    }
    assert((query("fresh.noise(x)") ++ query("fresh.noise(x)")).distinct.size == 2 * rows)
    val expected = query("one.noise(x, id)")
    assert(expected.distinct.size == rows)
    assert(query("one.noise(x, id)", zeros.repartition(7)) == expected)
    assert(expected == drawn(zeros.select(col("id"), model.withSeed(1)(col("x"), col("id")) as "y")))
    assert(query("other.noise(x, id)") != expected)
    assert(spark.sql("SELECT one.twice(2), one.twice(2, 3)").head() == Row(4f, 4f), "one that draws nothing")
  }

  test("calls with different seeds are different calls, equal calls are one") {
    val (a, b) = (model.withSeed(1), model.withSeed(2))
    val df = zeros.select(a(col("x")) as "a", b(col("x")) as "b", a(col("x")) as "c", model(col("x")) as "d")
    val row = df.head()
    assert(row.get(0) == row.get(2) && row.get(0) != row.get(1) && row.get(0) != row.get(3))
    assert(operators(df).size == 3)
  }

  test("branches of a union draw separately, with a seed they are one") {
    def twofold(m: Model) = { val once = m.appendTo(zeros, Seq("x"), Seq("y")); once.union(once) }
    assert(drawn(twofold(model)).distinct.size == 2 * rows)
    val seeded = twofold(model.withSeed(1))
    assert(drawn(seeded).distinct.size == rows)
    assert(seeded.collect().length == 2 * rows && metric(seeded, "rows") == rows)
  }

  test("a seed for a model that draws nothing changes nothing") {
    val df =
      spark.range(9).select(col("id"), TestModels.doubled().withSeed(1)(col("id").cast("float"), col("id")) as "y")
    assert(df.as[(Long, Float)].collect().forall { case (id, y) => y == 2f * id })
    assert(metric(df, "batches") <= 2)
  }

  test("operations of TensorFlow forget their seeds, and a user's is refused with their names") {
    val own = TestModels.load("stateful", Nil, stateful).withBatchSize(8)
    assert((ofColumn(own) ++ ofColumn(own)).distinct.size == 2 * rows)
    val e = intercept[SettingsException](own.withSeed(7).appendTo(zeros, Seq("x"), Seq("y")))
    assert(e.getMessage.contains("repeatable with seed 7") && e.getMessage.contains("RandomStandardNormal 'drawn'"))
  }

  test("a row that TensorFlow refuses with a seed is an error with the model and the partition") {
    val checked = TestModels.write(
      "checked",
      noise(_).node("CheckNumerics", "z", Seq("y"), Map("T" -> DType.Float32, "message" -> "no number"))
    )
    val stage =
      new KerasTransformer().setInputCol("x").setOutputCol("z").setModelFile(checked.toString).setSeed(3)
    val one = spark.range(0, 1, 1, 1).select(array(lit(0f), lit(Float.NaN)) as "x")
    val e = intercept[SparkException](stage.transform(one).collect())
    assert(e.getMessage.contains("TensorFlow could not run model 'checked' on a batch of partition 0 (inputs "))
    assert(e.getMessage.contains("no number : Tensor had NaN values"))
  }

  test("a seed is refused for a graph with a fixed number of rows above one") {
    val fixed = TestModels.load("fixed", Nil, g => noise(g.placeholder("z", DType.Float32, Seq(4L))))
    val e = intercept[SettingsException](
      fixed.withSeed(7).appendTo(zeros.withColumn("z", lit(0f)), Seq("z", "x"), Seq("y"))
    )
    assert(e.getMessage.contains("its graph takes 4 rows at once"))
  }

  test("a bundle keeps how its model draws") {
    val bundle = Files.createTempDirectory("sparkdl-random-").resolve("bundle").toString
    model.save(bundle)
    val loaded = Model.load(bundle)
    assert(loaded.definition.random == model.definition.random)
    assert(ofColumn(loaded).distinct.size == rows)
  }

  test("programs that draw give each block and each row its own numbers") {
    val ofRow = new GraphDefs()
      .placeholder("x", DType.Float32, Seq(2L))
      .const("shape", DType.Int32, Seq(2))
      .node("RandomStandardNormal", "drawn", Seq("shape"), Map("dtype" -> DType.Float32, "T" -> DType.Int32))
      .node("AddV2", "y", Seq("x", "drawn"), Map("T" -> DType.Float32))
    val byRow = TensorFrames.mapRows(zeros, Program.fromBytes(ofRow.toBytes, "y"))
    assert((drawn(byRow) ++ drawn(byRow)).distinct.size == 2 * rows)
    val byBlock = TensorFrames.mapBlocks(zeros, Program.fromBytes(stateful(new GraphDefs()).toBytes, "y"))
    assert((drawn(byBlock) ++ drawn(byBlock)).distinct.size == 2 * rows)
  }
}
