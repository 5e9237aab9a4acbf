package org.sparkdl.ml

import org.apache.spark.ml.param.{IntArrayParam, Param}
import org.apache.spark.ml.util.{DefaultParamsReadable, Identifiable, MLReader, MLWriter}
import org.apache.spark.sql.{DataFrame, Dataset, SparkSession}
import org.apache.spark.sql.types.{StringType, StructType}

import org.sparkdl.errors.{SchemaMismatchException, SparkDLException}
import org.sparkdl.image.Preprocessing
import org.sparkdl.model.{ImageInfo, ModelDefinition}
import org.sparkdl.tensor.TensorSpec

/** Applies a Keras model to image files.
  *
  * Input: paths or URIs of JPEG, PNG, BMP, GIF, WebP or TIFF files on any file system that Hadoop reads; they are
  * read, decoded, resized to targetSize and preprocessed inside the operator. The model takes
  * `[rows, height, width, channels]`: RGB (BGR with preprocessing "caffe", as Keras has it), or luminance where it
  * has one channel. Output: an MLlib dense vector, or an image struct. Null only with handleInvalid "keep".
  *
  * A stage whose images are loaded by a function of Python (imageLoader) can be applied in Python only.
  *
  * {{{
  * new KerasImageFileTransformer().setInputCol("uri").setOutputCol("features").setModelFile("/models/ResNet50")
  *   .setPreprocessing("caffe").transform(files)
  * }}}
  */
class KerasImageFileTransformer(override val uid: String) extends ImageModelStage {
  def this() = this(Identifiable.randomUID("kerasImageFileTransformer"))

  override final val inputCol: Param[String] =
    new Param(this, "inputCol", "Name of the column of paths or URIs of image files.")

  final val modelFile: Param[String] = new Param(
    this,
    "modelFile",
    "The model: path of a bundle, of a SavedModel directory, or of a frozen graph (.pb); in Python also of a file of " +
      "Keras (.keras, .h5), which becomes a bundle."
  )

  final val imageLoader: Param[String] = new Param(
    this,
    "imageLoader",
    "A function of Python from a URI, or whatever else inputCol holds, to an array [1, height, width, channels] or " +
      "[height, width, channels] in RGB order, uint8 or float; unset: the files are read in the JVM.",
    (text: String) => KerasImageFileTransformer.checkLoader(text)
  )

  final val targetSize: IntArrayParam = new IntArrayParam(
    this,
    "targetSize",
    "Height and width in pixels that images are resized to; unset: the model's, or each image's own where the model " +
      "takes any.",
    (size: Array[Int]) => KerasImageFileTransformer.checkSize(size)
  )

  final val preprocessing: Param[String] = new Param(
    this,
    "preprocessing",
    "What is made of the pixels before the model sees them: none (0 to 255), tf (-1 to 1), caffe (BGR minus ImageNet's " +
      "mean) or torch (ImageNet's mean 0, deviation 1), as keras.applications.imagenet_utils has them.",
    (value: String) => StageChecks.oneOf("preprocessing", value, Preprocessing.names)
  )
  setDefault(preprocessing -> Preprocessing.None)

  def getModelFile: String = $(modelFile)
  def setModelFile(value: String): this.type = set(modelFile, value)

  def getImageLoader: String = $(imageLoader)
  def setImageLoader(value: String): this.type = set(imageLoader, value)

  def getTargetSize: Array[Int] = $(targetSize)
  def setTargetSize(value: Array[Int]): this.type = set(targetSize, value)

  def getPreprocessing: String = $(preprocessing)
  def setPreprocessing(value: String): this.type = set(preprocessing, value)

  override private[ml] def modelParam: Param[String] = modelFile

  override def transformSchema(schema: StructType): StructType = {
    if (isSet(imageLoader)) throw new SparkDLException(s"$label: $loaderWarning")
    super.transformSchema(schema)
  }

  /** What to say about a loader where there is no Python. */
  private def loaderWarning: String =
    s"its imageLoader is a function of Python (${$(imageLoader).take(60)}), which the JVM cannot call. Load the stage and " +
      "apply it in Python; or let the JVM read the files: set targetSize and preprocessing to what the function does, " +
      "and clear imageLoader."

  private[ml] def warnOfLoader(): Unit = if (isSet(imageLoader)) logWarning(s"$label: $loaderWarning")

  /** Refuses a DataFrame without a column for Python's loader. */
  private[sparkdl] def checkFiles(schema: StructType): Unit = checkInputs(Columns(schema, label))

