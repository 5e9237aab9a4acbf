package org.sparkdl.image

import java.awt.image.BufferedImage
import java.util.concurrent.{Callable, Executors}

import scala.io.Source
import scala.jdk.CollectionConverters._
import scala.util.{Random, Using}

import org.scalatest.funsuite.AnyFunSuite

import org.sparkdl.testing.TestRuntime.runtime

class ImageDecoderSuite extends AnyFunSuite {
  import TestImages._

  private val max = 1L << 30

  private def decoded(bytes: Array[Byte]): DecodedImage =
    ImageDecoder.decode(runtime, bytes, max).fold(reason => fail(reason), identity)

  private def reason(bytes: Array[Byte], maxPixels: Long = max): String = {
    val reason =
      ImageDecoder.decode(runtime, bytes, maxPixels).fold(identity, i => fail(s"expected a reason, got $i"))
    assert(decodeTo(bytes, ImageTarget(8, 8), maxPixels) == Left(reason))
    reason
  }

  test("decodes lossless formats to the exact pixels") {
    val colour = picture(21, 34)
    for (format <- Seq("png", "bmp")) {
      val image = decoded(encode(colour, format))
      assert((image.height, image.width, image.nChannels, image.mode) == ((21, 34, 3, 16)))
      assert(image.data.sameElements(bgr(colour)), format)
    }
  }

  test("keeps alpha as the fourth channel, and grey as one channel") {
    val alpha = picture(12, 9, kind = BufferedImage.TYPE_INT_ARGB)
    val image = decoded(encode(alpha, "png"))
    assert((image.nChannels, image.mode) == ((4, 24)))
    assert(image.data.sameElements(bgr(alpha, alpha = true)))
    val grey = picture(12, 9, kind = BufferedImage.TYPE_BYTE_GRAY)
    val samples = grey.getRaster.getSamples(0, 0, 9, 12, 0, null: Array[Int]).map(_.toByte)
    val one = decoded(encode(grey, "png"))
    assert((one.height, one.width, one.nChannels) == ((12, 9, 1)) && one.data.sameElements(samples))
    assert(decoded(encode(grey, "jpg")).mode == 0)
  }

  test("takes the top 8 bits of a 16 bit PNG") {
    val deep = new BufferedImage(16, 4, BufferedImage.TYPE_USHORT_GRAY)
    val random = new Random(3)
    val samples = Array.fill(64)(random.nextInt(65536))
    deep.getRaster.setSamples(0, 0, 16, 4, 0, samples)
    assert(decoded(encode(deep, "png")).data.sameElements(samples.map(v => (v >> 8).toByte)))
  }

  test("decodes palettes of BMP, PNG and GIF to their colours") {
    val indexed = new BufferedImage(20, 10, BufferedImage.TYPE_BYTE_INDEXED)
    indexed.getGraphics.drawImage(picture(10, 20), 0, 0, null)
    for (format <- Seq("bmp", "png", "gif")) {
      val image = decoded(encode(indexed, format))
      assert(image.nChannels == 3 && image.data.sameElements(bgr(indexed)), format)
    }
  }

  test("decodes only the first frame of a GIF") {
    val gif = encode(picture(10, 20), "gif")
    val frames = gif.dropRight(1) ++ Array.fill[Byte](5000)(0x21) // damaged behind the first frame
    assert(decoded(frames).data.sameElements(decoded(gif).data))
  }

