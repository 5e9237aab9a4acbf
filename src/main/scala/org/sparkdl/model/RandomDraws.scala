package org.sparkdl.model

/** How a model draws random numbers.
  *
  * @param seed
  *   the tensor, int64 [2], that is fed with the inputs: all that the model draws follows from it. A SavedModel whose
  *   generators are variables gets it when it is loaded
  * @param unseeded
  *   the operations that draw without it: new numbers in each run
  */
final case class RandomDraws(seed: Option[String], unseeded: Seq[String])

object RandomDraws {

  /** The placeholder that takes the seed. */
  private[sparkdl] val Seed = "sparkdl_seed"

  private[model] def of(seed: Option[String], unseeded: Seq[String]): Option[RandomDraws] =
    if (seed.isEmpty && unseeded.isEmpty) None else Some(RandomDraws(seed, unseeded))
}
