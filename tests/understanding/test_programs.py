"""Who printed a line."""

import pytest

from tlsalert.understanding.programs import program_of


@pytest.mark.parametrize(
    ("line", "program"),
    [
        ("curl: (35) schannel: next InitializeSecurityContext failed", "curl"),
        ("javax.net.ssl.SSLHandshakeException: x", "Java"),
        ("ssl.SSLError: [SSL: X] x (_ssl.c:1)", "Python"),
        ("code: 'ERR_SSL_NO_SHARED_CIPHER'", "Node.js"),
        ("net::ERR_SSL_PROTOCOL_ERROR", "Chromium"),
        ("2021.06.17 08:50:29 LOG3[0]: SSL_accept: x", "stunnel"),
        ("hello", None),
    ],
)
def test_a_line_shows_who_printed_it(line: str, program: str | None) -> None:
    assert program_of(line.lower()) == program
