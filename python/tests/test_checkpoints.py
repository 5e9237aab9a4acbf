"""States of trainings: as bytes, in directories, damaged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sparkdl.errors import InvalidModelException, SettingsException
from sparkdl.training._driver.checkpoints import Checkpoints
from sparkdl.training._loop.training_state import pack_state, unpack_state


def state(number: int) -> bytes:
    return pack_state({"number": number}, [np.full((2, 3), number, "float32"), np.int64(number)])


def test_a_state_keeps_dtypes_and_shapes() -> None:
    import ml_dtypes

    arrays = [np.zeros((0, 2), "int8"), np.array(3, "int64"), np.ones(2, ml_dtypes.bfloat16)]
    facts, restored = unpack_state(pack_state({"a": [1, None]}, arrays))
    assert facts == {"a": [1, None]}
    for array, back in zip(arrays, restored, strict=True):
        assert (back.dtype, back.shape) == (array.dtype, array.shape)
        np.testing.assert_array_equal(back, array)


def test_a_damaged_state_is_refused() -> None:
    data = bytearray(state(1))
    data[-40] ^= 1
    with pytest.raises(InvalidModelException, match="SHA-256 is not the one"):
        unpack_state(data)
    with pytest.raises(InvalidModelException, match="SHA-256 is not the one"):
        unpack_state(b"")


def test_the_newest_undamaged_state_is_read_and_two_are_kept(tmp_path: Path) -> None:
    checkpoints = Checkpoints(str(tmp_path / "states"))
    assert checkpoints.newest() is None
    for number, (epoch, step) in enumerate([(0, 5), (0, 10), (1, 0), (10, 2)]):
        checkpoints.write(epoch, step, [state(number)])
    files = sorted((tmp_path / "states").iterdir())
    assert [f.name for f in files] == [
        "epoch-000001-step-000000000.state",
        "epoch-000010-step-000000002.state",
    ]
    assert _number(checkpoints) == 3
    files[1].write_bytes(files[1].read_bytes()[:-1])
    (tmp_path / "states" / "epoch-000011-step-000000000.state.part").write_bytes(b"half")
    with pytest.warns(UserWarning, match="epoch-000010.* is skipped: .*damaged"):
        assert _number(checkpoints) == 2
    checkpoints.clear()
    assert checkpoints.newest() is None


def _number(checkpoints: Checkpoints) -> int:
    newest = checkpoints.newest()
    assert newest is not None
    return int(newest[0]["number"])


def test_a_folder_that_cannot_be_one_is_refused_before_the_training(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for folder in (tmp_path / "file", tmp_path / "file" / "states"):
        with pytest.raises(
            SettingsException, match=r"checkpointDir .*/file is not a folder\. Give"
        ):
            Checkpoints(str(folder))
