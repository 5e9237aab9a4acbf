"""Statements with models on tables of Delta and Iceberg, in a session of their own.

test_lake_tables.py runs it, with the folder of the session's tables. Prints one line of JSON: what
each case found and what it should have found.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parent.parent.parent
JARS = CHECKOUT / "target" / "lake"
FORMATS = {"delta": "spark_catalog.default", "iceberg": "ice.tables"}
REFUSED = "Apply the model in a query, for example in the one that writes the table"
EVALUATED = "cannot be evaluated here, outside of the plan of a query"
_BLOCK = re.compile(r"^```(python|sql)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Table:
    """A table of the rows of `start`: id, a = [id, 1] and p, which is null; f(a)[0] is 2 id + 2.

    The view `source` has the ids 30 to 49 and a = [id, 2], so that f(a)[0] is 2 id + 1.
    """

    def __init__(self, spark: Any, form: str, case: str, folder: Path) -> None:
        self.spark, self.form, self.name = spark, form, f"{FORMATS[form]}.of_{case}"
        self.checkpoint = str(folder / f"{form}_{case}")
        self.sql("CREATE TABLE {t} USING {form} AS SELECT * FROM start")

    def sql(self, statement: str) -> Any:
        """Run a statement on the table `{t}`."""
        return self.spark.sql(statement.replace("{t}", self.name).replace("{form}", self.form))

    def refusal(self, statement: str) -> str:
        """Return REFUSED, or what else becomes of a statement."""
        try:
            self.sql(statement)
        except Exception as e:
            return REFUSED if REFUSED in str(e) else str(e)
        return f"was accepted: {statement}"

    def numbers(self, query: str = "SELECT * FROM {t}") -> list[Any]:
        """Return id and p of a query's rows."""
        return sorted([row.id, row.p] for row in self.sql(query).collect())


def rows(ids: Any, p: Callable[[int], float | None]) -> list[Any]:
    return [[i, p(i)] for i in ids]


def nothing(_: int) -> None:
    """Return the p of a row that no statement has met."""


def update(t: Table) -> Any:
    t.sql("UPDATE {t} SET p = f(a)[0] WHERE f(a)[0] > 40")
    return t.numbers(), rows(range(40), lambda i: 2 * i + 2 if i > 19 else None)


def delete(t: Table) -> Any:
    t.sql("DELETE FROM {t} WHERE f(a)[0] < 20")
    return t.numbers(), rows(range(9, 40), nothing)


def merge_on_models(t: Table) -> Any:
    t.sql("MERGE INTO {t} t USING source s ON f(t.a)[0] = f(s.a)[0] + 1 WHEN MATCHED THEN DELETE")
    return t.numbers(), rows(range(30), nothing)


def merge_with_models_in_its_clauses(t: Table) -> Any:
    t.sql("""
        MERGE INTO {t} t USING source s ON t.id = s.id
        WHEN MATCHED AND f(s.a)[0] > 70 THEN UPDATE SET p = f(s.a)[0]
        WHEN MATCHED AND f(t.a)[0] > 66 THEN DELETE
        WHEN NOT MATCHED AND f(s.a)[0] > 85 THEN INSERT (id, a, p) VALUES (s.id, s.a, f(s.a)[0])
        WHEN NOT MATCHED BY SOURCE AND f(t.a)[0] < 10 THEN UPDATE SET p = f(t.a)[0]
    """)
    target = rows(range(4), lambda i: 2 * i + 2) + rows(range(4, 33), nothing)
    return t.numbers(), target + rows([*range(35, 40), *range(43, 50)], lambda i: 2 * i + 1)


def merge_into(t: Table) -> Any:
    from pyspark.sql import functions as F

    short = t.name.split(".")[-1]
    merge = t.spark.table("source").mergeInto(t.name, F.expr(f"{short}.id = source.id"))
    merge.whenMatched().update({"p": F.expr("f(source.a)[0]")}).merge()
    return t.numbers(), rows(range(40), lambda i: 2 * i + 1 if i > 29 else None)


