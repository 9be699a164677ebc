"""How a connection ended, and who ended it: the place of an alert comes before its number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.diagnosis.handshakes import (
    ANSWER,
    ANSWER_13,
    BARE_ANSWER,
    DONE,
    EMPTY_ANSWER,
    EMPTY_ANSWER_13,
    FINISHED,
    FLIGHT,
    FLIGHT_WITHOUT_REQUEST,
    HELLO,
    HELLO_13,
    MILLISECOND,
    NOW,
    TICKETS_13,
    replace,
    spoken,
    spoken_13,
)
from tlsalert.diagnosis.ending import (
    Ending,
    alert_lost,
    certificate_sent,
    client_flight,
    ended,
    ending,
    established,
    refuses,
    spoke_plainly,
)
from tlsalert.model import Closing, Connection, Position, Testimony

LONE_FINISHED = "client change_cipher_spec record:69"
FAREWELL_13 = "client change_cipher_spec record:69 record:100"  # Finished, then a request


def told(end: Ending) -> tuple[object, ...]:
    """Return outcome, who ended it, how, what it had seen of the other side, and the alert's number."""
    return end.outcome, end.sender, end.how, end.stage, end.alert.code if end.alert else None


# --- who refused, by the place of the alert -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("story", "ends"),
    [
        pytest.param((HELLO, "server alert:40 fin"), ("server", "alert", "client_hello", 40), id="a ClientHello"),
        pytest.param((HELLO, FLIGHT, "client alert:42 fin"), ("client", "alert", "server_flight", 42),
                     id="the server's certificate"),
        pytest.param((HELLO, "server server_hello", "client alert:70 fin"), ("client", "alert", "server_hello", 70),
                     id="a ServerHello"),
        pytest.param((HELLO, FLIGHT, ANSWER, "server alert:42 fin"), ("server", "alert", "client_flight", 42),
                     id="the client's certificate"),
        pytest.param((HELLO, FLIGHT, EMPTY_ANSWER, "server alert:40 fin"), ("server", "alert", "client_flight", 40),
                     id="no certificate"),
        pytest.param((HELLO, "client alert:80 fin"), ("client", "alert", "nothing", 80), id="nothing yet"),
        pytest.param(("server alert:42 fin",), ("server", "alert", "nothing", 42), id="what was not captured"),
    ],
)  # fmt: skip
def test_who_sent_the_alert_refused_what_it_had_last_seen(
    story: tuple[str, ...], ends: tuple[str, str, str, int]
) -> None:
    assert told(ending(spoken(*story))) == ("failed", *ends)


@pytest.mark.parametrize(
    ("story", "ends"),
    [
        pytest.param((HELLO, "server alert:40 fin"), ("server", "client_hello", 40), id="in clear"),
        pytest.param((HELLO, "server hello_retry_request", HELLO, "server alert:40 fin"),
                     ("server", "client_hello", 40), id="a second ClientHello"),
        pytest.param((HELLO, HELLO_13, "client alert:48 fin"), ("client", "server_flight", 48), id="client, in clear"),
        pytest.param((HELLO, HELLO_13, "client hidden:fatal fin"), ("client", "server_flight", None),
                     id="client, hidden"),
        pytest.param((HELLO, HELLO_13, EMPTY_ANSWER_13, "server hidden:fatal fin"), ("server", "client_flight", None),
                     id="server, hidden"),
    ],
)  # fmt: skip
def test_in_tls_1_3_as_well(story: tuple[str, ...], ends: tuple[str, str, int | None]) -> None:
    sender, stage, code = ends
    assert told(ending(spoken_13(*story))) == ("failed", sender, "alert", stage, code)


def test_the_first_fatal_alert_decides() -> None:
    """gnutls-serv says access_denied and then bad_certificate."""
    end = ending(spoken(HELLO, FLIGHT, ANSWER, "server alert:49", "server alert:42 fin"))
    assert (end.alert is not None and end.alert.code, end.position) == (49, Position(frame=4))


@pytest.mark.parametrize("words", [("hidden:fatal hidden:fatal fin",), ("hidden:fatal", "server hidden:fatal fin")])
def test_two_alerts_that_nobody_can_read_are_no_answer(words: tuple[str, ...]) -> None:
    """The same of gnutls-serv in TLS 1.3: neither of the two, in one packet or in two, says that it went well."""
    end = ending(spoken_13(HELLO, HELLO_13, ANSWER_13, f"server {words[0]}", *words[1:]))
    assert told(end) == ("failed", "server", "alert", "client_flight", None)


