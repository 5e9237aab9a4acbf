package org.sparkdl.application

/** How a model that draws random numbers is fed them.
  *
  * @param tensor
  *   takes the seed of a run
  * @param seed
  *   the user's; None: new numbers in every run
  */
final case class RandomFeed(tensor: String, seed: Option[Long])
