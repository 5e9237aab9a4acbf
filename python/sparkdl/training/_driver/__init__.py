"""The driver's side of a training: callbacks, states, and how states are told apart."""
