package org.sparkdl.engine

import org.apache.spark.unsafe.Platform

import org.sparkdl.model.VariableValues
import org.sparkdl.runtime.{TfGraph, TfOutput, TfSession, TfTensor}

/** The large variables of the session of a SavedModel, whose memory the sessions of other precisions have, too.
  *
  * TensorFlow copies a variable neither when it is read nor when it is assigned: sessions then refer to the same
  * memory, which goes with the last of them. Nobody writes to it, because models are applied without their writes.
  */
final private[engine] class SharedVariables(graph: TfGraph, session: TfSession, values: VariableValues) {

  /** Takes the values of another session of the same model; those that this one has read itself are freed. */
  def takeFrom(other: SharedVariables): Unit =
    other.initialized.foreach { variable => // one by one: each is freed before the next
      val Seq(value) = other.run(values.value(variable))
      try run(values.set(variable), values.newValue(variable) -> value).foreach(_.close())
      finally value.close()
    }

  private def initialized: Seq[Int] = {
    val all = 0 until values.count
    val found = run(all.map(values.isSet): _*)
    try all.filter(i => Platform.getByte(null, found(i).address) != 0)
    finally found.foreach(_.close())
  }

  private def run(fetches: String*): Seq[TfTensor] = session.prepare(Nil, fetches.map(tensor))(Array.empty).toSeq

  private def run(fetch: String, fed: (String, TfTensor)): Seq[TfTensor] =
    session.prepare(Seq(tensor(fed._1)), Seq(tensor(fetch)))(Array(fed._2)).toSeq

  private def tensor(name: String): TfOutput = graph.output(name).get
}

private[engine] object SharedVariables {

  /** Those of a SavedModel that was just loaded, if it has any; the operations that it takes are added to the graph.
    */
  def of(graph: TfGraph, session: TfSession, metaGraph: Array[Byte]): Option[SharedVariables] =
    VariableValues.of(metaGraph).map { values =>
      graph.extend(values.graphDef)
      new SharedVariables(graph, session, values)
    }
}
