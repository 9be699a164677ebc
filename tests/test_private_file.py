"""Captures are written for their owner alone, and what goes wrong is said in one sentence."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tlsalert.errors import CaptureError
from tlsalert.private_file import PrivateFile


@pytest.mark.parametrize("there", [False, True])
def test_nobody_else_can_read_it(tmp_path: Path, there: bool) -> None:
    path = tmp_path / "out.pcapng"
    if there:
        path.write_bytes(b"something longer, open to all")
        path.chmod(0o644)
    with PrivateFile(str(path)) as file:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        file.write(b"secret")
    assert path.read_bytes() == b"secret"


def test_where_it_cannot_be_opened_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match=r"out\.pcapng: cannot be written: No such file or directory"):
        PrivateFile(str(tmp_path / "nowhere" / "out.pcapng"))


def test_a_full_disk_is_told() -> None:
    with pytest.raises(CaptureError, match="cannot be written: No space left"), PrivateFile("/dev/full") as file:
        file.write(b"x" * 100_000)
    with pytest.raises(CaptureError, match="cannot be written: No space left"), PrivateFile("/dev/full") as file:
        file.write(b"x")  # held back until it is closed
