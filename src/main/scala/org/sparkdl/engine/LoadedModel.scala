package org.sparkdl.engine

import java.util.concurrent.ConcurrentHashMap

import org.sparkdl.errors.InvalidModelException
import org.sparkdl.runtime.{NativeRuntime, SessionConfig, TfGraph, TfOutput, TfSession, TfTensor}
import org.sparkdl.tensor.TensorSpec

/** A session with its graph, shared by all tasks of this JVM that run it. The [[Engine]] opens and closes it.
  *
  * @param weights
  *   what it has in common with sessions of other precisions
  * @param graph
  *   that of the weights, or one of its own: TensorFlow makes one for each session of a SavedModel
  */
final class LoadedModel private[engine] (
    private[engine] val weights: LoadedWeights,
    graph: TfGraph,
    session: TfSession,
    private[engine] val description: String,
    generators: Option[Generators] = None,
    private[engine] val variables: Option[SharedVariables] = None
) extends AutoCloseable {
  private val runs = new ConcurrentHashMap[(Seq[String], Seq[String]), WarmRun]()
  @volatile private var ended = false

  /** The run that computes the tensors `fetches` from the tensors `feeds`; it is kept, so that the graph is optimised
    * once per JVM for it.
    */
  def run(feeds: Seq[String], fetches: Seq[String]): WarmRun = runs.computeIfAbsent(
    (feeds, fetches),
    _ => new WarmRun(prepare(feeds, fetches))
  )

  /** Refuses a signature that is not the graph's, which decides how the memory of tensors is written and read. */
  def check(model: String, signature: Seq[TensorSpec]): Unit = signature.foreach { spec =>
    val found = tensor(spec.tensor)
    if (!spec.admits(found.dtypeCode, found.shape))
      throw LoadErrors.otherSignature(model, spec, found)
  }

  private def prepare(feeds: Seq[String], fetches: Seq[String]): LoadedModel.Run = {
    def run(fed: Seq[String]): LoadedModel.Run = {
      val prepared = session.prepare(fed.map(tensor), fetches.map(tensor))
      (inputs, limit) => RunWatch.during(this, limit)(prepared(inputs))
    }
    generators.filter(_ => feeds.lastOption.contains(Generators.Seed)) match {
      case Some(g) => g.seeding(run(feeds.init))
      case None    => run(feeds)
    }
  }

  private def tensor(name: String): TfOutput = graph
    .output(name)
    .getOrElse(
      throw new InvalidModelException(s"The graph of $description has no tensor '$name'; make the bundle again.")
    )

  /** Whether its session was closed under the runs that it had: they fail, and so does every later one. */
  def isEnded: Boolean = ended

  /** Ends all runs; see [[Engine.end]]. */
  private[engine] def end(): Unit = { ended = true; session.cancel() }

  /** Closes the session, and the weights if it is the last one that has them. */
  override def close(): Unit = {
    try session.close()
    finally {
      if (graph ne weights.graph) graph.close()
      weights.release()
    }
  }
}

/** The weights of a model, for all sessions that run it in one precision or another.
  *
  * @param graph
  *   with its weights, or, of a SavedModel, that of the first session; other sessions refer to the same variables
  */
final private[engine] class LoadedWeights(val bytes: Long, val graph: TfGraph) {
  private var sessions = 1

  /** The same weights for one more session. */
  def retained(): LoadedWeights = synchronized { sessions += 1; this }

  def release(): Unit = synchronized {
    sessions -= 1
    if (sessions == 0) graph.close()
  }

  def isClosed: Boolean = synchronized(sessions == 0)
}

/** A run whose first call is made under a lock.
  *
  * TensorFlow optimises the graph in the first run of a set of feeds and fetches, and does so again in every thread
  * that arrives meanwhile: each of N tasks would pay for it, in time and in memory.
  */
final class WarmRun private[engine] (run: LoadedModel.Run) {
  @volatile private var warm = false

