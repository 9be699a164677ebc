"""What kind of evidence this is, by its first bytes."""

from __future__ import annotations

import re

from tlsalert.errors import CaptureError
from tlsalert.wire.capfile import PCAP_MAGICS, PCAPNG_MAGIC

#: Files that are met beside captures and are none that can be read here, by their first bytes.
KNOWN_OTHERS = {
    b"snoop\0\0\0": "a snoop capture; convert it: editcap FILE FILE.pcapng",
    b"GMBU": "a Network Monitor capture; convert it: editcap FILE FILE.pcapng",
    b"\x54\x52\x00\x64\x00": "a Sniffer capture; convert it: editcap FILE FILE.pcapng",
    b"PK\x03\x04": "a zip archive; unpack it first",
    b"\x7fELF": "a program",
}


#: Control characters but for tab, line feed, form feed, carriage return, escape (colours) and the bell.
_NO_TEXT = re.compile(rb"[\x00-\x06\x08\x0b\x0e-\x1a\x1c-\x1f]")


def evidence_kind(head: bytes, name: str, damage: str | None = None) -> str:
    """Return "pcap", "pcapng" or "log": text, whatever it says. ``damage`` is why there is no more of the head.

    Raises :class:`CaptureError` as :func:`capture_kind` does.
    """
    if damage is not None and len(head) < 24:
        raise CaptureError(damage, name)
    known = head[:4] in PCAP_MAGICS or head[:4] == PCAPNG_MAGIC or any(head.startswith(magic) for magic in KNOWN_OTHERS)
    return "log" if not known and is_text(head) else capture_kind(head, name)


def is_text(head: bytes) -> bool:
    """Whether it is text in ASCII, UTF-8 or a code page: lines without the control characters that no text has."""
    return len(head) > 0 and not _NO_TEXT.search(head[:4096])


def capture_kind(head: bytes, name: str) -> str:
    """Return "pcap" or "pcapng". Raises :class:`CaptureError` for anything else, and says what it is where it knows."""
    if not head:
        raise CaptureError("the file is empty", name, "nothing was recorded into it")
    if head[:4] in PCAP_MAGICS:
        if len(head) < 24:
            raise CaptureError(f"the capture ends inside its file header, after {len(head)} bytes", name)
        return "pcap"
    if head[:4] == PCAPNG_MAGIC:
        if len(head) < 28:
            raise CaptureError(f"the capture ends inside its section header, after {len(head)} bytes", name)
        return "pcapng"
    for magic, what in KNOWN_OTHERS.items():
        if head.startswith(magic):
            raise CaptureError(f"not a capture that can be read: {what}", name)
    raise CaptureError(
        f"not a capture: it begins with {head[:8].hex(' ')}",
        name,
        "tlsalert reads pcap and pcapng, plain or compressed",
    )
