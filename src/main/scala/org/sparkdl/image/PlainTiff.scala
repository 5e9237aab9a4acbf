package org.sparkdl.image

import java.nio.{ByteBuffer, ByteOrder}

/** A TIFF with one directory in which there is nothing but what decoding needs, and that has been checked: a decoder
  * reads every entry of every directory that it finds, whatever the length it claims.
  */
private[image] object PlainTiff {
  import TiffTags._

  private final case class Entry(tag: Int, kind: Int, values: Array[Long]) {
    def size: Int = if (kind == TiffDirectory.Byte) 1 else if (kind == TiffDirectory.Short) 2 else 4
    def bytes: Int = size * values.length
    def behind: Int = if (bytes > 4) bytes + bytes % 2 else 0
  }

  /** The same bytes with another directory behind them. Files of more than 4 GB do not fit into an array, so those in
    * the format for them become plain ones.
    */
  def of(tiff: TiffHeader, bytes: Array[Byte]): Array[Byte] = {
    val entries = entriesOf(tiff)
    val at = bytes.length + bytes.length % 2
    val directoryBytes = 2 + 12 * entries.size + 4
    val order = if (tiff.directory.little) ByteOrder.LITTLE_ENDIAN else ByteOrder.BIG_ENDIAN
    val file =
      ByteBuffer.wrap(java.util.Arrays.copyOf(bytes, at + directoryBytes + entries.map(_.behind).sum)).order(order)
    file.putShort(2, 42).putInt(4, at)
    file.position(at).putShort(entries.size.toShort)
    var behind = at + directoryBytes
    for (e <- entries) {
      val field = file
        .position(file.position())
        .putShort(e.tag.toShort)
        .putShort(e.kind.toShort)
        .putInt(e.values.length)
        .position()
      if (e.behind > 0) file.putInt(field, behind)
      write(file, if (e.behind > 0) behind else field, e)
      file.position(field + 4)
      behind += e.behind
    }
    file.array
  }

  private def entriesOf(tiff: TiffHeader): Seq[Entry] = {
    val blocks = tiff.blocks
    val (offsets, sizes) = if (blocks.tiled) (TileOffsets, TileBytes) else (StripOffsets, StripBytes)
    val others =
      Seq(Bits, Samples, RowsPerStrip, Planes, Predictor, Colours, TileWidth, TileHeight, ExtraSamples) ++ Others
    val own = Seq(
      Entry(Width, TiffDirectory.Long, Array(tiff.header.width.toLong)),
      Entry(Height, TiffDirectory.Long, Array(tiff.header.height.toLong)),
      Entry(Compression, TiffDirectory.Short, Array(tiff.compression.toLong)),
      Entry(Photometric, TiffDirectory.Short, Array(tiff.photometric.toLong)),
      Entry(offsets, TiffDirectory.Long, blocks.offsets),
      Entry(sizes, TiffDirectory.Long, blocks.sizes)
    )
    (own ++ others.filter(tiff.directory.has).flatMap(kept(tiff.directory, _))).sortBy(_.tag)
  }

  /** An entry as it is; fractions (of YCbCr) are left at their defaults, as all programs write these. */
  private def kept(directory: TiffDirectory, tag: Int): Option[Entry] = directory.typeOf(tag) match {
    case kind @ (TiffDirectory.Byte | TiffDirectory.Short) => Some(Entry(tag, kind, directory.numbers(tag)))
    case 5                                                 => None
    case _ => Some(Entry(tag, TiffDirectory.Long, directory.numbers(tag)))
  }

  private def write(file: ByteBuffer, at: Int, e: Entry): Unit =
    for (i <- e.values.indices) e.size match {
      case 1 => file.put(at + i, e.values(i).toByte)
      case 2 => file.putShort(at + 2 * i, e.values(i).toShort)
      case 4 => file.putInt(at + 4 * i, e.values(i).toInt)
    }
}
