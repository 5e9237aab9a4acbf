"""What Keras 1 wrote and tf_keras cannot read: why, and what can still be done."""

from __future__ import annotations

from sparkdl._models.files.keras_file import KerasFile
from sparkdl.errors import InvalidModelException

# Layers that Keras 2 no longer has; other unknown names are those of custom classes.
REMOVED_LAYERS = (
    "AtrousConvolution1D",
    "AtrousConvolution2D",
    "Highway",
    "MaxoutDense",
    "Merge",
    "ParametricSoftplus",
    "SReLU",
    "TimeDistributedDense",
)


def unreadable(file: KerasFile, why: str) -> InvalidModelException:
    """Return the error about a file of Keras 1 that tf_keras does not load."""
    return InvalidModelException(
        f"{file.path} was written by Keras {file.version}, whose layers had other names and "
        "arguments (nb_filter, border_mode, output_dim). Later versions read only what has stayed "
        f"the same: {why.rstrip('.')}. Load the file with a Keras of 2.0 to 2.3, "
        "which knows both, and save it again; or build the model in tf_keras, call load_weights "
        "on this file, and pass the live model."
    )
