"""Every Python and SQL block of the README and of pages in docs/ runs, in the page's order."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from conftest import CHECKOUT, IMAGENET_LABELS, MOBILENET_WEIGHTS

import sparkdl

PAGES = [
    "README.md",
    *(
        f"docs/{p}.md"
        for p in (
            "overview",
            "tutorial",
            "getting-started",
            "sql",
            "models",
            "paths",
            "model-files",
            "graphs",
            "tensorframes",
            "errors",
            "migrating-from-1.x",
            "training",
            "own-loops",
            "keras-on-tables",
            "fine-tuning",
            "mlflow",
        )
    ),
]
_BLOCK = re.compile(r"^```(python|sql)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FLOWERS, _OF_A_KIND = "labelled/flowers5", 4
# What the pages call the material of the shared data.
_FILES = {
    "photos": "imagenet/photos",
    "clothing": "labelled/clothing_a",
    "mobilenet_v2.h5": MOBILENET_WEIGHTS,
    "imagenet_class_index.json": IMAGENET_LABELS,
}


def blocks(page: str) -> list[tuple[str, str, int]]:
    """Return language, text and first line of each block."""
    text = (CHECKOUT / page).read_text(encoding="utf-8")
    return [(m[1], m[2], text.count("\n", 0, m.start(2))) for m in _BLOCK.finditer(text)]


@pytest.fixture
def place(
    shared_data: Path,
    model_cache: Path,
    spark: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Any:
    """A working directory with the files that the pages speak of."""
    for name, target in _FILES.items():
        (tmp_path / name).symlink_to(shared_data / target)
    for kind in filter(Path.is_dir, (shared_data / _FLOWERS).iterdir()):
        (tmp_path / "flowers" / kind.name).mkdir(parents=True)
        for photo in sorted(kind.glob("*.jpg"))[:_OF_A_KIND]:
            (tmp_path / "flowers" / kind.name / photo.name).symlink_to(photo)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "MobileNetV2").symlink_to(model_cache / "MobileNetV2-imagenet")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "owl.jpg").symlink_to(shared_data / _FILES["photos"] / "owl.jpg")
    (tmp_path / "broken" / "notes.jpg").write_text("no picture")
    spark.conf.set("spark.sparkdl.models.dir", str(model_cache))
    labels = tmp_path / "imagenet_class_index.json"
    monkeypatch.setenv("SPARKDL_IMAGENET_LABELS", str(labels))  # else Keras would download them
    monkeypatch.chdir(tmp_path)
    # The JVM keeps its own working directory, so pages' relative paths go through Hadoop's.
    hadoop = spark.sparkContext._jsc.hadoopConfiguration()
    fs = spark._jvm.org.apache.hadoop.fs.FileSystem.get(hadoop)
    old = fs.getWorkingDirectory()
    fs.setWorkingDirectory(spark._jvm.org.apache.hadoop.fs.Path(tmp_path.as_uri()))
    yield tmp_path
    fs.setWorkingDirectory(old)
    spark.conf.unset("spark.sparkdl.models.dir")


@pytest.mark.parametrize("page", PAGES)
def test_the_blocks_of_a_page_run(page: str, place: Path, spark: Any) -> None:
    namespace: dict[str, Any] = {"spark": spark}
    for language, text, line in blocks(page):
        if language == "sql":
            for statement in filter(str.strip, text.split(";")):
                spark.sql(statement).show(truncate=False)
        else:  # the line numbers of an error are those of the page
            exec(compile("\n" * line + text, CHECKOUT / page, "exec"), namespace)


def table_rows(page: str) -> list[str]:
    return [line for line in (CHECKOUT / page).read_text(encoding="utf-8").splitlines() if line]


def test_a_page_lists_every_named_model() -> None:
    lines = table_rows("docs/named-models.md")
    for m in sparkdl.models():
        size = f"{m.height} x {m.width} | {m.features} | {m.weightsMB:.1f} MB"
        assert f"| {m.name} | {size} | {m.valueRange} |" in lines


def test_a_page_lists_every_setting(spark: Any) -> None:
    lines = table_rows("docs/settings.md")
    settings = spark._jvm.org.sparkdl.Settings.all()
    assert settings.size() >= 7
    for i in range(settings.size()):
        s = settings.apply(i)
        assert f"| `{s.key()}` | {s.default() or '(empty)'} | {s.doc()} |" in lines