  /** Runs the model; see `TfRun.apply` for who closes what. */
  def apply(inputs: Array[TfTensor], limit: RunLimit = RunLimit.none): Array[TfTensor] =
    (if (warm) None else firstRun(inputs, limit)).getOrElse(runLimited(inputs, limit))

  /** The first run; None when another thread has done it in the meantime. */
  private def firstRun(inputs: Array[TfTensor], limit: RunLimit): Option[Array[TfTensor]] = synchronized {
    if (warm) None
    else {
      val outputs = runLimited(inputs, limit)
      // Importing and optimising the graph left copies of it behind: 0.2 GB with ResNet50 (95 MB), freed in 20 ms.
      NativeRuntime.trimMemory()
      warm = true
      Some(outputs)
    }
  }

  /** Runs one input set while no more runs are active than there are processors: more would not be faster, but each
    * holds its own activations in memory.
    */
  private def runLimited(inputs: Array[TfTensor], limit: RunLimit): Array[TfTensor] = {
    Engine.processors.acquire()
    try run(inputs, limit)
    finally Engine.processors.release()
  }
}

private[engine] object LoadedModel {

  /** A run with fixed feeds and fetches: from inputs to outputs, within a limit. */
  type Run = (Array[TfTensor], RunLimit) => Array[TfTensor]

  /** The memory of a session besides the weights, as measured over 400 small graphs. If it were not counted, programs
    * that change from round to round would never reach the limit.
    */
  val SessionBytes: Long = 1L << 20

  /** Loads the files that `shipped` brought to this machine.
    *
    * @param other
    *   a session of the same model in another precision, if there is one
    */
  def open(
      runtime: NativeRuntime,
      shipped: ShippedModel,
      config: SessionConfig,
      other: Option[LoadedModel]
  ): LoadedModel =
    if (shipped.tags.isEmpty) openGraph(runtime, shipped, config, other)
    else openSavedModel(runtime, shipped, config, other)

  private def openGraph(
      runtime: NativeRuntime,
      shipped: ShippedModel,
      config: SessionConfig,
      other: Option[LoadedModel]
  ): LoadedModel = {
    val weights = other.fold(weightsOf(shipped, graphOf(runtime, shipped, config.gpu)))(_.weights.retained())
    try new LoadedModel(weights, weights.graph, TfSession.open(runtime, weights.graph, config), description(shipped))
    catch { case e: Throwable => weights.release(); throw e }
  }

  private def openSavedModel(
      runtime: NativeRuntime,
      shipped: ShippedModel,
      config: SessionConfig,
      other: Option[LoadedModel]
  ): LoadedModel = {
    if (config.gpu.exists(_ > 0)) throw LoadErrors.onlyOnFirstGpu(shipped.name)
    val path = shipped.localPath()
    val (graph, session, meta) = TfSession.openSavedModel(runtime, path.toString, shipped.tags, config)
    try {
      val generators = Generators.of(graph, session, meta)
      val variables = SharedVariables.of(graph, session, meta)
      for (own <- variables; others <- other.flatMap(_.variables)) own.takeFrom(others)
      val weights = other.fold(weightsOf(shipped, graph))(_.weights.retained())
      new LoadedModel(weights, graph, session, description(shipped), generators, variables)
    } catch { case e: Throwable => session.close(); graph.close(); throw e }
  }

  private def description(shipped: ShippedModel) = s"model ${shipped.hash.take(12)}"

  private def weightsOf(shipped: ShippedModel, graph: TfGraph) = new LoadedWeights(shipped.memory.need.weights, graph)

  private def graphOf(runtime: NativeRuntime, shipped: ShippedModel, gpu: Option[Int]): TfGraph = {
    val path = shipped.localPath()
    val graph = TfGraph.fromFile(runtime, path, unchanging = shipped.isCopy, gpu)
    shipped.removeCopy() // what is mapped stays on the disk until it is unmapped
    graph
  }
}
