"""The pictures: what they show, as matplotlib keeps it, and that they can be written."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from image_rows import as_png, as_struct, picture
from pyspark.sql import Row

from sparkdl import plot
from sparkdl.errors import InvalidInputException, SettingsException

FIELDS = ("origin", "height", "width", "nChannels", "mode", "data")


def written(figure: Any) -> bytes:
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=30)
    return out.getvalue()


def test_the_most_probable_classes_are_bars_beside_the_image() -> None:
    pixels = picture(6, 5)
    figure = plot.top_k(pixels, [0.1, 0.7, 0.2], ["a", "b", "c"], k=2)
    image, bars = figure.axes
    np.testing.assert_array_equal(image.images[0].get_array(), pixels)
    assert [t.get_text() for t in bars.get_yticklabels()] == ["b", "c"]
    assert [b.get_width() for b in bars.patches] == [0.7, 0.2]
    assert written(figure)[:4] == b"\x89PNG"
    assert figure._repr_png_()[:4] == b"\x89PNG"


def test_the_output_of_the_predictor_is_shown() -> None:
    top = [SimpleNamespace(description="tabby", probability=0.9)]
    bars = plot.top_k(as_png(picture(4, 4)), top).axes[1]
    assert [t.get_text() for t in bars.get_yticklabels()] == ["tabby"]
    with pytest.raises(SettingsException, match="got 1 labels and 2 probabilities"):
        plot.top_k(picture(4, 4), [0.5, 0.5], ["a"])
    with pytest.raises(SettingsException, match="k must be at least 1, got 0"):
        plot.top_k(picture(4, 4), [0.5, 0.5], k=0)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_image_structs_are_shown_in_rgb(channels: int) -> None:
    pixels = picture(4, 3, channels)
    struct = Row(*FIELDS)(*as_struct(pixels))
    shown = plot.predictions([struct], ["a"]).axes[0].images[0].get_array()
    np.testing.assert_array_equal(np.squeeze(pixels), shown)


def test_a_tiny_image_has_smooth_edges() -> None:
    axes = plot.predictions([picture(63, 8), picture(64, 8)], ["a", "b"]).axes
    assert [a.images[0].get_interpolation() for a in axes] == ["lanczos", "auto"]


def test_predictions_are_titles_and_wrong_ones_name_the_truth() -> None:
    images = [picture(4, 4, seed=i) for i in range(3)]
    figure = plot.predictions(images, ["a", "b", "c"], ["a", "c", "c"], columns=2)
    titles = [a.get_title() for a in figure.axes]
    assert titles == ["a", "b\nis: c", "c", ""]
    with pytest.raises(SettingsException, match="got 3 images, 1 predicted"):
        plot.predictions(images, ["a"])


def test_a_confusion_matrix_counts() -> None:
    axis = plot.confusion_matrix(["a", "a", "b", "c"], ["a", "b", "b", "b"]).axes[0]
    counts = {t.get_position(): t.get_text() for t in axis.texts}
    assert counts == {(0, 0): "1", (1, 0): "1", (1, 1): "1", (1, 2): "1"}
    with pytest.raises(SettingsException, match="labels does not have c; it has a, b"):
        plot.confusion_matrix(["a", "c"], ["a", "b"], ["a", "b"])


def test_each_loss_and_metric_has_a_panel() -> None:
    figure = plot.history({"loss": [2, 1], "val_loss": [3, 2], "accuracy": [0.5, 0.6]})
    assert [a.get_title() for a in figure.axes] == ["loss", "accuracy"]
    lines = figure.axes[0].lines
    assert [list(line.get_ydata()) for line in lines] == [[2, 1], [3, 2]]
    with pytest.raises(SettingsException, match="no history to show"):
        plot.history({})


def test_a_label_is_the_same_whatever_type_of_number_it_has() -> None:
    image = picture(4, 4)
    figure = plot.predictions([image] * 4, [3.0, "3", 1.0, 7.5], [3, 3, True, "7.5"])
    assert [a.get_title() for a in figure.axes] == ["3", "3", "1", "7.5"]
    axis = plot.confusion_matrix([3, 10, 3], ["3", "10", "10"]).axes[0]
    assert [t.get_text() for t in axis.get_xticklabels()] == ["3", "10"]
    assert [t.get_text() for t in axis.texts] == ["1", "1", "1"]


def test_long_labels_are_broken_above_their_image() -> None:
    figure = plot.predictions([picture(4, 4)], ["German short-haired pointer"], ["vizsla"])
    assert figure.axes[0].get_title() == "German short-\nhaired pointer\nis: vizsla"


def test_many_classes_have_room_in_one_picture() -> None:
    classes = [f"kind {i:03}" for i in range(300)]
    figure = plot.confusion_matrix(classes, classes)
    assert max(figure.get_size_inches()) < 20
    axis = figure.axes[0]
    assert not axis.texts
    assert 50 < len(axis.get_yticks()) < 200
    with pytest.raises(SettingsException, match="at least one, got 0 and 0"):
        plot.confusion_matrix([], [])


def test_files_are_shown_rotated_as_the_camera_noted() -> None:
    from PIL import Image

    out, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6  # a quarter to the right
    Image.fromarray(picture(8, 16)).save(out, "JPEG", exif=exif)
    assert plot.top_k(out.getvalue(), [1.0]).axes[0].images[0].get_array().shape == (16, 8, 3)
    with pytest.raises(InvalidInputException, match="Cannot show an image of 10 bytes: "):
        plot.top_k(b"no picture", [1.0])


def test_one_epoch_is_visible_and_parts_of_a_training_are_told_apart() -> None:
    axis = plot.history({"loss": [2.0]}).axes[0]
    assert axis.lines[0].get_marker() == "o"
    assert all(tick == int(tick) for tick in axis.get_xticks())
    axis = plot.history({"loss": [4, 3, 2, 1, 0]}, {"head": 2, "network": 3}).axes[0]
    assert [t.get_text() for t in axis.get_legend().get_texts()] == ["training", "network begins"]
    assert list(axis.lines[1].get_xdata()) == [2.5, 2.5]
