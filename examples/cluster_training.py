"""One Keras model, trained on a DataFrame by two workers at once.

    python examples/cluster_training.py

A small network learns handwritten digits, stops when it no longer gets better, and is then used
from Spark and from SQL.
"""

import tempfile

import keras
import sparkdl
from pyspark.sql.functions import avg, col, expr
from sklearn.datasets import load_digits

spark = sparkdl.start(app_name="cluster training")
digits = load_digits()
rows = [
    (pixels.tolist(), int(digit), number % 5 == 0)
    for number, (pixels, digit) in enumerate(zip(digits.data, digits.target, strict=True))
]
frame = spark.createDataFrame(rows, "pixels array<float>, digit int, held boolean").cache()

layers = keras.layers
network = keras.Sequential(
    [
        keras.Input((64,), name="pixels"),
        layers.Rescaling(1 / 16),
        layers.Dense(64, activation="relu"),
        layers.Dense(10, activation="softmax", name="probabilities"),
    ]
)
estimator = sparkdl.KerasEstimator(
    model=network,
    inputCols=["pixels"],
    labelCols=["digit"],
    outputCols=["probabilities"],
    optimizer=keras.optimizers.Adam(0.01),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
    batchSize=64,  # of both workers together
    epochs=10,
    validationCol="held",
    callbacks=[keras.callbacks.EarlyStopping("val_loss", patience=2, restore_best_weights=True)],
    numWorkers=2,
    seed=1,
)
fitted = estimator.fit(frame)
print(fitted.summary())

losses = fitted.history["val_loss"]
best = losses.index(min(losses)) + 1
print(f"{len(losses)} of 10 epochs at most, the best is {best}: {fitted.history}")

folder = tempfile.mkdtemp() + "/digits"
fitted.write().save(folder)
loaded = sparkdl.KerasModel.load(folder)  # in Scala: org.sparkdl.ml.KerasModel.load
predicted = expr("array_position(probabilities, array_max(probabilities)) - 1")
right = avg((predicted == col("digit")).cast("double"))
print(f"accuracy {loaded.transform(frame.where('held')).select(right).first()[0]:.3f}")

sparkdl.load_model(loaded.getModelFile()).register("digit_probabilities")
frame.createOrReplaceTempView("digits")
spark.sql(
    """
    WITH guessed AS (SELECT digit, digit_probabilities(pixels) AS p FROM digits WHERE held)
    SELECT digit, count(*) AS digits, count_if(array_position(p, array_max(p)) - 1 = digit) AS right
    FROM guessed GROUP BY digit ORDER BY digit
    """
).show()
spark.stop()
