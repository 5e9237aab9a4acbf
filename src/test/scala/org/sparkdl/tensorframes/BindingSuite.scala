package org.sparkdl.tensorframes

import org.apache.spark.sql.DataFrame

import org.sparkdl.errors.{InvalidModelException, SchemaMismatchException, SparkDLException}
import org.sparkdl.runtime.DType
import org.sparkdl.testing.SparkSuite

/** What is refused before a job starts. */
class BindingSuite extends SparkSuite {
  import spark.implicits._

  private lazy val df: DataFrame = Seq((1.0, 2.0, "a", Seq(1.0), 7)).toDF("x", "price", "text", "a", "n")

  private def message(f: => Any): String = intercept[SparkDLException](f).getMessage

  private def refused(f: => Any)(parts: String*): Unit = {
    val m = message(f)
    parts.foreach(p => assert(m.contains(p), s"in: $m"))
  }

  test("no column for a placeholder: columns and feeds are listed") {
    val m = message(df.mapBlocks(TestPrograms.sum().feed("x", "price")))
    assert(
      m == "Program 'z (map_blocks)': there is no column 'y' for placeholder 'y: float64 [?]'. The DataFrame has: x, price, " +
        "text, a, n; feeds: x <- price. Rename a column, feed the placeholder from one (feed, feed_dict) or give it a value " +
        "(withConstants, constants)."
    )
    refused(df.mapRows(TestPrograms.sum(Nil)))("'z (map_rows)'", "no column 'y'", "feeds: none")
  }

  test("a placeholder with a value for all rows needs no column") {
    val program = TestPrograms.sum(Nil).feed("x", "price").withConstants(Map("y:0" -> 40))
    assert(df.mapRows(program).select("z").as[Double].collect().toSeq == Seq(42.0))
    val blocks = TestPrograms.sum().withConstants(Map("y" -> Seq(0.5)))
    assert(df.mapBlocks(blocks).select("z").as[Double].collect().toSeq == Seq(1.5))
    val summed = TestPrograms.of("x")(
      _.placeholder("x_input", DType.Float64, TestPrograms.Rows)
        .placeholder("scale", DType.Float64, Nil)
        .const("axis", DType.Int32, Seq(0))
        .node("Sum", "sum", Seq("x_input", "axis"), Map("T" -> DType.Float64, "Tidx" -> DType.Int32))
        .node("Mul", "x", Seq("sum", "scale"), Map("T" -> DType.Float64))
    )
    assert(df.reduceBlocks(summed.withConstants(Map("scale" -> 1.0))).getDouble(0) == 1.0)
  }

  test("a value that a placeholder does not take, or that a column feeds") {
    val sum = TestPrograms.sum(Nil)
    refused(sum.withConstants(Map("w" -> 1)))(
      "'w' of the program a constant",
      "the placeholders are: x: float64 []; y"
    )
    refused(sum.withConstants(Map("y" -> "text")))("expected float64 []")
    refused(sum.feed("y", "price").withConstants(Map("y" -> 1)))("is fed by a column and has a constant ('y')")
    refused(sum.withConstants(Map("y" -> 1)).feed("y", "price"))(
      "'y' is not a placeholder but an operation of type Const"
    )
  }

  test("another dtype or rank") {
    assert(
      message(df.mapBlocks(TestPrograms.doubled().feed("x", "text"))) ==
        "Program 'z (map_blocks)': cannot feed column 'text' to placeholder 'x': expected float64 [?], got string; columns " +
        "that can be fed to float64: tinyint, smallint, int, bigint, float, double (or arrays of them)."
    )
    refused(df.mapBlocks(TestPrograms.doubled(DType.Int32)))("expected int32 [?], got double")
    refused(df.mapBlocks(TestPrograms.doubled().feed("x", "a")))("a value of the column has 1")
    refused(df.mapRows(TestPrograms.doubled(shape = Seq(3L))))("expected float64 [3], got double", "1 dimensions")
  }

  test("another shape, known from metadata") {
    val known = df.appendShape("a", Array(-1, 2))
    refused(known.mapBlocks(TestPrograms.doubled(shape = Seq(-1L, 3L)).feed("x", "a")))(
      "cannot feed column 'a' to placeholder 'x': expected float64 [?, 3]",
      "its cells have the shape [2]"
    )
  }

