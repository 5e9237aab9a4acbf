"""What a notebook shows at the end of a cell, of errors, and while a cell runs."""

from __future__ import annotations

import base64
import io
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

import sparkdl
from sparkdl._processes.console import EpochLines
from sparkdl.errors import SettingsException, SparkDLException
from sparkdl.plot.frames import FrameView
from sparkdl.session.cell_progress import TaskBar, follow_cells
from sparkdl.session.quiet_logs import without_console_bar
from sparkdl.training._estimator import fit_grid


@pytest.fixture
def in_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    shell = SimpleNamespace(config={"IPKernelApp": {}})
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))


class Bar:
    """What tqdm draws, as far as it is used."""

    start_t = 0.0

    def __init__(self, total: int, initial: int, unit: str, leave: bool) -> None:
        self.total, self.n, self.text = total, initial, ""

    def set_postfix_str(self, text: str, refresh: bool) -> None:
        self.text = text

    def update(self, n: int) -> None:
        self.n += n
        self.refresh()

    def reset(self, total: int) -> None:
        self.total = total

    def refresh(self) -> None:
        print(f"{self.n}/{self.total} {self.text}".rstrip())

    def close(self) -> None:
        print("closed")


@pytest.fixture
def with_bars(in_kernel: None, monkeypatch: pytest.MonkeyPatch) -> None:
    bars = SimpleNamespace(tqdm=Bar)
    monkeypatch.setitem(sys.modules, "tqdm", SimpleNamespace(auto=bars))
    monkeypatch.setitem(sys.modules, "tqdm.auto", bars)


class Tracker:
    """Spark, which says how many tasks of its stages are done: (done, all) by stage."""

    def __init__(self) -> None:
        self.stages: dict[int, tuple[int, int]] = {}

    def getActiveStageIds(self) -> list[int]:
        return list(self.stages)

    def getStageInfo(self, stage: int) -> Any:
        done, tasks = self.stages[stage]
        return SimpleNamespace(numCompletedTasks=done, numTasks=tasks)


def shown_of_a_training(capsys: pytest.CaptureFixture[str]) -> list[str]:
    lines = EpochLines(4, ended=1)
    lines.show("epoch 2/4: loss 3")
    lines.show("trained in 1 s", epochs=0)
    lines.close()
    return "".join(capsys.readouterr()).splitlines()


