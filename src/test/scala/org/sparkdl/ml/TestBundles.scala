package org.sparkdl.ml

import java.awt.image.BufferedImage
import java.nio.file.{Files, Path}

import org.apache.spark.ml.image.ImageSchema
import org.apache.spark.sql.{DataFrame, Row, SparkSession}
import org.apache.spark.sql.types._

import org.sparkdl.files.Sha256
import org.sparkdl.image.TestImages
import org.sparkdl.model.{Bundle, GraphFiles, ImageInfo, ModelDefinition}
import org.sparkdl.runtime.{DType, GraphDefs}
import org.sparkdl.tensor.TensorSpec
import org.sparkdl.testing.TestModels

/** A network that sees colours: its features are the average red, green and blue, its classes the strongest of them.
  */
object TestBundles {
  val Height = 8
  val Width = 6
  val labels: Seq[(String, String)] = Seq("c0" -> "red", "c1" -> "green", "c2" -> "blue")

  /** A directory as in a model cache, named `<name>-<key>`. */
  def cache(name: String = "MobileNetV2", key: String = "imagenet", top: Boolean = true, seed: Int = 0): Path = {
    val directory = Files.createTempDirectory("sparkdl-cache-")
    write(directory.resolve(s"$name-$key"), name, top, Some(labels), seed)
    directory
  }

  /** Writes a bundle; another seed gives another graph with the same outputs. */
  def write(
      target: Path,
      name: String,
      top: Boolean = true,
      labels: Option[Seq[(String, String)]] = None,
      seed: Int = 0
  ): Path = {
    val graph = TestModels.write("graph", build(_, seed))
    val outputs = Seq("features_avg" -> 3L, "features_max" -> 3L, "features_none" -> Height * Width * 3L) ++
      (if (top) Seq("predictions" -> 3L) else Nil)
    val classified = if (top) Seq("prediction" -> DType.Float64, "label" -> DType.Str) else Nil
    Bundle.write(
      ModelDefinition(
        name,
        GraphFiles(Sha256.of(graph), graph, Nil),
        Seq(TensorSpec("images", "images:0", DType.UInt8, Some(Seq(-1L, Height.toLong, Width.toLong, 3L)))),
        outputs.map { case (o, n) => TensorSpec(o, s"$o:0", DType.Float32, Some(Seq(-1L, n))) } ++
          classified.map { case (o, t) => TensorSpec(o, s"$o:0", t, Some(Seq(-1L))) },
        Some(ImageInfo("images", Height, Width, "RGB")),
        labels
      ),
      target
    )
    target
  }

  private def build(g: GraphDefs, seed: Int): GraphDefs = {
    val f = Map("T" -> DType.Float32)
    g.placeholder("images", DType.UInt8, Seq(-1L, Height.toLong, Width.toLong, 3L))
      .const("seed", DType.Int32, Seq(seed.toDouble))
      .const("axes", DType.Int32, Seq(1, 2))
      .const("flat", DType.Int32, Seq(-1, Height * Width * 3))
      .const("scale", DType.Float32, Seq(0.01), vector = false)
      .node("Cast", "pixels", Seq("images"), Map("SrcT" -> DType.UInt8, "DstT" -> DType.Float32))
      .node("Mean", "features_avg", Seq("pixels", "axes"), f + ("Tidx" -> DType.Int32))
      .node("Max", "features_max", Seq("pixels", "axes"), f + ("Tidx" -> DType.Int32))
      .node("Reshape", "features_none", Seq("pixels", "flat"), f + ("Tshape" -> DType.Int32))
      .node("Mul", "scaled", Seq("features_avg", "scale"), f)
      .node("Softmax", "predictions", Seq("scaled"), f)
      .const("last", DType.Int32, Seq(1), vector = false)
      .node("ArgMax", "best", Seq("scaled", "last"), f + ("Tidx" -> DType.Int32) + ("output_type" -> DType.Int64))
      .node("Cast", "prediction", Seq("best"), Map("SrcT" -> DType.Int64, "DstT" -> DType.Float64))
      .node("AsString", "label", Seq("best"), Map("T" -> DType.Int64))
  }

  val fourColours: Seq[Int] = Seq(0xff0000, 0x00ff00, 0x0000ff, 0x808080)

  /** A PNG of one colour, 0xRRGGBB. */
  def png(rgb: Int, height: Int = 16, width: Int = 12): Array[Byte] =
    TestImages.encode(solid(rgb, height, width), "png")

  private def solid(rgb: Int, height: Int, width: Int): BufferedImage = {
    val image = new BufferedImage(width, height, BufferedImage.TYPE_3BYTE_BGR)
    for (y <- 0 until height; x <- 0 until width) image.setRGB(x, y, rgb)
    image
  }

  /** An image struct of one colour. */
  def struct(rgb: Int, origin: String = "memory", height: Int = 16, width: Int = 12): Row =
    Row(origin, height, width, 3, 16, TestImages.bgr(solid(rgb, height, width)))

  private val imageType = StructType(
    Seq(StructField("id", IntegerType), StructField("image", ImageSchema.columnSchema))
  )
  private val bytesType = StructType(Seq("id" -> IntegerType, "path" -> StringType, "content" -> BinaryType).map {
    case (n, t) => StructField(n, t)
  })

  /** Rows of (id, image). */
  def structs(spark: SparkSession, images: Row*): DataFrame =
    spark
      .createDataFrame(java.util.Arrays.asList(images.zipWithIndex.map { case (im, i) => Row(i, im) }: _*), imageType)
      .coalesce(1)

  /** Rows of (id, path, content). */
  def encoded(spark: SparkSession, images: Array[Byte]*): DataFrame =
    spark
      .createDataFrame(
        java.util.Arrays.asList(images.zipWithIndex.map { case (im, i) => Row(i, s"/pictures/$i.png", im) }: _*),
        bytesType
      )
      .coalesce(1)
}
