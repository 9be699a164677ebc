"""The Date of an HTTP response is its machine's clock, unless another machine may have made it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire import tls
from tests.wire.reading import Talk
from tlsalert.wire.http_date import read_date, response_date

#: 1994-11-06 08:49:37 UTC, RFC 9110 §5.6.7's own example.
EXAMPLE = 784_111_777
DATE = b"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"Sun, 06 Nov 1994 08:49:37 GMT", id="IMF-fixdate"),
        pytest.param(b"Sunday, 06-Nov-94 08:49:37 GMT", id="rfc850-date"),
        pytest.param(b"Sun Nov  6 08:49:37 1994", id="asctime-date"),
    ],
)
def test_all_three_forms_of_a_date_are_read(text: bytes) -> None:
    assert read_date(text) == EXAMPLE


@pytest.mark.parametrize(
    "text",
    [
        *(b"", b"0", b"Sun, 06 Nov 1994", b"Sun, 06 Abc 1994 08:49:37 GMT", b"Sun, 32 Nov 1994 08:49:37 GMT"),
        *(b"Sun, 06 Nov 1994 24:49:37 GMT", b"Sun, 06 Nov 1994 08:49 GMT", b"Sun, 06 Nov 1066 08:49:37 GMT"),
        b"Sun, 06 Nov 99999 08:49:37 GMT",
    ],
)
def test_what_is_no_date_has_none(text: bytes) -> None:
    assert read_date(text) == -1


@given(st.binary(max_size=200))
def test_any_bytes_are_a_date_or_none(text: bytes) -> None:
    assert -1 <= read_date(text) < 1 << 33
    assert -1 <= response_date(b"HTTP/1.1 200 OK\r\nDate:" + text) < 1 << 33


def test_the_head_of_a_response_shows_it_whatever_its_spelling() -> None:
    assert (
        response_date(b"HTTP/1.1 400 Bad Request\r\nServer: x\r\ndAtE:Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n") == EXAMPLE
    )


def test_a_body_has_no_date() -> None:
    assert response_date(b"HTTP/1.0 200 OK\r\n\r\n" + DATE) == -1


@pytest.mark.parametrize("header", [b"Age: 7", b"Via: 1.1 cache", b"X-Cache: HIT"])
def test_what_a_cache_or_a_proxy_hands_on_is_not_its_clock(header: bytes) -> None:
    assert response_date(b"HTTP/1.1 200 OK\r\n" + DATE + header + b"\r\n\r\n") == -1


def test_what_the_test_server_of_nss_always_says_is_no_date() -> None:
    assert response_date(b"HTTP/1.0 200 OK\r\nDate: Tue, 26 Aug 1997 22:10:05 GMT\r\n\r\n") == -1


def test_a_request_is_no_response() -> None:
    assert response_date(b"GET / HTTP/1.1\r\n" + DATE + b"\r\n") == -1


# --- in a stream ----------------------------------------------------------------------------------------------------

HEAD = b"HTTP/1.1 200 OK\r\nServer: bmc\r\n" + DATE + b"\r\n"


def answered(talk: Talk) -> tuple[int, int] | None:
    answer = talk.end().transcript.answer
    return None if answer is None else (int(answer.date), int(answer.frame))


def test_a_plain_stream_shows_it_with_the_frame_that_began_the_response() -> None:
    assert answered(Talk().client(b"GET / HTTP/1.1\r\n\r\n").server(HEAD)) == (EXAMPLE, 2)


@pytest.mark.parametrize("cut", range(17, len(HEAD)))
def test_a_head_in_two_packets_is_one_head(cut: int) -> None:
    assert answered(Talk().server(HEAD[:cut], HEAD[cut:])) == (EXAMPLE, 1)


def test_the_answer_of_a_plain_server_to_a_tls_hello_shows_it() -> None:
    talk = Talk().client(tls.said(tls.message(1, tls.client_hello())))
    assert answered(talk.server(HEAD)) == (EXAMPLE, 2)


def test_a_head_without_an_end_is_given_up_after_a_kilobyte() -> None:
    talk = Talk().server(b"HTTP/1.1 200 OK\r\n" + b"X: " + bytes(2000), DATE + b"\r\n\r\n")
    answer = talk.transcript.answer
    assert answer is not None
    assert (answer.head, int(answer.date)) == (None, -1)


def test_other_talk_has_no_answer() -> None:
    assert answered(Talk().client(b"EHLO x\r\n").server(b"Hello there, how are you today?\r\n")) is None
