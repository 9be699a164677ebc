"""s_client and s_server: whatever options they were given, the same handshake comes out of their text."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.evidence import CASES
from tests.sources.texts import NOT_BEFORE, alerts, debug, flights, outcome, read, said
from tlsalert.errors import CaptureError
from tlsalert.model import Connection, Position

BEHIND = NOT_BEFORE - timedelta(days=400)
RIGHT = datetime(2021, 6, 17, 8, 51, tzinfo=UTC)

PROMPT = "$ openssl s_client -connect 192.0.2.7:5900 -servername bmc.example -cert client.crt -key client.key\n"
ERROR = (
    "4046AA7F0000AB12:error:0A000412:SSL routines:ssl3_read_bytes:sslv3 alert bad certificate:"
    "../ssl/record/rec_layer_s3.c:1602:SSL alert number 42\n"
)
SUMMARY = """---
No client certificate CA names sent
SSL handshake has read 1644 bytes and written 1751 bytes
New, TLSv1.2, Cipher is ECDHE-RSA-AES256-GCM-SHA384
SSL-Session:
    Protocol  : TLSv1.2
    Cipher    : ECDHE-RSA-AES256-GCM-SHA384
    Start Time: 1623919878
---
"""


def debugged(talk: list[tuple[str, bytes]], own: str = "client", trim: bool = False) -> str:
    """Return a handshake as -debug shows it; what is read is read as OpenSSL does, a record's header first."""
    text = ""
    for side, data in talk:
        if side == own:
            text += debug(True, data, trim)
            continue
        while data:
            size = 5 + int.from_bytes(data[3:5], "big")
            text += debug(False, data[:5], trim) + debug(False, data[5:size], trim)
            data = data[size:]
    return text


def one(found: list[Connection]) -> Connection:
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("own", ["client", "server"])
def test_bytes_of_debug_are_decoded_from_either_end(tmp_path: Path, own: str) -> None:
    found = one(read(tmp_path, debugged(flights(BEHIND), own)))
    assert alerts(found) == [("server", 42)]
    assert outcome(found)[:2] == ("failed", "server")
    assert found.tls_version == "TLS 1.2"
    assert found.certificates.client[0].not_before == NOT_BEFORE
    assert said(found)[:2] == ["client client_hello", "server server_hello"]
    assert all(message.position.line for message in found.messages)


def test_the_command_and_the_summary_tell_address_name_and_time(tmp_path: Path) -> None:
    found = one(read(tmp_path, PROMPT + "CONNECTED(00000003)\n" + debugged(flights(BEHIND)) + SUMMARY))
    assert str(found.server) == "192.0.2.7:5900"
    assert found.client is None
    assert found.start == 1623919878 * 1_000_000_000
    assert outcome(found) == ("failed", "server", "certificate_not_yet_valid")


def test_without_a_time_none_is_made_up(tmp_path: Path) -> None:
    found = one(read(tmp_path, debugged(flights(BEHIND))))
    assert (found.start, found.end, found.clocks.capture) == (None, None, None)


def test_stderr_in_the_middle_of_a_line_is_taken_out(tmp_path: Path) -> None:
    text = debugged(flights(BEHIND))
    cut = text.index("0040 - ") + 30
    aside = "depth=0 CN = bmc\nverify error:num=18:self signed certificate\nverify return:1\n"
    woven = text[:cut] + aside + text[cut:]
    assert said(one(read(tmp_path, woven))) == said(one(read(tmp_path, text)))
    assert one(read(tmp_path, woven)).notes == ()


def test_spaces_and_nuls_that_old_releases_leave_out_come_back(tmp_path: Path) -> None:
    plain, trimmed = debugged(flights(BEHIND)), debugged(flights(BEHIND), trim=True)
    assert said(one(read(tmp_path, plain))) == said(one(read(tmp_path, trimmed)))


def test_a_reset_that_took_the_alert_away_is_told_as_one(tmp_path: Path) -> None:
    text = debugged(flights(BEHIND)[:3]) + "write to 0x55f0 [0x55f1] (269 bytes => -1 (0xFFFFFFFFFFFFFFFF))\n"
    found = one(read(tmp_path, text + "write:errno=32\n"))
    assert alerts(found) == []
    assert (found.closed.how, found.closed.sender) == ("rst", "server")
    assert outcome(found)[:2] == ("failed", "server")


