package org.sparkdl.image

import java.awt.image.BufferedImage
import java.nio.{ByteBuffer, ByteOrder}
import java.nio.file.Files

import org.apache.spark.ml.linalg.Vector
import org.apache.spark.sql.{DataFrame, Row}
import org.apache.spark.sql.functions.col
import org.apache.spark.sql.sparkdl.execution.EvalModelExec
import org.apache.spark.sql.sparkdl.nodes.ModelFrames
import org.apache.spark.sql.types.{StructField, StructType}

import org.sparkdl.application.OutputColumn
import org.sparkdl.errors.SparkDLException
import org.sparkdl.model.ImageInfo
import org.sparkdl.runtime.DType
import org.sparkdl.tensor.TensorSpec
import org.sparkdl.testing.{SparkSuite, TestModels}

/** What a model's input receives of images: of every kind of column, dtype, order and size. */
class ImageFeedSuite extends SparkSuite {
  import spark.implicits._

  private val any = Seq(-1L, -1L, -1L, -1L)

  private def info(height: Int = -1, width: Int = -1, order: String = "BGR", preprocessing: String = "none") =
    ImageInfo("x", height, width, order, preprocessing)

  /** The numbers that the input receives of each row, null where it receives none, and the reasons. */
  private def fed(
      df: DataFrame,
      image: ImageInfo,
      dtype: DType = DType.Float32,
      shape: Seq[Long] = any,
      batch: Int = 8
  ): Seq[(Seq[Double], String)] =
    applied(df, image, dtype, shape, batch).select("numbers", "why").collect().toSeq.map { r =>
      (Option(r.getAs[Vector](0)).map(_.toArray.toSeq).orNull, r.getString(1))
    }

  private def applied(df: DataFrame, image: ImageInfo, dtype: DType, shape: Seq[Long], batch: Int): DataFrame = {
    val model = TestModels.identity(dtype, shape).withBatchSize(batch).withHandleInvalid("keep")
    val plain = model.application(spark)
    val y = plain.outputs.head.spec
    val application = plain.copy(
      model = plain.model.copy(image = Some(image)),
      // an identity of uint8 or of any shape still becomes a vector
      outputs = Seq(OutputColumn.vector(TensorSpec(y.name, y.tensor, dtype, y.shape)))
    )
    ModelFrames.append(df, application, Seq("image"), Seq("numbers"), Some("why"), None)
  }

  private def structs(images: Row*): DataFrame = spark
    .createDataFrame(
      java.util.Arrays.asList(images.map(Row(_)): _*),
      StructType(Seq(StructField("image", ImageSchema.columnSchema)))
    )
    .coalesce(1)

  private def bytes(height: Int, width: Int, channels: Int, mode: Int, values: Int*): Row =
    Row("memory", height, width, channels, mode, values.map(_.toByte).toArray)

  private def floats(height: Int, width: Int, channels: Int, mode: Int, values: Float*): Row = {
    val buffer = ByteBuffer.allocate(4 * values.size).order(ByteOrder.nativeOrder())
    values.foreach(buffer.putFloat)
    Row("memory", height, width, channels, mode, buffer.array())
  }

  private val twoPixels = bytes(1, 2, 3, 16, 1, 2, 3, 40, 150, 255)
  private val numbers = Seq(1.0, 2, 3, 40, 150, 255)

  test("every dtype that holds 0 to 255 gets the pixels") {
    for (dtype <- Seq(DType.UInt8, DType.Int16, DType.Int32, DType.Int64, DType.Float32, DType.Float64)) {
      assert(fed(structs(twoPixels), info(), dtype).map(_._1) == Seq(numbers), dtype)
      assert(fed(structs(twoPixels), info(1, 2), dtype).map(_._1) == Seq(numbers), dtype)
    }
  }

