"""Suites: targets, identities, variants and what is expected of them, in a TOML file that people edit.

    # console.tlsalert.toml: "tlsalert replay --suite" and pytest run it
    [suite]
    tls = ["1.2", "1.3"]                 # default: those of the ClientHello, else 1.2 and 1.3
    variants = ["good", "expired"]       # default: all that can be made
    delay = 0.2                          # seconds between handshakes
    timeout = 5                          # seconds that an answer may take

    [target.console]
    address = "10.0.0.7:5900"
    from = "captures/console.pcap:0"     # whose ClientHello is sent
    identity = "engineer"
    baseline = "console.json"

    [identity.engineer]
    cert = "client.crt"
    key = "client.key"
    passphrase-env = "CLIENT_KEY_PASSPHRASE"   # or passphrase = "prompt"
    ca-cert = "ca.crt"                         # with the CA's key, signed variants are made
    ca-key = "ca.key"

    [expect]
    good = "accepted"
    expired = ["certificate_expired", 42]

    [expect."TLS 1.3"]
    none_sent = 116

Files are named from the suite's folder. A private key's passphrase never stands in the file.
"""

from __future__ import annotations

import difflib
import math
import os
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from tlsalert.errors import UsageError
from tlsalert.replay.expectation import Expectation, expectation

#: How versions are written in suites and on command lines, and in results.
VERSIONS = {"ssl3": "SSLv3", "1.0": "TLS 1.0", "1.1": "TLS 1.1", "1.2": "TLS 1.2", "1.3": "TLS 1.3"}

MAX_BYTES = 4 << 20

Table = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class IdentityFiles:
    """Where a client's certificate, key and CA are. Passphrases are asked for, or are in the environment.

    ``passphrase_env`` and ``ca_passphrase_env`` name variables of the environment.
    """

    name: str = "the command line"
    cert: str | None = None
    key: str | None = None
    chain: str | None = None
    ca_cert: str | None = None
    ca_key: str | None = None
    passphrase_env: str | None = None
    ca_passphrase_env: str | None = None


#: A client without anything of its own.
NOBODY = IdentityFiles()


@dataclass(frozen=True, slots=True)
class SuiteTarget:
    """One device. ``address`` is as on the command line; None where the user must name it (``--tls-target``)."""

    name: str
    address: str | None = None
    identity: IdentityFiles = NOBODY
    hello: str | None = None
    starttls: str | None = None
    sni: str | None = None
    baseline: str | None = None
    http: str | None = None


@dataclass(frozen=True, slots=True)
class Suite:
    """What one file says. ``variants`` and ``versions`` are None where it leaves them open.

    ``expected`` holds what is said of a variant in all versions under (variant, None). Times are in seconds.
    """

    path: str
    targets: tuple[SuiteTarget, ...]
    variants: tuple[str, ...] | None = None
    versions: tuple[str, ...] | None = None
    delay: float = 0.0
    timeout: float | None = None
    jobs: int = 1
    orders: int = 1
    repeat: int = 1
    seed: int = 0
    expected: Mapping[tuple[str, str | None], Expectation] = field(default_factory=dict)

    def expects(self, variant: str, tls_version: str) -> Expectation | None:
        """Return what is expected of a variant in a version, None where the suite says nothing."""
        return self.expected.get((variant, tls_version)) or self.expected.get((variant, None))


def load_suite(path: str | os.PathLike[str], known: Collection[str] | None = None) -> Suite:
    """Read a suite; with ``known`` variants a name that is none of them is an error.

    Raises :class:`UsageError` that says file, table and key.
    """
    name = os.fspath(path)
    try:
        with open(name, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", name) from None
    if len(data) > MAX_BYTES:
        raise UsageError("is too long for a suite", name)
    try:
        tables = tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise UsageError("is not UTF-8, which TOML is written in", name) from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"is no TOML: {error}", name) from None
    return _Reading(name, None if known is None else frozenset(known)).suite(tables)


