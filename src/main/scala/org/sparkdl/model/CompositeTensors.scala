package org.sparkdl.model

import scala.jdk.CollectionConverters._

import org.tensorflow.proto.{MetaGraphDef, NodeDef, SignatureDef, TensorInfo}
import org.tensorflow.proto.Struct.{StructuredValue, TypeSpecProto}

/** Ragged and sparse tensors in signatures. Each is several tensors (values and row splits; indices, values and
  * shape), none of which has an entry per row, so that rows can neither be fed to them nor read from them.
  */
private[model] object CompositeTensors {

  /** What is wrong with a signature that has such inputs or outputs, and what to do; None where all are dense. */
  def problem(meta: MetaGraphDef, key: String, signature: SignatureDef): Option[String] = {
    val ends = Seq("input" -> signature.getInputsMap, "output" -> signature.getOutputsMap)
    val listed = ends.flatMap { case (end, infos) =>
      infos.asScala.toVector.sortBy(_._1).flatMap { case (name, info) =>
        kindOf(info).map(k => s"$end '$name' is $k")
      }
    }
    val composites = if (listed.nonEmpty) listed else Flattened.inputs(meta, signature)
    if (composites.isEmpty) None
    else
      Some(
        s"in its signature '$key' ${composites.mkString("; ")}. Rows of a DataFrame are dense tensors: export a function " +
          "that takes dense ones and builds the others inside (tf.RaggedTensor.from_tensor with padding, tf.sparse.from_dense), " +
          "and returns dense ones (to_tensor, tf.sparse.to_dense), as another signature"
      )
  }

  /** The kind of an input or output whose entry says it: all of TensorFlow 1, and the outputs of TensorFlow 2. */
  private def kindOf(info: TensorInfo): Option[String] = info.getEncodingCase match {
    case TensorInfo.EncodingCase.COO_SPARSE       => Some("a SparseTensor")
    case TensorInfo.EncodingCase.COMPOSITE_TENSOR => Some(kind(info.getCompositeTensor.getTypeSpec))
    case _                                        => None
  }

  private def kind(spec: TypeSpecProto): String = spec.getTypeSpecClass match {
    case TypeSpecProto.TypeSpecClass.RAGGED_TENSOR_SPEC => "a RaggedTensor"
    case TypeSpecProto.TypeSpecClass.SPARSE_TENSOR_SPEC => "a SparseTensor"
    case _                                              => s"a ${spec.getTypeSpecClassName.stripSuffix("Spec")}"
  }

  /** Signatures of TensorFlow 2, which list the parts of composite inputs as if they were inputs. What they are parts
    * of is recorded for the function that the signature's wrapper calls.
    */
  private object Flattened {

    def inputs(meta: MetaGraphDef, signature: SignatureDef): Seq[String] = {
      val functions = meta.getGraphDef.getLibrary.getFunctionList.asScala.map(f => f.getSignature.getName -> f).toMap
      val concrete = meta.getObjectGraphDef.getConcreteFunctionsMap
      val wrappers =
        meta.getGraphDef.getNodeList.asScala.flatMap(n => calledFunction(n).map(_ -> n)).filter { case (_, n) =>
          signature.getOutputsMap.values.asScala.exists(_.getName.startsWith(n.getName + ":"))
        }
      wrappers.toSeq.flatMap { case (wrapper, _) =>
        for {
          function <- functions.get(wrapper).toSeq
          call <- function.getNodeDefList.asScala
          name <- calledFunction(call).toSeq
          inner <- Option(concrete.get(name)).toSeq
          part <- composites(leaves(inner.getCanonicalizedInputSignature), call.getInputList.asScala.toVector)
        } yield part
      }.distinct
    }

    private def calledFunction(node: NodeDef): Option[String] =
      Option(node.getAttrMap.get("f")).filter(_.hasFunc).map(_.getFunc.getName)

    /** The arguments of a function in the order in which TensorFlow flattens them. */
    private def leaves(value: StructuredValue): Seq[StructuredValue] = value.getKindCase match {
      case StructuredValue.KindCase.TUPLE_VALUE => value.getTupleValue.getValuesList.asScala.toVector.flatMap(leaves)
      case StructuredValue.KindCase.LIST_VALUE  => value.getListValue.getValuesList.asScala.toVector.flatMap(leaves)
      case StructuredValue.KindCase.DICT_VALUE =>
        value.getDictValue.getFieldsMap.asScala.toVector.sortBy(_._1).flatMap { case (_, v) => leaves(v) }
      case StructuredValue.KindCase.TENSOR_SPEC_VALUE | StructuredValue.KindCase.TYPE_SPEC_VALUE |
          StructuredValue.KindCase.BOUNDED_TENSOR_SPEC_VALUE =>
        Seq(value)
      case _ => Nil
    }

    /** Each composite argument with the names that the signature has for its parts. */
    private def composites(arguments: Seq[StructuredValue], inputs: Seq[String]): Seq[String] = {
      val sizes = arguments.map(a => if (a.hasTypeSpecValue) a.getTypeSpecValue.getNumFlatComponents else 1)
      val begins = sizes.scanLeft(0)(_ + _)
      arguments.zip(begins.zip(sizes)).collect {
        case (argument, (begin, size)) if argument.hasTypeSpecValue && begin + size <= inputs.size =>
          parts(argument.getTypeSpecValue, inputs.slice(begin, begin + size))
      }
    }

    private def parts(spec: TypeSpecProto, names: Seq[String]): String = {
      val roles = spec.getTypeSpecClass match {
        case TypeSpecProto.TypeSpecClass.RAGGED_TENSOR_SPEC => "its values" +: names.tail.map(_ => "row splits")
        case TypeSpecProto.TypeSpecClass.SPARSE_TENSOR_SPEC => Seq("its indices", "values", "shape")
        case _                                              => names.map(_ => "a part of it")
      }
      val listed = names.zip(roles).map { case (name, role) => s"'$name' holds $role" }
      s"an input is ${kind(spec)}: ${listed.mkString(", ")}"
    }
  }
}
