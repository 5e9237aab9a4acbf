package org.sparkdl

import java.util.{Map => JMap}

import scala.jdk.CollectionConverters._

import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.execution.python.UserDefinedPythonFunction

import org.sparkdl.errors.SchemaMismatchException
import org.sparkdl.model.ReadOptions

/** Models as SQL functions of a session.
  *
  * {{{
  * ModelUDF.register(spark, "score", "/models/scores")
  * spark.sql("SELECT id, score(features) FROM items WHERE score(features)[0] > 0.5")
  * }}}
  *
  * A function takes one column per input of the model, in the order of `Model.inputs`, or one struct whose fields
  * have the names of the inputs; it returns the output, or a struct of several. It is batched, and the model runs
  * once per row even where a query names the function several times. A null argument gives null. A function that has
  * the name already is replaced. The types of the arguments are checked when a query is analysed
  * (`SchemaMismatchException`). A model with a seed (`Model.withSeed`) also takes columns after its inputs, which
  * tell rows with equal inputs apart.
  *
  * Every method returns the model that it registers.
  */
object ModelUDF {

  /** Registers the model at a path: a bundle, a SavedModel directory or a frozen graph. */
  def register(session: SparkSession, name: String, path: String): Model =
    register(session, name, Model.load(session, path))

  /** Registers the model at a path, read with options: a signature, tensors, constants. */
  def register(session: SparkSession, name: String, path: String, options: ReadOptions): Model =
    register(session, name, Model.load(session, path, options))

  /** Registers a model, with the options that it was given. */
  def register(session: SparkSession, name: String, model: Model): Model =
    register(session, name, model, JMap.of[String, String]())

  /** Registers a model whose inputs have other names in the struct that feeds it.
    *
    * @param fields
    *   from the name of an input to the name of the struct's field; inputs that are missing here keep their names
    */
  def register(session: SparkSession, name: String, model: Model, fields: JMap[String, String]): Model =
    register(session, name, model, fields, None)

  /** Registers the model at a path for images, as the variant that takes a model does. */
  def registerImage(session: SparkSession, name: String, path: String): Model =
    registerImage(session, name, Model.load(session, path))

  /** Registers the model at a path for images, read with options. */
  def registerImage(session: SparkSession, name: String, path: String, options: ReadOptions): Model =
    registerImage(session, name, Model.load(session, path, options))

  /** Registers a model that takes images (a bundle that says so): image structs, or image files as bytes or by path.
    * Each output is one flat array, as sparkdl has always returned it; `register` keeps the dimensions.
    */
  def registerImage(session: SparkSession, name: String, model: Model): Model = {
    if (model.definition.image.isEmpty)
      throw new SchemaMismatchException(
        s"Model '${model.name}' takes no images: expected a bundle with an image input (sparkdl.save_bundle with " +
          s"image=True), got inputs ${model.inputs.mkString("; ")}. Use register for a model of tensors."
      )
    register(session, name, model.flattened)
  }

  private[sparkdl] def register(
      session: SparkSession,
      name: String,
      model: Model,
      fields: JMap[String, String],
      preprocessor: Option[UserDefinedPythonFunction]
  ): Model = {
    model.register(session, name, fields.asScala.toMap, preprocessor)
    model
  }
}
