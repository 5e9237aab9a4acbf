"""How `KerasEstimator` fits, and its params."""
