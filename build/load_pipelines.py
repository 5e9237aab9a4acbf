"""Apply the pipelines that other versions of Spark have saved, and write down what they predict.

Usage: load_pipelines.py RESULTS PREDICTIONS

RESULTS has a folder for each version with what its quick start has written: digits and a pipeline.
"""

import json
import sys
from pathlib import Path

import sparkdl
from pyspark.ml import PipelineModel
from pyspark.ml.functions import vector_to_array

EACH = 50  # every so many digits


def main(results: Path, predictions: Path) -> None:
    pipelines = sorted(results.glob("*/pipeline"))
    files = sorted(next(results.glob("*/digits")).glob("*/*.png"))[::EACH]
    spark = sparkdl.start(memory="2g", conf={"spark.log.level": "ERROR"})
    digits = spark.read.format("binaryFile").load([f.as_uri() for f in files]).cache()

    def apply(pipeline: Path) -> list[list[object]]:
        made = PipelineModel.load(pipeline.as_uri()).transform(digits)
        columns = made.select("path", "prediction", vector_to_array("probability"))
        return sorted([Path(path).name, kind, sure] for path, kind, sure in columns.collect())

    found = {pipeline.parent.name: apply(pipeline) for pipeline in pipelines}
    predictions.write_text(json.dumps(found))
    spark.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
