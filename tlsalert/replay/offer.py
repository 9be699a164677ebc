"""What a ClientHello that is to be sent offers: its fields, without what is fresh in every one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from tlsalert.errors import UsageError
from tlsalert.model import Extension
from tlsalert.replay.hello_parts import SERVER_NAME, SUPPORTED_VERSIONS, numbers, put, write_server_name


@dataclass(frozen=True, slots=True)
class Offer:
    """The fields of a ClientHello to send. Numbers are IANA's; ``name`` says where it comes from.

    ``record_version`` and ``record_lengths`` are those of the records in which it came (its handshake header counts).
    ``lost`` says what cannot be reproduced or was changed. ``size`` is the length that padding (RFC 7685) shall give
    the message, 0 for none. ``bare`` says that no extensions follow, not even an empty list. ``names_host`` is false
    where the server_name extension only holds the place of a name: without a name it is left out.
    """

    name: str
    legacy_version: int
    cipher_suites: tuple[int, ...]
    compression_methods: tuple[int, ...]
    extensions: tuple[Extension, ...]
    session_id_length: int
    record_version: int
    record_lengths: tuple[int, ...]
    lost: tuple[str, ...] = ()
    size: int = 0
    bare: bool = False
    names_host: bool = True

    @property
    def versions(self) -> tuple[int, ...]:
        """The versions that it offers: those of supported_versions, or the highest one alone; GREASE stays in."""
        data = self.extension(SUPPORTED_VERSIONS)
        if data is None:
            return (self.legacy_version,)
        return numbers(data[1:])

    def extension(self, kind: int) -> bytes | None:
        """Return the bytes of an extension, or None where it has none of this type."""
        return next((one.data for one in self.extensions if one.type == kind), None)

    def with_server_name(self, server_name: str) -> Self:
        """Return it with this name in server_name (RFC 6066 §3), at the beginning where it had none; "" takes it out.

        Raises :class:`~tlsalert.errors.UsageError` where it can be no host's name.
        """
        others = tuple(one for one in self.extensions if one.type != SERVER_NAME)
        if not server_name:
            return replace(self, extensions=others, names_host=True)
        named = Extension(SERVER_NAME, write_server_name(_host_name(server_name)))
        present = len(others) < len(self.extensions)
        extensions = put(self.extensions, named) if present else (named, *others)
        return replace(self, extensions=extensions, names_host=True, bare=False)


def _host_name(server_name: str) -> bytes:
    try:
        encoded = server_name.encode("ascii") if server_name.isascii() else server_name.encode("idna")
    except UnicodeError as error:
        raise UsageError(f"{server_name!r} is no host's name") from error
    if len(encoded) > 255:  # RFC 1035 §2.3.4
        raise UsageError(f"a host's name has at most 255 bytes, not {len(encoded)}")
    return encoded
