package org.sparkdl.image.vp8l

import java.nio.{ByteBuffer, ByteOrder}
import java.util.Base64
import java.util.zip.CRC32

import scala.util.{Random, Try}

import org.scalatest.funsuite.AnyFunSuite

import org.sparkdl.image.failures.DecodingFailed

class Vp8lSuite extends AnyFunSuite {

  /** Pictures of 24 x 20 pixels by libwebp, with alpha and without, and the checksum of their BGRA bytes by Pillow.
    */
  private val pictures = Seq(
    "LxfABBABMQ0xv/6NyRDR/wkwWXdglpGkKa88gIN4f66HYRtJUpw2CeDNPzbMH8nEYCLJVpxhR3L/Q1FI5J5ERj7Z/wD309Fx0cGDyLXfPgWQ" +
      "aXuV8aGDKZQnP6kAIESxMUiIZNu1qpl9CDc5wb8L9GTOXvwg4lzJjSQ5kuSeTauX7979Vn+NToX7cT4sQ3IAt40kFUD1mnw2/yzufxl4300A" +
      "ciRJiqTwZWiz/i7vqkNynOAnSQy+cSW3LftdDuWRlkdjV+yJQzEUw7m3HspBOZwjMcjRspGDcky1Ttt6RSIJtRLNKGPBgmEQRdBURVJmIyUG" +
      "nbAOAoOIo1QiTmIjhCIYeeAQBIh0Qg+JYDdYZ+khEewOOCRLEkCp9Pr4Pn7IGtVIhi1pVMw2bpdxQvqNp7AMBYDSHcYOlcTKhO6YD198vX82" +
      "H74bxcqZlVNWLllxO+qy6iJ1wvh70O8UBBGJlABcUBBAqCr5GX88v+//9/Ij+wS0Vl+oLyqn7anO76GPagsQNCgQReKMUoSl0hqFt/wp5YDW" +
      "WrrRJLSPZ3K1YoElq2IxcAS5aB0wmQ2NLrz1lqJ/a5lt25mDGxF6UYdEHCYIDskqGxG29WzvuUu5/5SEnl+ZZXC9ZTKpxKrQMYLTRoyCQYwo" +
      "76RM7j9JStsrk9vDSSSCWdUxE5SdpSBoUAiC4527lPtvGdpeM3VpEJOYjRKZTO1EKdqgRWT8f8Pn18bptZCohFtL2CL1lB4/Zs71kQoSDUpL" +
      "mQHWOanuqghViO3LePHjvf3wqJ3h2uHWUUuGOyP7jvmU8frp09/XU3wfIGUkM2hUtE/sTLIGIIGiTrZ9wcPpElbmwljNym69POaGn4E2rAOL" +
      "sDbWxYOWo8guAaId5pG6aKDZMRUN6yCBQ6KBNRIYH82eohBQdtmiRRCYG140gsma2rCCacRDYoIRAeDM2LuRtOChcZYyQRAqNQQ07mkN0Yoi" +
      "oIJpDSRzkIK+iDVSZSSCnaqIpEoxSKCY1FBaFAgQNI/yiCDQSAJELZgKwRHSUktABVTHBtVaEbdGR6qEgHhiXkkxi8EtaJHgmKfEEBBgySoR" +
      "RBFwd5eTgEGPoHtSlhBggEEkUgI=" ->
      3948745838L,
    "LxfABACnoaiRpKgzszxxiH8PewA2FESylTzc29B/aEOBj8swbiNJ0Wh3j5n57sVpXP7JMLfmP8TZZwHDIAFJYARBIBvHAgHchWJYOqACKiAD" +
      "zM6x9xJcU5yLlhBvc09JV3ZhekKowAgL/8tYWHVSyuUpm1s5ZeZm8pSp23SZ/03XfjpdXmv5gB7EZOKckjfGAdvFF9R8cBwAgNnEtm07afdf" +
      "7mL8I/qvNm0DJnvPFxCMl1nrxpZAo3mzqFHIAW56P1CMGLqfbxssQvTzX3NMCnDbvJ7kwBcZcix6xdMlnqoA103XmY9lkvNo112OJUN33eVY" +
      "kkvWhscy0HmE68WOJVFuvdixZP7dX25HAg==" ->
      3530957813L
  ).map { case (text, checksum) => Base64.getDecoder.decode(text) -> checksum }

  private def decode(picture: Array[Byte]): Array[Int] = Picture.decode(picture, 0, picture.length)

  test("pictures have the pixels that libwebp gives") {
    for ((picture, checksum) <- pictures) {
      val bytes = ByteBuffer.allocate(4 * 24 * 20).order(ByteOrder.LITTLE_ENDIAN)
      decode(picture).foreach(bytes.putInt)
      val crc = new CRC32
      crc.update(bytes.array)
      assert(crc.getValue == checksum)
    }
  }

  test("a picture that ends too early is refused as truncated") {
    for ((picture, _) <- pictures; length <- 0 until picture.length - 1) {
      val failed = intercept[DecodingFailed](decode(picture.take(length)))
      assert(failed.why.contains("truncated"), s"$length bytes: ${failed.why}")
    }
  }

  test("a damaged picture has pixels or is refused") {
    val random = new Random(9)
    for ((picture, _) <- pictures; _ <- 0 until 1000) {
      val damaged = picture.clone
      for (_ <- 0 to random.nextInt(4)) {
        val at = 4 + random.nextInt((if (random.nextBoolean()) 40 else picture.length) - 4) // behind the size
        damaged(at) = random.nextInt().toByte
      }
      assert(Try(decode(damaged)).failed.toOption.forall(_.isInstanceOf[DecodingFailed]))
    }
  }

  test("distances are of near pixels first, and never none") {
    assert(Distance.of(1, 24) == 24 && Distance.of(2, 24) == 1 && Distance.of(4, 24) == 23)
    assert(Distance.of(120, 24) == 8 + 7 * 24)
    assert(Distance.of(121, 24) == 1)
    assert(Distance.of(8, 1) == 1)
  }
}
