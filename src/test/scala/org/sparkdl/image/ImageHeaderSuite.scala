package org.sparkdl.image

import java.awt.image.BufferedImage

import scala.util.Random

import org.scalatest.funsuite.AnyFunSuite

class ImageHeaderSuite extends AnyFunSuite {
  import TestImages._

  private def reason(bytes: Array[Byte]): String =
    ImageHeader.probe(bytes).fold(identity, h => fail(s"expected a reason, got $h"))

  test("reads size and channels of each format") {
    val colour = picture(20, 30)
    val grey = picture(20, 30, kind = BufferedImage.TYPE_BYTE_GRAY)
    val alpha = picture(20, 30, kind = BufferedImage.TYPE_INT_ARGB)
    assert(ImageHeader.probe(encode(colour, "jpg")) == Right(ImageHeader("JPEG", 30, 20, 3, 8)))
    assert(ImageHeader.probe(encode(grey, "jpg")) == Right(ImageHeader("JPEG", 30, 20, 1, 8)))
    assert(ImageHeader.probe(encode(colour, "png")) == Right(ImageHeader("PNG", 30, 20, 3, 8)))
    assert(ImageHeader.probe(encode(grey, "png")) == Right(ImageHeader("PNG", 30, 20, 1, 8)))
    assert(ImageHeader.probe(encode(alpha, "png")) == Right(ImageHeader("PNG", 30, 20, 4, 8)))
    assert(ImageHeader.probe(encode(colour, "bmp")) == Right(ImageHeader("BMP", 30, 20, 3, 24)))
    assert(ImageHeader.probe(encode(colour, "gif")) == Right(ImageHeader("GIF", 30, 20, 3, 8)))
  }

  test("reads the EXIF orientation in both byte orders") {
    for (orientation <- 1 to 8; bigEndian <- Seq(true, false)) {
      val header = ImageHeader.probe(oriented(jpeg(8, 16), orientation, bigEndian))
      assert(header.map(_.orientation) == Right(orientation))
    }
    assert(ImageHeader.probe(oriented(jpeg(8, 16), 9)).map(_.orientation) == Right(1))
  }

  test("names what is not supported") {
    assert(reason(null) == "there are no bytes (null)")
    assert(reason(Array.emptyByteArray) == "the file is empty (0 bytes)")
    assert(
      reason("Not a picture.".getBytes) == "the bytes are text; supported are JPEG, PNG, BMP, GIF, WebP and TIFF"
    )
    assert(reason("RIFF....WEBPVP8 ".getBytes) == "this WebP ends inside its header after 16 bytes (truncated file)")
    assert(reason("II*\u0000....".getBytes) == "this TIFF ends inside its directory (truncated file)")
    assert(reason("\u0000\u0000\u0000\u0010ftypavif....".getBytes).startsWith("the bytes are an AVIF image"))
    assert(reason(Array[Byte](1, 2, 3, -1)).contains("an unknown format (first bytes 01 02 03 ff)"))
  }

  test("refuses a size of zero") {
    val png = encode(picture(2, 2), "png")
    (16 until 20).foreach(png(_) = 0)
    assert(reason(png) == "this PNG claims a size of 0x2 pixels (width x height); both must be at least 1")
  }

  test("returns a reason for every cut and every damage instead of throwing") {
    val random = new Random(7)
    val colour = picture(9, 11)
    for (format <- Seq("jpg", "png", "bmp", "gif")) {
      val bytes = if (format == "jpg") oriented(encode(colour, format), 6) else encode(colour, format)
      (0 until math.min(bytes.length, 800)).foreach(n => ImageHeader.probe(bytes.take(n)))
      for (_ <- 0 until 2000) {
        val damaged = bytes.clone()
        (0 to random.nextInt(4)).foreach(_ =>
          damaged(random.nextInt(math.min(200, bytes.length))) = random.nextInt().toByte
        )
        ImageHeader.probe(damaged)
      }
    }
  }
}
