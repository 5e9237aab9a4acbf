"""Functions that sparkdl 1.x had here."""