def test_the_refusal_decides_not_who_closed_first() -> None:
    end = ending(spoken(HELLO, FLIGHT, ANSWER, "server alert:42", "client fin"))
    assert told(end) == ("failed", "server", "alert", "client_flight", 42)


# --- warnings -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [112, 41, 90, 100, 42])
def test_a_warning_does_not_end_a_handshake_that_goes_on(code: int) -> None:
    """RFC 5246 §7.2: the connection can continue. RFC 6066 §3 foresees it for unrecognized_name."""
    story = spoken(HELLO, f"server warning:{code} server_hello certificate server_hello_done", BARE_ANSWER, FINISHED)
    assert ending(story).outcome == "established"


def test_an_answer_without_certificate_is_a_warning_in_sslv3() -> None:
    """RFC 6101 §5.6.6: no_certificate, from the client."""
    flight = "client warning:41 client_key_exchange change_cipher_spec encrypted_handshake"
    story = spoken(HELLO, FLIGHT, flight, "server alert:40 fin", version="SSLv3")
    assert certificate_sent(story) is False
    assert told(ending(story)) == ("failed", "server", "alert", "client_flight", 40)


@pytest.mark.parametrize("code", [42, 43, 44, 45, 46, 49])
def test_a_warning_about_a_certificate_and_then_a_close_is_a_refusal(code: int) -> None:
    """RFC 5246 §7.2.2 leaves it to the sender whether these are fatal; one that closes has decided."""
    end = ending(spoken(HELLO, FLIGHT, ANSWER, f"server warning:{code} fin"))
    assert told(end) == ("failed", "server", "alert", "client_flight", code)


@pytest.mark.parametrize("code", [42, 48, 116])
def test_tls_1_3_has_no_warnings_but_two(code: int) -> None:
    """RFC 8446 §6.2: whatever the level says."""
    end = ending(spoken_13(HELLO, HELLO_13, f"client warning:{code} fin"))
    assert told(end) == ("failed", "client", "alert", "server_flight", code)


@pytest.mark.parametrize("version", ["TLS 1.2", "TLS 1.3"])
def test_close_notify_refuses_nothing_whatever_its_level(version: str) -> None:
    """RFC 8446 §6.1."""
    story = spoken(HELLO, FLIGHT, ANSWER, "server alert:0", version=version)
    assert not any(refuses(story, alert) for alert in story.alerts)
    assert ending(story).outcome == "incomplete"


# --- after the handshake --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("last", ["server alert:42 fin", "client alert:48 rst", "server hidden:close_notify fin"])
def test_an_alert_after_an_established_connection_is_no_verdict_on_it(last: str) -> None:
    end = ending(spoken(*DONE, "client spoke:3", "server spoke:3", last))
    assert (end.outcome, end.alert) == ("established", None)


def test_an_encrypted_fatal_alert_in_a_renegotiation_is_one() -> None:
    """RFC 5246 §7.4.1.1: another handshake inside the connection."""
    renegotiation = ("server encrypted_handshake", "client encrypted_handshake", "server hidden:fatal fin")
    end = ending(spoken(*DONE, "client spoke:3", *renegotiation))
    assert told(end) == ("failed", "server", "alert", "renegotiation", None)


# --- closes without an alert ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["fin", "rst"])
@pytest.mark.parametrize(
    ("before", "sender", "stage"),
    [
        ((HELLO,), "server", "client_hello"),
        ((HELLO,), "client", "nothing"),
        ((HELLO, FLIGHT), "client", "server_flight"),
        ((HELLO, FLIGHT, ANSWER), "server", "client_flight"),
        ((HELLO, FLIGHT_WITHOUT_REQUEST, BARE_ANSWER), "server", "client_flight"),
    ],
)
def test_who_closes_first_without_an_alert_ended_it(before: tuple[str, ...], sender: str, stage: str, how: str) -> None:
    other = "client" if sender == "server" else "server"
    end = ending(spoken(*before, f"{sender} {how}", f"{other} fin"))
    assert told(end) == ("failed", sender, how, stage, None)
    assert end.position == Position(frame=len(before) + 1)