def test_several_sessions_in_one_text_are_several_connections(tmp_path: Path) -> None:
    text = (
        debugged(flights(BEHIND), "server") + debugged(flights(RIGHT), "server") + debugged(flights(BEHIND), "server")
    )
    found = read(tmp_path, text)
    assert [outcome(connection)[0] for connection in found] == ["failed", "established", "failed"]
    assert [connection.connection for connection in found] == [0, 1, 2]


def test_messages_of_msg_are_read_and_their_alert(tmp_path: Path) -> None:
    text = "CONNECTED(00000003)\n"
    for side, data in flights(BEHIND):
        mark = ">>>" if side == "client" else "<<<"
        while data:
            size = int.from_bytes(data[3:5], "big")
            kind, body = data[0], data[5 : 5 + size]
            data = data[5 + size :]
            name = {20: "ChangeCipherSpec", 21: "Alert", 22: "Handshake"}[kind]
            rows = "\n".join("    " + body[at : at + 16].hex(" ") for at in range(0, size, 16))
            if kind != 22 or body[0] in (1, 2, 11, 12, 13, 14, 15, 16):
                text += f"{mark} TLS 1.2, {name} [length {size:04x}]\n{rows}\n"
    found = one(read(tmp_path, text))
    assert alerts(found) == [("server", 42)]
    assert found.server_hello is not None
    assert found.certificates.client[0].not_before == NOT_BEFORE


STATES = """SSL_connect:before SSL initialization
SSL_connect:SSLv3/TLS write client hello
SSL_connect:SSLv3/TLS write client hello
SSL_connect:SSLv3/TLS read server hello
SSL_connect:SSLv3/TLS read server certificate
SSL_connect:SSLv3/TLS read server key exchange
SSL_connect:SSLv3/TLS read server certificate request
SSL_connect:SSLv3/TLS read server done
SSL_connect:SSLv3/TLS write client certificate
SSL_connect:SSLv3/TLS write client key exchange
{}SSL_connect:SSLv3/TLS write change cipher spec
SSL_connect:SSLv3/TLS write finished
SSL3 alert read:fatal:{}
SSL_connect:error in error
"""


def test_states_tell_messages_and_whether_there_was_a_certificate(tmp_path: Path) -> None:
    verified = "SSL_connect:SSLv3/TLS write certificate verify\n"
    found = one(read(tmp_path, STATES.format(verified, "certificate expired")))
    assert alerts(found) == [("server", 45)]
    assert outcome(found) == ("failed", "server", "certificate_expired")
    assert found.alerts[0].position == Position(line=14)
    empty = one(read(tmp_path, STATES.format("", "handshake failure")))
    assert outcome(empty) == ("failed", "server", "no_client_certificate")


def test_states_of_old_releases_have_letters_behind_them(tmp_path: Path) -> None:
    old = STATES.replace("SSLv3/TLS", "SSLv3").format("", "handshake failure")
    old = "\n".join(f"{line} A" if line.startswith("SSL_connect:SSLv3") else line for line in old.splitlines())
    assert outcome(one(read(tmp_path, old))) == ("failed", "server", "no_client_certificate")