  test("channels come in the order that the model takes; grey is repeated, alpha dropped, L is luminance") {
    val grey = bytes(1, 2, 1, 0, 7, 200)
    val alpha = bytes(1, 1, 4, 24, 10, 20, 30, 99)
    def got(order: String, dtype: DType) =
      fed(structs(twoPixels, grey, alpha), info(order = order), dtype).map(_._1)
    for (dtype <- Seq(DType.UInt8, DType.Float32)) {
      assert(got("BGR", dtype) == Seq(numbers, Seq(7.0, 7, 7, 200, 200, 200), Seq(10.0, 20, 30)))
      assert(got("RGB", dtype) == Seq(Seq(3.0, 2, 1, 255, 150, 40), Seq(7.0, 7, 7, 200, 200, 200), Seq(30.0, 20, 10)))
      assert(got("L", dtype) == Seq(Seq(2.0, 169), Seq(7.0, 200), Seq(22.0)))
    }
  }

  test("float structs are fed as they are, in the model's order") {
    val colour = floats(1, 2, 3, 21, 0.25f, -1f, 300.5f, 1f, 2f, 3f)
    val grey = floats(1, 2, 1, 5, 0.5f, -7f)
    val alpha = floats(1, 1, 4, 29, 1f, 2f, 4f, 9f)
    def got(order: String, dtype: DType) = fed(structs(colour, grey, alpha), info(order = order), dtype).map(_._1)
    for (dtype <- Seq(DType.Float32, DType.Float64)) {
      val greys = Seq(0.5, 0.5, 0.5, -7.0, -7.0, -7.0)
      assert(got("BGR", dtype) == Seq(Seq(0.25, -1.0, 300.5, 1.0, 2.0, 3.0), greys, Seq(1.0, 2.0, 4.0)))
      assert(got("RGB", dtype) == Seq(Seq(300.5, -1.0, 0.25, 3.0, 2.0, 1.0), greys, Seq(4.0, 2.0, 1.0)))
      val luminance = got("L", dtype)
      assert(luminance(1) == Seq(0.5, -7.0))
      assert(math.abs(luminance(2).head - (0.299 * 4 + 0.587 * 2 + 0.114)) < 1e-6)
    }
    assert(fed(structs(grey), info(1, 2)).head._1 == Seq(0.5, 0.5, 0.5, -7.0, -7.0, -7.0))
  }

  test("float structs are not resized, and not rounded for models that take whole numbers") {
    val grey = structs(floats(1, 2, 1, 5, 0.5f, -7f), bytes(1, 1, 3, 16, 1, 2, 3))
    assert(
      fed(grey, info(1, 1)) == Seq(
        (
          null,
          "the image has float pixels, which are not resized: expected 1x1 (height x width), got 1x2"
        ),
        (Seq(1.0, 2.0, 3.0), null)
      )
    )
    for (dtype <- Seq(DType.UInt8, DType.Int32))
      assert(fed(grey, info(), dtype).head._2.startsWith("image mode 5 (CV_32FC1) has float pixels; expected uint8"))
    assert(fed(structs(bytes(1, 1, 2, 13, 1)), info()).head._2.contains("or CV_32FC1 (5), CV_32FC3 (21)"))
    val short = structs(floats(1, 2, 3, 21, 1f))
    assert(fed(short, info()).head._2 == "expected 24 bytes of data for 2x1x3 (width x height x channels), got 4")
  }

  test("preprocessing is that of Keras, in float32") {
    val pixel = structs(bytes(1, 1, 3, 16, 10, 20, 30), floats(1, 1, 3, 21, 10f, 20f, 30f))
    def got(order: String, preprocessing: String, dtype: DType) = {
      val both = fed(pixel, info(order = order, preprocessing = preprocessing), dtype).map(_._1)
      assert(both(0) == both(1))
      both.head
    }
    def doubles(values: Float*) = values.map(_.toDouble)
    val ones = Seq(30f, 20f, 10f).map(_ / 127.5f - 1f)
    for (dtype <- Seq(DType.Float32, DType.Float64)) {
      assert(got("RGB", "tf", dtype) == doubles(ones: _*))
      assert(got("BGR", "tf", dtype) == doubles(ones.reverse: _*))
      assert(got("BGR", "caffe", dtype) == doubles(10f - 103.939f, 20f - 116.779f, 30f - 123.68f))
      assert(
        got("RGB", "torch", dtype) == doubles(
          (30f / 255f - 0.485f) / 0.229f,
          (20f / 255f - 0.456f) / 0.224f,
          (10f / 255f - 0.406f) / 0.225f
        )
      )
    }
  }

