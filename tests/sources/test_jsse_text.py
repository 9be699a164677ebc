"""Java's debug output, in the format of Java 8 and in the one since 11."""

from __future__ import annotations

from pathlib import Path

from tests.sources.texts import alerts, outcome, read, said

NEW = """javax.net.ssl|DEBUG|10|main|2021-06-17 08:51:09.941 UTC|ClientHello.java:639|Produced ClientHello handshake message (
"ClientHello": {
  "client version"      : "TLSv1.2",
  "random"              : "DFF461FFEEABF3CF4FD3777C0812FA8CCB64BA1C1F7929A880D4EB6FD136BBCA",
}
)
javax.net.ssl|DEBUG|10|main|2021-06-17 08:51:09.943 UTC|ServerHello.java:897|Consuming ServerHello handshake message (
"ServerHello": {
  "server version"      : "TLSv1.2",
  "random"              : "55012725EE176B695EB40D5192D8D02A9C9D0EE7C5F75E66781A2FC65BB64915",
  "cipher suite"        : "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384(0xC030)",
}
)
javax.net.ssl|DEBUG|10|main|2021-06-17 08:51:09.943 UTC|ServerHello.java:993|Negotiated protocol version: TLSv1.2
javax.net.ssl|DEBUG|10|main|2021-06-17 08:51:09.948 UTC|CertificateMessage.java:366|Consuming server Certificate handshake message (
"Certificates": [
  "certificate" : {
    "serial number"      : "42:d7:ad",
    "issuer"             : "CN=bmc, O=Example",
    "not before"         : "2016-05-19 09:43:02.000 UTC",
    "not  after"         : "2026-05-17 09:43:02.000 UTC",
    "subject"            : "CN=bmc, O=Example",
  }
]
)
javax.net.ssl|DEBUG|10|main|2021-06-17 08:51:09.955 UTC|CertificateRequest.java:696|Consuming CertificateRequest handshake message (
)
javax.net.ssl|DEBUG|10|main|2021-06-17 08:51:09.960 UTC|ServerHelloDone.java:151|Consuming ServerHelloDone handshake message (
<empty>
)
javax.net.ssl|DEBUG|10|main|2021-06-17 08:51:09.961 UTC|CertificateMessage.java:330|Produced client Certificate handshake message (
"Certificates": {}
)
javax.net.ssl|DEBUG|10|main|2021-06-17 08:51:09.962 UTC|ECDHClientKeyExchange.java:407|Produced ECDHE ClientKeyExchange handshake message (
)
javax.net.ssl|DEBUG|10|main|2021-06-17 08:51:09.966 UTC|ChangeCipherSpec.java:115|Produced ChangeCipherSpec message
javax.net.ssl|DEBUG|10|main|2021-06-17 08:51:09.966 UTC|Finished.java:396|Produced client Finished handshake message (
)
javax.net.ssl|DEBUG|10|main|2021-06-17 08:51:09.967 UTC|Alert.java:238|Received alert message (
"Alert": {
  "level"      : "fatal",
  "description": "bad_certificate"
}
)
javax.net.ssl|ERROR|10|main|2021-06-17 08:51:09.968 UTC|TransportContext.java:375|Fatal (BAD_CERTIFICATE): Received fatal alert: bad_certificate (
"""  # noqa: E501
CERTIFICATE = '[\n  "certificate" : {\n    "subject"            : "CN=IPMI",\n  }\n]'


def test_the_new_format(tmp_path: Path) -> None:
    (found,) = read(tmp_path, NEW.replace("{}", CERTIFICATE))
    assert alerts(found) == [("server", 42)]
    assert found.server_hello is not None
    assert found.server_hello.random[:4].hex() == "55012725"
    assert found.certificates.server[0].subject == "CN=bmc,O=Example"
    assert found.certificates.client[0].subject == "CN=IPMI"
    assert found.start is not None
    assert outcome(found)[:2] == ("failed", "server")


def test_an_empty_list_is_no_certificate(tmp_path: Path) -> None:
    text = NEW.replace("{}", "<empty list>").replace("bad_certificate", "handshake_failure")
    (found,) = read(tmp_path, text)
    assert outcome(found) == ("failed", "server", "no_client_certificate")


def test_threads_do_not_mix(tmp_path: Path) -> None:
    one = NEW.replace("{}", CERTIFICATE)
    other = one.replace("|10|main|", "|11|pool|")
    pairs = zip(one.split("\njavax"), other.split("\njavax"), strict=True)
    text = "\njavax".join(piece for pair in pairs for piece in pair).replace("\njavaxjavax", "\njavax")
    found = read(tmp_path, text)
    assert [alerts(connection) for connection in found] == [[("server", 42)], [("server", 42)]]
    assert said(found[0]) == said(found[1])


OLD = """*** ClientHello, TLSv1.2
RandomCookie:  GMT: 1623919877 bytes = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, \
22, 23, 24, 25, 26, 27, 28 }
Cipher Suites: [TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384]
***
main, WRITE: TLSv1.2 Handshake, length = 193
main, READ: TLSv1.2 Handshake, length = 85
*** ServerHello, TLSv1.2
RandomCookie:  GMT: 1426138917 bytes = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, \
22, 23, 24, 25, 26, 27, 28 }
Session ID:  {}
Cipher Suite: TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384
***
*** Certificate chain
chain [0] = [
  Subject: CN=bmc, O=Example
  Validity: [From: Thu May 19 09:43:02 GMT 2016,
               To: Sun May 17 09:43:02 GMT 2026]
  Issuer: CN=bmc, O=Example
***
*** CertificateRequest
Cert Types: RSA, DSS, ECDSA
*** ServerHelloDone
*** Certificate chain
chain [0] = [
  Subject: CN=IPMI, O=Example
***
*** ECDHClientKeyExchange
main, WRITE: TLSv1.2 Change Cipher Spec, length = 1
*** Finished
main, READ: TLSv1.2 Alert, length = 2
main, RECV TLSv1.2 ALERT:  fatal, bad_certificate
main, handling exception: javax.net.ssl.SSLHandshakeException: Received fatal alert: bad_certificate
"""


def test_the_old_format(tmp_path: Path) -> None:
    (found,) = read(tmp_path, OLD)
    assert alerts(found) == [("server", 42)]
    assert (found.tls_version, found.cipher_suite) == ("TLS 1.2", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384")
    assert found.server_hello is not None
    assert int.from_bytes(found.server_hello.random[:4], "big") == 1426138917
    assert found.certificates.server[0].not_before is not None
    assert said(found)[-1] == "client finished"
    assert outcome(found)[:2] == ("failed", "server")


def test_java_says_itself_why_it_refuses_a_server(tmp_path: Path) -> None:
    end = NEW.index("javax.net.ssl|DEBUG|10|main|2021-06-17 08:51:09.955")
    fatal = (
        "javax.net.ssl|ERROR|10|main|2021-06-17 08:51:09.957 UTC|TransportContext.java:375|"
        "Fatal (CERTIFICATE_UNKNOWN): "
        "PKIX path building failed: unable to find valid certification path to requested target (\n"
    )
    (found,) = read(tmp_path, NEW[:end] + fatal)
    assert alerts(found) == [("client", 46)]
    assert outcome(found)[:2] == ("failed", "client")
    assert outcome(found)[2] in ("unknown_ca", "chain_incomplete")
