"""What the processes of test_kept_processes do: `job` in their folder is a line of Python."""

import os
import sys
import time
from pathlib import Path

from sparkdl._processes import child_process


def main(folder):
    """Do the job, which writes what it has to say."""
    child_process.begin(Path(folder))
    exec((Path(folder) / "job").read_text(), {"os": os, "sys": sys, "time": time})


def wait_here(file):
    """Be a program with a keeper and a process that waits; `file` tells of them."""
    from kept_process_main import main  # the keeper has another `__main__`

    from sparkdl._processes.run_process import local_folder, run_process
    from sparkdl._processes.surroundings import Keeping

    with local_folder("kept-") as folder:
        job = f"open({file!r}, 'w').write(f'{{os.getppid()}} {{os.getpid()}} {folder}\\n')"
        (folder / "job").write_text(f"{job}; time.sleep(600)")
        run_process(main, folder, Keeping((), os.getpid(), 600))


if __name__ == "__main__":
    wait_here(sys.argv[1])
