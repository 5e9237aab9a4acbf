package org.sparkdl.application

import org.sparkdl.errors.SparkDLException

/** What happens to a row that cannot be fed to a model. */
sealed abstract class HandleInvalid(val name: String) extends Serializable {
  override def toString: String = name
}

object HandleInvalid {

  /** The job fails with a message that names the row, the reason and the remedy. */
  case object Error extends HandleInvalid("error")

  /** The row is left out of the result. */
  case object Skip extends HandleInvalid("skip")

  /** The row stays, with null outputs and, if there is an error column, the reason in it. */
  case object Keep extends HandleInvalid("keep")

  val all: Seq[HandleInvalid] = Seq(Error, Skip, Keep)

  def fromName(name: String): HandleInvalid = all
    .find(_.name == name)
    .getOrElse(
      throw new SparkDLException(s"Unknown handleInvalid '$name'. Expected one of: ${all.mkString(", ")}.")
    )
}
