package org.sparkdl.image

/** Reads Spark's image structs (pixels in BGR order) for a model. Thread-safe. */
object ImageStructs {

  /** Resizes the pixels of an image struct and writes them to native memory like [[ImageDecoder.decodeInto]].
    *
    * Input: the fields of a struct with mode CV_8UC1, CV_8UC3 or CV_8UC4. Alpha is dropped, grey is repeated. Float
    * modes are refused: the struct does not say whether their values mean 0..1, 0..255 or something else.
    *
    * @param address
    *   native address of `target.bytes` writable bytes
    * @return
    *   null, or the reason why the struct cannot be used
    */
  def structInto(
      height: Int,
      width: Int,
      nChannels: Int,
      mode: Int,
      data: Array[Byte],
      target: ImageTarget,
      address: Long
  ): String = {
    val reason = problem(height, width, nChannels, mode, data, floats = false)
    if (reason == null) DecodeWorker.use { worker =>
      val pixels = PixelSource.ofArray(data, height, width, nChannels, blueFirst = true)
      ImageWriter.write(worker.resampler, pixels, target, orientation = 1, address)
    }
    reason
  }

  /** Null, or what is wrong with the fields of a struct.
    *
    * @param floats
    *   whether float pixels are taken too
    */
  private[sparkdl] def problem(
      height: Int,
      width: Int,
      nChannels: Int,
      mode: Int,
      data: Array[Byte],
      floats: Boolean
  ): String =
    if (mode == ImageModes.Undefined) "the image could not be read (mode -1); its column 'error' says why"
    else if (ImageModes.isFloat(mode) && !floats)
      s"image mode ${ImageModes.describe(mode)} has float pixels; expected uint8 pixels of 0..255: $Uint8Modes"
    else if (ImageModes.channels(mode) == 0)
      s"image mode ${ImageModes.describe(mode)} is not supported; expected $Uint8Modes" +
        (if (floats) s", or $FloatModes" else "")
    else if (ImageModes.channels(mode) != nChannels)
      s"image mode ${ImageModes.describe(mode)} has ${ImageModes.channels(mode)} channels, " +
        s"but nChannels is $nChannels"
    else if (height < 1 || width < 1) s"image size must be at least 1x1, got ${width}x$height (width x height)"
    else {
      val bytes = height.toLong * width * nChannels * (if (ImageModes.isFloat(mode)) 4 else 1)
      checkData(bytes, s"${width}x${height}x$nChannels", data)
    }

  private val Uint8Modes = "CV_8UC1 (0), CV_8UC3 (16) or CV_8UC4 (24)"
  private val FloatModes = "CV_32FC1 (5), CV_32FC3 (21) or CV_32FC4 (29)"

  private def checkData(expected: Long, shape: String, data: Array[Byte]): String =
    if (data == null) "the image has no data (null)"
    else if (data.length == expected) null
    else s"expected $expected bytes of data for $shape (width x height x channels), got ${data.length}"
}
