"""What a variant is: a named recipe for one certificate with one thing changed, and what the RFCs have to say to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from tlsalert.pki.material import Material
from tlsalert.pki.presentation import Presentation
from tlsalert.pki.workshop import Workshop


class Need(StrEnum):
    """What a recipe cannot do without. A CA's key stands in for the certificate and its key: it issues a new one."""

    CERTIFICATE = "the good certificate (--cert)"
    KEY = "the good certificate's key (--key)"
    CA_KEY = "the CA's key (--ca-key)"


Recipe = Callable[[Workshop], Presentation]


@dataclass(frozen=True, slots=True)
class Variant:
    """One variant. ``why`` says in one line what is shown and what a device's answer tells.

    ``old`` and ``new`` are the alerts that RFC 5246 §7.2.2 and RFC 8446 §6.2 call for, None where it is to be accepted.
    ``server_must_know`` says what the device must be given first for the answer to mean anything, None for nothing.
    """

    name: str
    why: str
    needs: frozenset[Need]
    recipe: Recipe
    old: str | None = None
    new: str | None = None
    server_must_know: str | None = None

    @property
    def calls_for(self) -> dict[str, str | None]:
        """The alert that the RFC calls for, by version."""
        return {"TLS 1.2": self.old, "TLS 1.3": self.new}

    def expected(self, tls_version: str) -> str | None:
        """Return the alert that is called for in a version; those before TLS 1.2 are held to its words."""
        return self.new if tls_version == "TLS 1.3" else self.old

    def missing(self, material: Material) -> str | None:
        """Return what would be needed and is not there, in words; None where nothing is missing."""
        lacking = [need for need in Need if need in self.needs and not _has(material, need)]
        return f"needs {' and '.join(lacking)}" if lacking else None

    def make(self, material: Material) -> Presentation:
        """Make it afresh. Raises :class:`~tlsalert.pki.workshop.CannotMakeError` where something is missing."""
        return self.recipe(Workshop(material))


#: An alert: one for both RFCs, or one for each; None: accepted.
Alerts = str | tuple[str | None, str | None] | None


def variant(
    name: str, why: str, recipe: Recipe, alert: Alerts = None, *needs: Need, must_know: str | None = None
) -> Variant:
    """Return a variant, as the tables of recipes write them."""
    old, new = alert if isinstance(alert, tuple) else (alert, alert)
    return Variant(name, why, frozenset(needs), recipe, old, new, must_know)


def _has(material: Material, need: Need) -> bool:
    if material.ca is not None:
        return True
    if need is Need.CERTIFICATE:
        return material.certificate is not None
    return need is Need.KEY and material.key is not None
