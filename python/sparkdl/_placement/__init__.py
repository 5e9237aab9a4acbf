"""The rows of a DataFrame as arrays at the workers that train on them, whatever their number."""
