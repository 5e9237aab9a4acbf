package org.sparkdl.engine

import org.apache.spark.{TaskContext, TaskKilledException}

import org.sparkdl.Settings
import org.sparkdl.runtime.TfException

/** How long one run of a model may take, and for which task it is.
  *
  * @param timeoutSeconds
  *   0 = for ever, unless the task is killed
  */
final private[sparkdl] case class RunLimit(timeoutSeconds: Long, task: Option[TaskContext]) {
  def isTaskKilled: Boolean = task.exists(_.isInterrupted())
}

private[sparkdl] object RunLimit {

  /** For runs that nobody waits for. */
  val none: RunLimit = RunLimit(0L, None)

  /** For the runs of the task of this thread, if it is one. */
  def ofTask(timeoutSeconds: Long): RunLimit = RunLimit(timeoutSeconds, Option(TaskContext.get()))
}

/** Why a run was ended before it was done. */
sealed private[sparkdl] trait RunEnd {
  def reason(limit: RunLimit): String

  /** What the run throws. */
  def error(limit: RunLimit): Exception
}

private[sparkdl] object RunEnd {
  private val DeadlineExceeded = 4 // tensorflow/c/tf_status.h

  /** Whether this is the error of the run that took too long, and not one of its neighbours in the same session. */
  def isOfRun(e: TfException): Boolean = e.code == DeadlineExceeded

  case object TooLong extends RunEnd {
    def reason(limit: RunLimit): String =
      s"the run took longer than ${limit.timeoutSeconds} s (${Settings.runTimeout.key}) and was ended. If its graph ends at " +
        "all, raise the setting or run fewer rows at a time; if it has a loop that never ends, mend the model"

    def error(limit: RunLimit): Exception = new TfException(DeadlineExceeded, reason(limit))
  }

  case object TaskKilled extends RunEnd {
    def reason(limit: RunLimit): String = "its task was killed"
    def error(limit: RunLimit): Exception = new TaskKilledException(s"a run of a model was ended: ${reason(limit)}")
  }
}