  test("shapes that the graph's operations refuse") {
    val product = TestPrograms.of("z")(
      _.placeholder("x", DType.Float64, Seq(-1L, -1L))
        .placeholder("w", DType.Float64, Seq(-1L, -1L))
        .node("MatMul", "z", Seq("x", "w"), Map("T" -> DType.Float64))
    )
    val arrays =
      Seq((Seq(1.0), Seq(1.0))).toDF("x", "w").appendShape("x", Array(-1, 3)).appendShape("w", Array(-1, 2))
    val add = TestPrograms.sum(Seq(-1L, -1L)).feed("y", "w")
    refused(arrays.mapBlocks(add))("TensorFlow refuses these shapes: x: float64 [?, 3]; y: float64 [?, 2]", "3 and 2")
    assert(intercept[SchemaMismatchException](arrays.mapBlocks(add)) != null)
    refused(Seq((1.0, 1.0)).toDF("x", "w").mapRows(product))("a row of the input has 2 dimensions")
  }

  test("a column of the output's name, in map but not in trim") {
    val z = df.withColumn("Z", df("x"))
    refused(z.mapBlocks(TestPrograms.doubled()))("has a column 'z' already", "It has: x, price, text, a, n, Z")
    refused(z.mapRows(TestPrograms.doubled(shape = Nil)))("has a column 'z' already")
  }

  test("several columns of the placeholder's name") {
    refused(Seq((1.0, 2.0)).toDF("x", "x").mapBlocks(TestPrograms.doubled()))("2 columns are named 'x'")
  }

  test("placeholders without rows, or with a fixed number of them") {
    refused(df.mapBlocks(TestPrograms.of("z")(scalar)))("a scalar without a batch dimension")
    val three = TestPrograms.doubled(shape = Seq(3L))
    refused(df.mapBlocks(three))("takes blocks of exactly 3 rows", "as many rows as fit the memory")
    refused(df.mapBlocks(three, BlockOptions().withBlockRows(4)))("blocks are of 4 rows")
    refused(df.mapBlocks(three, BlockOptions().withWholePartitions()))("whole partitions")
  }

  private def scalar(g: org.sparkdl.runtime.GraphDefs) = g
    .placeholder("x", DType.Float64, Nil)
    .node("AddV2", "z", Seq("x", "x"), Map("T" -> DType.Float64))

  test("outputs of a map that have no rows, or always as many") {
    val total = TestPrograms.blockSum("x", "z")
    refused(df.mapBlocks(total))("output 'z' is a scalar (float64 [])", "reduce_blocks")
    refused(df.mapBlocksTrimmed(total))("output 'z' is a scalar (float64 [])")
    val constant = TestPrograms.of("z", "w")(
      _.placeholder("x", DType.Float32, TestPrograms.Rows)
        .const("z", DType.Float32, Seq(1, 2))
        .node("AddV2", "w", Seq("x", "x"), Map("T" -> DType.Float32))
    )
    refused(df.mapBlocks(constant))("output 'z: float32 [2]' has 2 rows, whatever its block has", "trim")
    refused(df.mapBlocks(TestPrograms.of("z")(_.const("z", DType.Float32, Seq(1, 2)))))("need no placeholder")
  }

  test("outputs of unknown rank have no column type") {
    val unknown = TestPrograms.of("z")(
      _.placeholder("x", DType.Float64, TestPrograms.Rows)
        .placeholder("n", DType.Int32, TestPrograms.Rows)
        .node("Reshape", "z", Seq("x", "n"), Map("T" -> DType.Float64, "Tshape" -> DType.Int32))
    )
    refused(df.mapBlocks(unknown))("the rank of output 'z' is unknown", "tf.ensure_shape")
    refused(df.mapBlocksTrimmed(unknown))("the rank of output 'z' is unknown")
  }

  test("trimmed outputs of different numbers of rows") {
    val two =
      TestPrograms.of("a", "b")(_.const("a", DType.Float32, Seq(1, 2)).const("b", DType.Float32, Seq(1, 2, 3)))
    refused(df.mapBlocksTrimmed(two))("different numbers of rows: a: float32 [2]; b: float32 [3]")
  }

  test("reductions: missing columns and placeholders, and placeholders too many") {
    refused(df.reduceBlocks(TestPrograms.blockSum("y_input", "y")))("no column 'y' to merge into output 'y'")
    refused(df.reduceBlocks(TestPrograms.blockSum("q", "x")))("needs the placeholder 'x_input'", "need: q")
    refused(df.reduceRows(TestPrograms.blockSum("x_1", "x", shape = Seq(-1L))))("'x_1' and 'x_2'", "'x_2' is missing")
    val more = TestPrograms.of("x")(
      TestPrograms
        .summed(_, "x_input", "s", DType.Float64)
        .placeholder("q", DType.Float64, Nil)
        .node("AddV2", "x", Seq("s", "q"), Map("T" -> DType.Float64))
    )
    refused(df.reduceBlocks(more))("the placeholders q belong to no output")
    refused(df.reduceRows(TestPrograms.pairSum().feed("x_1", "price")))("take columns 'price' and 'x'")
  }

