package org.sparkdl.image

import java.awt.image.BufferedImage
import java.nio.file.{Files, Path}

import org.apache.spark.ml.image.{ImageSchema => SparkSchema}
import org.apache.spark.sql.{DataFrame, Row}
import org.apache.spark.sql.functions.col

import org.sparkdl.testing.SparkSuite

class ReadImagesSuite extends SparkSuite {
  import TestImages._

  private lazy val folder: Path = {
    val root = Files.createTempDirectory("images")
    def put(name: String, bytes: Array[Byte]): Unit = {
      val path = root.resolve(name)
      Files.createDirectories(path.getParent)
      Files.write(path, bytes)
    }
    for (i <- 0 until 10) put(f"good_$i%02d.png", encode(picture(10 + i, 20, i), "png"))
    put("empty.jpg", Array.emptyByteArray)
    put("notes.jpg", "not a picture".getBytes)
    put("deep/er/grey.png", encode(picture(5, 6, kind = BufferedImage.TYPE_BYTE_GRAY), "png"))
    root
  }

  private def place: String = {
    spark // becomes the active session
    folder.toString
  }

  private def read(path: String = place): DataFrame = ImageSchema.readImages(path)

  private def names(df: DataFrame): Set[String] =
    df.select("image.origin").collect().map(r => r.getString(0).split('/').last).toSet

  test("the schema is Spark's image struct and an error") {
    val schema = read().schema
    assert(schema("image").dataType == SparkSchema.columnSchema)
    assert(schema.fieldNames.toSeq == Seq("image", "error"))
  }

  test("a folder that has only folders gets a hint") {
    place
    val Some(hint) = ImageSchema.hint(spark, Seq(s"$place/deep", place))
    assert(hint.contains(s"reads nothing from '$place/deep', which has folders"))
    assert(ImageSchema.hint(spark, Seq(place, s"$place/good*")).isEmpty)
  }

  test("every row has its own pixels or its own reason") {
    val rows = read().collect()
    assert(rows.length == 12)
    for (row <- rows) {
      val image = row.getStruct(0)
      val origin = SparkSchema.getOrigin(image)
      val name = origin.split('/').last
      assert(origin.startsWith("file:"))
      if (name.startsWith("good")) checkGood(image, name.slice(5, 7).toInt)
      else checkBad(image)
      val expected = name match {
        case "empty.jpg" => "the file is empty (0 bytes)"
        case "notes.jpg" => "the bytes are text; supported are JPEG, PNG, BMP, GIF, WebP and TIFF"
        case _           => null
      }
      assert(row.getString(1) == expected, name)
    }
  }

  private def checkGood(image: Row, i: Int): Unit = {
    assert((SparkSchema.getHeight(image), SparkSchema.getWidth(image)) == ((10 + i, 20)))
    assert((SparkSchema.getNChannels(image), SparkSchema.getMode(image)) == ((3, 16)))
    assert(SparkSchema.getData(image).sameElements(bgr(picture(10 + i, 20, i))))
  }

  private def checkBad(image: Row): Unit = {
    assert(Seq(1, 2, 3, 4).map(image.getInt) == Seq(-1, -1, -1, -1))
    assert(SparkSchema.getData(image).isEmpty)
  }

  test("equals Spark's own image source on lossless files") {
    val own = spark.read.format("image").load(s"$place/good*.png").select("image.height", "image.mode", "image.data")
    val ours = read(s"$place/good*.png").select("image.height", "image.mode", "image.data")
    def sorted(df: DataFrame) =
      df.collect().map(r => (r.getInt(0), r.getInt(1), r.getAs[Array[Byte]](2).toSeq)).sortBy(_._1)
    assert(sorted(own).toSeq == sorted(ours).toSeq)
  }

  test("recursive reads the directories below") {
    assert(names(ImageSchema.readImages(place, recursive = true)) == names(read()) + "grey.png")
  }

  test("dropImageFailures leaves out what has a reason") {
    val good = ImageSchema.readImages(place, dropImageFailures = true)
    assert(good.count() == 10 && good.where(col("error").isNotNull).count() == 0)
  }

  test("numPartitions is the number of partitions") {
    for (n <- Seq(1, 3, 20)) {
      val df = ImageSchema.readImages(place, numPartitions = n)
      assert(df.rdd.getNumPartitions == n)
      assert(names(df) == names(read()))
    }
  }

  test("a sample is the same for the same seed, a different one for another, and is taken before files are read") {
    def sample(ratio: Double, seed: Long) = ImageSchema.readImages(place, sampleRatio = ratio, seed = seed)
    assert(sample(0.0, 1).count() == 0 && sample(1.0, 1).count() == 12)
    val samples = (0L until 20L).map(seed => names(sample(0.5, seed)))
    assert(samples == (0L until 20L).map(seed => names(sample(0.5, seed))))
    assert(samples.distinct.size > 10)
    val mean = samples.map(_.size).sum / 20.0
    assert(mean > 4.5 && mean < 7.5, s"mean size $mean")
    assert(sample(0.5, 3).inputFiles.length == samples(3).size)
  }

  test("reads many paths, of which some are listed by executors") {
    val many = (0 until 40).map(_ => s"$place/good_01.png")
    val df = ImageSchema.readImages(spark, many, false, -1, false, 0.999, 1L)
    assert(df.count() == 40)
  }

  test("decodes once per file, whatever is filtered") {
    val plan = read().where(col("error").isNull && col("image.height") > 3).queryExecution.optimizedPlan.toString
    assert("UDF\\(".r.findAllIn(plan).size == 1, plan)
  }

  test("refuses arguments that make no sense, with what they should be") {
    def message(body: => Any) = intercept[IllegalArgumentException](body).getMessage
    assert(
      message(ImageSchema.readImages("x", numPartitions = 0)) ==
        "numPartitions must be at least 1, or -1 for Spark's choice; got 0."
    )
    assert(message(ImageSchema.readImages("x", sampleRatio = 1.5)) == "sampleRatio must be between 0 and 1, got 1.5.")
  }

  test("the pixel limit is a setting of the session") {
    spark.conf.set("spark.sparkdl.image.maxPixels", "250")
    try assert(read().where(col("error").contains("claims")).count() == 7)
    finally spark.conf.unset("spark.sparkdl.image.maxPixels")
  }
}
