"""The command line, `sparkdl`: a module per group of commands."""
