"""The one place where the replay's parts meet."""

from __future__ import annotations

from collections.abc import Mapping

from tlsalert.errors import ReplayError
from tlsalert.replay.bench import Asked, AskPassphrase, Bench, VariantFacts
from tlsalert.replay.words import PHRASES


def catalogue() -> Mapping[str, VariantFacts]:
    """Return all variants by name, in the order of results."""
    return {name: VariantFacts(name, words) for name, words in PHRASES.items()}


def open_bench(asked: Asked, ask: AskPassphrase) -> Bench:
    """Make everything ready."""
    raise ReplayError("no client is there", asked.address)