TRACE = """Sent Record
Header:
  Version = TLS 1.0 (0x301)
  Content Type = Handshake (22)
  Length = 52
    ClientHello, Length=48
      client_version=0x303 (TLS 1.2)
      Random:
        gmt_unix_time=0x9E0CD4A4
        random_bytes (len=28): A7941EB5DF5A0D9B13C86BD337F23F0C3076C34A0F8EA79EDAABF5D5
      session_id (len=0):{}
      cipher_suites (len=2)
        {0xC0, 0x30} TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384
      compression_methods (len=1)
        No Compression (0x00)
      extensions, length = 7
        extension_type=supported_versions(43), length=3
          TLS 1.2 (771)

Received Record
Header:
  Version = TLS 1.2 (0x303)
  Content Type = Handshake (22)
  Length = 42
    ServerHello, Length=38
      server_version=0x303 (TLS 1.2)
      Random:
        gmt_unix_time=0x55012725
        random_bytes (len=28): ACB93A932D81AA8EBA755B22ED37307B9B2B1CC0E6F00D4319CDA458
      session_id (len=0):{}
      cipher_suite {0xC0, 0x30} TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384
      compression_method: No Compression (0x00)

Received Record
Header:
  Version = TLS 1.2 (0x303)
  Content Type = Handshake (22)
  Length = 4
    CertificateRequest, Length=100
    ServerHelloDone, Length=0

Sent Record
Header:
  Version = TLS 1.2 (0x303)
  Content Type = Handshake (22)
  Length = 7
    Certificate, Length=3
      certificate_list, length=0
    ClientKeyExchange, Length=66

Received Record
Header:
  Version = TLS 1.2 (0x303)
  Content Type = Alert (21)
  Length = 2
    Level=fatal(2), description=handshake failure(40)
"""


TRACE = TRACE.replace("{}", " ")  # the program prints a space there


def test_hellos_of_trace_are_put_together_again(tmp_path: Path) -> None:
    found = one(read(tmp_path, TRACE))
    assert found.server_hello is not None
    assert found.server_hello.random.hex().startswith("55012725acb93a93")
    assert found.cipher_suite == "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"
    assert found.client_hello is not None
    assert found.client_hello.cipher_suites == (0xC030,)
    assert found.ja3 is None
    assert outcome(found) == ("failed", "server", "no_client_certificate")


