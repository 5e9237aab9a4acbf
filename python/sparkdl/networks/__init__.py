"""The networks that stages know by name: their table, weights, bundles and the cache of these."""
