package org.sparkdl.rows

import java.nio.file.Files

import org.apache.spark.SparkException
import org.apache.spark.sql.functions._

import org.sparkdl.Model
import org.sparkdl.model.Bundle
import org.sparkdl.runtime.{DType, GraphDefs}
import org.sparkdl.testing.{SparkSuite, TestModels}

/** Rows that are smaller than a window of pooling, for which oneDNN divides by zero. */
class WindowSuite extends SparkSuite {
  import spark.implicits._

  /** Windows beside each other. */
  private def windows(sizes: Seq[Long], padding: String): Map[String, Any] =
    Map(
      "T" -> DType.Float32,
      "ksize" -> GraphDefs.ints(sizes),
      "strides" -> GraphDefs.ints(sizes),
      "padding" -> padding
    )

  private def pooled(op: String, padding: String): Model = TestModels.load(
    "pooled",
    Seq("largest"),
    (g: GraphDefs) =>
      g.placeholder("x", DType.Float32, Seq(-1L, -1L, 1L, 1L))
        .node(op, "pool", Seq("x"), windows(Seq(1L, 3L, 1L, 1L), padding))
        .const("axes", DType.Int32, Seq(1, 2, 3))
        .node("Max", "largest", Seq("pool", "axes"), Map("T" -> DType.Float32, "Tidx" -> DType.Int32))
  )

  private lazy val rows =
    Seq(Seq(1f, 2f, 3f), Seq(4f, 5f), Seq(6f), Seq(7f, 8f, 9f, 10f))
      .map(_.map(v => Seq(Seq(v))))
      .toDF("x")
      .coalesce(1)

  private def kept(model: Model) =
    model.withHandleInvalid("keep").appendTo(rows, Seq("x"), Seq("y"), Some("why")).select("y", "why")

  test("a row that is shorter than a window is a bad row, and the others are computed") {
    for (op <- Seq("MaxPool", "AvgPool")) {
      val found = kept(pooled(op, "VALID")).as[(Option[Float], Option[String])].collect()
      val expected = if (op == "MaxPool") Seq(Some(3f), None, None, Some(9f)) else Seq(Some(2f), None, None, Some(8f))
      assert(found.map(_._1).toSeq == expected, op)
      found
        .flatMap(_._2)
        .foreach(why =>
          assert(why.contains("the row is smaller than a window of pooling pool: its shape is] [1 "), why)
        )
      val e = intercept[SparkException](rows.select(pooled(op, "VALID")(col("x"))).collect())
      assert(e.getMessage.contains("smaller than a window of pooling pool: its shape is] [1 2 1 1]"), e.getMessage)
    }
  }

  /** A loop of TensorFlow 1 that pools once, and counts. */
  private def inLoop: Model = {
    def inFrame(constant: Boolean) =
      Map("frame_name" -> "loop", "is_constant" -> constant, "parallel_iterations" -> 10L)
    def typed(t: DType) = Map("T" -> t)
    val (float, int) = (typed(DType.Float32), typed(DType.Int32))
    TestModels.load(
      "loop",
      Seq("y"),
      (g: GraphDefs) =>
        g.placeholder("x", DType.Float32, Seq(-1L, -1L, 1L, 1L))
          .const("zero", DType.Int32, Seq(0), vector = false)
          .const("one", DType.Int32, Seq(1), vector = false)
          .node("Enter", "x_in", Seq("x"), float ++ inFrame(constant = false))
          .node("Enter", "i_in", Seq("zero"), int ++ inFrame(constant = false))
          .node("Enter", "one_in", Seq("one"), int ++ inFrame(constant = true))
          .node("Merge", "x_now", Seq("x_in", "x_next"), float + ("N" -> 2L))
          .node("Merge", "i_now", Seq("i_in", "i_next"), int + ("N" -> 2L))
          .node("Less", "less", Seq("i_now", "one_in"), int)
          .node("LoopCond", "goes_on", Seq("less"))
          .node("Switch", "x_either", Seq("x_now", "goes_on"), float)
          .node("Switch", "i_either", Seq("i_now", "goes_on"), int)
          .node("MaxPool", "pool", Seq("x_either:1"), windows(Seq(1L, 3L, 1L, 1L), "VALID"))
          .node("AddV2", "i_more", Seq("i_either:1", "one_in"), int)
          .node("NextIteration", "x_next", Seq("pool"), float)
          .node("NextIteration", "i_next", Seq("i_more"), int)
          .node("Exit", "out", Seq("x_either"), float)
          .const("axes", DType.Int32, Seq(1, 2, 3))
          .node("Max", "largest", Seq("out", "axes"), float + ("Tidx" -> DType.Int32))
          .const("flat", DType.Int32, Seq(-1))
          .node("Reshape", "y", Seq("largest", "flat"), float + ("Tshape" -> DType.Int32))
    )
  }

  test("a loop of TensorFlow 1 is checked, too") {
    val found = kept(inLoop).as[(Option[Float], Option[String])].collect()
    assert(found.map(_._1).toSeq == Seq(Some(3f), None, None, Some(9f)))
    found.flatMap(_._2).foreach(why => assert(why.contains("smaller than a window of pooling pool"), why))
  }

  test("padded windows take rows of any length") {
    assert(
      kept(pooled("MaxPool", "SAME")).as[(Option[Float], Option[String])].collect().map(_._1).toSeq ==
        Seq(Some(3f), Some(5f), Some(6f), Some(10f))
    )
  }

  test("a bundle of such a model is checked, too, and saving it again adds nothing") {
    val folder = Files.createTempDirectory("sparkdl-test-")
    val model = pooled("MaxPool", "VALID")
    Bundle.write(model.definition, folder.resolve("bundle"))
    val bundle = Model.load(folder.resolve("bundle").toString)
    assert(bundle.hash == model.hash, "the check is there already")
    assert(kept(bundle).filter("y IS NULL").count() == 2)
  }

  test("where the graph knows the size of rows, nothing is added") {
    val g = (size: Long) =>
      TestModels.load(
        "fixed",
        Nil,
        (g: GraphDefs) =>
          g.placeholder("x", DType.Float32, Seq(-1L, size, 4L, 1L))
            .node("MaxPool", "pool", Seq("x"), windows(Seq(1L, 2L, 2L, 1L), "VALID"))
      )
    assert(
      !Files.readString(g(4L).definition.graph.path, java.nio.charset.StandardCharsets.ISO_8859_1).contains("Assert")
    )
    assert(
      Files.readString(g(-1L).definition.graph.path, java.nio.charset.StandardCharsets.ISO_8859_1).contains("Assert")
    )
  }
}
