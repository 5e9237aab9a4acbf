"""Keras on a table: numbers, texts and nulls in, a score, a class and a SQL function out.

    python examples/structured_data.py [--rows N] [--folds K]

The table is made from a seed and looks like a census. The model is wide and deep, with Keras' own
preprocessing layers, which learn words and averages from a sample; it is trained by all task slots.
With --folds 0 nothing is searched.
"""

import argparse

import keras
import sparkdl
from pyspark.ml import Pipeline
from pyspark.ml.evaluation import BinaryClassificationEvaluator, MulticlassClassificationEvaluator
from pyspark.ml.feature import Imputer
from pyspark.ml.tuning import CrossValidator, ParamGridBuilder

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--rows", type=int, default=20_000)
parser.add_argument("--folds", type=int, default=2)
options = parser.parse_args()

spark = sparkdl.start(app_name="structured data")
drawn = spark.range(options.rows).selectExpr(
    "id",
    "CAST(18 + rand(1) * 60 AS INT) AS years",
    "20 + CAST(rand(2) * 40 AS INT) AS hours",
    "element_at(array('school', 'college', 'university'), 1 + CAST(rand(3) * 3 AS INT)) AS education",
    "element_at(array('office', 'craft', 'farm', 'none'), 1 + CAST(rand(4) * 4 AS INT)) AS work",
    "randn(5) AS luck",
)
score = (
    "years / 20 + hours / 15 + luck + CASE education WHEN 'university' THEN 2 WHEN 'college' THEN 1 "
    "ELSE 0 END + IF(work = 'office', 1, 0)"
)
people = drawn.selectExpr(
    "IF(id % 11 = 0, NULL, CAST(years AS DOUBLE)) AS age",
    "CAST(hours AS DOUBLE) AS hours",
    "education",
    "IF(id % 13 = 0, NULL, work) AS work",
    f"CAST({score} > 6.5 AS INT) AS label",
).cache()

# Nulls: numbers get the median, and a text of its own stands for a missing one.
people = people.fillna({"work": "unknown"})
imputer = Imputer(inputCols=["age"], outputCols=["years"], strategy="median")
training, testing = people.randomSplit([0.8, 0.2], seed=1)
sample = imputer.fit(training).transform(training).limit(2000).toPandas()


def wide_and_deep():
    """Return a model with an input per column, whose preprocessing layers know the sample."""
    inputs, wide, deep = {}, [], []
    for name in ("years", "hours"):
        inputs[name] = keras.Input((1,), name=name)
        scaling = keras.layers.Normalization(axis=None)
        scaling.adapt(sample[name].to_numpy("float32"))
        deep.append(scaling(inputs[name]))
    for name in ("education", "work"):
        inputs[name] = keras.Input((1,), name=name, dtype="string")
        words = keras.layers.StringLookup(vocabulary=sorted(sample[name].unique()))
        number = words(inputs[name])
        wide.append(keras.layers.CategoryEncoding(words.vocabulary_size(), "one_hot")(number))
        vector = keras.layers.Embedding(words.vocabulary_size(), 4)(number)
        deep.append(keras.layers.Flatten()(vector))
    hidden = keras.layers.Dense(16, activation="relu")(keras.layers.Concatenate()(deep))
    together = keras.layers.Concatenate()([*wide, hidden])
    return keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid", name="rich")(together))


keras.utils.set_random_seed(1)
estimator = sparkdl.KerasEstimator(
    model=wide_and_deep(),
    inputCols=["years", "hours", "education", "work"],
    labelCols="label",
    predictionCol="prediction",
    rawPredictionCol="rawPrediction",
    loss="binary_crossentropy",
    optimizer=keras.optimizers.Adam(0.01),
    batchSize=128,
    epochs=3,
)
area = BinaryClassificationEvaluator()
right = MulticlassClassificationEvaluator(metricName="accuracy")
whole = Pipeline(stages=[imputer, estimator])
if options.folds:
    grid = ParamGridBuilder().addGrid(estimator.batchSize, [64, 256]).build()
    search = CrossValidator(
        estimator=whole, estimatorParamMaps=grid, evaluator=area, numFolds=options.folds
    ).fit(training)
    print("area under ROC of each:", [round(m, 3) for m in search.avgMetrics])
    fitted = search.bestModel
else:
    fitted = whole.fit(training)

scored = fitted.transform(testing).cache()
print(f"area under ROC {area.evaluate(scored):.2f}, accuracy {right.evaluate(scored):.2f}")

# The same model as a function of plain columns, for those who write SQL.
sparkdl.load_model(fitted.stages[-1].getModelFile()).register("rich")
fitted.stages[0].transform(testing).createOrReplaceTempView("people")
spark.sql(
    """
    SELECT education, count(*) AS people, round(avg(rich(years, hours, education, work)[0]), 2) AS rich
    FROM people GROUP BY education ORDER BY rich
    """
).show()
spark.stop()
