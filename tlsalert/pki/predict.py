"""What a device will answer to a client certificate, foretold from its firmware: by whom it trusts, and by its clock.

The trust store, the configuration and the TLS library lie in the image; what such a library answers to which fault
was measured (:mod:`tlsalert.diagnosis.knowledge`). All depends on the device's clock, so that the answer is a row of
spells: refused until notBefore, accepted until notAfter, refused from then on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Final, Literal, NamedTuple

from tlsalert.diagnosis.knowledge import Answer, Era, habit
from tlsalert.model import Certificate
from tlsalert.pki.clues import ClockStart, Clue, Library
from tlsalert.pki.found import Found, Use
from tlsalert.pki.signatures import signed_by

#: Options that name whom a server trusts.
TRUST: Final = frozenset(
    {"CAfile", "CApath", "ssl_client_certificate", "ssl_trusted_certificate", "ca-file"}
    | {"sslcacertificatefile", "sslcacertificatepath", "smtpd_tls_CAfile", "ssl_ca", "ssl_client_ca_file"}
)
#: Servers, and the library that each is linked with.
LINKED: Final = dict.fromkeys(("stunnel", "nginx", "apache", "haproxy", "postfix", "dovecot", "lighttpd"), "OpenSSL")
#: An issuer of an issuer, and so on.
LONGEST_CHAIN: Final = 16
#: Stacks that take a client's certificate whose usages are others, or that names only "any" of them.
ANY_USAGE: Final = frozenset({"gnutls", "mbedtls"})
ANY_IS_ENOUGH: Final = ANY_USAGE | {"wolfssl", "go", "go<=1.19"}

#: "not known": one is asked for, and nothing was found of whom the server trusts.
Outcome = Literal["accepted", "refused", "not asked", "not known"]
#: Why stunnel looks for the certificate itself: "chain" also wants its chain to be trusted.
Pinned = Literal["chain", "peer"]


@dataclass(frozen=True, slots=True)
class Spell:
    """What the answer is while the device's clock is in [begin, end): None is without an end.

    ``answers`` are alerts' numbers, "fin" or "rst" (closed without one) and "http400" (accepted, and refused in HTTP),
    the likeliest first; none where it is accepted.
    """

    begin: datetime | None
    end: datetime | None
    outcome: Outcome
    cause: str | None = None
    answers: tuple[Answer, ...] = ()

    def holds(self, time: datetime) -> bool:
        """Whether it holds at a time."""
        return (self.begin is None or self.begin <= time) and (self.end is None or time < self.end)


@dataclass(frozen=True, slots=True)
class Service:
    """One server in the image, and what it will answer.

    ``where`` is its configuration; None where there is none, and all that lies in the image is taken to be trusted.
    ``spells`` follow each other without gaps; ``without`` is the answer to a client that shows no certificate.
    """

    where: str | None
    program: str
    section: str
    address: str | None
    library: Library | None
    stack: str
    trusts: tuple[str, ...]
    spells: tuple[Spell, ...]
    without: Spell

    @property
    def name(self) -> str:
        """What to call it in a sentence."""
        service = self.section or (f"port {self.address}" if self.address else "")
        if not service:
            return self.program
        return f"{service} through {self.program}"

    def at(self, time: datetime) -> Spell:
        """Return the spell that holds at a time by the device's clock."""
        return next(spell for spell in self.spells if spell.holds(time))


@dataclass(frozen=True, slots=True)
class Prediction:
    """What is foretold for one certificate: ``keys`` and ``copies`` are the places of its key and of itself."""

    certificate: Certificate
    name: str
    keys: tuple[str, ...]
    copies: tuple[str, ...]
    libraries: tuple[Library, ...]
    clock_starts: tuple[ClockStart, ...]
    services: tuple[Service, ...]


def predict(client: Found, name: str, found: Sequence[Found], clues: Iterable[Clue]) -> Prediction:
    """Foretell what each server among ``found`` answers to a client certificate.

    ``client`` is the certificate, ``name`` what to call it, ``clues`` what the files beside the found things tell.
    """
    told = list(clues)
    libraries = tuple(clue for clue in told if isinstance(clue, Library))
    if client.certificate is None:
        raise ValueError(f"{name} is no certificate")
    keys = [one.where for one in found if one.kind == "private_key" and one.spki_sha256 == client.spki_sha256]
    copies = [one.where for one in found if one.kind == "certificate" and one.sha256 == client.sha256]
    return Prediction(
        client.certificate,
        name,
        tuple(dict.fromkeys(keys)),
        tuple(dict.fromkeys(copies)),
        libraries,
        tuple(clue for clue in told if isinstance(clue, ClockStart)),
        tuple(_services(client.certificate, found, libraries)),
    )


