"""`sparkdl` in a shell: help, errors in one line, and predictions of a folder of images."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from picture_files import scene
from PIL import Image

import sparkdl
from sparkdl._command_line import demo, pictures
from sparkdl._command_line.main import COMMANDS, main


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two images, and a file that is none."""
    folder = tmp_path / "images"
    folder.mkdir()
    for name in ("a.png", "b.png"):
        Image.fromarray(scene()).convert("RGB").save(folder / name)
    (folder / "c.png").write_bytes(b"no image")
    return folder


@pytest.fixture
def session(spark: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The session of all tests, where a command would start its own."""

    @contextmanager
    def same(*_: object) -> Iterator[Any]:
        yield spark

    for commands in (pictures, demo):
        monkeypatch.setattr(commands, "quiet_session", same)
    return spark


def test_without_arguments_there_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("usage: sparkdl [-h] [--version]")
    assert [c.name for c in COMMANDS if f"    {c.name} " not in shown] == []


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"sparkdl {sparkdl.__version__}\n"


def test_a_mistake_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", "images", "--model", "TinyNet", "--out", "table.xlsx"]) == 1
    assert capsys.readouterr().err == (
        "SettingsException: --out table.xlsx: expected a name that ends in .parquet or .json.\n"
    )


def test_a_shell_completes_commands_where_shtab_is_installed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = main(["--completion", "bash"])
    shown = capsys.readouterr()
    if importlib.util.find_spec("shtab"):
        assert code == 0
        assert "predict" in shown.out
    else:
        assert "pip install 'sparkdl-py[completion]'" in shown.err


def test_the_demo_draws_what_it_has_read(
    session: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "demo.png"
    assert main(["demo", "--out", str(picture)]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    right, _, rest = last.partition(" of 24 are right: ")
    assert int(right) >= 20
    assert rest == str(picture)
    assert Image.open(picture).width > 500


def test_a_demo_that_cannot_draw_says_so_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert main(["demo"]) != 0
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "`sparkdl demo` needs Pillow and matplotlib: pip install" in shown.err


def test_predictions_of_a_named_model_are_a_table(
    session: Any, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "predictions.parquet")
    command = ["predict", str(folder), "--model", "TinyNet", "--top", "2", "--out", out]
    assert main(command) == 0
    assert capsys.readouterr().out == (
        f"3 images, 1 of them without a result (column error): {out}\n"
    )
    a, b, c = session.read.parquet(out).orderBy("uri").collect()
    assert a.uri.endswith("a.png")
    assert [len(row.predicted) for row in (a, b)] == [2, 2]
    assert (a.error, c.predicted) == (None, None)
    assert "c.png" in c.uri
    assert c.error
    assert main(command) == 1
    said = capsys.readouterr().err
    assert said.startswith("AnalysisException: [PATH_ALREADY_EXISTS]")
    assert said.count("\n") == 1
    assert main([*command, "--overwrite"]) == 0


def test_predictions_of_a_bundle_have_the_names_of_its_outputs(
    session: Any, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = sparkdl.save_bundle(
        lambda images: {"half": images[:, 0, 0] / 2},
        tmp_path / "half",
        inputs={"images": ("float32", [None, 2, 2, 3])},
        image=True,
    )
    out = str(tmp_path / "halves.json")
    capsys.readouterr()
    assert main(["predict", str(folder), "--model", bundle, "--out", out]) == 0
    said = capsys.readouterr().out
    assert said == f"3 images, 1 of them without a result (column error): {out}\n"
    rows = session.read.json(out).orderBy("uri").collect()
    assert [row.half is None for row in rows] == [False, False, True]


def test_what_belongs_to_named_models_is_refused_for_others(
    session: Any, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["predict", str(folder), "--model", "m", "--labels", "l", "--out"]
    assert main([*command, str(tmp_path / "p.json")]) == 1
    said = capsys.readouterr().err
    assert said == "SettingsException: --labels is for a model that `sparkdl models` lists.\n"


def test_features_are_arrays_in_a_table(session: Any, folder: Path, tmp_path: Path) -> None:
    out = str(tmp_path / "features.parquet")
    assert main(["features", str(folder), "--model", "TinyNet", "--out", out]) == 0
    (length,) = {m.features for m in sparkdl.models() if m.name == "TinyNet"}
    found = session.read.parquet(out).orderBy("uri").collect()
    assert [len(row.features or []) for row in found] == [length, length, 0]


def test_in_a_shell_only_the_result_is_shown(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "p.json"
    images = str(folder / "[ab].png")
    done = run(["predict", images, "--model", "TinyNet", "--out", str(out)])
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"2 images: {out}\n"
    lines = [line for part in out.glob("*.json") for line in part.read_text().splitlines()]
    assert sum("predicted" in json.loads(line) for line in lines) == 2


def test_why_spark_does_not_start_is_shown(tmp_path: Path) -> None:
    done = run(["doctor"], {"JAVA_HOME": str(tmp_path)})
    assert done.returncode == 1
    assert f"{tmp_path}/bin/java: No such file" in done.stderr
    assert "SettingsException: Spark's JVM ended before it was ready" in done.stderr


def run(
    arguments: list[str], environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sparkdl", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **(environment or {})}
    )