@pytest.mark.parametrize("last", ["hidden:fatal", "warning:0"])
def test_what_the_peer_says_to_a_close_refuses_nothing(last: str) -> None:
    """Node closes without an alert, and the client, which has not read anything, takes leave by its own."""
    end = ending(spoken(HELLO, FLIGHT, ANSWER, "server fin", f"client {last} fin"))
    assert told(end) == ("failed", "server", "fin", "client_flight", None)


def test_a_refusal_in_clear_counts_even_where_the_peer_has_closed_before_it() -> None:
    """A client that has nothing more to say may close its half at once, and still be refused for what it said."""
    end = ending(spoken(HELLO, FLIGHT, ANSWER + " fin", "server alert:42 fin"))
    assert told(end) == ("failed", "server", "alert", "client_flight", 42)


@pytest.mark.parametrize("how", ["fin", "rst"])
def test_a_close_after_the_handshake_is_none_of_its_business(how: str) -> None:
    end = ending(spoken(*DONE, "client spoke:1", "server spoke:1", f"server {how}"))
    assert told(end) == ("established", "server", how, "complete", None)


# --- established ----------------------------------------------------------------------------------------------------

SERVER_FIRST = "server server_hello change_cipher_spec encrypted_handshake"


@pytest.mark.parametrize(
    ("story", "done"),
    [
        pytest.param(DONE, True, id="full handshake"),
        pytest.param((HELLO, FLIGHT, ANSWER), False, id="the server has not finished"),
        pytest.param((HELLO, FLIGHT, ANSWER, "server new_session_ticket change_cipher_spec"), False, id="half of it"),
        pytest.param((HELLO, SERVER_FIRST, "client change_cipher_spec encrypted_handshake"), True, id="resumed"),
        pytest.param((HELLO, SERVER_FIRST), False, id="resumed, the client has not finished"),
        pytest.param((HELLO, FLIGHT, "client change_cipher_spec finished", "server change_cipher_spec finished"), True,
                     id="Finished in clear: a NULL cipher"),
        pytest.param(("client spoke:3", "server spoke:4"), True, id="in the middle of a connection"),
    ],
)  # fmt: skip
def test_up_to_tls_1_2_both_sides_must_have_finished(story: tuple[str, ...], done: bool) -> None:
    """RFC 5246 §7.4.9."""
    assert established(spoken(*story)) is done


@pytest.mark.parametrize(
    ("story", "done"),
    [
        pytest.param((HELLO, HELLO_13, ANSWER_13, TICKETS_13), True, id="tickets"),
        pytest.param((HELLO, HELLO_13, ANSWER_13, "server record:4000"), True, id="data of the server"),
        pytest.param((HELLO, HELLO_13, ANSWER_13), False, id="the client has finished, the server is silent"),
        pytest.param((HELLO, HELLO_13, ANSWER_13, "server fin"), False, id="the server closes"),
        pytest.param((HELLO, HELLO_13, ANSWER_13, "server hidden:fatal fin"), False, id="the server refuses"),
        pytest.param((HELLO, HELLO_13), False, id="the server's flight"),
        pytest.param((HELLO, "client record:500", HELLO_13, "client record:69"), False, id="0-RTT data come before it"),
        pytest.param(
            (HELLO, HELLO_13, FAREWELL_13, "client hidden:close_notify fin"), True, id="the client takes leave"
        ),
        pytest.param((HELLO, HELLO_13, LONE_FINISHED, "client rst"), True, id="the client has finished and leaves"),
        pytest.param((HELLO, HELLO_13, LONE_FINISHED, "server fin"), False, id="the server leaves"),
        pytest.param((HELLO, HELLO_13, FAREWELL_13, "client rst"), False, id="it waits no longer for an answer"),
        pytest.param((HELLO, HELLO_13, ANSWER_13, "client rst"), False, id="its certificate is not judged yet"),
        pytest.param((HELLO, HELLO_13, ANSWER_13, TICKETS_13, "server hidden:close_notify fin"), True, id="both do"),
        pytest.param((HELLO, HELLO_13, ANSWER_13, TICKETS_13 + " hidden:close_notify fin"), True, id="in one packet"),
    ],
)
def test_in_tls_1_3_the_server_must_have_spoken_after_the_client_finished(story: tuple[str, ...], done: bool) -> None:
    """RFC 8446 §2: the client finishes first; only what the server then says shows that it agreed."""
    assert established(spoken_13(*story)) is done