  private def png(height: Int, width: Int, seed: Int): Array[Byte] =
    TestImages.encode(TestImages.picture(height, width, seed), "png")

  private def pixels(height: Int, width: Int, seed: Int): Seq[Double] =
    TestImages.bgr(TestImages.picture(height, width, seed)).toSeq.map(b => (b & 0xff).toDouble)

  /** Sizes in an order in which some follow an equal size and some do not. */
  private val sizes = Seq((5, 7), (5, 7), (7, 5), (5, 7), (2, 9), (2, 9), (2, 9), (2, 9), (1, 1))

  test("images of any size keep their size, and consecutive ones of equal size share a batch") {
    val df = sizes.zipWithIndex.map { case ((h, w), i) => png(h, w, i) }.toDF("image").coalesce(1)
    val expected = sizes.zipWithIndex.map { case ((h, w), i) => (pixels(h, w, i), null) }
    for (dtype <- Seq(DType.UInt8, DType.Float32); batch <- Seq(1, 3, 8))
      assert(fed(df, info(), dtype, batch = batch) == expected)
    val run = applied(df, info(), DType.Float32, any, 3)
    assert(run.collect().length == sizes.size)
    val batches = run.queryExecution.executedPlan.collectFirst { case e: EvalModelExec => e.metrics("batches").value }
    assert(batches.contains(6L)) // 2, 1, 1, 3 + 1, 1
  }

  test("an image of any size is upright when it is measured") {
    val turned = TestImages.oriented(TestImages.jpeg(8, 16), 6)
    val out = fed(Seq(turned).toDF("image"), info(), shape = Seq(-1L, 16L, 8L, 3L))
    assert(out.head._1.size == 16 * 8 * 3)
  }

  test("where the model fixes one side only, images that do not have it are invalid") {
    val df = Seq(png(5, 7, 1), png(7, 5, 1), png(6, 7, 2)).toDF("image").coalesce(1)
    val out = fed(df, info(), shape = Seq(-1L, -1L, 7L, 3L))
    assert(out.map(_._1 == null) == Seq(false, true, false))
    assert(out(1)._2 == "expected an image of [?, ?, 7, 3], got 7x5 (height x width)")
  }

  test("damaged images of any size have the reasons that they have with a given size") {
    val bytes = png(40, 40, 1)
    val df =
      Seq(bytes.take(8) ++ bytes.drop(9), bytes.take(300), "words".getBytes, Array.emptyByteArray).toDF("image")
    val own = fed(df.coalesce(1), info()).map(_._2)
    assert(own == fed(df.coalesce(1), info(4, 4)).map(_._2) && own.forall(_ != null))
  }

  test("paths and URIs are files of images; a file that cannot be read is an invalid row whose reason names it") {
    val folder = Files.createTempDirectory("sparkdl files-")
    val files =
      Seq(Files.write(folder.resolve("a.png"), png(5, 7, 1)), Files.write(folder.resolve("b%20c.png"), png(2, 2, 2)))
    Files.write(folder.resolve("no.png"), "words".getBytes)
    val texts = Seq(
      files(0).toString,
      files(0).toUri.toString, // with %20 for the space of the folder
      s"file:${files(0)}",
      files(1).toString,
      s"$folder/none.png",
      folder.toString,
      s"$folder/no.png",
      "nofs://host/a.png",
      ""
    )
    for (image <- Seq(info(), info(4, 6))) {
      val out = fed(texts.toDF("image").coalesce(1), image)
      assert(out.map(_._1 == null) == texts.indices.map(_ >= 4))
      if (image.ownSize) assert(out.take(4).map(_._1) == Seq.fill(3)(pixels(5, 7, 1)) :+ pixels(2, 2, 2))
      val reasons = out.drop(4).map(_._2)
      assert(reasons(0) == s"there is no file '$folder/none.png'")
      assert(reasons(1) == s"the file '$folder' cannot be read: it is a directory")
      assert(reasons(2) == "the bytes are text; supported are JPEG, PNG, BMP, GIF, WebP and TIFF")
      assert(reasons(3) == "the file 'nofs://host/a.png' cannot be read: No FileSystem for scheme \"nofs\"")
      assert(reasons(4).startsWith("the file '' cannot be read: "))
    }
  }

