"""What a client shows when it is asked for a certificate: any bytes, and any proof of the key, right or wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa

PrivateKey = (
    rsa.RSAPrivateKey
    | ec.EllipticCurvePrivateKey
    | ed25519.Ed25519PrivateKey
    | ed448.Ed448PrivateKey
    | dsa.DSAPrivateKey
)

#: How the CertificateVerify (RFC 8446 §4.4.3, RFC 5246 §7.4.8) is made: as it should be; not sent; its signature with
#: a byte changed; under a scheme that the server did not offer.
Proof = Literal["right", "omitted", "broken_signature", "unoffered_scheme"]


@dataclass(frozen=True, slots=True)
class Presentation:
    """The Certificate message and the proof that follows it.

    ``certificates`` are the bytes of each entry, leaf first (DER where they are sound); none of them is an empty list.
    ``message`` False sends no Certificate message at all. ``raw`` replaces the whole body of the Certificate message
    (for lengths that do not add up). ``key`` signs the CertificateVerify, which fits the certificate or not; without
    one none is sent. ``finished`` "broken" sends a Finished with a byte changed. ``crls`` are not sent: the device must
    have them (DER, RFC 5280 §5), or it has nothing to refuse.
    """

    certificates: tuple[bytes, ...] = ()
    key: PrivateKey | None = None
    proof: Proof = "right"
    message: bool = True
    raw: bytes | None = None
    finished: Literal["right", "broken"] = "right"
    crls: tuple[bytes, ...] = ()

    def __repr__(self) -> str:  # the key stays out of logs and tracebacks
        sizes = ", ".join(str(len(one)) for one in self.certificates)
        return f"Presentation(certificates of [{sizes}] bytes, proof {self.proof})"
