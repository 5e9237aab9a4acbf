"""A Keras model as a SQL function: convert it once, register it, call it in SQL.

    python examples/sql_function.py

The model is trained here, on scikit-learn's table of wines; any Keras model is used the same way.
"""

import tempfile

import keras
import sparkdl
from sklearn.datasets import load_wine

wine = load_wine()
model = keras.Sequential(
    [
        keras.Input((13,), name="measures"),
        keras.layers.Normalization(name="normalization"),
        keras.layers.Dense(16, activation="relu"),
        keras.layers.Dense(3, activation="softmax", name="kind"),
    ]
)
model.get_layer("normalization").adapt(wine.data)
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(wine.data, wine.target, epochs=60, verbose=0)

bundle = sparkdl.save_bundle(model, tempfile.mkdtemp() + "/wine")

spark = sparkdl.start(app_name="a SQL function")
wine_kind = sparkdl.load_model(bundle)
print(wine_kind.describe())
wine_kind.register("wine_kind")

rows = [(row.tolist(), int(kind)) for row, kind in zip(wine.data, wine.target, strict=True)]
spark.createDataFrame(rows, "measures array<double>, kind int").createOrReplaceTempView("wines")
spark.sql(
    """
    WITH guessed AS (SELECT kind, wine_kind(measures) AS p FROM wines)
    SELECT kind, count(*) AS wines, count_if(array_position(p, array_max(p)) - 1 = kind) AS right
    FROM guessed GROUP BY kind ORDER BY kind
    """
).show()
spark.stop()
