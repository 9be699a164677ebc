"""The short tables name what their sources list, and leave other numbers readable."""

from __future__ import annotations

import pytest

from tlsalert.registry import parameters


@pytest.mark.parametrize(
    ("table", "code", "name"),
    [
        pytest.param(parameters.CURVE_TYPES, 3, "named_curve", id="RFC 8422 §5.4"),
        pytest.param(parameters.PSK_MODES, 1, "psk_dhe_ke", id="RFC 8446 §4.2.9"),
        pytest.param(parameters.HPKE_KDFS, 1, "HKDF-SHA256", id="RFC 9180 §7.2"),
        pytest.param(parameters.OCSP_STATUSES, 3, "try_later", id="RFC 6960 §4.2.1"),
        pytest.param(parameters.OCSP_STATUSES, 4, "unlisted(4)", id="RFC 6960: 4 is not used"),
        pytest.param(parameters.REVOCATION_REASONS, 7, "unlisted(7)", id="RFC 5280 §5.3.1: 7 is not used"),
        pytest.param(parameters.SRTP_PROFILES, 7, "SRTP_AEAD_AES_128_GCM", id="RFC 7714 §14.2"),
        pytest.param(parameters.QUIC_PARAMETERS, 0x0F, "initial_source_connection_id", id="RFC 9000 §18.2"),
    ],
)
def test_a_number_is_named(table: dict[int, str], code: int, name: str) -> None:
    assert parameters.listed(table, code) == name


def test_integers_among_quics_parameters_are_some_of_them() -> None:
    assert parameters.QUIC_PARAMETERS.keys() > parameters.QUIC_INTEGERS
    assert "preferred_address" not in {parameters.QUIC_PARAMETERS[code] for code in parameters.QUIC_INTEGERS}
