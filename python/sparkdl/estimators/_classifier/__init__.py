"""How `ImageClassifierEstimator` fits: features, a head, fine-tuning, one bundle of all."""
