"""The pages of the API in Python: which names are on which. Their text is in the docstrings."""

from __future__ import annotations

from typing import NamedTuple


class ApiPage(NamedTuple):
    """A page: its title, what it is about, and the names below `sparkdl` that it shows."""

    title: str
    about: str
    names: tuple[str, ...]


PAGES = {
    "session": ApiPage(
        "Sessions and pictures",
        "A session to begin with, a report on it, and what is in it.",
        ("start", "doctor", "models", "readImages", "show"),
    ),
    "models": ApiPage(
        "Models",
        "Any model as a bundle, a column or a SQL function.",
        (
            "load_model",
            "Model",
            "save_bundle",
            "registerKerasImageUDF",
            "registerKerasUDF",
            "TFInputGraph",
            "imageInputPlaceholder",
        ),
    ),
    "stages": ApiPage(
        "Stages",
        "Models as stages of pipelines.",
        (
            "DeepImageFeaturizer",
            "DeepImagePredictor",
            "TFImageTransformer",
            "KerasImageFileTransformer",
            "TFTransformer",
            "KerasTransformer",
            "KerasModel",
            "ImageClassifierModel",
        ),
    ),
    "training": ApiPage(
        "Training",
        "Estimators, and what own loops are made of.",
        (
            "ImageClassifierEstimator",
            "KerasEstimator",
            "KerasImageFileEstimator",
            "compare_models",
            "tf_dataset",
            "TensorFlowDistributor",
            "HorovodRunner",
        ),
    ),
    "tensorframes": ApiPage(
        "Programs over DataFrames", "Imported as `sparkdl.tensorframes`.", ("tensorframes",)
    ),
    "image": ApiPage("Images", "Image structs and their pixels.", ("image", "image.imageIO")),
    "graph": ApiPage(
        "Graphs", "TensorFlow's graphs, built and put together.", ("graph.builder", "graph.utils")
    ),
    "plot": ApiPage("Figures", "Predictions and trainings, drawn.", ("plot",)),
    "labels": ApiPage("Labels", "The names of classes.", ("labels",)),
    "param": ApiPage("Params", "For stages of your own.", ("param",)),
    "errors": ApiPage("Errors", "What goes wrong, and why.", ("errors",)),
}


def overview() -> str:
    """Return the first page, which links the others and Scala's."""
    lines = ["# API", "", "| Python | |", "|---|---|"]
    for file, page in PAGES.items():
        names = ", ".join(f"[`{n}`][sparkdl.{n}]" for n in page.names)
        lines.append(f"| [{page.title}]({file}.md) | {names} |")
    scala = (
        "**Scala and Java**: [the Scaladoc](../scala/index.html) of the stages of the same names"
    )
    return "\n".join([*lines, "", f"{scala}, of `Model`, and of programs over DataFrames.", ""])


def text_of(page: ApiPage) -> str:
    """Return a page's Markdown."""
    shown = "\n\n".join(f"::: sparkdl.{name}" for name in page.names)
    return f"# {page.title}\n\n{page.about}\n\n{shown}\n"
