"""What a path or URI names: files here and on other file systems."""