  test("a column of paths is taken in expressions and by SQL functions too") {
    val file = Files.write(Files.createTempDirectory("sparkdl-files-").resolve("a.png"), png(2, 2, 1))
    val model = TestModels.identity(DType.Float32, Seq(-1L, 2L, 2L, 3L))
    val images = new org.sparkdl.Model(model.definition.copy(image = Some(info(2, 2))), model.options)
    val out = Seq(file.toString, null).toDF("p").select(images(col("p")) as "y").as[Seq[Seq[Seq[Float]]]].collect()
    assert(out(0).flatten.flatten.map(_.toDouble) == pixels(2, 2, 1) && out(1) == null)
  }

  test("what cannot be fed is refused on the driver, with the remedy") {
    val df = structs(twoPixels)
    def message(image: ImageInfo, dtype: DType = DType.Float32, shape: Seq[Long] = any) =
      intercept[SparkDLException](fed(df, image, dtype, shape)).getMessage
    assert(message(info(), DType.Int8).contains("expected one of uint8, int16, int32, int64, float32, float64"))
    assert(message(info(preprocessing = "tf"), DType.UInt8).contains("so it needs float32 or float64"))
    assert(message(info(order = "RGB", preprocessing = "caffe")).contains("channelOrder must be BGR, got RGB"))
    assert(message(info(order = "L", preprocessing = "torch")).contains("channelOrder must be RGB, got L"))
    assert(message(info(preprocessing = "vgg")).contains("Expected one of: none, tf, caffe, torch."))
    assert(message(info(order = "GBR")).contains("Unknown channelOrder 'GBR'"))
    assert(message(info(), shape = Seq(-1L, 4L)).contains("expected the shape [rows, height, width, channels]"))
    assert(
      message(info(), shape = Seq(-1L, 2L, 2L, 1L)).contains("channelOrder 'BGR' gives 3 channel(s); expected 1")
    )
    assert(
      message(info(4, 4), shape = Seq(-1L, 2L, 4L, 3L))
        .contains("images are resized to 4x4 (height x width), which is")
    )
    assert(message(info(4)).contains("Image size must be at least 1x1"))
    val text = intercept[SparkDLException](fed(Seq(1).toDF("image"), info()))
    assert(
      text.getMessage.contains("encoded bytes (binary), paths of files (string) or float32 [?, ?, ?, ?], got int")
    )
  }

  test("a bundle keeps the size, the order and the preprocessing of its images") {
    val folder = Files.createTempDirectory("sparkdl-bundle-")
    val model = TestModels.identity(DType.Float32, any)
    for ((image, i) <- Seq(info(), info(3, 4, "RGB", "torch")).zipWithIndex) {
      val described = new org.sparkdl.Model(model.definition.copy(image = Some(image)), model.options)
      described.save(folder.resolve(s"$i").toString)
      val loaded = org.sparkdl.Model.load(folder.resolve(s"$i").toString)
      assert(loaded.definition.image.contains(image))
      val shown =
        if (i == 0) "images: of any size, BGR, input 'x'" else "images: 3 x 4 pixels, RGB, preprocessing 'torch'"
      assert(loaded.describe().contains(shown))
    }
  }

  test("grey pictures of the JDK keep their numbers") {
    val grey = TestImages.picture(4, 4, 3, BufferedImage.TYPE_BYTE_GRAY)
    val out = fed(Seq(TestImages.encode(grey, "png")).toDF("image"), info(order = "L"), DType.Int64).head._1
    assert(out == (0 until 16).map(i => grey.getRaster.getSample(i % 4, i / 4, 0).toDouble))
  }
}
