package org.sparkdl.image.vp8l

import org.sparkdl.image.failures.DecodingFailed

/** Decodes lossless pictures: pixels of alpha, red, green and blue in one number, row by row. */
private[image] object Picture {

  /** Of the bytes of `from` until `until`, whose claims of width and height have been checked. */
  def decode(bytes: Array[Byte], from: Int, until: Int): Array[Int] = {
    val bits = new BitReader(bytes, from, until)
    bits.read(8) // the signature, which has been checked, too
    val (width, height) = (1 + bits.read(14), 1 + bits.read(14))
    bits.skip(1) // whether there is alpha, which the file's header says
    if (bits.read(3) != 0) throw DecodingFailed.corrupt("sparkdl", "its version is not 0")
    decode(bits, width, height)
  }

  /** Without the header that has its size. */
  def decode(bytes: Array[Byte], from: Int, until: Int, width: Int, height: Int): Array[Int] =
    decode(new BitReader(bytes, from, until), width, height)

  private def decode(bits: BitReader, width: Int, height: Int): Array[Int] = {
    var transforms = List.empty[Transform]
    var kinds = Set.empty[Int]
    var stored = width // columns, of which a table of few colours leaves fewer
    while (bits.flag()) {
      val kind = bits.read(2)
      if (kinds(kind)) throw DecodingFailed.corrupt("sparkdl", "it was transformed twice in one way")
      kinds += kind
      val transform = kind match {
        case 0 => blocks(bits, stored, height)(new Predictions(_, _, stored))
        case 1 => blocks(bits, stored, height)(new AddColours(_, _, stored))
        case 2 => AddGreen
        case 3 =>
          val colours = table(bits)
          val packedBits =
            if (colours.length > 16) 0 else if (colours.length > 4) 1 else if (colours.length > 2) 2 else 3
          val before = stored
          stored = PixelReader.blocks(stored, packedBits)
          new LookUp(colours, before, stored, packedBits)
      }
      transforms ::= transform
    }
    transforms.foldLeft(PixelReader.read(bits, stored, height, whole = true))((pixels, t) => t.undo(pixels))
  }

  private def blocks(
      bits: BitReader,
      width: Int,
      height: Int
  )(transform: (Array[Int], Int) => Transform): Transform = {
    val size = 2 + bits.read(3)
    val across = PixelReader.blocks(width, size)
    transform(PixelReader.read(bits, across, PixelReader.blocks(height, size), whole = false), size)
  }

  /** Each is stored as the difference from the one before. */
  private def table(bits: BitReader): Array[Int] = {
    val colours = PixelReader.read(bits, 1 + bits.read(8), 1, whole = false)
    for (i <- 1 until colours.length) colours(i) = Predictions.sum(colours(i), colours(i - 1))
    colours
  }
}
