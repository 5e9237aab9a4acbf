package org.sparkdl.engine

import java.nio.file.NoSuchFileException
import java.util.concurrent.Semaphore

import scala.collection.mutable

import org.slf4j.LoggerFactory

import org.sparkdl.Settings
import org.sparkdl.errors.SparkDLException
import org.sparkdl.runtime.{GraphOptimizer, NativeRuntime, SessionConfig, TfException}

/** How the engine runs on an executor; read from the session's settings on the driver.
  *
  * @param maxMemory
  *   bytes of loaded models above which unused ones are closed
  * @param runTimeout
  *   seconds that one run may take; 0 = no limit
  */
final case class EngineSettings(runtime: NativeRuntime, maxMemory: Long, runTimeout: Long = 0L)

object EngineSettings {
  def of(settings: Settings.Reader): EngineSettings =
    EngineSettings(NativeRuntime.of(settings), settings.modelsMaxMemory, settings.runTimeoutSeconds)
}

/** The loaded models of this JVM, one per hash, precision and GPU, shared by all tasks; those of one hash on one GPU
  * share the weights. When they outgrow the limit, those that no task uses are closed, least recently used first.
  */
object Engine {
  private val log = LoggerFactory.getLogger("org.sparkdl.engine.Engine")
  private final case class ModelKey(hash: String, bfloat16: Boolean, gpu: Option[Int])
  private final class Entry(val model: LoadedModel) { var users = 0 }

  /** Least recently used first. */
  private val models = mutable.LinkedHashMap.empty[ModelKey, Entry]
  private val loading = new Locks

  private[engine] val processors = new Semaphore(math.max(1, Runtime.getRuntime.availableProcessors()), true)

  /** A task's lease of a model: `close` ends it.
    *
    * @param loadedNow
    *   whether the model was loaded for this lease
    */
  final class Lease private[Engine] (entry: Entry, val loadedNow: Boolean, maxMemory: Long) extends AutoCloseable {
    private var open = true
    def model: LoadedModel = entry.model
    override def close(): Unit = Engine.synchronized {
      if (open) {
        open = false
        entry.users -= 1
        if (model.isEnded) closeIfUnused(entry)
        evict(maxMemory)
      }
    }
  }

  /** Leases the model, which is loaded if this JVM does not have it yet. Loading one model does not hold up others.
    */
  def acquire(shipped: ShippedModel, precision: String, settings: EngineSettings): Lease = {
    val key = ModelKey(shipped.hash, precision == "bfloat16", TaskGpu.of(settings.runtime))
    loading.withLock(key.hash) { // of both precisions: the second takes the weights of the first
      lease(key, loadedNow = false, settings).getOrElse {
        val model = open(shipped, key, settings)
        Engine.synchronized { // in one step: a model without a lease may be closed
          models.put(key, new Entry(model))
          lease(key, loadedNow = true, settings).get
        }
      }
    }
  }

  /** The hashes of the models that are loaded, least recently used first. */
  def loaded: Seq[String] = synchronized(models.iterator.map(_._1.hash).toVector)

  /** Closes every model that no task uses. */
  def closeUnused(): Unit = synchronized(evict(maxMemory = 0L))

  /** Ends all runs of a model, which fail. Who leases it next gets a new session; this one is closed when the last of
    * its tasks gives it back.
    */
  private[engine] def end(model: LoadedModel): Unit = synchronized {
    models.find(_._2.model eq model).foreach { case (key, entry) =>
      models.remove(key)
      model.end()
      closeIfUnused(entry)
    }
  }

  private def closeIfUnused(entry: Entry): Unit = if (entry.users == 0) entry.model.close()

  private def lease(key: ModelKey, loadedNow: Boolean, settings: EngineSettings): Option[Lease] = synchronized {
    models.remove(key).map { entry =>
      models.put(key, entry)
      entry.users += 1
      if (loadedNow) evict(settings.maxMemory)
      new Lease(entry, loadedNow, settings.maxMemory)
    }
  }

  private def evict(maxMemory: Long): Unit = {
    var total = models.size * LoadedModel.SessionBytes +
      models.values.toVector.map(_.model.weights).distinct.map(_.bytes).sum
    models.toVector.foreach { case (key, entry) =>
      if (total > maxMemory && entry.users == 0) {
        models.remove(key)
        entry.model.close()
        total -= LoadedModel.SessionBytes + (if (entry.model.weights.isClosed) entry.model.weights.bytes else 0L)
      }
    }
  }

  private def config(shipped: ShippedModel, key: ModelKey) = SessionConfig(
    key.bfloat16,
    if (shipped.prepared) GraphOptimizer.Fusions else GraphOptimizer.Full,
    key.gpu
  )

  /** A lease of the model in another precision, if it is loaded. */
  private def leaseOfOther(key: ModelKey, settings: EngineSettings): Option[Lease] = synchronized {
    models.keysIterator
      .find(k => k.hash == key.hash && k.gpu == key.gpu)
      .flatMap(lease(_, loadedNow = false, settings))
  }

  private def open(shipped: ShippedModel, key: ModelKey, settings: EngineSettings): LoadedModel = {
    val other = leaseOfOther(key, settings)
    if (other.isEmpty) log.info(LoadErrors.before(shipped))
    try LoadedModel.open(settings.runtime, shipped, config(shipped, key), other.map(_.model))
    catch {
      case e: SparkDLException    => throw e
      case e: OutOfMemoryError    => throw LoadErrors.outOfMemory(shipped, e)
      case e: TfException         => throw LoadErrors.refused(shipped, settings.runtime.version, e)
      case e: NoSuchFileException => throw LoadErrors.gone(shipped.name, e)
    } finally other.foreach(_.close())
  }
}
