"""Numbers and text through TensorFlow and Keras models: TFTransformer and KerasTransformer.

python examples/tensors.py
"""

import keras
import sparkdl
import tensorflow as tf

spark = sparkdl.start(app_name="tensors")


# 1. A function of tensors: cosine similarity and distance of two vectors per row.
def compare(a, b):
    """Return two numbers per row."""
    cosine = -keras.losses.cosine_similarity(a, b)
    return {"cosine": cosine, "distance": tf.norm(a - b, axis=1)}


spec = ("float32", [None, 3])
graph = sparkdl.TFInputGraph.fromFunction(compare, inputs={"a": spec, "b": spec})
pairs = spark.createDataFrame(
    [([1.0, 0.0, 0.0], [2.0, 0.0, 0.0]), ([1.0, 2.0, 3.0], [3.0, 2.0, 1.0])],
    "left array<double>, right array<double>",
)
similarity = sparkdl.TFTransformer(
    tfInputGraph=graph,
    inputMapping={"left": "a", "right": "b"},
    outputMapping={"cosine": "cosine", "distance": "distance"},
)
similarity.transform(pairs).show()

# 2. A Keras model on text: the strings go in as they are.
sentences = ["a fine day", "what a fine trip", "a bad day", "bad weather", "a bad trip", "so fine"]
labels = tf.constant([1, 1, 0, 0, 0, 1])
keras.utils.set_random_seed(0)
words = keras.layers.TextVectorization(output_mode="multi_hot", max_tokens=20)
words.adapt(sentences)
text = keras.Input((), dtype="string", name="text")
model = keras.Model(text, keras.layers.Dense(1, activation="sigmoid")(words(text)))
model.compile(keras.optimizers.Adam(0.1), "binary_crossentropy")
model.fit(tf.constant(sentences), labels, epochs=30, verbose=0)

reviews = spark.createDataFrame([("a fine car",), ("bad brakes",)], "review string")
mood = sparkdl.KerasTransformer(inputCol="review", outputCol="positive", model=model)
mood.transform(reviews).selectExpr("review", "round(positive[0], 2) AS positive").show()
spark.stop()
