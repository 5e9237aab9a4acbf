"""Files of models: what they are, by their content, and those of Keras loaded by who wrote them."""
