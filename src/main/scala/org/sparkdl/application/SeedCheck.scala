package org.sparkdl.application

import org.sparkdl.errors.SettingsException

/** Checks that a user's seed can make the numbers that a model draws repeatable. */
private[application] object SeedCheck {

  /** Refuses a seed for a model that draws numbers without it, or that cannot run a row alone. */
  def check(application: ModelApplication): Unit = for {
    seed <- application.seed
    draws <- application.model.random
  } {
    if (draws.unseeded.nonEmpty)
      refuse(
        application,
        seed,
        s"it draws numbers that no seed reaches (${firstFew(draws.unseeded)})",
        "Draw them with keras.random or tf.random outside of loops and conditions, and make a bundle of the model " +
          "(sparkdl.save_bundle); or leave the seed unset, which gives new numbers in every run."
      )
    application.inputs.flatMap(_.fixedBatch).find(_ > 1).foreach { rows =>
      refuse(
        application,
        seed,
        s"its graph takes $rows rows at once, while with a seed each row is run alone",
        "Make the bundle with an unknown number of rows; or leave the seed unset."
      )
    }
  }

  private def firstFew(names: Seq[String]): String =
    names.take(3).mkString(", ") + (if (names.size > 3) ", ..." else "")

  private def refuse(application: ModelApplication, seed: Long, why: String, remedy: String): Nothing =
    throw new SettingsException(
      s"Cannot make the random numbers of model '${application.model.name}' repeatable with seed $seed: $why. $remedy"
    )
}
