"""Reads image files inside the JVM."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sparkdl._old_names import old_keywords
from sparkdl._places.places import path_text
from sparkdl.errors.user_warnings import warn
from sparkdl.session.jvm_door import active_session, door

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    Path = str | os.PathLike[str]


@old_keywords(numPartition="numPartitions")
def readImages(
    path: Path | Sequence[Path],
    recursive: bool = False,
    numPartitions: int = -1,
    dropImageFailures: bool = False,
    sampleRatio: float = 1.0,
    seed: int = 0,
) -> DataFrame:
    """Read image files, decoded in the executors' JVMs.

    Nothing is read before an action needs it. It reads JPEG, PNG, BMP, WebP and TIFF in all that
    is usual of them (CMYK, 16 bit, palettes, alpha, compression), and the first frame of GIF, of
    animated WebP and of TIFF with many pages. EXIF orientations are applied.

    Parameters
    ----------
    path : str, PathLike or list of them
        A directory, a file or a glob, on any file system that Hadoop reads.
    recursive : bool
        Also read the directories below. A directory that has only these gets a warning.
    numPartitions : int
        Partitions of the result; -1 leaves it to Spark.
    dropImageFailures : bool
        Leave out files that cannot be decoded.
    sampleRatio : float
        Share of the files to read, 0 to 1; the others are not opened.
    seed : int
        Seed of the sample; the same seed gives the same files.

    Returns
    -------
    DataFrame
        One row per file. ``image`` is Spark's image struct: ``origin`` (the file's address, always
        filled), ``height``, ``width``, ``nChannels`` (1, 3 or 4), ``mode``, ``data`` (uint8 pixels
        ``[height, width, nChannels]`` in BGR or BGRA order, or grey). A file that cannot be decoded
        has -1 for the numbers and no data, and ``error`` holds the reason, which is null otherwise.

    Raises
    ------
    SparkDLException
        If an argument has a value that it cannot have.
    SettingsException
        If there is no session, or it was made without sparkdl's jar.

    Examples
    --------
    >>> images = readImages("/data/flowers", recursive=True)  # doctest: +SKIP
    >>> images.where("error is not null").select("image.origin", "error").show()  # doctest: +SKIP
    """
    from pyspark.sql import DataFrame

    session = active_session()
    given = [path] if isinstance(path, str | os.PathLike) else list(path)
    paths, jvm = [path_text(p) for p in given], door(session)
    if not recursive and (hint := jvm.imagesHint(session._jsparkSession, paths)):
        warn(str(hint))
    frame = jvm.readImages(
        session._jsparkSession,
        paths,
        bool(recursive),
        int(numPartitions),
        bool(dropImageFailures),
        float(sampleRatio),
        int(seed),
    )
    return DataFrame(frame, session)
