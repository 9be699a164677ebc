"""The stories about certificates, hellos and endings: one kind of failure in each capture, and what disturbs reading.

The parties are a client (192.0.2.10) and a server (192.0.2.20:443), both OpenSSL in memory. Their certificates come
from one authority with an intermediate one, all on P-256, because small certificates make small captures.
"""

from __future__ import annotations

import gzip
import os
import ssl
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from io import BytesIO
from ipaddress import ip_address
from pathlib import Path
from typing import Literal

import zstandard
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from labels import ESTABLISHED, Label, refused

from tlsalert.lab.certificates import Identity, issued, self_signed, tampered
from tlsalert.lab.device import Client, Device, Dialogue, Flight, Version
from tlsalert.lab.rewrite import Packet, cut, disturbed, read_packets, sent_by, tagged, write_pcap, write_pcapng
from tlsalert.model import Side
from tlsalert.recorder import MTU, Address, Recorder
from tlsalert.wire.preamble import PROXY_V2

START = datetime(2021, 6, 17, 8, 51, 3, 217_000, tzinfo=UTC)
#: Valid at the story's time and today: Python's ssl, which plays two of the stories, knows only today's clock.
FROM, UNTIL = datetime(2021, 1, 1, tzinfo=UTC), datetime(2046, 1, 1, tzinfo=UTC)
MS = 1_000_000
CLIENT: Address = ("192.0.2.10", 50122)
SERVER: Address = ("192.0.2.20", 443)
NAME = "www.example.com"

TLS12: tuple[Version, Version] = ("TLS 1.2", "TLS 1.2")
TLS13: tuple[Version, Version] = ("TLS 1.3", "TLS 1.3")
P256 = ec.SECP256R1()

#: Files that one story makes, by their names' ends.
Files = dict[str, bytes]
How = Literal["fin", "rst"]


@dataclass(frozen=True)
class Story:
    """One capture: the name of its file, what is true of it, why it is kept, and what makes its files."""

    file: str
    labels: tuple[Label, ...]
    why: str
    make: Callable[[], Files]


STORIES: list[Story] = []


def story(file: str, *labels: Label) -> Callable[[Callable[[], Files]], Callable[[], Files]]:
    """Add a function that makes a capture to :data:`STORIES`; its docstring says why the capture is kept."""

    def add(make: Callable[[], Files]) -> Callable[[], Files]:
        STORIES.append(Story(file, labels, " ".join((make.__doc__ or "").split()), make))
        return make

    return add


# --- the parties ----------------------------------------------------------------------------------------------------

WORKS = "O=Example Works,C=US"
ROOT = self_signed(f"CN=Example Root,{WORKS}", FROM, UNTIL, "p256")
ISSUING = issued(f"CN=Example Issuing,{WORKS}", ROOT, FROM, UNTIL, "p256", authority=True)
SERVERS = issued(f"CN={NAME}", ISSUING, FROM, UNTIL, "p256", names=(NAME,))
CLIENTS = issued(f"CN=probe 17,{WORKS}", ISSUING, FROM, UNTIL, "p256")
OTHER_ROOT = self_signed("CN=Other Root,O=Somebody Else,C=US", FROM, UNTIL, "p256")
STRANGER = issued("CN=stranger,O=Somebody Else,C=US", OTHER_ROOT, FROM, UNTIL, "p256")

DEVICE = Device(SERVERS, trusted=(ROOT.certificate,), clock=START, versions=TLS12)
PROBE = Client(CLIENTS, trusted=(ROOT.certificate,), clock=START, server_name=NAME)
DEVICE13 = replace(DEVICE, versions=TLS13, curve=P256)
PROBE13 = replace(PROBE, versions=TLS13, curve=P256)


# --- the server refuses the client's certificate ----------------------------------------------------------------------


@story("issuer-not-asked-for.pcap", refused("server", 48, "unknown_ca", "client"))
def issuer_not_asked_for() -> Files:
    """The client's certificate comes from an authority that the CertificateRequest does not name."""
    return recorded(DEVICE, replace(PROBE, identity=STRANGER), 48)