@pytest.fixture(scope="module")
def images(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("pictures")
    Image.fromarray(np.full((300, 200, 3), 7, np.uint8)).save(folder / "a.png")
    (folder / "b.png").write_bytes(b"<no image>")
    files = spark.read.format("binaryFile").load(str(folder))
    read = sparkdl.readImages(folder).withColumnRenamed("error", "why")
    return read.join(files, read.image.origin == files.path).orderBy("path")


def test_images_are_pictures_and_other_values_are_text(images: Any) -> None:
    view = FrameView(images.select("path", "image", "content", "why"), 10, 50)
    html = view._repr_html_()
    first, second = html.split("<tr>")[2:]
    assert html.startswith(
        "<table><tr><th>path</th><th>image</th><th>content</th><th>why</th></tr>"
    )
    assert first.count('<img src="data:image/png;base64,') == 2
    assert "<td>no image</td><td>10 bytes</td>" in second
    assert "<td>None</td>" in first
    assert "  image: 300 x 200 x 3" in repr(view)
    assert "  content: 10 bytes" in repr(view)


def test_a_picture_has_the_height_that_was_asked_for(images: Any) -> None:
    html = FrameView(images.select("content"), 1, 30)._repr_html_()
    data = html.partition("base64,")[2].partition('"')[0]
    assert Image.open(io.BytesIO(base64.b64decode(data))).size == (20, 30)


def test_in_a_console_it_prints(spark: Any, capsys: pytest.CaptureFixture[str]) -> None:
    sparkdl.show(spark.range(3), rows=1)
    assert capsys.readouterr().out == "row 0\n  id: 0\n"
    with pytest.raises(SettingsException, match="expected 1 or more, got rows=0"):
        sparkdl.show(spark.range(3), rows=0)


def test_models_and_the_list_of_models_are_tables(spark: Any, tmp_path: Path) -> None:
    listed = sparkdl.models()._repr_html_()
    assert listed.startswith("<table><tr><th>model</th>")
    assert "<td>TinyNet</td><td>" in listed
    bundle = sparkdl.save_bundle(
        lambda x: {"y<": x / 2}, tmp_path / "half", inputs={"x": ("float32", [None])}
    )
    shown = sparkdl.load_model(bundle)._repr_html_()
    assert "<th>dtype</th>" in shown
    assert "<td>input</td><td>x</td><td>float32</td><td>[?]</td>" in shown


def test_an_error_shows_the_lines_of_the_users_program_and_the_remedy_last(spark: Any) -> None:
    with pytest.raises(SparkDLException) as e:
        sparkdl.load_model("/nowhere")
    lines = e.value._render_traceback_()
    text = "".join(lines)
    assert 'sparkdl.load_model("/nowhere")' in text
    assert "py4j" not in text
    assert "udf/model.py" not in text
    assert lines[-1].startswith("sparkdl.errors.ModelNotFoundException: There is no model at")


def test_epochs_are_lines_without_tqdm_and_without_a_notebook(
    in_kernel: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for missing in ("tqdm", "tqdm.auto"):
        monkeypatch.setitem(sys.modules, missing, None)
    lines = ["epoch 2/4: loss 3", "trained in 1 s"]
    assert shown_of_a_training(capsys) == lines
    monkeypatch.delitem(sys.modules, "IPython")
    assert shown_of_a_training(capsys) == lines


def test_epochs_are_one_bar_in_a_notebook(
    with_bars: None, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = ["2/4 epoch 2/4: loss 3", "2/4 trained in 1 s", "closed"]
    assert shown_of_a_training(capsys) == expected


def test_a_cell_that_takes_long_shows_the_tasks_of_all_its_stages(
    with_bars: None, capsys: pytest.CaptureFixture[str]
) -> None:
    tracker = Tracker()
    bar = TaskBar(tracker)
    tracker.stages = {1: (0, 4)}
    for _ in range(3):
        bar.look()
    assert capsys.readouterr().out == ""
    tracker.stages = {1: (3, 4)}
    bar.look()
    tracker.stages = {2: (1, 6)}
    bar.look()
    bar.close()
    assert capsys.readouterr().out.split("\n") == ["3/4", "5/10", "closed", ""]


def test_the_tasks_of_a_training_are_not_shown_beside_its_epochs(
    with_bars: None, capsys: pytest.CaptureFixture[str]
) -> None:
    tracker = Tracker()
    bar = TaskBar(tracker)
    tracker.stages = {1: (0, 1)}
    for _ in range(4):
        bar.look()
    epochs = EpochLines(2)
    bar.look()
    bar.look()
    epochs.close()
    bar.look()
    bar.close()
    assert capsys.readouterr().out.split() == ["0/1", "closed", "closed", "0/1", "closed"]


def test_cells_are_followed_unless_spark_shows_its_own_bar(
    with_bars: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered: dict[str, Any] = {}
    events = SimpleNamespace(register=registered.__setitem__)
    shell = SimpleNamespace(config={"IPKernelApp": {}}, events=events)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))

    def session(bar: str | None) -> Any:
        conf = SimpleNamespace(get=lambda key: bar)
        return SimpleNamespace(sparkContext=SimpleNamespace(getConf=lambda: conf))

    follow_cells(session("true"))
    assert registered == {}
    follow_cells(session("false"))
    registered["post_run_cell"]()  # the cell that has started the session
    registered["pre_run_cell"]()
    registered["post_run_cell"]()
    assert "_look_at" not in "".join(thread.name for thread in threading.enumerate())


def test_the_models_of_a_grid_are_one_bar(
    with_bars: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    verbose: list[int] = []
    monkeypatch.setattr(
        fit_grid, "fit", lambda estimator, *_: verbose.append(estimator.getVerbose())
    )
    estimator = sparkdl.KerasEstimator()
    grid = [{estimator.epochs: 1}, {estimator.epochs: 2}]
    assert [index for index, _ in fit_grid.FittedGrid(estimator, None, grid)] == [0, 1]
    assert verbose == [0, 0]
    assert capsys.readouterr().out.split() == ["1/2", "2/2", "closed"]


def test_the_bar_of_sparks_stages_stays_out_of_cells_unless_somebody_wants_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    key = "spark.ui.showConsoleProgress"
    monkeypatch.setenv("SPARK_CONF_DIR", str(tmp_path))
    monkeypatch.delenv("PYSPARK_SUBMIT_ARGS", raising=False)
    assert without_console_bar({"a": "b"}) == {"a": "b", key: "false"}
    assert without_console_bar({key: "true"}) == {key: "true"}
    (tmp_path / "spark-defaults.conf").write_text(f"{key} true")
    assert without_console_bar({}) == {}
