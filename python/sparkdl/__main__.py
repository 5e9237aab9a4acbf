"""The command line as a module, `python -m sparkdl`."""

from __future__ import annotations

import sys

from sparkdl._command_line.main import main

if __name__ == "__main__":
    sys.exit(main(program="python -m sparkdl"))
