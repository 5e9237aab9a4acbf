"""What `large_models.py` measures: models of 0.1 to 3 GB, made into bundles and applied."""