@story("wrong-usage.pcap", refused("server", 43, "wrong_certificate_usage", "client"))
def wrong_usage() -> Files:
    """The client shows a certificate whose extended key usage is that of servers only."""
    wrong = issued(f"CN=probe 17,{WORKS}", ISSUING, FROM, UNTIL, "p256", usage=("server",))
    return recorded(DEVICE, replace(PROBE, identity=wrong), 43)


@story("intermediate-missing.pcap", refused("server", 48, "chain_incomplete", "client"))
def intermediate_missing() -> Files:
    """The client sends its certificate without the one that signed it; the server's own chain shows that one."""
    return recorded(DEVICE, replace(PROBE, identity=replace(CLIENTS, chain=())), 48)


@story("chain-out-of-order.pcap", refused("server", 51, "chain_out_of_order", "client"))
def chain_out_of_order() -> Files:
    """The client sends its issuer's certificate first and its own second: its signature is checked by the wrong one."""
    own = curve_key(CLIENTS)
    mixed = Identity(ISSUING.certificate, ISSUING.key, (CLIENTS.certificate,), own)
    return recorded(DEVICE, replace(PROBE, identity=mixed), 51)


@story("key-mismatch.pcap", refused("server", 51, "key_mismatch", "client"))
def key_mismatch() -> Files:
    """The client's CertificateVerify is signed by another key than its certificate's, which the packets prove."""
    other = ec.generate_private_key(P256)
    return recorded(DEVICE, replace(PROBE, identity=replace(CLIENTS, signs_with=other)), 51)


@story("tampered-certificate.pcap", refused("server", 51, "bad_certificate_signature", "client"))
def tampered_certificate() -> Files:
    """One bit of the signature in the client's certificate is wrong; its issuer is sent along, so it can be checked."""
    return recorded(DEVICE, replace(PROBE, identity=tampered(CLIENTS)), 51)


@story("tls10-no-certificate.pcap", refused("server", 40, "no_client_certificate", "client"))
def tls10_no_certificate() -> Files:
    """TLS 1.0, whose CertificateRequest and signatures are written otherwise; the client sends no certificate."""
    versions: tuple[Version, Version] = ("TLS 1.0", "TLS 1.0")
    return recorded(replace(DEVICE, versions=versions), replace(PROBE, identity=None, versions=versions), 40)


# --- the server refuses the ClientHello -------------------------------------------------------------------------------


@story(
    "no-shared-version.pcap.gz", refused("server", 70, "no_shared_version", "client", "server", stage="client_hello")
)
def no_shared_version() -> Files:
    """A client that stops at TLS 1.0 meets a server that begins at 1.2. Compressed with gzip."""
    (pcap,) = recorded(DEVICE, replace(PROBE, versions=("TLS 1.0", "TLS 1.0")), 70).values()
    return {"pcap.gz": gzip.compress(pcap, mtime=0)}


@story(
    "no-shared-cipher-suite.pcap.zst",
    refused("server", 40, "no_shared_cipher_suite", "client", "server", stage="client_hello"),
)
def no_shared_cipher_suite() -> Files:
    """The client offers suites for RSA certificates only, the server has an ECDSA one. Compressed with zstd."""
    (pcap,) = recorded(DEVICE, replace(PROBE, ciphers="ECDHE-RSA-AES256-GCM-SHA384:AES128-SHA"), 40).values()
    return {"pcap.zst": zstandard.compress(pcap)}


@story("unrecognized-name.pcap", refused("server", 112, "unrecognized_name", "client", "server", stage="client_hello"))
def unrecognized_name() -> Files:
    """The client asks for a name that the server does not know and does not excuse."""
    server, client = contexts(SERVERS)
    server.sni_callback = lambda end, name, context: ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
    return as_pcap(by_python(server, client, "intranet.example.org"), 112)