def read_version(said: str) -> str:
    """Return a TLS version as results write it, from "1.2", "TLS 1.2", "tls1.2", "TLSv1.2", "ssl3" or "SSLv3".

    Raises ValueError, in words.
    """
    plain = said.strip().lower().replace(" ", "").replace("_", ".").removeprefix("tls").removeprefix("v")
    plain = {"sslv3": "ssl3", "3.0": "ssl3", "1": "1.0"}.get(plain, plain)
    if plain not in VERSIONS:
        raise ValueError(f"{said!r} is no TLS version that can be tried; these are: {', '.join(VERSIONS)}")
    return VERSIONS[plain]


_SUITE_KEYS = ("tls", "variants", "delay", "timeout", "jobs", "orders", "repeat", "seed")
_TARGET_KEYS = ("address", "identity", "from", "starttls", "sni", "baseline", "http")
_FILES = ("cert", "key", "chain", "ca-cert", "ca-key")
_PASSPHRASES = ("passphrase", "passphrase-env", "ca-passphrase", "ca-passphrase-env")
_TABLES = ("suite", "target", "identity", "expect")


class _Reading:
    """Reads one suite; errors name the file, the table and the key."""

    def __init__(self, path: str, known: frozenset[str] | None) -> None:
        self._path, self._known = path, known
        self._folder = os.path.dirname(path)

    def suite(self, tables: Table) -> Suite:
        """Read all tables."""
        self._only(tables, _TABLES, None)
        says = self._table(tables, "suite", "suite")
        self._only(says, _SUITE_KEYS, "suite")
        identities = {
            name: self._identity(name, self._inner(one, f"identity.{name}"))
            for name, one in self._table(tables, "identity", "identity").items()
        }
        targets = tuple(
            self._target(name, self._inner(one, f"target.{name}"), identities)
            for name, one in self._table(tables, "target", "target").items()
        )
        if not targets:
            only = next(iter(identities.values())) if len(identities) == 1 else NOBODY
            targets = (SuiteTarget("target", identity=only),)
        read = Suite(
            self._path,
            targets,
            self._variants(says),
            self._versions(says),
            self._seconds(says, "delay") or 0.0,
            self._seconds(says, "timeout"),
            expected=self._expected(self._table(tables, "expect", "expect")),
        )
        counts = {
            name: self._count(says, name, 0 if name == "seed" else 1) for name in ("jobs", "orders", "repeat", "seed")
        }
        return replace(read, **{name: count for name, count in counts.items() if count is not None})  # type: ignore[arg-type]

    def _variants(self, says: Table) -> tuple[str, ...] | None:
        names = self._texts(says, "variants", "suite")
        for name in names or ():
            self._variant(name, "suite", "variants")
        return names

    def _variant(self, name: str, table: str, key: str) -> None:
        if self._known is not None and name not in self._known:
            raise self._wrong(table, key, f"names the variant {name!r}, which there is not", _near(name, self._known))

    def _versions(self, says: Table) -> tuple[str, ...] | None:
        names = self._texts(says, "tls", "suite")
        return None if names is None else tuple(self._version(name, "suite", "tls") for name in names)

    def _version(self, said: str, table: str, key: str) -> str:
        try:
            return read_version(said)
        except ValueError as error:
            raise self._wrong(table, key, str(error)) from None

    def _identity(self, name: str, says: Table) -> IdentityFiles:
        table = f"identity.{name}"
        self._only(says, (*_FILES, *_PASSPHRASES), table)
        for key in ("passphrase", "ca-passphrase"):
            if says.get(key, "prompt") != "prompt":
                mend = f'say {key}-env = "NAME of a variable", or {key} = "prompt" to be asked'
                raise self._wrong(table, key, "is a secret, which has no place in a file", mend)
        files = {key.replace("-", "_"): self._file(says, key, table) for key in _FILES}
        for cert, key in (("cert", "key"), ("ca_cert", "ca_key")):
            if files[key] is not None and files[cert] is None:
                option = cert.replace("_", "-")
                raise self._wrong(table, key.replace("_", "-"), f"is a key without its certificate; add {option}")
        return IdentityFiles(
            name,
            **files,
            passphrase_env=self._text(says, "passphrase-env", table),
            ca_passphrase_env=self._text(says, "ca-passphrase-env", table),
        )

    def _target(self, name: str, says: Table, identities: Mapping[str, IdentityFiles]) -> SuiteTarget:
        table = f"target.{name}"
        self._only(says, _TARGET_KEYS, table)
        whose = self._text(says, "identity", table)
        if whose is not None and whose not in identities:
            mend = _near(whose, identities) or f"add a table [identity.{whose}]"
            raise self._wrong(table, "identity", f"names {whose!r}, which there is not", mend)
        identity = identities[whose] if whose is not None else NOBODY
        if whose is None and len(identities) == 1:
            identity = next(iter(identities.values()))
        hello = self._text(says, "from", table)
        return SuiteTarget(
            name,
            self._text(says, "address", table),
            identity,
            hello and self._hello(hello),
            self._text(says, "starttls", table),
            self._text(says, "sni", table),
            self._file(says, "baseline", table),
            self._text(says, "http", table),
        )

    def _hello(self, said: str) -> str:
        """Return where the ClientHello comes from, a file seen from the suite's folder; profiles have no folder."""
        there = os.path.join(self._folder, said)
        file = there if os.path.exists(there) else there.rpartition(":")[0]
        return there if file and os.path.exists(file) else said

    def _expected(self, says: Table) -> dict[tuple[str, str | None], Expectation]:
        found: dict[tuple[str, str | None], Expectation] = {}
        for key, value in says.items():
            if isinstance(value, dict):
                version = self._version(key, "expect", key)
                for variant, inner in value.items():
                    found[variant, version] = self._expectation(variant, inner, f'expect."{key}"')
            else:
                found[key, None] = self._expectation(key, value, "expect")
        return found

    def _expectation(self, variant: str, said: object, table: str) -> Expectation:
        self._variant(variant, table, variant)
        try:
            return expectation(said)
        except ValueError as error:
            raise self._wrong(table, variant, str(error)) from None

    def _only(self, says: Table, keys: Collection[str], table: str | None) -> None:
        for key in says:
            if key not in keys:
                what = "there is no such table" if table is None else "there is no such key"
                raise self._wrong(table, key, what, _near(key, keys) or "these are known: " + ", ".join(keys))

    def _table(self, tables: Table, key: str, name: str) -> Table:
        return self._inner(tables.get(key, {}), name)

    def _inner(self, value: object, name: str) -> Table:
        if not isinstance(value, dict):
            raise self._wrong(None, name, "is no table", f"write [{name}] on a line of its own and its keys below")
        return value

    def _text(self, says: Table, key: str, table: str) -> str | None:
        value = says.get(key)
        if value is not None and (not isinstance(value, str) or not value):
            raise self._wrong(table, key, "is no text", f'write {key} = "…"')
        return value

    def _texts(self, says: Table, key: str, table: str) -> tuple[str, ...] | None:
        value = says.get(key)
        if value is None:
            return None
        if not isinstance(value, list) or not value or not all(isinstance(one, str) for one in value):
            raise self._wrong(table, key, "is no list of texts", f'write {key} = ["…", "…"]')
        return tuple(dict.fromkeys(value))

    def _file(self, says: Table, key: str, table: str) -> str | None:
        value = self._text(says, key, table)
        return None if value is None else os.path.join(self._folder, value)

    def _seconds(self, says: Table, key: str) -> float | None:
        value = says.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
            raise self._wrong("suite", key, "is no number of seconds")
        return float(value)

    def _count(self, says: Table, key: str, least: int) -> int | None:
        value = says.get(key)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < least):
            raise self._wrong("suite", key, f"is no whole number from {least} on")
        return value

    def _wrong(self, table: str | None, key: str, what: str, mend: str | None = None) -> UsageError:
        where = self._path if table is None else f"{self._path}: [{table}]"
        return UsageError(f"{key}: {what}", where, mend)


def _near(name: str, known: Collection[str]) -> str | None:
    """Return "did you mean …?" where something similar is known."""
    near = difflib.get_close_matches(name, known, 1)
    return f"did you mean {near[0]!r}?" if near else None
