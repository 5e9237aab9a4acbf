package org.sparkdl.image.vp8

import java.util.Base64
import java.util.zip.CRC32

import scala.util.{Random, Try}

import org.scalatest.funsuite.AnyFunSuite

import org.sparkdl.image.failures.DecodingFailed

class Vp8Suite extends AnyFunSuite {

  /** WebP files of 50 x 40 pixels by libwebp, with what Pillow's checksum of their RGB bytes is: by the simple filter
    * with eight partitions, and by the normal one with four, four segments, and few details left.
    */
  private val files = Seq(
    "UklGRowBAABXRUJQVlA4IIABAACSBwCdASoyACgAPxF0s1MsJj6iqBVeN9oiCWwAnTLoOK/oO/RbQWs98ASJzO661wfROZqzUakgX2xr8tF5ew0x" +
      "1xBCYQAA/u3kp69dH5COH/84mu3f8osWSc8zKwlofynRnSTxd7u6TMCqS1fQuKg4Cgr/1iA5hf3P4cT+3LhmdFEeSBKHynyTuliNQHpSZhU+" +
      "GvYkxBSkwKi3fU2wFx0dUedpPaZ3RMzg3F6NL8uSlDUZoDfMijPLmL0Av7N3XrWhS6QLmTRyt4320AfHR55iGOCCwNDXT1K//3TssHjQayWx" +
      "J+xw2oRXvOXOCxJngUFaL1FniObyffjDeKr4XxrvrylpJccHrUiR0e8+vJ56eojG02prQXtf7XOjFd+/GEVZnw3Pn7qY5/jVpwhsz5E93U0y" +
      "rHwnbR65+MCscGdGYlLpFxIM2+IzBz/UxD8v5HpycWZ2tJLBzPsouS++aPyMRKUHD4NBNdi+CzwUzdU2/ORcI3OYn2Djl4j/PdfYAAA=" ->
      3513501840L,
    "UklGRv4AAABXRUJQVlA4IPIAAAAQBwCdASoyACgAP5m41GI5Lj+qqBVeM/YzCWwArDmB1h4fXzOeg58AE8AdADv35CS6TyWYMFw7rkjHtHpjRkSY" +
      "AAD+58S3pqlW52Um9NH98FIiVZM3IdFs6ZOGkg3P/0wDV5vTi+7mJzKsMeUjmWdvZZl8IgMOWgeSvGgEIPQcz4DCHJ1oJ1I/iy1VBK9c04fX" +
      "Ex9ZMHfI/pyMRGqVwDydwbYxMAPJus1M1sziqqJgqoI8yCPHVn5tl7EnyO6lqzEbbJ8ace5Z7QBHs+T1gLqB0O4dx5+QKS/FgXSHZGegzs2h" +
      "+zc3FOgO/q2Jb5A8QqlYAA==" -> 3331773358L
  ).map { case (text, checksum) => Base64.getDecoder.decode(text).drop(20) -> checksum }

  private def decode(frame: Array[Byte]): Frame = Frame.decode(frame, 0, frame.length)

  test("frames have the pixels that libwebp gives, to the last bit") {
    for ((frame, checksum) <- files) {
      val rgb = FrameColours.bgr(decode(frame), 3).grouped(3).flatMap(_.reverse).toArray
      val crc = new CRC32
      crc.update(rgb)
      assert(crc.getValue == checksum)
    }
  }

  test("a frame that ends too early is refused as truncated") {
    for ((frame, _) <- files; length <- frame.indices.dropRight(8)) {
      val failed = intercept[DecodingFailed](decode(frame.take(length)))
      assert(failed.why.contains("truncated"), s"$length bytes: ${failed.why}")
    }
  }

  test("a damaged frame has pixels or is refused") {
    val random = new Random(16)
    for ((frame, _) <- files; _ <- 0 until 300) {
      val damaged = frame.clone
      for (_ <- 0 to random.nextInt(4)) {
        val at = if (random.nextBoolean()) random.nextInt(40) else random.nextInt(frame.length)
        if (at < 6 || at > 9) damaged(at) = random.nextInt().toByte // the size is checked before
      }
      assert(Try(decode(damaged)).failed.toOption.forall(_.isInstanceOf[DecodingFailed]))
    }
  }

  test("decisions are read as they were written, and behind them zeros") {
    val random = new Random(1)
    val decisions = Seq.fill(5000)(1 + random.nextInt(255)).map(p => (random.nextInt(256) >= p, p))
    val encoder = new BooleanEncoder
    decisions.foreach { case (one, p) => encoder.write(one, p) }
    val bytes = encoder.bytes
    val decoder = new BooleanDecoder(bytes, 0, bytes.length)
    decisions.foreach { case (one, p) => assert(decoder.bit(p) == one) }
    assert(!decoder.exhausted)
    (0 until 40).foreach(_ => decoder.flag())
    assert(decoder.exhausted)
  }

