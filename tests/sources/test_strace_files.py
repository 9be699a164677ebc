"""Files come out of a trace as the program read or wrote them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.sources.straces import Script, string
from tlsalert.sources.strace_files import LARGEST, Piece, pieces

PEM = b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


def found(*calls: str) -> list[Piece]:
    script = Script()
    for call in calls:
        script.call(call)
    return list(pieces([script.bytes()]))


def opened(path: str, flags: str, fd: int = 3) -> str:
    return f'openat(AT_FDCWD, "{path}", {flags}) = {fd}'


def put(data: bytes, fd: int = 3, name: str = "write") -> str:
    return f"{name}({fd}, {string(data)}, {len(data)}) = {len(data)}"


@given(data=st.binary(min_size=2, max_size=300), cut=st.integers(1, 299))
def test_what_is_written_in_parts_is_one_file(data: bytes, cut: int) -> None:
    first, second = data[:cut], data[cut:]
    calls = [opened("/tmp/x", "O_WRONLY|O_CREAT|O_TRUNC, 0600"), put(first), put(second or b"!"), "close(3) = 0"]
    (piece,) = found(*calls)
    assert piece == Piece("/tmp/x", first + (second or b"!"), 1, written=True)


def test_what_is_read_counts_as_well_and_once() -> None:
    again = [opened("/tmp/x", "O_RDONLY|O_CLOEXEC"), put(PEM, name="read"), 'read(3, "", 4096) = 0', "close(3) = 0"]
    assert found(*again, *again) == [Piece("/tmp/x", PEM, 1, written=False)]


def test_a_shells_redirection_is_followed() -> None:
    calls = [opened("/tmp/x", "O_WRONLY|O_CREAT"), "dup2(3, 1) = 1", "close(3) = 0", put(PEM, 1), "close(1) = 0"]
    assert [piece.data for piece in found(*calls)] == [PEM]


def test_places_are_kept() -> None:
    calls = [
        opened("/tmp/x", "O_RDWR|O_CREAT"),
        put(b"0123456789"),
        "lseek(3, 2, SEEK_SET) = 2",
        put(b"ab"),
        'pwrite64(3, "zz", 2, 8) = 2',
        'pwrite64(3, "end", 3, 12) = 3',
    ]
    (piece,) = found(*calls)
    assert (piece.data, piece.missing) == (b"01ab4567zz\0\0end", 2)


def test_what_is_appended_follows_what_was_there() -> None:
    calls = [opened("/tmp/x", "O_WRONLY|O_CREAT"), put(b"one"), "close(3) = 0"]
    calls += [opened("/tmp/x", "O_WRONLY|O_APPEND"), put(b"two"), "close(3) = 0"]
    assert [piece.data for piece in found(*calls)] == [b"one", b"onetwo"]


def test_what_a_string_leaves_out_is_missing() -> None:
    (piece,) = found(opened("/tmp/x", "O_RDONLY"), 'read(3, "-----BEGIN"..., 4096) = 1436')
    assert (len(piece.data), piece.missing) == (1436, 1426)


def test_a_file_is_kept_up_to_a_limit() -> None:
    (piece,) = found(opened("/tmp/x", "O_RDONLY"), 'pread64(3, "a", 1, 0) = 1', 'read(3, "a"..., 99999999) = 99999999')
    assert (len(piece.data), piece.cut) == (LARGEST, True)


def test_programs_are_not_kept() -> None:
    assert found(opened("/lib/libc.so.6", "O_RDONLY"), r'read(3, "\177ELF\2\1\1\3", 832) = 832') == []


def test_slicing_changes_nothing() -> None:
    log = Script().call(opened("/tmp/x", "O_RDONLY")).call(put(PEM, name="read")).bytes()
    assert list(pieces([log[at : at + 1] for at in range(len(log))])) == list(pieces([log]))
