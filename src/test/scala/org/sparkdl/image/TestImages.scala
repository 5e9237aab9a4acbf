package org.sparkdl.image

import java.awt.image.BufferedImage
import java.io.ByteArrayOutputStream
import javax.imageio.ImageIO

import scala.util.Random

import org.apache.spark.unsafe.Platform

import org.sparkdl.testing.TestRuntime.runtime

/** Seeded synthetic images, encoded with the JDK. */
object TestImages {

  /** A picture of gradients and blocks, of a BufferedImage type such as TYPE_INT_RGB. */
  def picture(height: Int, width: Int, seed: Int = 1, kind: Int = BufferedImage.TYPE_3BYTE_BGR): BufferedImage = {
    val image = new BufferedImage(width, height, kind)
    val random = new Random(seed)
    val blocks = Array.fill(64)(random.nextInt())
    for (y <- 0 until height; x <- 0 until width) {
      val block = blocks((y / 7 % 8) * 8 + x / 5 % 8)
      val gradient = ((x * 255 / width) << 16) | ((y * 255 / height) << 8) | ((x + y) & 0xff)
      image.setRGB(x, y, (block & 0xff7f7f7f) ^ (gradient & 0x00ffffff))
    }
    image
  }

  def encode(image: BufferedImage, format: String): Array[Byte] = {
    val out = new ByteArrayOutputStream
    require(ImageIO.write(image, format, out), s"the JDK cannot write this image as $format")
    out.toByteArray
  }

  def jpeg(height: Int, width: Int, seed: Int = 1): Array[Byte] = encode(picture(height, width, seed), "jpg")

  /** The same JPEG with an EXIF segment that holds only the orientation. */
  def oriented(jpeg: Array[Byte], orientation: Int, bigEndian: Boolean = true): Array[Byte] = {
    val order = if (bigEndian) "MM" else "II"
    def number(bytes: Int, value: Int) = {
      val big = (bytes - 1 to 0 by -1).map(i => (value >> (8 * i)).toByte)
      if (bigEndian) big else big.reverse
    }
    val entry = number(2, 0x0112) ++ number(2, 3) ++ number(4, 1) ++ number(2, orientation) ++ number(2, 0)
    val tiff = order.getBytes ++ number(2, 42) ++ number(4, 8) ++ number(2, 1) ++ entry ++ number(4, 0)
    val body = "Exif\u0000\u0000".getBytes ++ tiff
    val length = body.length + 2
    jpeg.take(2) ++ Array(0xff.toByte, 0xe1.toByte, (length >> 8).toByte, length.toByte) ++ body ++ jpeg.drop(2)
  }

  /** B, G, R and, if the image has it, alpha of all pixels. */
  def bgr(image: BufferedImage, alpha: Boolean = false): Array[Byte] = {
    val pixels = for {
      y <- 0 until image.getHeight
      x <- 0 until image.getWidth
      argb = image.getRGB(x, y)
      shift <- if (alpha) Seq(0, 8, 16, 24) else Seq(0, 8, 16)
    } yield (argb >> shift).toByte
    pixels.toArray
  }

  /** What `ImageDecoder.decodeInto` writes, or its reason. */
  def decodeTo(bytes: Array[Byte], target: ImageTarget, maxPixels: Long = 1L << 30): Either[String, Array[Byte]] =
    intoSlot(target)(ImageDecoder.decodeInto(runtime, bytes, target, maxPixels, _))

  /** Calls `fill` with native memory that has guards on both sides, which must stay unchanged. */
  def intoSlot(target: ImageTarget)(fill: Long => String): Either[String, Array[Byte]] = {
    val guard = 64
    val slot = Platform.allocateMemory(target.bytes + 2L * guard)
    try {
      Platform.setMemory(slot, 0x5a.toByte, target.bytes + 2L * guard)
      val reason = fill(slot + guard)
      val all = new Array[Byte](target.bytes + 2 * guard)
      Platform.copyMemory(null, slot, all, Platform.BYTE_ARRAY_OFFSET, all.length)
      val guards = all.take(guard) ++ all.takeRight(guard)
      require(guards.forall(_ == 0x5a), "bytes outside of the slot were written")
      if (reason == null) Right(all.slice(guard, guard + target.bytes)) else Left(reason)
    } finally Platform.freeMemory(slot)
  }

  /** Largest difference of two arrays of uint8 and the share of equal elements. */
  def compare(a: Array[Byte], b: Array[Byte]): (Int, Double) = {
    require(a.length == b.length, s"${a.length} and ${b.length} bytes")
    val differences = a.indices.map(i => math.abs((a(i) & 0xff) - (b(i) & 0xff)))
    (differences.max, differences.count(_ == 0).toDouble / a.length)
  }
}