def insert(t: Table) -> Any:
    t.sql("INSERT INTO {t} SELECT id + 100, a, f(a)[0] FROM source WHERE f(a)[0] < 70")
    added = rows(range(130, 135), lambda i: 2 * (i - 100) + 1)
    return t.numbers(), rows(range(40), nothing) + added


def append_what_a_stage_made(t: Table) -> Any:
    stage = t.spark.stage(inputCol="a", outputCol="y")
    made = stage.transform(t.spark.table("source")).where("y[0] > 90")
    made.selectExpr("id", "a", "y[0] AS p").writeTo(t.name).append()
    return t.numbers(), rows(range(40), nothing) + rows(range(45, 50), lambda i: 2 * i + 1)


def create_table_as_select(t: Table) -> Any:
    t.sql(
        "CREATE TABLE {t}_made USING {form} AS SELECT id, f(a)[0] AS p FROM {t} WHERE f(a)[0] > 60"
    )
    return t.numbers("SELECT * FROM {t}_made"), rows(range(30, 40), lambda i: 2 * i + 2)


def travel_in_time(t: Table) -> Any:
    first = 0
    if t.form == "iceberg":
        first = t.sql("SELECT snapshot_id FROM {t}.snapshots").first()[0]
    t.sql("DELETE FROM {t} WHERE id > 5")
    t.sql("INSERT INTO {t} SELECT id, array(0D, 0D), 1 FROM source")
    found = t.numbers(f"SELECT id, f(a)[0] AS p FROM {{t}} VERSION AS OF {first}")
    return found, rows(range(40), lambda i: 2 * i + 2)


def stream_between_tables(t: Table) -> Any:
    made = t.spark.readStream.table(t.name).where("f(a)[0] > 60").selectExpr("id", "f(a)[0] AS p")
    writer = made.writeStream.format(t.form).option("checkpointLocation", t.checkpoint)

    def run() -> None:
        query = writer.trigger(availableNow=True).toTable(f"{t.name}_made")
        query.awaitTermination()

    run()
    t.sql("INSERT INTO {t} SELECT id + 100, a, p FROM source WHERE id = 40")
    run()  # goes on where the first ended
    last = [140, 81.0]
    return t.numbers("SELECT * FROM {t}_made"), [*rows(range(30, 40), lambda i: 2 * i + 2), last]


def definitions(t: Table) -> Any:
    table = "CREATE TABLE {t}_made (id bigint, a array<double>, p array<float>{}) USING {form} "
    constraint = "f(a)[0] > 0"
    definitions = [
        f"ALTER TABLE {{t}} ADD CONSTRAINT positive CHECK ({constraint})",
        table + f"TBLPROPERTIES ('delta.constraints.positive' = '{constraint}')",
        table.replace("{}", " DEFAULT f(array(1D, 2D))"),
    ]
    found = [t.refusal(definition.replace("{}", "")) for definition in definitions]
    overwrite = t.spark.table("source").write.format("delta").mode("overwrite")
    try:
        overwrite.option("replaceWhere", constraint).saveAsTable(t.name)  # Delta checks it itself
    except Exception as e:
        found.append(EVALUATED if EVALUATED in str(e) else str(e))
    t.sql("INSERT INTO {t} SELECT * FROM source")  # nothing of them was kept
    return [found, t.numbers()[-1]], [[*[REFUSED] * len(definitions), EVALUATED], [49, None]]


BOTH = [
    update,
    delete,
    merge_on_models,
    merge_with_models_in_its_clauses,
    merge_into,
    insert,
    append_what_a_stage_made,
    create_table_as_select,
    travel_in_time,
    stream_between_tables,
]
STATEMENTS = [*((form, case) for form in FORMATS for case in BOTH), ("delta", definitions)]