@story(
    "no-application-protocol.pcap",
    refused("server", 120, "no_application_protocol", "client", "server", stage="client_hello"),
)
def no_application_protocol() -> Files:
    """The client speaks HTTP/1.1 only, the server HTTP/2 only, and both say so by ALPN."""
    return recorded(replace(DEVICE, alpn=("h2",)), replace(PROBE, alpn=("http/1.1",)), 120)


# --- the client refuses the server's certificate ----------------------------------------------------------------------


@story("client-unknown-ca.pcap", refused("client", 48, "unknown_ca", "client", "server", stage="server_flight"))
def client_unknown_ca() -> Files:
    """The client does not trust the root of the server's chain."""
    return recorded(replace(DEVICE, asks="no"), replace(PROBE, trusted=(OTHER_ROOT.certificate,)), 48)


@story("client-expired.pcap", refused("client", 45, "certificate_expired", "server", stage="server_flight"))
def client_expired() -> Files:
    """The server's certificate ended three months ago."""
    old = issued(f"CN={NAME}", ISSUING, FROM, datetime(2021, 3, 17, tzinfo=UTC), "p256", names=(NAME,))
    return recorded(replace(DEVICE, identity=old, asks="no"), PROBE, 45)


@story("client-name-mismatch.pcap", refused("client", 42, "name_mismatch", "client", "server", stage="server_flight"))
def client_name_mismatch() -> Files:
    """The server's certificate is for another name than the one that the client asked for."""
    return as_pcap(by_python(*contexts(SERVERS), "intranet.example.org"), 42)


# --- endings ----------------------------------------------------------------------------------------------------------


@story(
    "closed-without-alert.pcap",
    replace(
        refused("server", None, "closed_without_alert", "client"),
        causes=("closed_without_alert", "unknown_ca"),
        decided=False,
    ),
)
def closed_without_alert() -> Files:
    """As several stacks do, the server closes where its alert was due: the alert that OpenSSL sent is left out."""
    flights = strangers_flights()
    return {"pcap": write_pcap(packets_of(flights[:-1], closes=("server", "fin")))}


@story("reset-at-hello.pcap", refused("server", None, "reset_without_alert", "server", "network", stage="client_hello"))
def reset_at_hello() -> Files:
    """The ClientHello is answered by a TCP reset: no TLS stack spoke at all."""
    return {"pcap": write_pcap(packets_of(Dialogue(DEVICE, PROBE).handshake()[:1], closes=("server", "rst")))}


@story("alert-lost.pcap", refused("server", 48, "unknown_ca", "client"))
def alert_lost() -> Files:
    """The server closes with unread data in its buffer: the reset overtakes the alert before the client reads it."""
    flights = strangers_flights()
    return {"pcap": write_pcap(packets_of(flights, closes=("server", "rst")))}


@story("plain-http-answer.pcap", Label("not_tls", causes=("not_tls",), at_fault=("client", "server")))
def plain_http_answer() -> Files:
    """The port speaks plain HTTP and answers a ClientHello with 400 Bad Request."""
    hello = Dialogue(DEVICE, PROBE).handshake()[0]
    page = b"HTTP/1.1 400 Bad Request\r\nServer: example\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    return {"pcap": write_pcap(packets_of([hello, ("server", page)], closes=("server", "fin")))}


@story("starttls-smtp.pcap", refused("client", 48, "unknown_ca", "client", "server", stage="server_flight"))
def starttls_smtp() -> Files:
    """TLS begins inside SMTP (RFC 3207), and the sending machine does not trust the mail server's root."""
    plain: list[Flight] = [
        ("server", b"220 mail.example.com ESMTP\r\n"),
        ("client", b"EHLO probe.example.com\r\n"),
        ("server", b"250-mail.example.com\r\n250-SIZE 10240000\r\n250 STARTTLS\r\n"),
        ("client", b"STARTTLS\r\n"),
        ("server", b"220 2.0.0 Ready to start TLS\r\n"),
    ]
    client = replace(PROBE, trusted=(OTHER_ROOT.certificate,), server_name="mail.example.com")
    flights = checked(Dialogue(replace(DEVICE, asks="no"), client).handshake(), 48)
    server = (SERVER[0], 25)
    return {"pcap": write_pcap(packets_of(plain + flights, closes=("client", "fin"), server=server))}


