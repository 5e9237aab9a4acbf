"""Keras for workers, imported without the packages that it uses only where they are installed.

It draws pictures with matplotlib, takes data frames of pandas, and has wrappers for scikit-learn.
No worker does any of these in a step, and importing them is a third of the time of importing Keras.
Code of the user's that imports them in a worker gets them.
"""

from __future__ import annotations

import sys

_LEFT_OUT = ("matplotlib", "pandas", "sklearn")


def _import_keras() -> None:
    """Import Keras as if these packages were not installed, unless they are loaded anyway."""
    absent = dict.fromkeys(name for name in _LEFT_OUT if name not in sys.modules)
    sys.modules.update(absent)  # type: ignore[arg-type]  # None: importing it is an ImportError
    try:
        import keras  # noqa: F401
    finally:
        for name in absent:
            del sys.modules[name]


_import_keras()
