package org.sparkdl.image

import org.apache.spark.unsafe.Platform

import org.sparkdl.image.failures.DecodingFailed
import org.sparkdl.runtime.{NativeRuntime, TfException, TfTensor}

/** Decodes images and resizes them: JPEG, PNG and GIF with TensorFlow's kernels (libjpeg-turbo, libpng, giflib), BMP,
  * WebP and TIFF here and with TwelveMonkeys' reader. Thread-safe.
  *
  * What is wrong with an image is returned, not thrown: an image is data. Only a missing native library and bugs
  * throw. The EXIF orientation of JPEG, WebP and TIFF files is applied.
  */
object ImageDecoder {

  /** Decodes at full size into the layout of Spark's image struct.
    *
    * @param maxPixels
    *   largest allowed width * height; a header that claims more is refused before memory is allocated
    * @return
    *   the image, or the reason why there is none
    */
  def decode(runtime: NativeRuntime, bytes: Array[Byte], maxPixels: Long): Either[String, DecodedImage] =
    checkedHeader(bytes, maxPixels).flatMap { header =>
      DecodeWorker.use(w => withPixels(runtime, w, header, 1, bytes)(toStruct(_, header)))
    }

  /** Decodes, resizes and writes uint8 pixels `[target.height, target.width, target.channels]` to native memory.
    *
    * A JPEG whose sides are both at least 2r times the target's (r = 2, 4, 8) is decoded at 1/r of its size if
    * `target.scaleHint` is SCALE_AREA_AVERAGING or SCALE_SMOOTH.
    *
    * @param maxPixels
    *   largest allowed width * height; a header that claims more is refused before memory is allocated
    * @param address
    *   native address of `target.bytes` writable bytes, whose contents are undefined if a reason is returned
    * @return
    *   null, or the reason why there is no image
    */
  def decodeInto(
      runtime: NativeRuntime,
      bytes: Array[Byte],
      target: ImageTarget,
      maxPixels: Long,
      address: Long
  ): String =
    checkedHeader(bytes, maxPixels)
      .flatMap { header =>
        DecodeWorker.use { worker =>
          withPixels(runtime, worker, header, jpegRatio(header, target), bytes) { pixels =>
            ImageWriter.write(worker.resampler, pixels, target, header.orientation, address)
          }
        }
      }
      .fold(identity, _ => null)

  /** Height and width of the upright image, from its header alone, or the reason why there is none. */
  def sizeOf(bytes: Array[Byte], maxPixels: Long): Either[String, (Int, Int)] =
    checkedHeader(bytes, maxPixels).map(h => if (h.transposed) (h.width, h.height) else (h.height, h.width))

  /** Like [[decodeInto]], into a new array. */
  def decodeTo(
      runtime: NativeRuntime,
      bytes: Array[Byte],
      target: ImageTarget,
      maxPixels: Long
  ): Either[String, Array[Byte]] = {
    val slot = Platform.allocateMemory(target.bytes.toLong)
    try {
      val reason = decodeInto(runtime, bytes, target, maxPixels, slot)
      if (reason != null) Left(reason)
      else {
        val pixels = new Array[Byte](target.bytes)
        Platform.copyMemory(null, slot, pixels, Platform.BYTE_ARRAY_OFFSET, pixels.length)
        Right(pixels)
      }
    } finally Platform.freeMemory(slot)
  }

  /** Four channels of more pixels do not fit into a Java array, whatever the setting allows. */
  private val MostPixels = (Int.MaxValue / 4 - 16).toLong

  private def checkedHeader(bytes: Array[Byte], maxPixels: Long): Either[String, ImageHeader] =
    ImageHeader.probe(bytes).flatMap { h =>
      if (h.pixels <= math.min(maxPixels, MostPixels)) Right(h)
      else {
        val claim = s"this ${h.format} claims ${h.width}x${h.height} pixels, more than the"
        if (maxPixels <= MostPixels) Left(s"$claim $maxPixels that spark.sparkdl.image.maxPixels allows")
        else Left(s"$claim $MostPixels that fit into one array of the JVM")
      }
    }

  /** The largest scale at which the decoded JPEG is still at least twice the target in both directions. */
  private[image] def jpegRatio(header: ImageHeader, target: ImageTarget): Int =
    if (header.format != "JPEG" || !target.hint.shrinksWhileDecoding) 1
    else {
      val (height, width) =
        if (header.transposed) (target.width, target.height) else (target.height, target.width)
      DecodeGraph.JpegRatios.reverseIterator
        .find(r => r == 1 || (header.height >= 2L * r * height && header.width >= 2L * r * width))
        .get
    }

  private def withPixels[T](
      runtime: NativeRuntime,
      worker: DecodeWorker,
      header: ImageHeader,
      ratio: Int,
      bytes: Array[Byte]
  )(body: PixelSource => T): Either[String, T] =
    try
      header.format match {
        case "BMP"  => Right(body(BmpPixels.read(bytes)))
        case "WebP" => Right(body(WebpPixels.read(bytes)))
        case "TIFF" => Right(body(TiffPixels.read(runtime, worker, bytes)))
        case "GIF"  => Right(firstFrame(runtime, worker, bytes)(body))
        case _ =>
          val tensor = worker.decode(runtime, header.format, ratio, bytes, bytes.length)
          try Right(body(pixels(tensor)))
          finally tensor.close()
      }
    catch {
      case e: TfException    => Left(explain(header, failure(header, bytes, e)))
      case e: DecodingFailed => Left(explain(header, e))
      case e: HeaderRefused  => Left(e.reason) // in what is read only now, such as a colour table
    }

  private def firstFrame[T](runtime: NativeRuntime, worker: DecodeWorker, bytes: Array[Byte])(
      body: PixelSource => T
  ): T = {
    val gif = GifHeader.parse(new ByteCursor(bytes, "GIF"))
    val tensor =
      worker.decode(runtime, "GIF", 1, GifHeader.cornered(gif, bytes), gif.firstFrameEnd, GifHeader.Trailer)
    try body(FrameBounds.onCanvas(pixels(tensor), gif.frame, gif.header, gif.around))
    finally tensor.close()
  }

  private def pixels(tensor: TfTensor): PixelSource = {
    val Array(height, width, channels) = tensor.shape.takeRight(3).map(_.toInt)
    new PixelSource(null, tensor.address, height, width, channels, blueFirst = false)
  }

  private def toStruct(pixels: PixelSource, header: ImageHeader): DecodedImage = {
    val channels = if (pixels.channels == 2) 4 else pixels.channels
    val (height, width) =
      if (header.transposed) (pixels.width, pixels.height) else (pixels.height, pixels.width)
    val data = new Array[Byte](height * width * channels)
    val place = Placement.inArray(data, height, width, channels, header.orientation)
    PixelCopy.copy(pixels, place, channels, blueFirst = true)
    DecodedImage(height, width, channels, data)
  }

  private def failure(header: ImageHeader, bytes: Array[Byte], e: TfException): DecodingFailed = {
    val cursor = new ByteCursor(bytes, header.format)
    val truncated = header.format match {
      case "JPEG" => JpegHeader.truncated(cursor)
      case "PNG"  => PngHeader.truncated(cursor)
      case _      => false
    }
    if (truncated) DecodingFailed.truncated() else DecodingFailed.corrupt("TensorFlow", e.getMessage)
  }

  private def explain(header: ImageHeader, failed: DecodingFailed): String =
    s"this ${header.format} of ${header.width}x${header.height} pixels cannot be decoded: ${failed.why}"
}