@story("starttls-refused.pcap", Label("failed", "server", ("starttls_refused",), at_fault=("server",)))
def starttls_refused() -> Files:
    """A mail server without a certificate declines STARTTLS (RFC 3207 §4); the client takes leave. No TLS at all."""
    plain: list[Flight] = [
        ("server", b"220 mail.example.com ESMTP\r\n"),
        ("client", b"EHLO probe.example.com\r\n"),
        ("server", b"250-mail.example.com\r\n250 SIZE 10240000\r\n"),
        ("client", b"STARTTLS\r\n"),
        ("server", b"454 4.7.0 TLS not available due to local problem\r\n"),
        ("client", b"QUIT\r\n"),
        ("server", b"221 2.0.0 Bye\r\n"),
    ]
    return {"pcap": write_pcap(packets_of(plain, closes=("server", "fin"), server=(SERVER[0], 25)))}


@story("proxied.pcap", refused("server", 48, "unknown_ca", "client"))
def proxied() -> Files:
    """A balancer puts a PROXY header (version 2) before the client's hello, in one segment with it."""
    (_, hello), *rest = strangers_flights()
    addresses = ip_address("198.51.100.7").packed + ip_address(SERVER[0]).packed
    header = PROXY_V2 + b"\x21\x11\x00\x0c" + addresses + (40122).to_bytes(2) + SERVER[1].to_bytes(2)
    return {"pcap": write_pcap(packets_of([("client", header + hello), *rest], closes=("server", "fin")))}


# --- TLS 1.3 ----------------------------------------------------------------------------------------------------------


def hidden(file: str, alert: int, cause: str) -> Label:
    """Return the label of a refusal whose alert is encrypted."""
    keys = None if file.endswith("pcapng") else file.replace(".pcap", ".keys")
    return replace(refused("server", alert, cause, "client"), decided=False, encrypted=True, keys=keys)


@story("tls13-unknown-ca.pcap", hidden("tls13-unknown-ca.pcap", 48, "unknown_ca"))
def tls13_unknown_ca() -> Files:
    """TLS 1.3: the refusal comes after the client has finished, and it is encrypted."""
    return hidden_files(replace(PROBE13, identity=STRANGER), "unknown ca")


@story("tls13-no-certificate.pcap", hidden("tls13-no-certificate.pcap", 116, "no_client_certificate"))
def tls13_no_certificate() -> Files:
    """TLS 1.3: the client has no certificate to send, which the length of its flight betrays without keys."""
    return hidden_files(replace(PROBE13, identity=None), "certificate required")


@story(
    "tls13-client-unknown-ca.pcap",
    refused("client", 48, "unknown_ca", "client", "server", stage="server_flight"),
)
def tls13_client_unknown_ca() -> Files:
    """TLS 1.3: the server's certificate is hidden, but OpenSSL's client refuses it in clear, before it has new keys."""
    return recorded(replace(DEVICE13, asks="no"), replace(PROBE13, trusted=(OTHER_ROOT.certificate,)), 48)


@story("tls13-expired.pcapng", hidden("tls13-expired.pcapng", 45, "certificate_expired"))
def tls13_expired() -> Files:
    """TLS 1.3 with the key log inside the capture, in a decryption secrets block (editcap --inject-secrets)."""
    old = issued(f"CN=probe 17,{WORKS}", ISSUING, FROM, datetime(2021, 3, 17, tzinfo=UTC), "p256")
    files = hidden_files(replace(PROBE13, identity=old), "certificate expired")
    return {"pcapng": write_pcapng(read_packets(files["pcap"]), secrets=files["keys"])}


