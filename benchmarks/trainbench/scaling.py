"""How training scales to more workers, computed from what was measured on one machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

WORKERS = (2, 16, 100)
_FLOAT = 4  # bytes


@dataclass(frozen=True)
class Model:
    """A model: its parameters, and the seconds in which a worker has the gradients of a row."""

    title: str
    parameters: int
    row_seconds: float


@dataclass(frozen=True)
class Network:
    """What connects workers."""

    title: str
    bytes_per_second: float
    latency: float


# Gradients cost three times what a prediction costs: of a core 56 ms with ResNet50, as measured in
# docs/performance.md, about four times that with VGG16, which has four times the multiplications,
# and about 2 ms with a small CNN. Workers have four cores here.
MODELS = (
    Model("1 million, a small CNN", 1_000_000, 3 * 0.002 / 4),
    Model("25 million, such as ResNet50", 25_000_000, 3 * 0.056 / 4),
    Model("140 million, such as VGG16", 140_000_000, 3 * 0.220 / 4),
)
NETWORKS = (
    Network("10 Gbit/s", 1.25e9, 1e-4),
    Network("1 Gbit/s", 1.25e8, 2e-4),
)


@dataclass(frozen=True)
class Costs:
    """Measured seconds per byte that a ring of two sums on one machine, and per update."""

    second_per_byte: float
    update_per_parameter: float

    def overhead(self, parameters: int, workers: int, network: Network) -> float:
        """Return the seconds of a step that are not gradients.

        A worker sends and receives 2 (N - 1) / N times the vector in 2 (N - 1) pieces, each of
        which waits for the one before. What copying and adding costs comes on top of the network.
        """
        moved = 2 * (workers - 1) / workers * parameters * _FLOAT
        sent = moved * (1 / network.bytes_per_second + self.second_per_byte)
        waits = 2 * (workers - 1) * network.latency
        return sent + waits + parameters * self.update_per_parameter


def costs(measured: dict[str, Any]) -> Costs:
    """Return the costs of what `trainbench.pieces.costs` measured: those of the largest vector."""
    size, seconds = max((int(k), v) for k, v in measured["sum_seconds"].items())
    # Two workers move the vector once: half of it twice.
    return Costs(seconds / (size * _FLOAT), measured["update_seconds_per_parameter"])


def efficiency(model: Model, rows: int, workers: int, network: Network, found: Costs) -> float:
    """Return the speed of N workers, each with so many rows per step, over N times that of one."""
    gradients = rows * model.row_seconds
    alone = gradients + model.parameters * found.update_per_parameter
    return alone / (gradients + found.overhead(model.parameters, workers, network))


def break_even(model: Model, workers: int, network: Network, found: Costs) -> int:
    """Return the least rows per worker and step with which half the speed is not lost."""
    update = model.parameters * found.update_per_parameter
    gradients = found.overhead(model.parameters, workers, network) - 2 * update
    return max(1, -(-int(1e6 * gradients) // int(1e6 * model.row_seconds)))


def table(found: Costs, rows: int = 32) -> str:
    """Return the table in Markdown."""
    lines = [
        "| parameters | network | workers | not gradients, s per step "
        f"| efficiency with {rows} rows per worker | speed of one worker x "
        "| rows per worker below which half is lost |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    for model in MODELS:
        for network in NETWORKS:
            for workers in WORKERS:
                share = efficiency(model, rows, workers, network, found)
                cells = [
                    model.title,
                    network.title,
                    str(workers),
                    f"{found.overhead(model.parameters, workers, network):.3f}",
                    f"{share:.2f}",
                    f"{share * workers:.1f}",
                    str(break_even(model, workers, network, found)),
                ]
                lines.append("| " + " | ".join(cells) + " |")
    return "\n".join([*lines, ""])
