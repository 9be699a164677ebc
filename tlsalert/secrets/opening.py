"""The secrets that a user gives, put together: what a reader needs to decrypt."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tlsalert.secrets.keyring import Keyring


class OpenWith:
    """A keyring, and whether all application data is opened with it and not only what may hold an alert or message."""

    def __init__(self, keyring: Keyring | None = None, everything: bool = False) -> None:
        if keyring is not None:
            self.keyring = keyring
        self.everything = everything

    @cached_property
    def keyring(self) -> Keyring:
        """All secrets; an empty one, to be filled, where none was given."""
        from tlsalert.secrets.keyring import Keyring

        return Keyring()


def open_with(
    keylogs: Iterable[str | os.PathLike[str]],
    rsa_keys: Iterable[str | os.PathLike[str]] = (),
    ask: Callable[[str], bytes | None] | None = None,
    psks: Iterable[bytes] = (),
    everything: bool = False,
) -> OpenWith:
    """Read key logs and private keys; ``ask`` is asked for a passphrase, with the name of the key's file.

    Raises :class:`tlsalert.errors.CaptureError` where a file cannot be read, :class:`tlsalert.errors.UsageError` where
    it holds no RSA key or the passphrase is wrong.
    """
    from tlsalert.secrets.keylog import KeyLog
    from tlsalert.secrets.keyring import Keyring
    from tlsalert.secrets.private_keys import read_keys

    log = KeyLog()
    for path in keylogs:
        log.follow(path)
    keys = [key for path in rsa_keys for key in read_keys(os.fspath(path), ask)]
    return OpenWith(Keyring(log, keys, list(psks)), everything)
