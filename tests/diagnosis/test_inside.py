"""What an HTTP answer inside TLS says about the client's certificate, and what is none of TLS's business."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.diagnosis.handshakes import ANSWER, DONE, EMPTY_ANSWER, FINISHED, FLIGHT, HELLO, NOW, judged, replace, spoken
from tlsalert.diagnosis.inside import cut_off, http_answer, refused_inside
from tlsalert.model import Alert, Closing, Connection, EncryptedRecord, Position
from tlsalert.registry.alerts import AlertDescription, AlertLevel

GET = b"GET / HTTP/1.1\r\nHost: bmc\r\n\r\n"
NONE_SENT = b"<title>400 No required SSL certificate was sent</title>"
CERTIFICATE_ERROR = b"<title>400 The SSL certificate error</title>"


def inside(said: bytes, *lines: str, asked: bytes = GET, **fields: object) -> Connection:
    """Return a connection that went well, and what was said inside it."""
    records = tuple(
        EncryptedRecord(23, side, Position(frame), NOW, 100, True)  # type: ignore[arg-type]
        for side, frame in (("client", 5), ("server", 6))
    )
    story = spoken(*(lines or DONE), "client spoke:1", "server spoke:1 fin")
    return replace(story, inside=(asked, said), encrypted_records=records, **fields)


def answer(status: str, body: bytes = b"", *headers: str) -> bytes:
    return "\r\n".join((f"HTTP/1.1 {status}", *headers, "", "")).encode() + body


IIS = "403 Forbidden"


@pytest.mark.parametrize(
    ("said", "causes"),
    [
        (answer("400 Bad Request", NONE_SENT), {"no_client_certificate"}),
        (answer(IIS, b"<h2>HTTP Error 403.7 - Forbidden</h2>"), {"no_client_certificate"}),
        (answer(IIS, b"<h2>HTTP Error 403.13 - Forbidden</h2>"), {"certificate_revoked"}),
        (answer(IIS, b"<h2>HTTP Error 403.16 - Forbidden</h2>"), {"unknown_ca"}),
        (answer(IIS, b"<h2>403.17 - Forbidden</h2>"), {"certificate_expired", "certificate_not_yet_valid"}),
        (answer(IIS, b"<p>Reason: Cannot perform Post-Handshake Authentication."), {"no_client_certificate"}),
        (answer("401 Unauthorized", b'{"message":"No required TLS certificate was sent"}'), {"no_client_certificate"}),
        (answer("401 ", b"<u>No client certificate chain in this request</u>"), {"no_client_certificate"}),
    ],
    ids=["nginx 496", "403.7", "403.13", "403.16", "403.17", "mod_ssl", "kong", "tomcat"],
)
def test_pages_that_refuse_for_the_certificates_sake(said: bytes, causes: set[str]) -> None:
    verdict = judged(inside(said))
    assert (verdict.outcome, verdict.refused_by) == ("failed", "server")
    assert verdict.cause in causes
    assert verdict.summary.startswith("The handshake succeeded, and inside it the server refused")
    assert any(e.says.startswith("inside TLS the server answers 'HTTP/1.1 4") for e in verdict.evidence)


def test_a_page_that_says_no_more_leaves_it_to_the_chain_and_the_clock() -> None:
    verdict = judged(inside(answer("400 Bad Request", CERTIFICATE_ERROR)))
    assert verdict.outcome == "failed"
    assert verdict.cause == "unknown_ca"
    assert verdict.confidence < 0.9
    assert any("nginx lets every handshake finish" in e.says for e in verdict.evidence)


def test_where_the_client_sent_none_the_frames_say_so() -> None:
    verdict = judged(inside(answer("400 Bad Request", NONE_SENT), HELLO, FLIGHT, EMPTY_ANSWER, FINISHED))
    assert "the client's Certificate message is empty" in [e.says for e in verdict.evidence]
    assert (verdict.cause, verdict.at_fault, verdict.confidence) == ("no_client_certificate", "client", 0.97)


def test_a_server_that_never_asked_wants_it_for_another_name() -> None:
    answered = "client client_key_exchange change_cipher_spec encrypted_handshake"
    bare = ("client client_hello", "server server_hello certificate server_hello_done", answered, FINISHED)
    (advice,) = judged(inside(answer("400 Bad Request", NONE_SENT), *bare)).advice
    assert advice.startswith("The server did not ask for a certificate in this handshake.")


@pytest.mark.parametrize(
    "said",
    [
        answer("200 OK", CERTIFICATE_ERROR),
        answer("400 Bad Request", b"<title>400 Bad Request</title>"),
        answer("403 Forbidden", b"<h1>403 Forbidden</h1>\nRequest forbidden by administrative rules."),
        answer("404 Not Found", NONE_SENT),
        answer("500 Internal Server Error"),
        b"220 smtp ready\r\n",
        b"",
    ],
)
def test_other_answers_are_the_applications_business(said: bytes) -> None:
    assert refused_inside(inside(said)) is None
    assert judged(inside(said)).outcome == "established"


def test_their_status_is_told() -> None:
    (evidence, *_) = judged(inside(answer("404 Not Found", b"", "Content-Length: 0"))).evidence
    assert evidence.says == (
        "inside TLS the server answers 'HTTP/1.1 404 Not Found': "
        "that is the application's answer, and no refusal of TLS"
    )
    assert evidence.position == Position(6)


def test_who_was_asked_for_a_certificate_and_is_forbidden_may_look_there() -> None:
    said = answer("403 Forbidden", b"", "Content-Length: 0")
    verdict = judged(inside(said, HELLO, FLIGHT, EMPTY_ANSWER, FINISHED))
    assert verdict.outcome == "established"
    assert verdict.evidence[0].says.endswith("it had asked for a client certificate and got none")


UNAUTHORIZED = answer("401 Unauthorized", b"", "Content-Length: 0")


def test_a_certificate_that_logs_nobody_in() -> None:
    """OpenBMC takes any certificate in the handshake; who shows nothing else was refused for its sake."""
    verdict = judged(inside(UNAUTHORIZED))
    assert verdict.outcome == "failed"
    assert {"unknown_ca", "access_denied"} <= {verdict.cause, *(other.cause for other in verdict.alternatives)}
    assert verdict.confidence < 0.6


@pytest.mark.parametrize(
    "asked",
    [
        GET[:-2] + b"Authorization: Basic cm9vdDowcGVuQm1j\r\n\r\n",
        GET[:-2] + b"cookie: SESSION=1\r\n\r\n",
        GET[:-2] + b"X-Auth-Token: 1\r\n\r\n",
        b"",
    ],
)
def test_who_tried_to_log_in_otherwise_was_refused_for_that(asked: bytes) -> None:
    assert judged(inside(UNAUTHORIZED, asked=asked)).outcome == "established"


def test_who_sent_no_certificate_was_not_refused_for_it() -> None:
    assert judged(inside(UNAUTHORIZED, HELLO, FLIGHT, EMPTY_ANSWER, FINISHED)).outcome == "established"


def test_interim_answers_are_passed_over() -> None:
    said = answer("100 Continue") + answer("400 Bad Request", NONE_SENT)
    found = http_answer(inside(said))
    assert found is not None
    assert (found.status, found.none_sent) == (400, True)


def test_http_2_says_400_by_its_static_table() -> None:
    """RFC 9113 §4.1: SETTINGS, HEADERS with ":status: 400" (RFC 7541, index 12), DATA."""

    def frame(kind: int, content: bytes, flags: int = 4) -> bytes:
        return len(content).to_bytes(3, "big") + bytes((kind, flags)) + b"\0\0\0\1" + content

    said = frame(4, bytes(6)) + frame(1, b"\x20\x8c\x0f\x0d\x023") + frame(0, NONE_SENT)
    assert judged(inside(said, alpn="h2")).cause == "no_client_certificate"
    assert judged(inside(said.replace(b"\x8c", b"\x88"), alpn="h2")).outcome == "established"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (answer("200 OK", b"half a page"), True),
        (answer("200 OK", b"page", "Content-Length: 4"), False),
        (answer("200 OK", b"4\r\npage\r\n0\r\n\r\n", "Transfer-Encoding: chunked"), False),
        (answer("204 No Content"), False),
        (b"some other protocol", False),
    ],
)
def test_a_close_without_close_notify_is_told_where_the_answer_ends_with_it(said: bytes, told: bool) -> None:
    """RFC 8446 §6.1, RFC 9112 §9.8."""
    assert (cut_off(inside(said)) is not None) is told


def test_with_close_notify_or_while_open_nothing_is_cut_off() -> None:
    said = answer("200 OK", b"page")
    leave = Alert(AlertLevel.warning, AlertDescription.close_notify, "server", Position(9), NOW, True, True)
    assert cut_off(inside(said, alerts=(leave,))) is None
    assert cut_off(inside(said, closed=Closing())) is None


def test_a_fatal_alert_after_an_answer_is_no_refusal() -> None:
    late = Alert(AlertLevel.fatal, AlertDescription.decode_error, "server", Position(9), NOW, True, True)
    verdict = judged(inside(answer("200 OK", b"", "Content-Length: 0"), alerts=(late,)))
    assert verdict.outcome == "established"
    assert verdict.summary.endswith("decode_error(50) of the server came after it and is no verdict on it.")
    assert verdict.evidence[-1].position == Position(9)


@given(said=st.binary(max_size=300), asked=st.binary(max_size=60), h2=st.booleans())
def test_any_bytes_are_read(said: bytes, asked: bytes, h2: bool) -> None:
    connection = inside(said, HELLO, FLIGHT, ANSWER, FINISHED, asked=asked, alpn="h2" if h2 else None)
    found = refused_inside(connection)
    assert found is None or found.phrase
