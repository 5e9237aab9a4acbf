"""Where Spark is told to encrypt, training does not use plain text silently."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from sparkdl._processes.encryption import PLAIN_TEXT, refuse_plain_text
from sparkdl._processes.workers import run_workers
from sparkdl.errors import SettingsException


@pytest.mark.parametrize(
    ("setting", "plain"),
    [
        ("spark.network.crypto.enabled", "the connections between driver and workers"),
        ("spark.ssl.enabled", "the connections between driver and workers"),
        ("spark.ssl.rpc.enabled", "the connections between driver and workers"),
        ("spark.io.encryption.enabled", "the rows that it keeps in temporary files"),
    ],
)
def test_each_setting_is_refused_with_what_stays_plain_and_the_remedy(
    setting: str, plain: str
) -> None:
    with pytest.raises(SettingsException, match="asks Spark to encrypt") as refused:
        refuse_plain_text({setting: "TRUE", "spark.authenticate": "true"})
    text = str(refused.value)
    assert f"{setting}=true" in text
    assert f"does not encrypt {plain}" in text
    assert f"{PLAIN_TEXT}=true" in text


def test_two_settings_are_named_together_and_what_stays_plain_once() -> None:
    asked = {"spark.network.crypto.enabled": "true", "spark.ssl.enabled": "true"}
    with pytest.raises(SettingsException) as refused:
        refuse_plain_text(asked)
    text = str(refused.value)
    assert "(spark.network.crypto.enabled=true and spark.ssl.enabled=true)" in text
    assert text.count("the connections between") == 1


def test_plain_text_is_allowed_where_it_is_asked_for_or_nothing_asks_for_encryption() -> None:
    refuse_plain_text({"spark.io.encryption.enabled": "true", PLAIN_TEXT: "true"})
    refuse_plain_text({"spark.authenticate": "true", "spark.ssl.enabled": "false"})


def test_a_run_is_refused_before_anything_is_sent() -> None:
    conf = SimpleNamespace(getAll=lambda: [("spark.network.crypto.enabled", "true")])
    context: Any = SimpleNamespace(getConf=lambda: conf)  # no slots, no jobs: nothing else is asked
    with pytest.raises(SettingsException, match=r"spark\.network\.crypto\.enabled=true"):
        run_workers(context, 2, print)
