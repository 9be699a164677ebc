"""Devices to hold the diagnosis against: the measured servers, and certificates as facts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from msgspec import structs

from tlsalert.diagnosis.device_causes import Facts
from tlsalert.diagnosis.resemblance import Candidate, candidates
from tlsalert.diagnosis.tried import Tried
from tlsalert.model import Certificate

NOW = datetime(2021, 6, 17, 8, 51, tzinfo=UTC)
BEGINS, ENDS = datetime(2016, 5, 19, tzinfo=UTC), datetime(2026, 5, 17, tzinfo=UTC)
CA = "CN=Client CA,O=Example"
LEAF = Certificate(
    der=b"leaf", sha256="00", subject="CN=IPMI", issuer=CA, key="RSA 2048",
    signature_algorithm="sha256WithRSAEncryption",
    not_before=BEGINS, not_after=ENDS, self_signed=False, ca=False, version=3,
)  # fmt: skip
ROOT = structs.replace(
    LEAF, der=b"root", subject=CA, self_signed=True, ca=True,
    not_before=datetime(2010, 1, 1, tzinfo=UTC), not_after=datetime(2040, 1, 1, tzinfo=UTC),
)  # fmt: skip
#: A certificate that is right at NOW.
FACTS = Facts((LEAF,), NOW)


def rows(answers: Mapping[str, str], version: str = "TLS 1.2") -> list[Tried]:
    """Return one trial for each variant."""
    return [Tried(variant, version, answer) for variant, answer in answers.items()]


def measured(server: str, setup: str = "trust store") -> Candidate:
    """Return the measured answers of a server."""
    return next(one for one in candidates() if (one.server, one.setup) == (server, setup))


def replayed(server: str, versions: Iterable[str] = ("TLS 1.2",), **changed: str) -> list[Tried]:
    """Return trials that a server answers as it did when it was measured, some ``changed``."""
    known = measured(server)
    return [one for version in versions for one in rows({**known.answers[version], **changed}, version)]
