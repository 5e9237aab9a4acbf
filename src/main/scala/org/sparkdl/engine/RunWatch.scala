package org.sparkdl.engine

import java.util.concurrent.{ConcurrentHashMap, Executors, TimeUnit}

import scala.jdk.CollectionConverters._
import scala.util.control.NonFatal

import org.slf4j.LoggerFactory

import org.sparkdl.runtime.TfException

/** Ends runs of this JVM that take longer than they may, or that go on although their task was killed.
  *
  * A thread inside of TensorFlow cannot be interrupted, and TensorFlow's own deadline of a run is that of another
  * thread, while ours run in the thread of the task. What ends a run is to close its session, from another thread:
  * loops look for that in each round. It ends all runs of the session; those of other tasks are repeated in a new one
  * ([[Engine.end]]). Hence a killed task is given some time to finish its run by itself, as nearly all do.
  */
private[engine] object RunWatch {
  private val log = LoggerFactory.getLogger("org.sparkdl.engine.RunWatch")

  /** How long a run may go on after its task was killed. */
  private val Grace = TimeUnit.SECONDS.toNanos(5)
  private val LookEveryMillis = 250L

  final private class Run(val model: LoadedModel, val limit: RunLimit) {
    private val start = System.nanoTime()
    private var killed = Option.empty[Long]
    @volatile var ended = Option.empty[RunEnd]

    /** Why it has to be ended now; called by the watching thread. */
    def due(now: Long): Option[RunEnd] =
      if (ended.isDefined) None
      else if (limit.timeoutSeconds > 0 && now - start > TimeUnit.SECONDS.toNanos(limit.timeoutSeconds))
        Some(RunEnd.TooLong)
      else {
        if (killed.isEmpty && limit.isTaskKilled) killed = Some(now)
        killed.filter(now - _ > Grace).map(_ => RunEnd.TaskKilled)
      }
  }

  private val runs = ConcurrentHashMap.newKeySet[Run]()

  /** Starts with the first run. */
  private lazy val watching = {
    val executor = Executors.newSingleThreadScheduledExecutor { (task: Runnable) =>
      val thread = new Thread(task, "sparkdl-run-watch")
      thread.setDaemon(true)
      thread
    }
    executor.scheduleWithFixedDelay(() => look(), LookEveryMillis, LookEveryMillis, TimeUnit.MILLISECONDS)
  }

  /** Calls `body`, a run of the model, and ends it where `limit` says so; then it throws why. */
  def during[T](model: LoadedModel, limit: RunLimit)(body: => T): T =
    if (limit == RunLimit.none) body
    else {
      watching
      val run = new Run(model, limit)
      runs.add(run)
      try body
      catch { case e: TfException => throw run.ended.fold[Exception](e)(_.error(limit)) }
      finally runs.remove(run)
    }

  private def look(): Unit = {
    val now = System.nanoTime()
    for (run <- runs.asScala; why <- run.due(now)) {
      run.ended = Some(why)
      log.warn(s"Ending a run of ${run.model.description}: ${why.reason(run.limit)}.")
      try Engine.end(run.model)
      catch { case NonFatal(e) => log.error(s"Cannot end the run of ${run.model.description}.", e) } // others go on
    }
  }
}
