"""What a path or URI names, on this machine and on any file system of Hadoop."""