def test_plain_output_has_an_alert_in_its_error_line(tmp_path: Path) -> None:
    found = one(read(tmp_path, PROMPT + ERROR + "CONNECTED(00000005)\n" + SUMMARY))
    assert alerts(found) == [("server", 42)]
    assert found.alerts[0].position == Position(line=2)
    assert (found.tls_version, found.cipher_suite) == ("TLS 1.2", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384")
    assert any("does not show the messages" in note for note in found.notes)


def test_plain_output_without_trouble_is_a_handshake_that_went_well(tmp_path: Path) -> None:
    assert outcome(one(read(tmp_path, PROMPT + "CONNECTED(00000005)\n" + SUMMARY)))[0] == "established"


SERVER = """verify depth is 1, must return a certificate
ACCEPT
depth=0 CN = IPMI
verify error:num={}:{}
ERROR
verify error:{}
4086EE12447F0000:error:0A000086:SSL routines:tls_process_client_certificate:certificate verify failed:x.c:3530:
"""


@pytest.mark.parametrize(
    ("number", "words", "cause", "code"),
    [
        (9, "certificate is not yet valid", "certificate_not_yet_valid", 42),
        (10, "certificate has expired", "certificate_expired", 45),
        (18, "self signed certificate", "unknown_ca", 48),
        (23, "certificate revoked", "certificate_revoked", 44),
    ],
)
def test_a_server_says_itself_what_it_objects_to(
    tmp_path: Path, number: int, words: str, cause: str, code: int
) -> None:
    found = one(read(tmp_path, SERVER.format(number, words, words)))
    assert outcome(found) == ("failed", "server", cause)
    assert found.verdict is not None
    assert found.verdict.confidence >= 0.9
    assert alerts(found) == [("server", code)]
    assert found.alerts[0].inferred == "fatal alert"  # the text does not show it
    assert any("says so itself" in one.says and one.position == Position(line=4) for one in found.verdict.evidence)


def test_a_server_that_got_no_certificate_says_so(tmp_path: Path) -> None:
    text = "ACCEPT\nERROR\n4086EE12447F0000:error:0A0000C7:SSL routines:f:peer did not return a certificate:x.c:35:\n"
    assert outcome(one(read(tmp_path, text))) == ("failed", "server", "no_client_certificate")


def test_a_text_without_any_handshake_has_no_connections(tmp_path: Path) -> None:
    assert read(tmp_path, "CONNECTED(00000003)\n") == []


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_texts_never_break_the_reader(tmp_path: Path, data: st.DataObject) -> None:
    whole = PROMPT + debugged(flights(BEHIND)) + STATES.format("", "bad certificate") + TRACE + ERROR + SUMMARY
    lines = whole.encode().split(b"\n")
    for _ in range(data.draw(st.integers(1, 12))):
        at = data.draw(st.integers(0, len(lines) - 1))
        change = data.draw(st.sampled_from(("cut", "drop", "double", "byte", "swap")))
        line = lines[at]
        if change == "cut":
            lines[at] = line[: data.draw(st.integers(0, len(line)))]
        elif change == "drop" and len(lines) > 1:
            del lines[at]
        elif change == "double":
            lines.insert(at, line)
        elif change == "byte" and line:
            place = data.draw(st.integers(0, len(line) - 1))
            lines[at] = line[:place] + data.draw(st.binary(min_size=1, max_size=1)) + line[place + 1 :]
        else:
            lines[at], lines[-1] = lines[-1], line
    with suppress(CaptureError):
        read(tmp_path, b"\n".join(lines))


def test_endless_application_data_takes_no_memory(tmp_path: Path) -> None:
    import tracemalloc

    row = debug(False, b"\x17\x03\x03\x03\xfb" + bytes(1019))
    path = tmp_path / "long.txt"
    with path.open("w") as file:
        file.write(debugged(flights(RIGHT)))
        for _ in range(1500):  # 7 MB
            file.write(row)
    from tlsalert.log_reader import LogReader
    from tlsalert.sources.files import ByteSource

    tracemalloc.start()
    found = list(LogReader(ByteSource(path)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found) == 1
    assert peak < 6 << 20


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int]]:
    """A real s_server that trusts no client."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl")
    folder = tmp_path_factory.mktemp("served")
    for name in ("server", "client"):
        make = [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "9",
        ]
        make += ["-keyout", f"{name}.key", "-out", f"{name}.crt", "-subj", f"/CN={name}"]
        subprocess.run(make, cwd=folder, check=True, capture_output=True)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    serve = ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", "server.crt", "-key", "server.key"]
    serve += ["-CAfile", "server.crt", "-Verify", "1", "-verify_return_error", "-debug", "-msg"]
    with (folder / "server.txt").open("wb") as out:
        server = subprocess.Popen(serve, cwd=folder, stdin=subprocess.PIPE, stdout=out, stderr=subprocess.STDOUT)
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            time.sleep(0.05)
    yield folder, port
    server.kill()
    server.communicate()


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize("options", [[], ["-debug"], ["-msg"], ["-state"], ["-debug", "-msg", "-state"], ["-trace"]])
def test_the_real_s_client_is_understood_with_any_options(
    served: tuple[Path, int], tmp_path: Path, version: str, options: list[str]
) -> None:
    folder, port = served
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", version, *options]
    command += ["-cert", "client.crt", "-key", "client.key"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(command, cwd=folder, **pipes) as client:  # type: ignore[call-overload]
        text = client.stdout.read()  # until the alert makes it leave: its input stays open
    if b"unknown option" in text.lower():
        pytest.skip("this openssl was built without that option")
    found = one(read(tmp_path, text))
    assert ("server", 48) in alerts(found)
    assert outcome(found)[:2] == ("failed", "server")
    assert found.tls_version == version[1:].upper().replace("TLS1_", "TLS 1.")


@pytest.mark.skipif(not CASES.is_dir(), reason="needs the cases")
def test_every_text_among_the_cases_is_told() -> None:
    import json

    import tlsalert

    wrong = []
    for expected in sorted(CASES.glob("*/expected.json")):
        case = json.loads(expected.read_text())
        for evidence in case["evidence"]:
            if evidence.get("kind") not in ("s_client_text", "s_server_text", "s_client", "s_server"):
                continue
            right = evidence.get("verdict") or case["truth"]["verdict"]
            found = tlsalert.read(expected.parent / evidence["file"])[0]
            if outcome(found)[:2] != (right["outcome"], right["refused_by"]):
                wrong.append((case, evidence["file"], outcome(found)))
    assert not wrong