def page(spark: Any) -> Any:
    """Run the blocks of docs/tables.md, in the page's order."""
    namespace: dict[str, Any] = {}
    text = (CHECKOUT / "docs" / "tables.md").read_text(encoding="utf-8")
    for match in _BLOCK.finditer(text):
        line = text.count("\n", 0, match.start(2))
        if match[1] == "python":  # the line numbers of an error are those of the page
            exec(compile("\n" * line + match[2], "docs/tables.md", "exec"), namespace)
        else:
            for statement in filter(str.strip, match[2].split(";")):
                rows = spark.sql(statement).collect()
                assert rows or statement.split()[0] != "SELECT", f"no rows: {statement}"
    found = spark.sql("SELECT count(*), count(DISTINCT label) FROM photos").first()
    return [found[0], found[1] > 1], [9, True]


def example(_: Any) -> Any:
    """Run examples/delta_photos.py; its session is the one that is there."""
    runpy.run_path(str(CHECKOUT / "examples" / "delta_photos.py"), run_name="__main__")
    return "ran", "ran"


PROGRAMS = {
    "docs/tables.md": page,
    "examples/delta_photos.py": example,
}  # the last ends the session
NAMES = [*(f"{form}: {case.__name__}" for form, case in STATEMENTS), *PROGRAMS]


def session(folder: Path) -> Any:
    import sparkdl

    return sparkdl.start(
        master="local[2]",
        app_name="tables",
        memory="2g",
        conf={
            "spark.jars": ",".join(str(jar) for jar in sorted(JARS.glob("*.jar"))),
            "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
            "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
            "spark.sql.catalog.ice": "org.apache.iceberg.spark.SparkCatalog",
            "spark.sql.catalog.ice.type": "hadoop",
            "spark.sql.catalog.ice.warehouse": folder / "ice",
            "spark.sql.warehouse.dir": folder / "warehouse",
            "spark.sql.shuffle.partitions": 2,
            "spark.buffer.pageSize": "256k",
            "spark.databricks.delta.snapshotPartitions": 1,
            "spark.ui.enabled": False,
            "spark.ui.showConsoleProgress": False,
            "spark.driver.host": "localhost",
        },
    )


def prepare(spark: Any) -> None:
    """Make the function f, 2 a - b + 3 of [a, b], the stage that does the same, and the views."""
    import keras
    import numpy as np

    import sparkdl

    network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    network.layers[-1].set_weights([np.array([[2], [-1]], "float32"), np.array([3], "float32")])
    sparkdl.registerKerasUDF("f", network)
    spark.stage = lambda **columns: sparkdl.KerasTransformer(model=network, **columns)
    for view, ids, other in (("start", (0, 40), 1), ("source", (30, 50), 2)):
        columns = f"array(cast(id AS double), {other}D) AS a"
        made = spark.range(*ids, 1, 2).selectExpr("id", columns, "cast(null AS float) AS p")
        made.createOrReplaceTempView(view)
    spark.sql("CREATE NAMESPACE ice.tables")


def draw_digits(folder: Path) -> None:
    """Put pictures of digits into a folder."""
    from PIL import Image
    from sklearn.datasets import load_digits

    folder.mkdir()
    digits = load_digits()
    for number in range(9):
        pixels = (digits.images[number] * 255 / 16).round().astype("uint8")
        Image.fromarray(pixels).save(folder / f"{number}.png")


def tried(case: Callable[[], Any]) -> Any:
    try:
        return case()
    except Exception as e:  # the other cases go on
        return f"{type(e).__name__}: {str(e)[:1500]}", None


def main() -> None:
    folder = Path(sys.argv[1])
    os.chdir(folder)
    draw_digits(folder / "photos")
    spark = session(folder)
    spark.sparkContext.setLogLevel("FATAL")
    prepare(spark)
    results = {}
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        for form, case in STATEMENTS:
            name = f"{form}: {case.__name__}"
            results[name] = tried(lambda f=form, c=case: c(Table(spark, f, c.__name__, folder)))
        for name, program in PROGRAMS.items():
            results[name] = tried(lambda p=program: p(spark))
    print(json.dumps({"results": results, "printed": printed.getvalue()}))


if __name__ == "__main__":
    main()
