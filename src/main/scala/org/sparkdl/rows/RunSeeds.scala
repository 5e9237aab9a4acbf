package org.sparkdl.rows

import java.security.SecureRandom
import java.util.SplittableRandom

import org.apache.spark.unsafe.Platform

import org.sparkdl.application.RandomFeed
import org.sparkdl.runtime.{DType, NativeRuntime, TfTensor}

/** The seeds of a task's runs: one tensor, filled anew for each run. */
final private[rows] class RunSeeds(runtime: NativeRuntime, feed: RandomFeed) extends AutoCloseable {
  import RunSeeds._

  private val tensor = TfTensor.allocate(runtime, DType.Int64, Array(2L))

  // Seeded by the system, so that no two tasks draw the same, wherever and whenever they run.
  private lazy val random = new SplittableRandom(new SecureRandom().nextLong())

  /** A seed for a run of any rows, which no other run has. */
  def next(): TfTensor = filled(random.nextLong(), random.nextLong())

  /** The seed for a run of the row with this key alone: it follows from the user's seed and the key. */
  def of(key: Long): TfTensor = {
    val first = mix(mix(feed.seed.get) ^ key)
    filled(first, mix(first + Gamma))
  }

  private def filled(first: Long, second: Long): TfTensor = {
    Platform.putLong(null, tensor.address, first >>> Unused)
    Platform.putLong(null, tensor.address + 8, second >>> Unused)
    tensor
  }

  override def close(): Unit = tensor.close()
}

private object RunSeeds {

  /** Bits that stay 0: the graph adds numbers of 62 bits, and sums must not be negative. */
  val Unused = 2

  private val Gamma = 0x9e3779b97f4a7c15L

  /** SplitMix64's function of a state, written out: a seed has to give the same numbers on every JVM. */
  def mix(state: Long): Long = {
    val a = state + Gamma
    val b = (a ^ (a >>> 30)) * 0xbf58476d1ce4e5b9L
    val c = (b ^ (b >>> 27)) * 0x94d049bb133111ebL
    c ^ (c >>> 31)
  }
}
