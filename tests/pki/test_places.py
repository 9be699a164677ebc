"""Where things are looked for: folders, links, captures, pipes, and what the system trusts."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest

from tests.evidence import CAPTURES, CASES, needs_cases
from tests.pki.stores import leaf
from tlsalert.errors import CaptureError
from tlsalert.pki.containers import Blob, Damage
from tlsalert.pki.found import Found
from tlsalert.pki.inventory import inventory
from tlsalert.pki.places import contents, sizes, trust_stores


def files(path: Path) -> list[str]:
    return [os.path.relpath(one.where, path) for one in contents(str(path)) if isinstance(one, Blob)]


def test_a_folder_is_gone_through_in_the_order_of_names(tmp_path: Path) -> None:
    for name in ("b", "a", "c/d"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    assert files(tmp_path) == ["a", "b", "c/d"]


def test_links_that_leave_are_told_and_not_followed(tmp_path: Path) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    outside.mkdir()
    inside.mkdir()
    (outside / "secret.crt").write_bytes(leaf().pem)
    (inside / "file.crt").symlink_to(outside / "secret.crt")
    (inside / "folder").symlink_to(outside)
    (inside / "own.crt").write_bytes(leaf().pem)
    (inside / "same.crt").symlink_to("own.crt")
    (inside / "loop").symlink_to(inside)
    (inside / "nowhere").symlink_to("nothing")
    things = list(contents(str(inside)))
    assert files(inside) == ["own.crt"]
    (damage,) = (one for one in things if isinstance(one, Damage))
    assert f"leads out of {inside} to {outside}/secret.crt, as do 1 others" in damage.says


def test_a_link_that_was_named_itself_is_followed(tmp_path: Path) -> None:
    (tmp_path / "a.crt").write_bytes(leaf().pem)
    (tmp_path / "b.crt").symlink_to("a.crt")
    assert [type(one) for one in contents(str(tmp_path / "b.crt"))] == [Blob]


def test_what_is_done_adds_up_to_the_sizes_that_were_told_before(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.crt").write_bytes(leaf().pem)
    (folder / "deep" / "b.txt").write_text("b" * 77)
    (folder / "link").symlink_to("a.crt")
    (tmp_path / "alone").write_text("x" * 5)
    paths = [str(folder), str(tmp_path / "alone"), str(tmp_path / "nothing")]
    assert sorted(sizes(paths)) == [0, 5, 77, len(leaf().pem)]
    done: list[int] = []
    inventory(paths, done=done.append)
    assert sorted(done) == [5, 77, len(leaf().pem)]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_in_a_folder_keeps_nobody_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert files(tmp_path) == []


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_file_that_may_not_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    (tmp_path / "a").chmod(0)
    assert [type(one) for one in contents(str(tmp_path))] == [Damage]


def test_a_files_mode_is_kept(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    (tmp_path / "a").chmod(0o604)
    (blob,) = contents(str(tmp_path / "a"))
    assert isinstance(blob, Blob)
    assert blob.mode == 0o604


def test_a_large_file_is_mapped_and_found_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tlsalert.pki.places.MAPPED", 4096)
    (tmp_path / "big.bin").write_bytes(bytes(5000) + leaf().der + leaf().pem)
    (tmp_path / "big.tar").write_bytes(_tar())
    found = inventory([str(tmp_path)]).found
    assert [one.where.removeprefix(f"{tmp_path}/") for one in found] == [
        "big.bin!raw@0x1388",
        f"big.bin!raw@{5000 + len(leaf().der):#x}",
        "big.tar!/a.crt",
    ]


def _tar() -> bytes:
    from tests.pki.test_archives import tarred

    return tarred({"a.crt": leaf().pem})


def test_a_capture_gives_the_certificates_of_its_handshakes_once() -> None:
    found = [one for one in contents(str(CAPTURES / "console.pcap")) if isinstance(one, Found)]
    places = [one.where.rpartition("!")[2].partition(":")[2] for one in found]
    assert set(places) == {"client", "server"}
    assert len({(place, one.sha256) for place, one in zip(places, found, strict=True)}) == len(found)
    assert all(one.where.startswith(f"{CAPTURES}/console.pcap!#") for one in found)


@needs_cases
def test_a_trace_gives_the_files_that_the_program_read_and_wrote() -> None:
    pytest.importorskip("tlsalert.sources.strace_files")
    found = inventory([str(CASES / "strace-sh-not-yet-valid" / "trace.log")]).found
    places = {one.where.partition("!")[2]: one for one in found}
    assert places["/srv/lab/res-client/client.key"].kind == "private_key"
    written = places["/tmp/1623919829200/client.crt"]
    assert "#0:client" in {place.partition("!")[2] for place in written.duplicates}
    assert written.used_by[0].program == "stunnel"


def test_a_pipe_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(leaf().pem)))
    (one,) = inventory(["-"]).found
    assert (one.where, one.subject) == ("-", "CN=leaf,O=Board")


def test_what_is_no_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="no such file"):
        list(contents(str(tmp_path / "nothing")))


def test_trust_stores_are_told_once_each() -> None:
    found = trust_stores()
    assert len({os.path.realpath(path) for path in found}) == len(found)
    assert all(os.path.exists(path) for path in found)


def test_what_is_odd_about_a_logs_lines_is_no_damage_here(tmp_path: Path) -> None:
    line = "2026.01.01 00:00:00 LOG3[0]: SSL_accept: 14094412: error:14094412:SSL routines:ssl3_read_bytes:alert\n"
    (tmp_path / "stunnel.log").write_text(line + leaf().pem.decode())
    taken = inventory([str(tmp_path)])
    assert [one.subject for one in taken.found] == ["CN=leaf,O=Board"]
    assert taken.damage == ()