@story("tls13-success.pcap", replace(ESTABLISHED, keys="tls13-success.keys"))
def tls13_success() -> Files:
    """TLS 1.3 that goes well, with a question, an answer and close_notify: to hold refusals against."""
    dialogue = Dialogue(DEVICE13, PROBE13)
    flights = whole(dialogue)
    return {"pcap": write_pcap(packets_of(flights, closes=("client", "fin"))), "keys": key_log(dialogue)}


@story("tls13-hello-retry.pcap", replace(ESTABLISHED, keys="tls13-hello-retry.keys"))
def tls13_hello_retry() -> Files:
    """TLS 1.3 that goes well after a HelloRetryRequest: the server wants a group for which the client sent no share."""
    dialogue = Dialogue(DEVICE13, replace(PROBE13, curve=None))
    flights = whole(dialogue)
    return {"pcap": write_pcap(packets_of(flights, closes=("client", "fin"))), "keys": key_log(dialogue)}


# --- what disturbs reading --------------------------------------------------------------------------------------------


@story("vlan-ipv6.pcap", refused("server", 48, "unknown_ca", "client"))
def vlan_ipv6() -> Files:
    """The issuer that was not asked for, over IPv6 in an 802.1Q VLAN."""
    flights = strangers_flights()
    ends = {"client": ("2001:db8::10", CLIENT[1]), "server": ("2001:db8::20", SERVER[1])}
    packets = packets_of(flights, closes=("server", "fin"), client=ends["client"], server=ends["server"])
    return {"pcap": write_pcap(tagged(packets, 12))}


@story("server-half.pcap", replace(refused("server", 48, "unknown_ca", "client"), decided=False))
def server_half() -> Files:
    """Only what the server sent passed the place of the capture: the certificate that it refused is not seen."""
    flights = strangers_flights()
    packets = packets_of(flights, closes=("server", "fin"))
    return {"pcap": write_pcap(sent_by(packets, ip_address(SERVER[0]).packed))}


@story("snapped.pcap", refused("server", 48, "unknown_ca", "client"))
def snapped() -> Files:
    """Recorded with tcpdump -s 96: certificates are cut off, the alert is short enough to be whole."""
    flights = strangers_flights()
    return {"pcap": write_pcap(cut(packets_of(flights, closes=("server", "fin")), 96))}


@story("nanoseconds.pcapng", ESTABLISHED)
def nanoseconds() -> Files:
    """A handshake of TLS 1.2 that went well, in pcapng with times of nine decimals."""
    packets = packets_of(whole(Dialogue(DEVICE, PROBE)), closes=("client", "fin"))
    return {"pcapng": write_pcapng(replace(packet, time=packet.time + 123) for packet in packets)}


@story("disturbed.pcap", refused("server", 51, "key_mismatch", "client"))
def disturbed_network() -> Files:
    """The key mismatch again, in small segments that come out of order and twice: it can still be proved."""
    other = ec.generate_private_key(P256)
    flights = Dialogue(DEVICE, replace(PROBE, identity=replace(CLIENTS, signs_with=other))).handshake()
    packets = packets_of(checked(flights, 51), closes=("server", "fin"), mtu=576)
    return {"pcap": write_pcap(disturbed(packets))}


# --- how they are played and recorded ---------------------------------------------------------------------------------


def recorded(device: Device, client: Client, alert: int) -> Files:
    """Return the capture of one handshake. Raises RuntimeError unless it ends with this alert in clear."""
    return as_pcap(Dialogue(device, client).handshake(), alert)


def as_pcap(flights: list[Flight], alert: int) -> Files:
    """Return the capture of flights that end with ``alert``, whose sender then closes."""
    checked(flights, alert)
    return {"pcap": write_pcap(packets_of(flights, closes=(flights[-1][0], "fin")))}


def checked(flights: list[Flight], alert: int) -> list[Flight]:
    """Return the flights. Raises RuntimeError unless they end with this alert in clear."""
    if alert_of(flights[-1]) != alert:
        raise RuntimeError(f"it ended with {alert_of(flights[-1])}, not with {alert}")
    return flights


