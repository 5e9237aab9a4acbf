package org.sparkdl.image

import org.sparkdl.runtime.NativeRuntime

/** The pixels of the first picture of TIFF files. */
private[image] object TiffPixels {

  def read(runtime: NativeRuntime, worker: DecodeWorker, bytes: Array[Byte]): PixelSource = {
    val tiff = TiffHeader.parse(new ByteCursor(bytes, "TIFF"))
    if (tiff.compression == TiffHeader.Jpeg) new TiffJpeg(runtime, worker, tiff, bytes).read()
    else if (TiffBytes.suit(tiff, bytes)) new TiffBytes(tiff, bytes).read()
    else RasterPixels.of(TiffPlugin.read(PlainTiff.of(tiff, bytes)), tiff.header.channels, tiff.timesAlpha)
  }
}
