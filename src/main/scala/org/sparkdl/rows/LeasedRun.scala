package org.sparkdl.rows

import org.sparkdl.engine.{Engine, EngineSettings, ShippedModel, WarmRun}
import org.sparkdl.runtime.TfTensor

/** A model that a task leases when it first needs it, so that an empty partition loads nothing. */
final private[sparkdl] class LeasedRun(
    shipped: ShippedModel,
    feeds: Seq[String],
    fetches: Seq[String],
    precision: String,
    engine: EngineSettings,
    metrics: BatchMetrics
) extends AutoCloseable {
  private var lease: Engine.Lease = _
  private var run: WarmRun = _

  /** Feeds `inputs`, which stay the caller's, and returns one tensor per fetch, which the caller closes. */
  def apply(inputs: Array[TfTensor]): Array[TfTensor] = {
    if (lease == null) acquire()
    run(inputs)
  }

  private def acquire(): Unit = {
    val start = System.nanoTime()
    lease = Engine.acquire(shipped, precision, engine)
    run = lease.model.run(feeds, fetches)
    if (lease.loadedNow) metrics.modelLoads(1)
    metrics.loadTime(System.nanoTime() - start)
  }

  override def close(): Unit = if (lease != null) { lease.close(); lease = null }
}
