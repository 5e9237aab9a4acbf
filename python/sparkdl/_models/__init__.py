"""What a model can be, and what it says of itself: files, live Keras, inputs and outputs."""
