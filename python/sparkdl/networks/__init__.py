"""The named networks: their table, weights, labels, cache and export."""
