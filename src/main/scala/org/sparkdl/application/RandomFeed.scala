package org.sparkdl.application

/** How a model that draws random numbers is fed its seed.
  *
  * @param tensor
  *   the tensor that takes the seed of a run
  * @param seed
  *   the user's; None for new numbers in every run
  */
final case class RandomFeed(tensor: String, seed: Option[Long])