  test("a block of which there is only the first coefficient is the same by both ways") {
    for (first <- Seq(-2000, -37, -4, 3, 5, 800)) {
      val (all, one) = (new Plane(16, 16), new Plane(16, 16))
      Seq(all, one).foreach(_.fill(all.at(0, 0), 16, 100))
      val block = new Array[Int](16)
      block(0) = first
      Transforms.add(block.clone, 0, all, all.at(4, 8))
      Transforms.addFirst(block, 0, one, one.at(4, 8))
      assert(all.bytes.sameElements(one.bytes) && block(0) == 0)
    }
  }

  test("transformed differences are near those of the exact cosine transform") {
    val random = new Random(2)
    val block = Array.fill(16)(random.nextInt(121) - 60)
    val plane = new Plane(16, 16)
    plane.fill(plane.at(0, 0), 16, 128)
    def basis(k: Int, i: Int) = (if (k == 0) math.sqrt(0.5) else 1) * math.cos(math.Pi * k * (2 * i + 1) / 8)
    val exact = for (y <- 0 until 4; x <- 0 until 4) yield (0 until 16).map { i =>
      block(i) * basis(i / 4, y) * basis(i % 4, x) / 4
    }.sum
    Transforms.add(block.clone, 0, plane, plane.at(0, 0))
    for (i <- 0 until 16) {
      val is = (plane.bytes(plane.at(i % 4, i / 4)) & 0xff) - 128
      assert(math.abs(is - exact(i)) < 1.2)
    }
  }

  /** A subblock below 10 20 .. 80 and beside 110 120 130 140, with 90 in the corner. */
  private def predicted(mode: Int): Seq[Seq[Int]] = {
    val plane = new Plane(16, 16)
    for (x <- 0 until 8) plane.bytes(plane.at(4 + x, 3)) = (10 * (x + 1)).toByte
    for (y <- 0 until 4) plane.bytes(plane.at(3, 4 + y)) = (110 + 10 * y).toByte
    plane.bytes(plane.at(3, 3)) = 90
    new SubblockPrediction(plane).predict(plane.at(4, 4), mode, plane.at(8, 3))
    Seq.tabulate(4, 4)((y, x) => plane.bytes(plane.at(4 + x, 4 + y)) & 0xff)
  }

  test("subblocks are predicted in the ten ways of RFC 6386, section 12.3") {
    assert(predicted(Modes.SubAverage) == Seq.fill(4, 4)(75))
    assert(predicted(Modes.SubTrueMotion) == Seq.tabulate(4, 4)((y, x) => 30 + 10 * (x + y)))
    assert(predicted(Modes.SubVertical) == Seq.fill(4)(Seq(33, 20, 30, 40)))
    assert(predicted(Modes.SubHorizontal) == Seq(108, 120, 130, 138).map(Seq.fill(4)(_)))
    assert(predicted(Modes.LeftDown) == Seq.tabulate(4, 4)((y, x) => if (x + y == 6) 78 else 20 + 10 * (x + y)))
    assert(predicted(Modes.RightDown).map(_.head) == Seq(75, 108, 120, 130))
    assert(predicted(Modes.RightDown).head == Seq(75, 33, 20, 30))
    assert(
      predicted(Modes.VerticalRight) ==
        Seq(Seq(50, 15, 25, 35), Seq(75, 33, 20, 30), Seq(108, 50, 15, 25), Seq(120, 75, 33, 20))
    )
    assert(
      predicted(Modes.VerticalLeft) ==
        Seq(Seq(15, 25, 35, 45), Seq(20, 30, 40, 50), Seq(25, 35, 45, 60), Seq(30, 40, 50, 70))
    )
    assert(
      predicted(Modes.HorizontalDown) ==
        Seq(Seq(100, 75, 33, 20), Seq(115, 108, 100, 75), Seq(125, 120, 115, 108), Seq(135, 130, 125, 120))
    )
    assert(
      predicted(Modes.HorizontalUp) ==
        Seq(Seq(115, 120, 125, 130), Seq(125, 130, 135, 138), Seq(135, 138, 140, 140), Seq.fill(4)(140))
    )
  }

  test("sharpness narrows the filter inside of blocks") {
    assert(FilterStrength.of(32, 0) == FilterStrength(32, 2 * 100 + 1, 2 * 96 + 1, 32, 1))
    assert(FilterStrength.of(32, 3).interior == 6)
    assert(FilterStrength.of(63, 7).interior == 2)
    assert(FilterStrength.of(1, 7).interior == 1)
  }
}