# --- what the lengths of TLS 1.3's records tell ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("suite", "lengths", "sent"),
    [
        pytest.param("TLS_AES_256_GCM_SHA384", (25, 69), False, id="empty: 8 bytes, type and tag make 25"),
        pytest.param("TLS_AES_256_GCM_SHA384", (77,), False, id="empty, in one record with Finished"),
        pytest.param("TLS_AES_256_GCM_SHA384", (69,), None, id="Finished alone: none was asked for"),
        pytest.param("TLS_AES_256_GCM_SHA384", (1010, 281, 69), True, id="a certificate"),
        pytest.param("TLS_AES_256_GCM_SHA384", (1326,), True, id="a certificate and all in one record"),
        pytest.param("TLS_AES_128_GCM_SHA256", (25, 53), False, id="Finished of SHA-256"),
        pytest.param("TLS_AES_128_GCM_SHA256", (61,), False, id="SHA-256, in one record"),
        pytest.param("TLS_AES_128_GCM_SHA256", (53,), None, id="SHA-256, Finished alone"),
        pytest.param("TLS_CHACHA20_POLY1305_SHA256", (25, 53), False, id="ChaCha20-Poly1305: the same tag"),
        pytest.param("TLS_AES_128_CCM_8_SHA256", (17, 45), False, id="a tag of 8 bytes, RFC 8446 §B.4"),
        pytest.param("TLS_AES_128_CCM_8_SHA256", (45,), None, id="a tag of 8 bytes, Finished alone"),
        pytest.param("TLS_AES_128_CCM_8_SHA256", (25, 45), True, id="25 is more than empty here"),
        pytest.param("TLS_AES_256_GCM_SHA384", (), None, id="no answer"),
    ],
)
def test_an_empty_certificate_shows_by_its_length(suite: str, lengths: tuple[int, ...], sent: bool | None) -> None:
    """RFC 8446 §4.4.2 and §5.2."""
    answer = " ".join(["client change_cipher_spec", *(f"record:{length}" for length in lengths)])
    assert certificate_sent(spoken_13(HELLO, HELLO_13, answer, cipher_suite=suite)) is sent


def test_0_rtt_data_are_no_certificate() -> None:
    """RFC 8446 §2.3: they come before the server's flight."""
    story = spoken_13(HELLO + " record:1200", HELLO_13, EMPTY_ANSWER_13)
    assert certificate_sent(story) is False


def test_a_farewell_in_the_same_packet_does_not_hide_the_certificate() -> None:
    assert certificate_sent(spoken_13(HELLO, HELLO_13, EMPTY_ANSWER_13 + " hidden:close_notify fin")) is False


def test_the_clients_alert_is_no_flight() -> None:
    story = spoken_13(HELLO, HELLO_13, "client hidden:fatal fin")
    assert not client_flight(story)
    assert certificate_sent(story) is None


@pytest.mark.parametrize(
    ("story", "sent"),
    [
        pytest.param((HELLO, FLIGHT, ANSWER), True, id="sent"),
        pytest.param((HELLO, FLIGHT, EMPTY_ANSWER), False, id="asked for, an empty list: RFC 5246 §7.4.6"),
        pytest.param((HELLO, FLIGHT, BARE_ANSWER), False, id="asked for, no message at all"),
        pytest.param((HELLO, FLIGHT_WITHOUT_REQUEST, BARE_ANSWER), None, id="not asked for"),
        pytest.param((HELLO, FLIGHT), None, id="not answered yet"),
    ],
)
def test_up_to_tls_1_2_a_certificate_is_seen_or_missed(story: tuple[str, ...], sent: bool | None) -> None:
    assert certificate_sent(spoken(*story)) is sent


def test_a_message_that_may_be_missing_from_the_capture_is_not_missed() -> None:
    story = spoken(HELLO, FLIGHT, BARE_ANSWER, notes=("frame 3: 1448 bytes before it are missing",))
    assert certificate_sent(story) is None


# --- half a conversation --------------------------------------------------------------------------------------------


def test_where_only_the_server_was_captured_its_alert_answers_the_clients_flight() -> None:
    end = ending(spoken(FLIGHT, "server alert:42 fin", client_hello=None))
    assert told(end) == ("failed", "server", "alert", "client_flight", 42)


def test_where_only_the_server_was_captured_its_finished_shows_that_all_was_well() -> None:
    """RFC 5246 §7.3: it sends change_cipher_spec and Finished when the client's were right."""
    assert ending(spoken(FLIGHT, FINISHED, "server spoke:4 fin")).outcome == "established"


