"""Models of programs in which Keras runs on JAX or PyTorch: converted on TensorFlow, elsewhere."""
