package org.sparkdl.image

import org.scalatest.funsuite.AnyFunSuite

class ImageStructsSuite extends AnyFunSuite {

  private val target = ImageTarget(4, 6)

  private def into(
      height: Int,
      width: Int,
      channels: Int,
      mode: Int,
      data: Array[Byte],
      target: ImageTarget = target
  ) =
    TestImages.intoSlot(target)(ImageStructs.structInto(height, width, channels, mode, data, target, _))

  private val numbered = Array.tabulate(4 * 6 * 4)(_.toByte)

  test("a struct of the target's size is copied, with the channels in the target's order") {
    val bgr = numbered.take(72)
    assert(into(4, 6, 3, 16, bgr, ImageTarget(4, 6, "BGR")).exists(_.sameElements(bgr)))
    assert(into(4, 6, 3, 16, bgr).exists(_.sameElements(bgr.grouped(3).flatMap(_.reverse).toArray[Byte])))
  }

  test("alpha is dropped and grey is repeated") {
    val expected = numbered.grouped(4).flatMap(p => Seq(p(2), p(1), p(0))).toArray
    assert(into(4, 6, 4, 24, numbered).exists(_.sameElements(expected)))
    val grey = numbered.take(24)
    assert(into(4, 6, 1, 0, grey).exists(_.sameElements(grey.flatMap(v => Seq(v, v, v)))))
    assert(into(2, 12, 1, 0, grey).isRight && into(1, 1, 4, 24, numbered.take(4)).isRight)
  }

  test("each wrong struct has its reason") {
    def reason(height: Int, width: Int, channels: Int, mode: Int, data: Array[Byte]) =
      into(height, width, channels, mode, data).fold(identity, _ => fail("expected a reason"))
    assert(
      reason(-1, -1, -1, -1, Array.empty) == "the image could not be read (mode -1); its column 'error' says why"
    )
    assert(reason(4, 6, 3, 21, numbered).startsWith("image mode 21 (CV_32FC3) has float pixels; expected uint8"))
    assert(reason(4, 6, 2, 8, numbered).startsWith("image mode 8 is not supported; expected CV_8UC1 (0)"))
    assert(reason(4, 6, 4, 16, numbered) == "image mode 16 (CV_8UC3) has 3 channels, but nChannels is 4")
    assert(reason(0, 6, 3, 16, numbered) == "image size must be at least 1x1, got 6x0 (width x height)")
    assert(reason(4, 6, 3, 16, null) == "the image has no data (null)")
    assert(
      reason(4, 6, 3, 16, numbered) ==
        "expected 72 bytes of data for 6x4x3 (width x height x channels), got 96"
    )
    assert(reason(1 << 30, 1 << 30, 3, 16, numbered).startsWith("expected 3458764513820540928 bytes"))
  }

  test("a target names what it does not know") {
    val order = intercept[IllegalArgumentException](ImageTarget(4, 4, "GRB"))
    assert(order.getMessage == "Unknown channelOrder 'GRB'. Expected one of: RGB, BGR, L.")
    val hint = intercept[IllegalArgumentException](ImageTarget(4, 4, "RGB", "SCALE_BEST"))
    assert(hint.getMessage.startsWith("Unknown scaleHint 'SCALE_BEST'. Expected one of: SCALE_AREA_AVERAGING, "))
    assert(intercept[IllegalArgumentException](ImageTarget(0, 4)).getMessage.contains("at least 1x1"))
  }
}
