package org.sparkdl.model

import scala.collection.mutable
import scala.jdk.CollectionConverters._

import org.tensorflow.proto.{AttrValue, MetaGraphDef, NodeDef, SignatureDef}

/** Variables that a signature reads and that nothing restores. `tf.saved_model.save` of a model of Keras 3 writes
  * such: TensorFlow 2 in Python finds their values through the Python objects that it makes again, and nobody else
  * can.
  */
private[model] object UnsavedVariables {
  private val Shown = 3
  private val InitOp = "__saved_model_init_op"
  private val InitCollections = Seq("saved_model_main_op", "legacy_init_op")

  /** What is wrong with a signature that reads such variables, and what to do; None where all have values. */
  def problem(meta: MetaGraphDef, key: String, signature: SignatureDef): Option[String] = {
    val nodes = meta.getGraphDef.getNodeList.asScala.map(n => n.getName -> n).toMap
    val read = variables(nodes, signature.getOutputsMap.values.asScala.map(_.getName))
    val without = (read -- variables(nodes, givers(meta))).toSeq.sorted
    val names = without.take(Shown).mkString(", ") + (if (without.size > Shown) ", ..." else "")
    if (without.isEmpty) None
    else
      Some(
        s"nothing restores the variables that its signature '$key' reads ($names): a model of Keras 3 that " +
          "tf.saved_model.save has written, for example. Only TensorFlow 2 in " +
          "Python can load it. Write the model in one of these ways: model.export(directory); model.save('model.keras') and " +
          "python -m sparkdl bundle model.keras --out DIRECTORY; or sparkdl.save_bundle(model, directory)"
      )
  }

  /** Operations that give variables their values. */
  private def givers(meta: MetaGraphDef): Iterable[String] = {
    val collections = InitCollections.flatMap(c => Option(meta.getCollectionDefMap.get(c)))
    val signature = Option(meta.getSignatureDefMap.get(InitOp)).toSeq.flatMap(_.getOutputsMap.values.asScala)
    Seq(meta.getSaverDef.getRestoreOpName) ++ signature.map(_.getName) ++
      collections.flatMap(_.getNodeList.getValueList.asScala)
  }

  /** The variables that some operations need, by what they are called in a session. */
  private def variables(nodes: Map[String, NodeDef], operations: Iterable[String]): Set[String] = {
    val seen = mutable.Set.empty[String]
    val waiting = mutable.Queue.empty[String] ++= operations.map(operation)
    while (waiting.nonEmpty) {
      val name = waiting.dequeue()
      if (seen.add(name)) nodes.get(name).foreach(waiting ++= _.getInputList.asScala.map(operation))
    }
    seen.flatMap(nodes.get).filter(_.getOp == "VarHandleOp").map(resource).toSet
  }

  private def resource(node: NodeDef): String = {
    val shared = node.getAttrOrDefault("shared_name", AttrValue.getDefaultInstance).getS.toStringUtf8
    if (shared.isEmpty) node.getName else shared
  }

  private def operation(tensor: String): String = tensor.stripPrefix("^").takeWhile(_ != ':')
}
