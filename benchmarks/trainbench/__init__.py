"""Training of small networks: plain Keras, and `KerasEstimator` on the same cores."""
