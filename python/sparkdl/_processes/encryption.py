"""Refuses to train in plain text where Spark is told to encrypt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sparkdl.errors import SettingsException

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyspark import SparkContext

PLAIN_TEXT = "spark.sparkdl.training.plainText"

# What Spark encrypts with each setting, and what training does not.
_CONNECTIONS = "the connections between driver and workers, with states and gradients"
_DISKS = "the rows that it keeps in temporary files"
_ENCRYPTING = {
    "spark.network.crypto.enabled": _CONNECTIONS,
    "spark.ssl.enabled": _CONNECTIONS,
    "spark.ssl.rpc.enabled": _CONNECTIONS,
    "spark.io.encryption.enabled": _DISKS,
}


def check_encryption(sc: SparkContext | None) -> None:
    """Raise a SettingsException if Spark is told to encrypt what training would not."""
    if sc is not None:
        refuse_plain_text(dict(sc.getConf().getAll()))


def refuse_plain_text(conf: Mapping[str, str]) -> None:
    """Raise a SettingsException if settings ask for encryption and do not allow plain text."""
    asked = {key: what for key, what in _ENCRYPTING.items() if _is_true(conf, key)}
    if asked and not _is_true(conf, PLAIN_TEXT):
        settings = " and ".join(f"{key}=true" for key in asked)
        plain = " and ".join(dict.fromkeys(asked.values()))
        raise SettingsException(
            f"This session asks Spark to encrypt ({settings}), but training does not encrypt "
            f"{plain}. If the network and the disks of these machines are protected otherwise, "
            f"start the session with {PLAIN_TEXT}=true; else train in one without "
            f"{' and '.join(asked)}, on machines that may see the data."
        )


def _is_true(conf: Mapping[str, str], key: str) -> bool:
    return conf.get(key, "false").strip().lower() == "true"