  test("reductions: what comes out must be what goes in") {
    refused(df.reduceBlocks(TestPrograms.identity(DType.Float64, Seq(-1L)).feed("x", "y")))("no column 'y' to merge")
    val cast = TestPrograms.of("x")(
      TestPrograms
        .summed(_, "x_input", "s", DType.Float64)
        .node("Cast", "x", Seq("s"), Map("SrcT" -> DType.Float64, "DstT" -> DType.Float32))
    )
    refused(df.reduceBlocks(cast))("output 'x' is float32 []", "a cell of placeholder 'x_input' is float64 []")
    val rows = TestPrograms.of("x")(
      _.placeholder("x_input", DType.Float64, Seq(-1L))
        .node("Identity", "x", Seq("x_input"), Map("T" -> DType.Float64))
    )
    refused(df.reduceBlocks(rows))("output 'x' is float64 [?]", "expected the same dtype and shape")
    refused(df.reduceBlocks(TestPrograms.blockSum("x_input", "x", shape = Seq(3L))))("takes exactly 3 rows")
  }

  test("reductions of a stream") {
    val stream = spark.readStream.format("rate").load().selectExpr("cast(value as double) as x")
    refused(stream.reduceBlocks(TestPrograms.blockSum("x_input", "x")))("a stream has no last row", "foreachBatch")
  }

  test("options that are not allowed") {
    refused(BlockOptions(handleInvalid = "keep"))("'keep' cannot be used here")
    refused(BlockOptions(handleInvalid = "maybe"))("Unknown handleInvalid 'maybe'")
    refused(BlockOptions().withBlockRows(0))("at least 1 row, got 0")
    refused(BlockOptions().withBlockMemory(0))("at least 1 byte")
    val whole = BlockOptions().withWholePartitions()
    refused(df.mapRows(TestPrograms.doubled(shape = Nil), whole))("map_rows has no blocks")
  }

  test("programs that are not possible: fetches, feeds, variables") {
    val sum = TestPrograms.sum()
    refused(Program.fromBytes(Array[Byte](1, 2, 3), "z"))("not a serialized GraphDef")
    refused(Program.fromBytes(Array[Byte](), "z"))("it has no operations")
    refused(TestPrograms.of("z:0", "z")(scalar))("different names, got twice: z")
    refused(TestPrograms.of()(scalar))("at least one output")
    refused(TestPrograms.of("zz")(scalar))("no tensor 'zz'", "similar names: z, x")
    refused(
      df.mapBlocks(
        TestPrograms.of("z:1")(
          _.placeholder("x", DType.Float64, Seq(-1L)).node("Identity", "z", Seq("x"), Map("T" -> DType.Float64))
        )
      )
    )(
      "operation 'z' has no output 'z:1'"
    )
    refused(sum.feed("q", "x"))("has no placeholder 'q'; they need: x, y.")
    refused(sum.feed("z", "x"))("'z' is not a placeholder but an operation of type AddV2")
    refused(
      TestPrograms
        .of("x")(TestPrograms.summed(_, "x_input", "s", DType.Float64).placeholder("x", DType.Float64))
        .feed("x_input", "x")
    )(
      "placeholder 'x_input' is not needed for its outputs x; they need: x."
    )
    val variable = TestPrograms.of("z") _
    refused(
      variable(
        _.node("VarHandleOp", "w", Nil, Map("dtype" -> DType.Float64, "shape" -> Seq(2L)))
          .node("ReadVariableOp", "z", Seq("w"), Map("dtype" -> DType.Float64))
      )
    )("not frozen: it has the variables w", "convert_variables_to_constants")
  }

  test("a graph that TensorFlow cannot import") {
    val unknown = TestPrograms.of("z")(_.placeholder("x", DType.Float64, Seq(-1L)).node("NoSuchOp", "z", Seq("x")))
    val e = intercept[InvalidModelException](df.mapBlocks(unknown))
    assert(e.getMessage.contains("cannot import the graph of program 'z (map_blocks)'"))
    assert(e.getMessage.contains("NoSuchOp"))
  }

  test("a file that is not a graph, and one that does not exist") {
    refused(Program.fromFile("/nowhere/graph.pb", "z"))("There is no model at '/nowhere/graph.pb'")
    refused(Program.fromFile(java.nio.file.Files.createTempDirectory("sparkdl-").toString, "z"))("is not a program")
  }
}
