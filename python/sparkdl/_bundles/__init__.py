"""Models become bundles: from whatever a model can be to a directory that the JVM runs."""