  test("applies each EXIF orientation, at full size and when resizing") {
    val stored = jpeg(40, 64)
    val plain = decoded(stored)
    for (orientation <- 1 to 8) {
      val upright = decoded(oriented(stored, orientation))
      assert((upright.height, upright.width) == (if (orientation >= 5) (64, 40) else (40, 64)))
      for (y <- 0 until upright.height; x <- 0 until upright.width) {
        val (sy, sx) = storedAt(orientation, y, x, 40, 64)
        val (at, from) = ((y * upright.width + x) * 3, (sy * 64 + sx) * 3)
        assert(upright.data.slice(at, at + 3).sameElements(plain.data.slice(from, from + 3)), s"$orientation $y $x")
      }
      val small = ImageTarget(20, 30, "BGR")
      val resized = decodeTo(oriented(stored, orientation), small).fold(fail(_), identity)
      val expected = struct(upright, small)
      assert(compare(resized, expected)._1 <= 1, s"orientation $orientation")
      val same = ImageTarget(upright.height, upright.width, "BGR")
      assert(decodeTo(oriented(stored, orientation), same).exists(_.sameElements(upright.data)))
    }
  }

  /** Where the pixel (y, x) of the upright image is in the stored one, as the EXIF standard says. */
  private def storedAt(orientation: Int, y: Int, x: Int, height: Int, width: Int): (Int, Int) = orientation match {
    case 1 => (y, x)
    case 2 => (y, width - 1 - x)
    case 3 => (height - 1 - y, width - 1 - x)
    case 4 => (height - 1 - y, x)
    case 5 => (x, y)
    case 6 => (height - 1 - x, y)
    case 7 => (height - 1 - x, width - 1 - y)
    case 8 => (x, width - 1 - y)
  }

  private def struct(image: DecodedImage, target: ImageTarget): Array[Byte] =
    intoSlot(target) {
      ImageStructs.structInto(image.height, image.width, image.nChannels, image.mode, image.data, target, _)
    }.fold(fail(_), identity)

  test("writes the target's channel order; grey is repeated, alpha dropped, colour becomes luminance") {
    val bytes = encode(picture(30, 30, kind = BufferedImage.TYPE_INT_ARGB), "png")
    for ((height, width) <- Seq((30, 30), (12, 17), (50, 30))) {
      val rgb = decodeTo(bytes, ImageTarget(height, width)).fold(fail(_), identity)
      val bgr = decodeTo(bytes, ImageTarget(height, width, "BGR")).fold(fail(_), identity)
      assert(bgr.grouped(3).flatMap(_.reverse).toArray.sameElements(rgb))
      val grey = decodeTo(bytes, ImageTarget(height, width, "L")).fold(fail(_), identity)
      val luminance = rgb.grouped(3).map(_.map(_ & 0xff)).map(p => 0.299 * p(0) + 0.587 * p(1) + 0.114 * p(2))
      grey.iterator.zip(luminance).foreach { case (a, b) => assert(math.abs((a & 0xff) - b) <= 0.51) }
    }
    val grey = encode(picture(30, 30, kind = BufferedImage.TYPE_BYTE_GRAY), "png")
    for (size <- Seq(30, 13)) {
      val one = decodeTo(grey, ImageTarget(size, size, "L")).fold(fail(_), identity)
      val three = decodeTo(grey, ImageTarget(size, size)).fold(fail(_), identity)
      assert(three.sameElements(one.flatMap(v => Seq(v, v, v))))
    }
  }

  test("decodes large JPEGs at a fraction of their size, for averaging methods only") {
    def ratio(height: Int, width: Int, hint: String = "SCALE_AREA_AVERAGING", orientation: Int = 1) =
      ImageDecoder.jpegRatio(
        ImageHeader("JPEG", width, height, 3, 8, orientation),
        ImageTarget(224, 100, "RGB", hint)
      )
    assert(ratio(447, 4000) == 1 && ratio(896, 400) == 2 && ratio(895, 400) == 1 && ratio(896, 399) == 1)
    assert(ratio(1792, 800) == 4 && ratio(3584, 1600) == 8 && ratio(30000, 30000) == 8)
    assert(ratio(400, 896) == 1 && ratio(400, 896, orientation = 6) == 2)
    assert(ratio(4000, 4000, "SCALE_SMOOTH") == 8 && ratio(4000, 4000, "SCALE_FAST") == 1)
    val big = jpeg(1000, 1200)
    val full = struct(decoded(big), ImageTarget(100, 100, "BGR"))
    val scaled = decodeTo(big, ImageTarget(100, 100, "BGR")).fold(fail(_), identity)
    val mean = full.indices.map(i => math.abs((full(i) & 0xff) - (scaled(i) & 0xff))).sum.toDouble / full.length
    assert(mean < 2.0, s"mean difference $mean")
  }

