package org.sparkdl.engine

import org.sparkdl.model.GeneratorSeeding
import org.sparkdl.runtime.{TfGraph, TfRun, TfSession}

/** The random number generators of a SavedModel that is applied as it is: variables of its session.
  *
  * Left alone, they begin with the same state in every JVM, and two runs at the same time may read the same state. So
  * a run first gives each generator a state that follows from the run's seed, and no other run of the model may
  * overlap with it.
  */
final private[engine] class Generators(assign: TfRun) {

  /** Sets the generators before each run of `model`: the last input is their seed. */
  def seeding(model: LoadedModel.Run): LoadedModel.Run = (inputs, limit) =>
    synchronized {
      assign(Array(inputs.last)).foreach(_.close())
      model(inputs.init, limit)
    }
}

private[engine] object Generators {

  /** The tensor that takes the seed. */
  val Seed: String = GeneratorSeeding.Seed

  /** The generators of a graph that was just loaded; the operations that set them are added to the graph. */
  def of(graph: TfGraph, session: TfSession, metaGraph: Array[Byte]): Option[Generators] =
    if (!GeneratorSeeding.isNeeded(graph.operations)) None
    else {
      graph.extend(GeneratorSeeding.of(metaGraph))
      val ends = Seq(Seed, GeneratorSeeding.Done).map(graph.output(_).get)
      Some(new Generators(session.prepare(ends.take(1), ends.drop(1))))
    }
}
