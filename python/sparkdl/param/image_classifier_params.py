"""The params that an estimator of classifiers of images shares with its model."""

from __future__ import annotations

from pyspark.ml.param import TypeConverters

from sparkdl.param.declaration import declare_param
from sparkdl.param.image_input import ImageInputParams
from sparkdl.param.model_stage import ModelStageParams
from sparkdl.param.prediction_columns import PredictionColumns


class ImageClassifierParams(PredictionColumns, ImageInputParams, ModelStageParams):
    """The columns, as in Scala's ImageClassifierModel."""

    inputCol = declare_param(
        "inputCol",
        "Name of the column of images: Spark's image struct, or encoded bytes such as the content "
        "of binaryFile.",
        TypeConverters.toString,
    )
    predictionCol = declare_param(
        "predictionCol",
        "Name of the new column of predictions (double): the label where labels are numbers, else "
        "its place among the sorted labels; empty: no such column.",
        TypeConverters.toString,
    )
    probabilityCol = declare_param(
        "probabilityCol",
        "Name of the new column of probabilities (vector), in the order of the sorted labels; "
        "empty: no such column.",
        TypeConverters.toString,
    )
    predictedLabelCol = declare_param(
        "predictedLabelCol",
        "Name of the new column of the most probable labels (string); empty: no such column.",
        TypeConverters.toString,
    )