  test("refuses more pixels than the limit before anything is allocated") {
    val png = encode(picture(2, 2), "png")
    val claim = java.nio.ByteBuffer.wrap(png)
    claim.putInt(16, 30000).putInt(20, 30000)
    assert(
      reason(png, 89478485) == "this PNG claims 30000x30000 pixels, more than the 89478485 that " +
        "spark.sparkdl.image.maxPixels allows"
    )
    assert(reason(png, Long.MaxValue).endsWith("that fit into one array of the JVM"))
    assert(reason(jpeg(10, 11), 109).contains("claims 11x10 pixels, more than the 109"))
    assert(ImageDecoder.decode(runtime, jpeg(10, 11), 110).isRight)
  }

  test("says that a cut file is truncated") {
    val colour = picture(64, 64)
    for (format <- Seq("jpg", "png", "bmp", "gif")) {
      val bytes = encode(colour, format)
      assert(reason(bytes.take(bytes.length / 2)).contains("truncated file"), format)
    }
  }

  test("says that damaged data is corrupt") {
    val png = encode(picture(64, 64), "png")
    png(png.length / 2) = (png(png.length / 2) ^ 0x55).toByte
    assert(reason(png).startsWith("this PNG of 64x64 pixels cannot be decoded: its data is corrupt (TensorFlow: "))
  }

  test("returns a reason for any damage instead of throwing, from many threads at once") {
    val originals = Seq("jpg", "png", "bmp", "gif").map(encode(picture(40, 50), _)) :+ oriented(jpeg(90, 90), 6)
    val expected = originals.map(decodeTo(_, ImageTarget(16, 16)).fold(fail(_), _.toSeq))
    val pool = Executors.newFixedThreadPool(4)
    val tasks = (0 until 4).map { seed =>
      new Callable[Unit] {
        def call(): Unit = {
          val random = new Random(seed)
          for (_ <- 0 until 150; (bytes, pixels) <- originals.zip(expected)) {
            val damaged = bytes.clone()
            (0 to random.nextInt(6)).foreach(_ => damaged(random.nextInt(bytes.length)) = random.nextInt().toByte)
            decodeTo(damaged, ImageTarget(16, 16), 1L << 20)
            ImageDecoder.decode(runtime, damaged.take(1 + random.nextInt(bytes.length)), 1L << 20)
            assert(decodeTo(bytes, ImageTarget(16, 16)).map(_.toSeq) == Right(pixels))
          }
        }
      }
    }
    try pool.invokeAll(tasks.asJava).asScala.foreach(_.get())
    finally pool.shutdown()
  }

  test("native memory is flat over 2000 images") {
    val images = Seq(jpeg(375, 500), encode(picture(300, 300), "png"), jpeg(375, 500).take(9000))
    def decodeMany(times: Int): Unit =
      for (_ <- 0 until times; image <- images) {
        decodeTo(image, ImageTarget(224, 224))
        ImageDecoder.decode(runtime, image, max)
      }
    decodeMany(100)
    System.gc()
    val before = residentBytes()
    decodeMany(334)
    System.gc()
    val growth = residentBytes() - before
    assert(growth < (100L << 20), s"resident memory grew by ${growth >> 20} MB")
  }

  /** Resident memory without the heap: anonymous memory of the process, less what the heap has committed. */
  private def residentBytes(): Long = Using.resource(Source.fromFile("/proc/self/status")) { status =>
    val kilobytes = status.getLines().collectFirst { case l if l.startsWith("RssAnon:") => l.split("\\s+")(1).toLong }
    (kilobytes.get << 10) - Runtime.getRuntime.totalMemory()
  }
}