def _services(client: Certificate, found: Sequence[Found], libraries: Sequence[Library]) -> Iterator[Service]:
    """Yield the servers that the configurations describe; where there are none, what the libraries alone tell."""
    sections: dict[tuple[str, str, str, tuple[tuple[str, str], ...]], list[tuple[Use, Found]]] = {}
    for one in found:
        for use in one.used_by:
            sections.setdefault((use.where, use.program, use.section, use.settings), []).append((use, one))
    described = False
    for (where, program, section, settings), uses in sections.items():
        said = {name.lower(): value for name, value in settings}
        if said.get("client", "").lower() == "yes":  # stunnel as a client: it is not who answers
            continue
        described = True
        trusts = [one for use, one in uses if use.role in TRUST and one.certificate is not None]
        library = _nearest(where, LINKED.get(program, ""), libraries)
        address = said.get("accept") or said.get("listen") or said.get("bind")
        yield _service(client, (where, program, section, address), library, trusts, _policy(program, said))
    if not described and (known := [library for library in libraries if library.name in STACKS]):
        trusts = [one for one in found if one.kind == "certificate" and one.certificate is not None]
        yield _service(client, (None, known[0].name, "", None), known[0], trusts, _Policy(None, True, True))


def _service(
    client: Certificate,
    what: tuple[str | None, str, str, str | None],
    library: Library | None,
    trusts: Sequence[Found],
    policy: _Policy,
) -> Service:
    stack, era = _stack(what[1], library)
    roots = [one.certificate for one in trusts if one.certificate is not None]
    judge = _Judge(stack, era, roots, policy.pinned)
    if not policy.asks:
        spells: tuple[Spell, ...] = (Spell(None, None, "not asked"),)
    elif not roots:  # a trust store that is damaged, or lies elsewhere, is not an empty one
        spells = (Spell(None, None, "not known"),)
    else:
        spells = tuple(judge.spells(client))
    without = Spell(None, None, "accepted")
    if policy.requires:
        without = judge.refused(None, None, "no_client_certificate")
    places = tuple(dict.fromkeys(one.where for one in trusts))
    return Service(*what, library, stack, places, spells, without)


class _Policy(NamedTuple):
    """Whether the very certificate is looked for, whether one is asked for, and whether there must be one."""

    pinned: Pinned | None
    asks: bool
    requires: bool


def _policy(program: str, said: dict[str, str]) -> _Policy:
    """Return what a configuration demands; what it leaves open is as the program's manual says."""
    if program == "stunnel":
        level = int(said["verify"]) if said.get("verify", "").isdigit() else None
        # Level 0 asks and ignores, 1 looks at what is shown; verifyChain and verifyPeer imply requireCert (stunnel(8)).
        peer = level in (3, 4) or said.get("verifypeer") == "yes"
        chain = level in (1, 2, 3) or said.get("verifychain") == "yes"
        return _Policy(("chain" if chain else "peer") if peer else None, peer or chain, (peer or chain) and level != 1)
    option = {
        "nginx": "ssl_verify_client",
        "apache": "sslverifyclient",
        "haproxy": "verify",
        "postfix": "smtpd_tls_req_ccert",
        "dovecot": "ssl_request_client_cert",
    }.get(program)
    value = said.get(option or "", "").lower()
    requires = option is None or value in ("on", "yes", "require", "required")
    return _Policy(None, requires or value == "optional", requires)


#: Libraries whose answers were measured, and the families they are known by.
STACKS: Final = {
    "OpenSSL": "openssl>=1.1.1",
    "LibreSSL": "openssl<=1.0.2",  # forked from 1.0.1g
    "GnuTLS": "gnutls",
    "Mbed TLS": "mbedtls",
    "wolfSSL": "wolfssl",
    "NSS": "nss",
    "Botan": "botan",
    "Go": "go",
}


def _stack(program: str, library: Library | None) -> tuple[str, Era]:
    """Return which family answers, and in which version of TLS it speaks at best."""
    if library is None:
        return ("nginx" if program == "nginx" else "openssl>=1.1.1" if program in LINKED else "other"), "tls1.2"
    numbers = tuple(int(part) for part in library.version.rstrip("abcdefghijklmnopqrstuvwxyz").split(".")[:3])
    stack = STACKS.get(library.name, "other")
    era: Era = "tls1.2"
    if library.name == "OpenSSL":
        stack = "openssl<=1.0.2" if numbers < (1, 1) else stack
        era = "tls1.3" if numbers >= (1, 1, 1) else era
    elif library.name == "Go":
        stack = "go<=1.19" if numbers < (1, 20) else stack
        era = "tls1.3" if numbers >= (1, 13) else era
    elif (library.name, numbers) >= ("GnuTLS", (3, 6, 5)) and library.name == "GnuTLS":
        era = "tls1.3"
    return ("nginx" if program == "nginx" else stack), era


