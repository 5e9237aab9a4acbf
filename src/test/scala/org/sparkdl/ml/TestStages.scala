package org.sparkdl.ml

import java.nio.file.{Files, Path}

import org.apache.spark.ml.param.Param
import org.apache.spark.sql.{DataFrame, Row, SparkSession}
import org.apache.spark.sql.types._

import org.sparkdl.runtime.DType
import org.sparkdl.testing.TestModels

/** Inputs for the stages on tensors. */
object TestStages {

  /** Params of a stage of any class: setters belong to the classes. */
  implicit final class AnyStage[T <: ModelStage](private val stage: T) extends AnyVal {
    def having(param: String, value: Any): T = {
      stage.set(stage.getParam(param).asInstanceOf[Param[Any]], value)
      stage
    }
  }

  /** y = 3 x for float32 x of three numbers per row. */
  def tripled(): Path = TestModels.write(
    "tripled",
    _.placeholder("x", DType.Float32, Seq(-1L, 3L))
      .const("three", DType.Float32, Seq(3), vector = false)
      .node("Mul", "y", Seq("x", "three"), Map("T" -> DType.Float32))
  )

  /** y = the average of each channel of float32 images of 8 x 6 pixels. */
  def averages(): Path = TestModels.write(
    "averages",
    _.placeholder("x", DType.Float32, Seq(-1L, 8L, 6L, 3L))
      .const("axes", DType.Int32, Seq(1, 2))
      .node("Mean", "y", Seq("x", "axes"), Map("T" -> DType.Float32, "Tidx" -> DType.Int32))
  )

  /** Rows of (id, path, content) in one partition: the path of a picture of one colour, null for a negative number.
    */
  def files(spark: SparkSession, numbers: Seq[Int]): DataFrame = {
    val rows = numbers.zipWithIndex.map { case (i, id) =>
      Row(id, s"/rows/$id", if (i < 0) null else picture(TestBundles.fourColours(i)))
    }
    val types = Seq("id" -> IntegerType, "path" -> StringType, "content" -> StringType)
    val schema = StructType(types.map { case (n, t) => StructField(n, t) })
    spark.createDataFrame(java.util.Arrays.asList(rows: _*), schema).coalesce(1)
  }

  private lazy val folder = Files.createTempDirectory("sparkdl-pictures-")

  private def picture(rgb: Int): String = Files.write(folder.resolve(s"$rgb.png"), TestBundles.png(rgb)).toString

  private val schema = StructType(
    Seq("id" -> IntegerType, "path" -> StringType, "content" -> ArrayType(FloatType)).map { case (n, t) =>
      StructField(n, t)
    }
  )

  /** Rows of (id, path, content) in one partition: [i, i + 0.5, -i], null for a negative i. */
  def vectors(spark: SparkSession, numbers: Seq[Int]): DataFrame = {
    val rows = numbers.zipWithIndex.map { case (i, id) =>
      Row(id, s"/rows/$id", if (i < 0) null else Seq(i.toFloat, i + 0.5f, -i.toFloat))
    }
    spark.createDataFrame(java.util.Arrays.asList(rows: _*), schema).coalesce(1)
  }
}
