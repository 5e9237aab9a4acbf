"""What executors keep on their disks is read whole, or not at all."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from full_disk import NOT_WHOLE, shorten

from sparkdl._placement.placement import encode_rows, find_layout, send_rows
from sparkdl._placement.training_columns import Field, Fields
from sparkdl._placement.whole_partitions import until_end, with_end
from sparkdl.errors import SettingsException


def test_a_partition_without_its_end_is_refused() -> None:
    assert list(until_end(with_end([b"a", "b"]))) == [b"a", "b"]
    assert list(until_end(with_end([]))) == []
    with pytest.raises(SettingsException, match=NOT_WHOLE):
        list(until_end([b"a"]))


def test_rows_that_were_lost_on_a_full_disk_end_a_training(spark: Any) -> None:
    rows = spark.range(0, 40, 1, 4).selectExpr("array(float(id)) AS c0", "false AS chosen")
    fields = Fields((Field("x", "float32", (1,)),), (), None)
    blocks = encode_rows(rows, fields)
    try:
        layout = find_layout(blocks, fields, None)
        assert layout.rows["training"] == 40
        shorten(blocks)
        with pytest.raises(SettingsException, match=NOT_WHOLE):
            find_layout(blocks, fields, None)
        with pytest.raises(Exception, match="is not whole"):
            send_rows(blocks, layout, 4, 2).collect()
    finally:
        blocks.unpersist()


def test_batches_that_were_lost_on_a_full_disk_end_a_dataset(
    spark: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sparkdl
    from sparkdl.data import _partitions

    rows = spark.range(0, 40, 1, 2).selectExpr("float(id) AS x")
    assert sum(np.size(x) for x in sparkdl.tf_dataset(rows, "x", 20)) == 40
    received = _partitions.received
    monkeypatch.setattr(_partitions, "received", lambda place: received(place)[:-1])
    with pytest.raises(Exception, match=NOT_WHOLE):
        list(sparkdl.tf_dataset(rows, "x", 20))
