package org.sparkdl.engine

import org.sparkdl.model.GeneratorSetting
import org.sparkdl.runtime.{TfGraph, TfRun, TfSession, TfTensor}

/** The generators of random numbers of a SavedModel that is applied as it is: variables of its session.
  *
  * Left alone they begin with the same state in every JVM, and two runs at once may read the same one. So a run first
  * gives each a state that follows from the run's seed, and nobody else runs the model meanwhile.
  */
final private[engine] class Generators(assign: TfRun) {

  /** The run `model`, whose last input is the seed for these. */
  def before(model: TfRun): Array[TfTensor] => Array[TfTensor] = inputs =>
    synchronized {
      assign(Array(inputs.last)).foreach(_.close())
      model(inputs.init)
    }
}

private[engine] object Generators {

  /** The tensor that takes the seed. */
  val Seed: String = GeneratorSetting.Seed

  /** Those of a graph that was just loaded, which gets the operations that set them. */
  def of(graph: TfGraph, session: TfSession, metaGraph: Array[Byte]): Option[Generators] =
    if (!GeneratorSetting.isFor(graph.operations)) None
    else {
      graph.extend(GeneratorSetting.of(metaGraph))
      val ends = Seq(Seed, GeneratorSetting.Done).map(graph.output(_).get)
      Some(new Generators(session.prepare(ends.take(1), ends.drop(1))))
    }
}