def test_a_server_that_resumes_finishes_first_and_shows_nothing_by_it() -> None:
    """RFC 5246 §7.3: in an abbreviated handshake the client's Finished comes last."""
    assert ending(spoken(SERVER_FIRST + " fin")).outcome != "established"


def test_where_only_the_client_was_captured_its_data_show_that_all_was_well() -> None:
    story = spoken(HELLO, ANSWER, "client spoke:4 fin", version=None)
    assert ending(story).outcome == "established"


def test_where_only_the_client_was_captured_and_it_closes_nobody_knows_why() -> None:
    assert ending(spoken(HELLO, ANSWER, "client fin", version=None)).outcome == "incomplete"


# --- no TLS, and no end ---------------------------------------------------------------------------------------------


def test_a_server_that_answers_in_something_else_speaks_no_tls() -> None:
    story = spoken(HELLO, "server plain:SSH-2.0-OpenSSH_9.2 fin", version=None)
    assert spoke_plainly(story)
    assert told(ending(story)) == ("not_tls", "server", "data", "nothing", None)


@pytest.mark.parametrize("answer", ["server plain:HTTP/1.1 fin", "server alert:70 fin", "server alert:40 fin"])
def test_a_client_that_speaks_something_else_speaks_no_tls_whatever_the_answer(answer: str) -> None:
    """OpenSSL, Go and others answer a request for a page with an alert."""
    assert ending(spoken("client plain:GET", answer, version=None)).outcome == "not_tls"


def test_words_before_the_handshake_are_another_protocol_that_leads_to_it() -> None:
    """STARTTLS, RFC 3207."""
    assert ending(spoken("server plain:220", "client plain:STARTTLS", *DONE)).outcome == "established"


def test_a_connection_without_a_word_of_tls_is_none() -> None:
    assert ending(spoken()).outcome == "not_tls"


@pytest.mark.parametrize("story", [(HELLO,), (HELLO, FLIGHT), (HELLO, FLIGHT, ANSWER)], ids=len)
def test_a_handshake_that_nobody_ended_is_incomplete(story: tuple[str, ...]) -> None:
    assert told(ending(spoken(*story)))[:3] == ("incomplete", None, "silence")


# --- what became of the alert ---------------------------------------------------------------------------------------


def at(milliseconds: float, sender: str = "server") -> Closing:
    return Closing("rst", "server" if sender == "server" else "client", None, NOW + int(milliseconds * MILLISECOND))


@pytest.mark.parametrize(
    ("reset", "lost"),
    [
        (None, False),
        (at(40), True),
        (at(41), True),
        (at(89), True),
        (at(1040), False),  # the other side had a second to read it
        (at(39), False),  # a reset before the alert
        (at(41, "client"), False),  # the client's reset destroys what the client was sent, after it was told
    ],
)
def test_a_reset_right_behind_the_alert_destroys_it(reset: Closing | None, lost: bool) -> None:
    """RFC 9293 §3.10.7.4: what was received and not yet read is thrown away."""
    story = replace(spoken(HELLO, FLIGHT, ANSWER, "server alert:42"), reset=reset)
    assert alert_lost(story, ending(story)) is lost


def test_without_an_alert_none_is_lost() -> None:
    story = spoken(HELLO, FLIGHT, ANSWER, "server rst")
    assert not alert_lost(story, ending(story))


@pytest.mark.parametrize(
    ("last", "says"),
    [
        ("server alert:42 fin", "the server sends fatal bad_certificate(42)"),
        ("server alert:200 fin", "the server sends fatal unlisted(200)"),
        ("server hidden:fatal fin", "an encrypted alert of the server"),
        ("server fin", "the server closes the connection without an alert"),
        ("server rst", "the server resets the connection without an alert"),
        ("server warning:0 fin", "the server takes leave (close_notify) and closes the connection"),
    ],
)
def test_how_it_ended_is_one_sentence(last: str, says: str) -> None:
    assert ended(ending(spoken(HELLO, FLIGHT, ANSWER, last))) == says


def test_a_farewell_is_that_of_the_side_that_closes() -> None:
    end = ending(spoken(HELLO, FLIGHT, ANSWER + " warning:0", "server fin"))
    assert ended(end) == "the server closes the connection without an alert"


# --- any story ------------------------------------------------------------------------------------------------------

