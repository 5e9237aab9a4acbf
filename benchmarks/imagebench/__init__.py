"""Parts of the image benchmark; `benchmarks/images.py` is the command."""
