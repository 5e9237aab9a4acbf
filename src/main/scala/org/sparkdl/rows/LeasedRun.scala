package org.sparkdl.rows

import scala.annotation.tailrec

import org.sparkdl.engine.{Engine, EngineSettings, RunEnd, RunLimit, ShippedModel, WarmRun}
import org.sparkdl.runtime.{TfException, TfTensor}
import org.sparkdl.tensor.TensorSpec

/** A model that a task leases when it first needs it, so that an empty partition loads nothing.
  *
  * @param inputs
  *   what is fed, in this order
  * @param outputs
  *   what is fetched: each of their tensors once
  * @param seed
  *   the tensor that takes the seed of a run, after the inputs
  */
final private[sparkdl] class LeasedRun(
    shipped: ShippedModel,
    inputs: Seq[TensorSpec],
    outputs: Seq[TensorSpec],
    seed: Option[String],
    precision: String,
    engine: EngineSettings,
    metrics: BatchMetrics
) extends AutoCloseable {
  private var lease: Engine.Lease = _
  private var run: WarmRun = _
  private lazy val limit = RunLimit.ofTask(engine.runTimeout)

  /** Feeds `inputs`, which stay the caller's, and returns one tensor per fetch, which the caller closes. A run that
    * was ended because of another task's, which had the same session, is repeated in a new one.
    */
  @tailrec
  def apply(inputs: Array[TfTensor]): Array[TfTensor] = {
    if (lease == null) acquire()
    attempt(inputs) match {
      case Some(outputs) => outputs
      case None          => close(); apply(inputs)
    }
  }

  private def attempt(inputs: Array[TfTensor]): Option[Array[TfTensor]] =
    try Some(run(inputs, limit))
    catch {
      case e: TfException if lease.model.isEnded && !RunEnd.isOfRun(e) =>
        if (limit.isTaskKilled) throw RunEnd.TaskKilled.error(limit) else None
    }

  private def acquire(): Unit = {
    val start = System.nanoTime()
    lease = Engine.acquire(shipped, precision, engine)
    lease.model.check(shipped.name, inputs ++ outputs)
    run = lease.model.run(inputs.map(_.tensor) ++ seed, outputs.map(_.tensor).distinct)
    if (lease.loadedNow) metrics.modelLoads(1)
    metrics.loadTime(System.nanoTime() - start)
  }

  override def close(): Unit = if (lease != null) { lease.close(); lease = null }
}