def strangers_flights() -> list[Flight]:
    """Return the flights of a client whose issuer the server does not know, up to the alert."""
    return checked(Dialogue(DEVICE, replace(PROBE, identity=STRANGER)).handshake(), 48)


def curve_key(identity: Identity) -> ec.EllipticCurvePrivateKey:
    """Return the key of an identity, which must be on a curve. Raises TypeError where it is not."""
    if not isinstance(identity.key, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{identity} has no key on a curve")
    return identity.key


def hidden_files(client: Client, reason: str) -> Files:
    """Return capture and key log of a TLS 1.3 handshake that the server refuses for ``reason``, in OpenSSL's words."""
    dialogue = Dialogue(DEVICE13, client)
    flights = dialogue.handshake()
    if not dialogue.errors.get("client", "").endswith(f"alert {reason}"):
        raise RuntimeError(f"it ended with {dialogue.errors}, not with {reason}")
    return {"pcap": write_pcap(packets_of(flights, closes=("server", "fin"))), "keys": key_log(dialogue)}


def key_log(dialogue: Dialogue) -> bytes:
    """Return the key log of a dialogue, one line for each secret."""
    return b"".join(line + b"\n" for line in dialogue.secrets)


def whole(dialogue: Dialogue) -> list[Flight]:
    """Return the flights of a connection that goes well. Raises RuntimeError where it does not."""
    flights = dialogue.handshake()
    if not dialogue.established:
        raise RuntimeError(f"the handshake failed: {dialogue.errors}")
    flights += dialogue.send("client", b"GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n")
    flights += dialogue.send("server", b"HTTP/1.1 204 No Content\r\n\r\n")
    return flights + dialogue.close("client")


def alert_of(flight: Flight) -> int | None:
    """Return the number of the alert in clear that a flight ends with."""
    last = flight[1][-7:]
    return last[6] if len(last) == 7 and last[0] == 21 and last[3:5] == b"\0\2" else None


def packets_of(
    flights: list[Flight],
    *,
    closes: tuple[Side, How],
    client: Address = CLIENT,
    server: Address = SERVER,
    mtu: int = MTU,
) -> list[Packet]:
    """Give flights their packets, three milliseconds apart; ``closes`` says who ends it and how."""
    file = BytesIO()
    time = round(START.timestamp() * 1000) * MS
    with Recorder(file, seed=17, mtu=mtu) as recorder:
        conversation = recorder.open(client, server, time)
        for side, data in flights:
            time += 3 * MS
            conversation.send(side, data, time)
        conversation.close(closes[0], time + MS, closes[1])
    return read_packets(file.getvalue())


def contexts(server: Identity) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return a server and a client of Python's ssl, which can do what pyOpenSSL can't: look at names."""
    ends = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for end in ends:
        end.maximum_version = ssl.TLSVersion.TLSv1_2
    ends[1].load_verify_locations(cadata=ROOT.certificate.public_bytes(Encoding.PEM).decode())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "server.pem"
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
            file.write(server.to_pem())
        ends[0].load_cert_chain(path)
    return ends


def by_python(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> list[Flight]:
    """Return the flights of a handshake in which the client asks for ``name``."""
    wires = {"client": ssl.MemoryBIO(), "server": ssl.MemoryBIO()}  # what each side has written
    ends = {
        "client": client.wrap_bio(wires["server"], wires["client"], server_hostname=name),
        "server": server.wrap_bio(wires["client"], wires["server"], server_side=True),
    }
    return list(_exchange(ends, wires))


def _exchange(ends: dict[str, ssl.SSLObject], wires: dict[str, ssl.MemoryBIO]) -> Iterator[Flight]:
    """Let both ends talk until one refuses; a flight is read from the wire only to be written there again."""
    sides: tuple[Side, Side] = ("client", "server")
    for turn in range(6):
        side = sides[turn % 2]
        failed = False
        try:
            ends[side].do_handshake()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            failed = True
        data = wires[side].read()
        if data:
            yield side, data
            wires[side].write(data)
        if failed:
            return
