"""-trace's messages, and hellos made of what it prints of them."""

from __future__ import annotations

from tlsalert.sources.openssl_trace import Trace
from tlsalert.sources.talk import Grade, Talk
from tlsalert.wire.hello import read_client_hello
from tlsalert.wire.transcript import Keeping

HELLO = """    ClientHello, Length=300
      client_version=0x303 (TLS 1.2)
        gmt_unix_time=0x9E0CD4A4
        random_bytes (len=28): A7941EB5DF5A0D9B13C86BD337F23F0C3076C34A0F8EA79EDAABF5D5
      session_id (len=2): 8C72
      cipher_suites (len=4)
        {0x13, 0x02} TLS_AES_256_GCM_SHA384
        {0xC0, 0x30} TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384
      compression_methods (len=1)
        No Compression (0x00)
        extension_type=server_name(0), length=24
          0000 - 00 16 00 00 13 62 6d 63-2d 78 31 30 2e 65 78   .....bmc-x10.ex
          000f - 61 6d 70 6c 65 2e 6e 65-74                     ample.net
        extension_type=supported_groups(10), length=6
          ecdh_x25519 (29)
          secp256r1 (P-256) (23)
        extension_type=signature_algorithms(13), length=4
          rsa_pkcs1_sha256 (0x0401)
        extension_type=supported_versions(43), length=5
          TLS 1.3 (772)
          TLS 1.2 (771)"""


def test_a_client_hello_comes_back_with_what_is_printed_of_it() -> None:
    talk = Talk(0, 1, Keeping())
    seen: list[tuple[int, int]] = []
    trace = Trace(lambda at: talk, lambda own, level, code, at, grade: seen.append((level, code)))
    trace.record(talk, True)
    for number, line in enumerate(HELLO.splitlines(), 1):
        trace.line(line.encode(), number)
    trace.record(talk, False)
    trace.line(b"    Level=fatal(2), description=bad certificate(42)", 30)
    conversation = talk.finish(0)
    assert seen == [(2, 42)]
    assert conversation is not None
    flow = conversation.finish()
    assert flow.transcript is not None
    body = flow.transcript.events[0].body
    assert body is not None
    hello = read_client_hello(body)
    assert hello.server_name == "bmc-x10.example.net"
    assert (hello.groups, hello.signature_schemes, hello.versions) == ((29, 23), (0x0401,), (0x0304, 0x0303))
    assert hello.cipher_suites == (0x1302, 0xC030)
    assert talk.best == Grade.detail