def _nearest(where: str, name: str, libraries: Sequence[Library]) -> Library | None:
    """Return the library that lies nearest to a configuration: in the same image, the same file system."""
    known = [library for library in libraries if library.name == name]
    own = [library for library in known if "libssl" in library.where] or known
    return max(own, key=lambda library: _shared(library.where, where), default=None)


def _shared(one: str, other: str) -> int:
    """Return how many characters two places have in common from the start."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


@dataclass(frozen=True, slots=True)
class _Judge:
    """Whom a server trusts, and how its stack says no."""

    stack: str
    era: Era
    roots: Sequence[Certificate]
    pinned: Pinned | None

    def spells(self, client: Certificate) -> Iterator[Spell]:
        """Yield the answers in the order of time. What is wrong at any time comes first, as OpenSSL checks it first."""
        always, chain = self._always(client)
        if always is not None:
            yield self.refused(None, None, always)
            return
        begins = [one.not_before for one in chain if one.not_before is not None]
        ends = [one.not_after for one in chain if one.not_after is not None]
        begin, end = max(begins, default=None), min(ends, default=None)
        if begin is not None:
            yield self.refused(None, begin, "certificate_not_yet_valid")
        if begin is None or end is None or begin < end:
            yield Spell(begin, end, "accepted")
        if end is not None:
            yield self.refused(max(begin, end) if begin else end, None, "certificate_expired")

    def refused(self, begin: datetime | None, end: datetime | None, cause: str) -> Spell:
        """Return a refusal with the alerts that the stack sends for its cause."""
        stack = "stunnel-pinned" if cause == "certificate_not_pinned" and self.pinned else self.stack
        answers = habit(stack, self.era, cause)
        outcome: Outcome = "accepted" if answers and answers[0] in ("accepted", "http400") else "refused"
        return Spell(begin, end, outcome, cause, tuple(answer for answer in answers if answer != "accepted"))

    def _always(self, client: Certificate) -> tuple[str | None, list[Certificate]]:
        """Return what is wrong with a certificate at any time, and else the chain whose dates count.

        How pinned certificates are taken was measured with OpenSSL 0.9.8 to 4.0 and stunnel 5.68 at each level.
        """
        exact = any(root.sha256 == client.sha256 for root in self.roots)
        old = self.stack == "openssl<=1.0.2"
        if exact and client.self_signed:
            signs = client.ca or not client.key_usage or "keyCertSign" in client.key_usage
            if old and not signs:
                return "unknown_ca", []  # OpenSSL up to 1.0.2: error 20, though the very certificate is trusted
            return ("wrong_certificate_usage" if not old and self._other_use(client) else None), [client]
        chain = self._chain(client)
        if chain is None:
            # stunnel's verifyPeer does not look at the chain, and then finds that the certificate is not its own.
            stranger = self.pinned == "peer" and not client.self_signed
            return "certificate_not_pinned" if stranger else "unknown_ca", []
        if self._other_use(client):
            return "wrong_certificate_usage", []
        return ("certificate_not_pinned" if self.pinned and not exact else None), chain

    def _other_use(self, client: Certificate) -> bool:
        usage = client.extended_key_usage
        if not usage or "clientAuth" in usage or self.stack in ANY_USAGE:
            return False
        return "anyExtendedKeyUsage" not in usage or self.stack not in ANY_IS_ENOUGH

    def _chain(self, client: Certificate) -> list[Certificate] | None:
        """Return the certificate and its issuers up to one that is trusted and signed itself; None where none is."""
        chain = [client]
        while len(chain) < LONGEST_CHAIN:
            last = chain[-1]
            if len(chain) > 1 and last.self_signed:
                return chain
            issuer = next(
                (
                    root
                    for root in self.roots
                    if root.subject == last.issuer and root.ca is not False and signed_by(last.der, root.der)
                ),
                None,
            )
            if issuer is None or issuer in chain:
                return None
            chain.append(issuer)
        return None


def changes(service: Service) -> Iterator[tuple[datetime, Spell, Spell]]:
    """Yield when the answer changes, by the device's clock, from what to what."""
    for before, after in pairwise(service.spells):
        if after.begin is not None:
            yield after.begin, before, after
