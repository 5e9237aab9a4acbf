"""Bundles and all that makes them."""
