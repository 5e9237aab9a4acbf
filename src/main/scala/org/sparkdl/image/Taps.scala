package org.sparkdl.image

/** One axis of a resize: output position `i` is the sum over k in [offset(i), offset(i+1)) of
  * `weight(k) * input(first(i) + k - offset(i))`.
  *
  * Weights are fixed-point numbers that sum to exactly [[Taps.One]] for each output position, so a flat image stays
  * flat, no result leaves 0..255, and results do not depend on the order of summation. TensorFlow computes the same
  * weights in float32: results differ only where they lie within about 0.01 of a tie, and then by one level.
  */
private[image] final class Taps(val first: Array[Int], val offset: Array[Int], val weight: Array[Int]) {

  def size: Int = first.length
  def count(i: Int): Int = offset(i + 1) - offset(i)
}

private[image] object Taps {

  /** Weights have 16 fractional bits: times 8 bits of a pixel they fit into 32 bits, see [[Resampler]]. */
  val Bits = 16
  val One: Int = 1 << Bits

  /** The area of output pixel i is [i, i+1) * scale; each input pixel counts with its share of it. */
  def area(in: Int, out: Int): Taps = {
    val scale = in.toDouble / out
    build(in, out) { i =>
      val (from, until) = (i * scale, (i + 1) * scale)
      val first = math.min(math.floor(from + Slack).toInt, in - 1)
      val last = math.max(first, math.min(math.ceil(until - Slack).toInt, in) - 1)
      (first, (first to last).map(p => math.min(p + 1, until) - math.max(p, from)))
    }
  }

  /** A triangle around the output pixel's centre, as wide as the scale when shrinking. */
  def triangle(in: Int, out: Int): Taps = {
    val scale = in.toDouble / out
    val radius = math.max(scale, 1.0)
    build(in, out) { i =>
      val centre = (i + 0.5) * scale
      val first = math.max(0, math.ceil(centre - radius - 0.5).toInt)
      val last = math.min(in - 1, math.floor(centre + radius - 0.5).toInt)
      (first, (first to last).map(p => math.max(0.0, 1.0 - math.abs((p + 0.5 - centre) / radius))))
    }
  }

  /** The two inputs around the output pixel's centre. */
  def bilinear(in: Int, out: Int): Taps = {
    val scale = in.toDouble / out
    build(in, out) { i =>
      val at = (i + 0.5) * scale - 0.5
      val low = math.floor(at).toInt
      if (low < 0) (0, Seq(1.0))
      else if (low >= in - 1) (in - 1, Seq(1.0))
      else (low, Seq(1.0 - (at - low), at - low))
    }
  }

  /** The input that the output pixel's centre falls into. */
  def nearest(in: Int, out: Int): Taps = {
    // In float32 like TensorFlow's kernel: at exact borders the rounding of the scale decides which pixel it is.
    val scale = in.toFloat / out.toFloat
    build(in, out)(i => (math.min(math.floor((i + 0.5f) * scale).toInt, in - 1), Seq(1.0)))
  }

  /** Borders of areas that differ from whole numbers only by rounding are whole numbers. */
  private val Slack = 1e-9

  private def build(in: Int, out: Int)(tap: Int => (Int, Seq[Double])): Taps = {
    require(in > 0 && out > 0, s"cannot resize $in to $out")
    val first = new Array[Int](out)
    val offset = new Array[Int](out + 1)
    val weights = Array.newBuilder[Int]
    for (i <- 0 until out) {
      val (start, shares) = tap(i)
      first(i) = start
      val fixed = fixedPoint(shares)
      weights ++= fixed
      offset(i + 1) = offset(i) + fixed.length
    }
    new Taps(first, offset, weights.result())
  }

  /** Normalises to [[One]]; what rounding leaves over goes to the largest weight. */
  private def fixedPoint(shares: Seq[Double]): Array[Int] = {
    val total = shares.sum
    val fixed = shares.iterator.map(s => math.round(s / total * One).toInt).toArray
    val largest = fixed.indices.maxBy(fixed(_))
    fixed(largest) += One - fixed.sum
    fixed
  }
}
