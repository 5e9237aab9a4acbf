package org.sparkdl.plan

import org.sparkdl.engine.{Engine, EngineSettings, WarmRun}
import org.sparkdl.runtime.TfTensor

/** A model that a task leases when it first needs it, so that an empty partition loads nothing. */
final private[plan] class LeasedRun(
    model: MergeModel,
    precision: String,
    engine: EngineSettings,
    metrics: BatchMetrics
) extends AutoCloseable {
  private var lease: Engine.Lease = _
  private var run: WarmRun = _
  private val fetches = model.outputs.distinct
  private val places = model.outputs.map(fetches.indexOf).toArray

  /** One tensor per output. The caller closes them; outputs that are the same tensor are one object. */
  def apply(inputs: Array[TfTensor]): Array[TfTensor] = {
    if (lease == null) lend()
    val start = System.nanoTime()
    val results = run(inputs)
    metrics.batches(1)
    metrics.runTime(System.nanoTime() - start)
    places.map(results(_))
  }

  private def lend(): Unit = {
    val start = System.nanoTime()
    lease = Engine.acquire(model.shipped, precision, engine)
    run = lease.model.run(model.inputs, fetches)
    if (lease.loadedNow) metrics.modelLoads(1)
    metrics.loadTime(System.nanoTime() - start)
  }

  override def close(): Unit = if (lease != null) { lease.close(); lease = null }
}
