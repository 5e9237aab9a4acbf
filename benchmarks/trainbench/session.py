"""The session that training is measured in."""

from __future__ import annotations

from typing import Any


def session(cores: int, memory: str) -> Any:
    """Start Spark on so many cores, with this heap, and quietly."""
    import sparkdl

    spark = sparkdl.start(
        master=f"local[{cores}]",
        memory=memory,
        conf={"spark.ui.enabled": False, "spark.ui.showConsoleProgress": False},
    )
    spark.sparkContext.setLogLevel("ERROR")
    return spark
