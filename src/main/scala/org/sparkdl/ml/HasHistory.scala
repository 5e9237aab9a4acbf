package org.sparkdl.ml

import org.sparkdl.Sessions
import org.sparkdl.model.TrainingHistory

/** A fitted stage that knows how its model was trained. */
trait HasHistory { this: FileModelStage =>

  /** The losses and metrics, each with its value after each epoch, by the names that Keras gives them ("loss",
    * "val_loss", ...); empty when the model's bundle has no history. A metric with several results, such as
    * `F1Score(average=None)`, has an entry for each: "f1_score[0]", "f1_score[1]".
    */
  def history: Map[String, Seq[Double]] = TrainingHistory.of(findModel(Sessions.current))

  /** What the model is, how it was trained and what it reached, as text for people. */
  def summary: String = TrainingHistory.summary(findModel(Sessions.current))
}
