"""The smallest case that still fails: parts are left out as long as it does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

# What a case has when there is nothing special about it.
PLAIN: dict[str, Any] = {
    "workers": 1,
    "validation": 0,
    "weights": False,
    "loss weights": False,
    "wrapper": "none",
    "rate": "small",
    "epochs": 1,
    "layers": [],
    "settings": {},
    "optimizer": "SGD",
}


def smallest(
    case: dict[str, Any], fails: Callable[[dict[str, Any]], bool], tries: int = 60
) -> dict[str, Any]:
    """Return a case that fails, with as few parts as so many tries leave."""
    left = iter(range(tries))
    while True:
        smaller = next((c for c, _ in zip(_smaller(case), left, strict=False) if fails(c)), None)
        if smaller is None:
            return case
        case = smaller


def _smaller(case: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name, plain in PLAIN.items():
        if case[name] != plain:
            settings = {"settings": {}} if name == "optimizer" else {}
            yield {**case, name: plain, **settings}
    for name in ("inputs", "outputs", "layers"):
        for i in range(len(case[name]) if name == "layers" or len(case[name]) > 1 else 0):
            yield _without(case, name, i)
    for name, ends in (("input structure", "inputs"), ("output structure", "outputs")):
        plain = "single" if len(case[ends]) == 1 else "list"
        if case[name] != plain:
            yield {**case, name: plain}
    for name in case["settings"]:
        yield {**case, "settings": {k: v for k, v in case["settings"].items() if k != name}}
    for i, end in enumerate(case["outputs"]):
        for j in range(len(end["metrics"])):
            less = deepcopy(case)
            del less["outputs"][i]["metrics"][j]
            yield less
    if case["rows"] > case["batch"]:
        yield {**case, "rows": case["batch"]}


def _without(case: dict[str, Any], name: str, i: int) -> dict[str, Any]:
    return {**case, name: [*case[name][:i], *case[name][i + 1 :]]}
