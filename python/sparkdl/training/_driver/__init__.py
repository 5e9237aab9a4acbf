"""The driver's side of a training: callbacks, states, and whose states they are."""
