"""Transfer learning with two folders of images, as programs for sparkdl 1.x do it.

    python examples/migration/transfer_learning.py WARM COLD [--model NAME]

Different from 1.x: the imports of TensorFlow, and how the session starts.
"""

import argparse

import sparkdl
import tensorflow.compat.v1 as tf
from pyspark.ml import Pipeline
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.evaluation import MulticlassClassificationEvaluator
from pyspark.sql.functions import lit
from sparkdl import DeepImageFeaturizer
from sparkdl.image import imageIO

tf.disable_v2_behavior()

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("warm")
parser.add_argument("cold")
parser.add_argument("--model", default="InceptionV3")
options = parser.parse_args()

spark = sparkdl.start(app_name="transfer learning")

warm_df = sparkdl.readImages(options.warm).withColumn("label", lit(1))
cold_df = imageIO.readImagesWithCustomFn(options.cold, decode_f=imageIO.PIL_decode)
cold_df = cold_df.withColumn("label", lit(0))
train_df = warm_df.unionAll(cold_df)

featurizer = DeepImageFeaturizer(inputCol="image", outputCol="features", modelName=options.model)
lr = LogisticRegression(maxIter=20, regParam=0.05, elasticNetParam=0.3, labelCol="label")
p_model = Pipeline(stages=[featurizer, lr]).fit(train_df)

predictions = p_model.transform(train_df).select("prediction", "label")
evaluator = MulticlassClassificationEvaluator(metricName="accuracy")
print("Training set accuracy = {:.3f}".format(evaluator.evaluate(predictions)))
