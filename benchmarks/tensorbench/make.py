"""Makes rows and model: `python -m tensorbench.make FOLDER ROWS`.

The rows are a .npy file and the same as Parquet, with the columns id, x (array<float>) and v (an
MLlib vector). The model is an MLP of 10-64-64-1 from a seed, as .keras and as sparkdl's bundle.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

INPUTS = 10


def make(folder: Path, rows: int) -> None:
    """Write everything into the folder."""
    import keras
    import sparkdl

    keras.utils.set_random_seed(0)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((INPUTS,), name="x"),
            layers.Dense(64, "relu"),
            layers.Dense(64, "relu"),
            layers.Dense(1),
        ]
    )
    folder.mkdir(parents=True, exist_ok=True)
    model.save(folder / "model.keras")
    sparkdl.save_bundle(model, folder / "bundle", overwrite=True)
    spark = sparkdl.start(memory="2g", conf={"spark.ui.enabled": False})
    numbers = ", ".join(f"CAST(rand({i}) AS FLOAT)" for i in range(INPUTS))
    frame = spark.range(0, rows, 1, 8).selectExpr("id", f"array({numbers}) AS x")
    from pyspark.ml.functions import array_to_vector

    path = str(folder / "rows.parquet")
    frame.withColumn("v", array_to_vector("x")).write.mode("overwrite").parquet(path)
    table = spark.read.parquet(path).orderBy("id").select("x").toArrow().column("x")
    values = table.combine_chunks().flatten().to_numpy().reshape(rows, INPUTS)
    np.save(folder / "rows.npy", values)
    spark.stop()


if __name__ == "__main__":
    make(Path(sys.argv[1]), int(sys.argv[2]))