WORDS = st.sampled_from(
    [
        *("client_hello", "server_hello", "certificate", "empty_certificate", "certificate_request"),
        *("server_hello_done", "client_key_exchange", "change_cipher_spec", "encrypted_handshake"),
        *("alert:42", "warning:0", "hidden:fatal", "hidden:close_notify", "hidden:unknown"),
        *("record:25", "record:4000", "spoke:3", "plain:x", "fin", "rst"),
    ]
)
LINES = st.tuples(st.sampled_from(["client", "server"]), st.lists(WORDS, min_size=1, max_size=3)).map(
    lambda line: " ".join([line[0], *line[1]])
)
STORIES = st.builds(
    lambda lines, version: spoken(*lines, version=version),
    st.lists(LINES, max_size=8),
    st.sampled_from(["TLS 1.2", "TLS 1.3", "SSLv2", None]),
)


@given(STORIES)
def test_any_story_ends_somehow(story: Connection) -> None:
    end = ending(story)
    assert (end.outcome == "failed") <= (end.sender is not None)
    assert (end.outcome == "established") <= (end.stage == "complete")
    assert (end.alert is not None) == (end.how == "alert")
    assert end.alert is None or (end.alert in story.alerts and end.alert.sender == end.sender)
    assert certificate_sent(story) in (True, False, None)
    assert ended(end) if end.sender is not None else True


def test_data_both_ways_show_that_the_handshake_was_done_though_a_part_of_it_was_lost() -> None:
    """The client's change_cipher_spec is missing from the capture; TLS 1.2 has no data before both have finished."""
    lost = spoken(
        HELLO, FLIGHT, "client certificate client_key_exchange", FINISHED, "client spoke:2", "server spoke:2 fin"
    )
    assert ending(lost).outcome == "established"


# --- what only answers a close --------------------------------------------------------------------------------------


def test_decode_error_after_the_servers_close_is_openssls_way_to_end_and_not_a_refusal() -> None:
    """OpenSSL 3 takes the end of the stream in a handshake for an error, and says so to whom has left."""
    end = ending(spoken(HELLO, "server fin", "client alert:50 fin", version=None))
    assert told(end) == ("failed", "server", "fin", "client_hello", None)


def test_the_same_of_a_server_whose_client_leaves_before_its_flight() -> None:
    end = ending(spoken(HELLO, FLIGHT, "client fin", "server alert:50 fin"))
    assert told(end) == ("failed", "client", "fin", "server_flight", None)


def test_but_a_flight_before_the_close_may_be_what_could_not_be_decoded() -> None:
    end = ending(spoken(HELLO, FLIGHT, ANSWER + " fin", "server alert:50 fin"))
    assert told(end) == ("failed", "server", "alert", "client_flight", 50)


@pytest.mark.parametrize("code", [50, 70])
def test_a_client_that_was_answered_in_plain_refuses_no_tls(code: int) -> None:
    story = spoken(HELLO, "server plain:HTTP/1.1", f"client alert:{code} fin", version=None)
    assert ending(story).outcome == "not_tls"


def test_of_a_tls_1_3_server_heard_alone_nobody_knows_what_it_was_told() -> None:
    assert ending(spoken_13(HELLO_13, "server fin")).outcome == "incomplete"


def test_what_was_said_before_starttls_is_no_answer_to_the_hello() -> None:
    """RFC 3207: both speak plainly until the client has asked for TLS; then this server fell silent."""
    talk = ("server plain:220", "client plain:STARTTLS", HELLO)
    assert ending(spoken(*talk, version=None)).outcome == "incomplete"
    end = ending(spoken(*talk, "client fin", version=None))
    assert told(end) == ("failed", "client", "fin", "nothing", None)


def test_what_a_program_says_of_its_own_handshake_counts() -> None:
    silent = spoken(HELLO, FLIGHT)
    assert not established(silent)
    assert established(replace(silent, testimony=Testimony(established=True)))
    assert not established(replace(silent, testimony=Testimony(sender="server", causes=("unknown_ca",))))


def test_a_certificate_that_is_only_named_is_no_empty_one() -> None:
    story = spoken(HELLO, FLIGHT, ANSWER)
    named = tuple(
        replace(one, length=0, body=None, cut=True) if (one.sender, one.message) == ("client", "certificate") else one
        for one in story.messages
    )
    assert certificate_sent(replace(story, messages=named)) is True