  /** What `transform` does, for images that Python's loader has loaded already.
    *
    * @param image
    *   name of a column of image structs, null where there is a reason; it is dropped
    * @param reason
    *   name of a column with the reason why there is no image, or null; it is dropped
    */
  private[sparkdl] def transformLoaded(dataset: Dataset[_], image: String, reason: String): DataFrame = {
    val original = StructType(dataset.schema.filterNot(f => f.name == image || f.name == reason))
    val df = dataset.toDF()
    val stageCall = fromFile(callOn(image, findModel(df.sparkSession)), Columns(original, label))
    val added = stageCall.outputs.map { case (name, output) => NewColumn(outputCol.name, name, output.dataType) }
    checkedSchema(original, added)
    append(df, stageCall.copy(rejected = Some(reason))).drop(image, reason)
  }

  override protected def checkInputs(columns: Columns): Unit = {
    val field = columns.existing(required(inputCol))
    if (field.dataType != StringType && !isSet(imageLoader)) // a loader may take anything
      throw new SchemaMismatchException(
        s"$label: cannot take image files from column '${field.name}': expected string (paths or URIs), got " +
          s"${field.dataType.simpleString}. Images and encoded bytes are for TFImageTransformer."
      )
  }

  override private[ml] def call(model: ModelDefinition, columns: Columns, session: SparkSession): StageCall =
    fromFile(super.call(model, columns, session), columns)

  /** The files tell where rows came from; what else a loader takes does not. */
  private def fromFile(call: StageCall, columns: Columns) = {
    val isText = columns.existing($(inputCol)).dataType == StringType
    call.copy(origin = Some(columns.pathOf($(inputCol))).filter(_ => isText))
  }

  override protected def ends(model: ModelDefinition): (TensorSpec, TensorSpec) = (
    only("input", model.inputs, model, "Images can feed one only."),
    only(
      "output",
      model.outputs,
      model,
      "Make a bundle with the one that you want: sparkdl.save_bundle(..., outputs=)."
    )
  )

  /** What a bundle says about its images applies, except where a param is set. */
  override protected def imageInfo(model: ModelDefinition, input: TensorSpec): ImageInfo = {
    val (height, width) = get(targetSize).map(s => (s(0), s(1))).getOrElse(sizeOf(input))
    model.imageOf(input) match {
      case Some(info) if !isSet(preprocessing) => resized(info)
      case Some(info)                          => resized(info.copy(preprocessing = $(preprocessing)))
      case None                                => ImageInfo(input.name, height, width, order(input), $(preprocessing))
    }
  }

  private def resized(info: ImageInfo): ImageInfo =
    get(targetSize).fold(info)(size => info.copy(height = size(0), width = size(1)))

  private def order(input: TensorSpec): String =
    if ($(preprocessing) == Preprocessing.Caffe) "BGR"
    else if (input.cell.exists(_.lastOption.contains(1L))) "L"
    else "RGB"

  def setInputCol(value: String): this.type = set(inputCol, value)
  def setOutputCol(value: String): this.type = set(outputCol, value)
  def setOutputMode(value: String): this.type = set(outputMode, value)
  def setScaleHint(value: String): this.type = set(scaleHint, value)
  def setBatchSize(value: Int): this.type = set(batchSize, value)
  def setPrecision(value: String): this.type = set(precision, value)
  def setHandleInvalid(value: String): this.type = set(handleInvalid, value)
  def setErrorCol(value: String): this.type = set(errorCol, value)
  def setSeed(value: Long): this.type = set(seed, value)

  override def write: MLWriter = new StageWriter(this, super.write)
}

object KerasImageFileTransformer extends DefaultParamsReadable[KerasImageFileTransformer] {

  override def read: MLReader[KerasImageFileTransformer] = new StageReader(super.read) {
    override def load(path: String): KerasImageFileTransformer = {
      val stage = super.load(path)
      stage.warnOfLoader()
      stage
    }
  }

  override def load(path: String): KerasImageFileTransformer = super.load(path)

  private def checkSize(size: Array[Int]): Boolean =
    size.length == 2 && size.forall(_ >= 1) || {
      throw new SparkDLException(
        s"targetSize must be height and width in pixels, each at least 1, got ${size.mkString("[", ", ", "]")}."
      )
    }

  private def checkLoader(text: String): Boolean =
    text.startsWith("import:") || text.startsWith("pickle:") || {
      throw new SparkDLException(
        "imageLoader is a function of Python, written as import:MODULE:NAME or pickle:BASE64; it is set in Python."
      )
    }
}
