"""What is known of each alert: where it is defined, which versions have it, what it means, what to check.

The facts are those of RFC 8446 §6, RFC 5246 §7.2 and of the RFCs that brought single alerts, as each entry
says; the meanings and hints are written for an engineer who has just been sent that alert. Which TLS library
sends which alert for what is not told here.
"""

from __future__ import annotations

from typing import NamedTuple

from tlsalert.registry.alerts import AlertDescription as Alert

TLS = ("TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3", "DTLS")
TLS12 = ("TLS 1.0", "TLS 1.1", "TLS 1.2", "DTLS")
TLS13 = ("TLS 1.3", "DTLS")
ALL = ("SSLv3", *TLS)

FATAL = "always fatal"
USUALLY = "usually fatal"
EITHER = "fatal or warning"
WARNING = "warning"

#: Who may send it, where it is not both sides: RFC 8446 §6.2, and the RFCs named with each alert.
SENDERS: dict[Alert, str] = {
    Alert.no_certificate: "a client",
    Alert.insufficient_security: "a server",
    Alert.inappropriate_fallback: "a server",
    Alert.certificate_unobtainable: "a server",
    Alert.unrecognized_name: "a server",
    Alert.bad_certificate_status_response: "a client",
    Alert.bad_certificate_hash_value: "a server",
    Alert.unknown_psk_identity: "a server",
    Alert.certificate_required: "a server",
    Alert.no_application_protocol: "a server",
    Alert.ech_required: "a client",
}


class AlertFacts(NamedTuple):
    """The facts of one alert. ``versions`` are those that may send it, ``note`` says what became of it."""

    rfc: str
    versions: tuple[str, ...]
    severity: str
    meaning: str
    next: tuple[str, ...]
    note: str | None = None


FACTS: dict[Alert, AlertFacts] = {
    Alert.close_notify: AlertFacts(
        "RFC 8446 §6.1",
        ALL,
        WARNING,
        "The sender will send nothing more on this connection. It is the orderly end, not a"
        " fault, unless it comes where data or the rest of a handshake was expected.",
        (
            "if it came too early, look at what was sent just before it",
            "then ask the application or its log: TLS itself had no objection",
        ),
    ),
    Alert.end_of_early_data: AlertFacts(
        "draft-ietf-tls-tls13-18 §6.1",
        (),
        WARNING,
        "The end of 0-RTT data in early drafts of TLS 1.3.",
        ("bring both sides to the published TLS 1.3",),
        note="only in drafts; TLS 1.3 has a handshake message of this name instead",
    ),
    Alert.unexpected_message: AlertFacts(
        "RFC 8446 §6.2",
        ALL,
        FATAL,
        "A message came at a point of the handshake where the protocol does not allow it. That is"
        " a defect of one of the two programs, or bytes that are not TLS at all.",
        (
            "compare the order of messages with RFC 8446 §2 or RFC 5246 §7.3",
            "look for plain text (HTTP, SMTP, a proxy's answer) on the TLS port",
            "update the older of the two TLS libraries",
        ),
    ),
    Alert.bad_record_mac: AlertFacts(
        "RFC 8446 §6.2",
        ALL,
        FATAL,
        "A record could not be authenticated or decrypted: the two sides have different keys, or"
        " something changed the bytes on the way.",
        (
            "if it is the first encrypted record, the keys differ: a wrong PSK, a wrong premaster secret, a bug",
            "if it comes later, suspect middleboxes, offloading network cards and faulty memory",
            "check whether records were lost or sent twice by a program that shares a connection between threads",
        ),
    ),
    Alert.decryption_failed: AlertFacts(
        "RFC 5246 §7.2.2",
        ("TLS 1.0", "TLS 1.1"),
        FATAL,
        "A record's length or padding was wrong after decryption. To tell this apart from a wrong"
        " MAC helps attackers, so that bad_record_mac took its place.",
        (
            "treat it as bad_record_mac",
            "update the sender: only very old libraries send this alert",
        ),
        note="reserved since TLS 1.2; must not be sent",
    ),
    Alert.record_overflow: AlertFacts(
        "RFC 8446 §6.2",
        TLS,
        FATAL,
        "A record was longer than the protocol allows, 2^14 bytes of content and a bounded"
        " expansion. Often the bytes were no TLS record and something else was read as a length.",
        (
            "look for plain text on the TLS port: letters read as a length give large numbers",
            "check max_fragment_length and record_size_limit, where they were negotiated",
        ),
    ),
    Alert.decompression_failure: AlertFacts(
        "RFC 5246 §7.2.2",
        ("SSLv3", *TLS12),
        FATAL,
        "Compressed data could not be unpacked, or grew beyond the limit.",
        ("switch TLS compression off on both sides (it is unsafe: CRIME)",),
        note="reserved in TLS 1.3, which has no record compression",
    ),
    Alert.handshake_failure: AlertFacts(
        "RFC 8446 §6.2",
        ALL,
        FATAL,
        "The sender found no acceptable set of parameters among those offered: cipher suites,"
        " groups or signature schemes. In TLS 1.2 and before, many servers also say it when a"
        " client certificate was asked for and none was sent.",
        (
            "after an empty client certificate message: give the client a certificate",
            "after the ClientHello: compare its cipher suites, groups and signature schemes with the server's",
            "check that the server's certificate fits the suites: an ECDSA key serves no RSA suite",
        ),
    ),
    Alert.no_certificate: AlertFacts(
        "RFC 6101 §5.4.2",
        ("SSLv3",),
        WARNING,
        "The client has no certificate to answer the server's request with. TLS sends an empty"
        " certificate message instead.",
        (
            "give the client a certificate, or let the server do without",
            "move both sides off SSLv3",
        ),
        note="only in SSLv3; reserved since TLS 1.0",
    ),
    Alert.bad_certificate: AlertFacts(
        "RFC 8446 §6.2",
        ALL,
        USUALLY,
        "The sender could not accept the peer's certificate: damaged, wrongly signed, or refused"
        " for a reason that its library maps to this alert. With OpenSSL that includes a"
        " certificate that is not valid yet.",
        (
            "compare the certificate's validity with the clock of the side that sent the alert",
            "check that each certificate of the chain is signed by the next one, and the key size and hash",
            "check the purposes (extendedKeyUsage) and, if the sender logs, its verify error",
        ),
    ),
    Alert.unsupported_certificate: AlertFacts(
        "RFC 8446 §6.2",
        ALL,
        USUALLY,
        "The certificate is of a kind that the sender cannot use, or not meant for this purpose,"
        " such as a server's certificate shown by a client.",
        (
            "check extendedKeyUsage (clientAuth, serverAuth) and keyUsage",
            "check that the key's type and curve are known to the sender",
        ),
    ),
    Alert.certificate_revoked: AlertFacts(
        "RFC 8446 §6.2",
        ALL,
        USUALLY,
        "The certificate was revoked by the CA that issued it, as the sender learned from a CRL or by OCSP.",
        (
            "look the serial number up in the CA's CRL or ask its OCSP responder",
            "have a new certificate issued",
            "check that the sender's CRL is the right and current one",
        ),
    ),
    Alert.certificate_expired: AlertFacts(
        "RFC 8446 §6.2",
        ALL,
        USUALLY,
        "The certificate, or one above it, is past its end by the clock of the sender. The RFC's"
        " words cover one that is not valid yet as well, and some libraries use it so.",
        (
            "compare notBefore and notAfter of every certificate in the chain with the sender's clock",
            "check that clock: a device without a battery or NTP may live in another year",
            "renew what expired; mind cross-signed roots that older devices still follow",
        ),
    ),
    Alert.certificate_unknown: AlertFacts(
        "RFC 8446 §6.2",
        ALL,
        USUALLY,
        "The certificate was refused for a reason that has no alert of its own. Java and others"
        " also send it for issuers they do not trust; browsers when the user or a policy says no.",
        (
            "look in the log of the side that sent it: the true reason stands only there",
            "check trust, names and validity in this order",
        ),
    ),
    Alert.illegal_parameter: AlertFacts(
        "RFC 8446 §6.2",
        ALL,
        FATAL,
        "A field of a handshake message has a value that is not allowed, or contradicts another"
        " field. One of the two programs breaks the protocol.",
        (
            "look at the message just before the alert: its version, groups, key shares and extensions",
            "look for a middlebox that rewrites hellos",
            "update the older TLS library",
        ),
    ),
    Alert.unknown_ca: AlertFacts(
        "RFC 8446 §6.2",
        TLS,
        FATAL,
        "The sender found no path from the peer's certificate to a CA it trusts: the CA is"
        " missing from its trust store, or an intermediate certificate was not sent.",
        (
            "check that the peer sends its intermediate certificates",
            "check that the issuing root is in the trust store of the side that sent the alert",
            "compare the issuer with the names in certificate_request, if it was a client that was refused",
        ),
    ),
    Alert.access_denied: AlertFacts(
        "RFC 8446 §6.2",
        TLS,
        FATAL,
        "The certificate or PSK is valid, but its holder may not come in: access control said no.",
        (
            "check the access rules for this subject or identity on the side that sent the alert",
            "check that the right certificate was chosen, if the client has several",
        ),
    ),
    Alert.decode_error: AlertFacts(
        "RFC 8446 §6.2",
        TLS,
        FATAL,
        "A message could not be parsed: a length or a field is out of bounds. In TLS 1.3 a"
        " server's empty certificate message is answered with this as well.",
        (
            "look at the message just before the alert, byte by byte",
            "look for a middlebox, or for a very large message that was cut",
        ),
    ),
    Alert.decrypt_error: AlertFacts(
        "RFC 8446 §6.2",
        TLS,
        FATAL,
        "A cryptographic step of the handshake failed: a signature, a Finished message or a PSK binder did not verify.",
        (
            "check that the private key belongs to the certificate",
            "for PSK, compare the key itself and its hash on both sides",
            "suspect something on the way that changed the handshake",
        ),
    ),
    Alert.too_many_cids_requested: AlertFacts(
        "RFC 9147 §9",
        ("DTLS",),
        FATAL,
        "The peer asked for more connection IDs at once than the sender is willing to give.",
        ("lower the number in request_connection_id",),
        note="only in DTLS 1.3",
    ),
    Alert.export_restriction: AlertFacts(
        "RFC 2246 §7.2.2",
        ("TLS 1.0",),
        FATAL,
        "The negotiation broke the export rules of the 1990s, such as an RSA key over 512 bits for an export suite.",
        (
            "remove export cipher suites on both sides",
            "update the sender",
        ),
        note="reserved since TLS 1.1",
    ),
    Alert.protocol_version: AlertFacts(
        "RFC 8446 §6.2",
        TLS,
        FATAL,
        "The sender knows the offered protocol version but does not support it, or not any more."
        " The two sides have no version in common.",
        (
            "compare the client's supported_versions and client_version with what the server allows",
            "check minimum versions in the configuration and the system's crypto policy",
            "look for a TLS 1.3-only or TLS 1.0-only side",
        ),
    ),
    Alert.insufficient_security: AlertFacts(
        "RFC 8446 §6.2",
        TLS,
        FATAL,
        "There are parameters in common, but the server demands stronger ones than the client offers.",
        (
            "offer stronger cipher suites, groups or signature schemes",
            "check the server's security level and minimum key sizes",
        ),
    ),
    Alert.internal_error: AlertFacts(
        "RFC 8446 §6.2",
        TLS,
        FATAL,
        "Something failed inside the sender that has nothing to do with the peer: memory, a key"
        " that could not be loaded, a callback that returned an error. Some servers hide other"
        " reasons behind it.",
        (
            "read the sender's log at the time of the alert",
            "check its key, certificate and session store, and any hardware module",
            "try again: if it comes always, it is the configuration; if rarely, resources",
        ),
    ),
    Alert.inappropriate_fallback: AlertFacts(
        "RFC 7507 §2",
        ALL,
        FATAL,
        "The client tried again with an older version and said so (TLS_FALLBACK_SCSV), while the"
        " server supports a newer one. Something broke the first attempt: a fault, or an attacker"
        " who wants the older version.",
        (
            "look at the first connection: why did it fail?",
            "look for a middlebox that drops new or large ClientHellos",
            "switch off the client's fallback",
        ),
    ),
    Alert.user_canceled: AlertFacts(
        "RFC 8446 §6.1",
        TLS,
        WARNING,
        "The sender gave the handshake up for a reason outside the protocol, such as a user who"
        " closed a dialogue. A close_notify should follow.",
        (
            "check for time limits and certificate or PIN dialogues on the side that sent it",
            "if a TLS 1.3 connection goes on after it, ignore it: some programs send it when they close",
        ),
    ),
    Alert.no_renegotiation: AlertFacts(
        "RFC 5246 §7.2.2",
        TLS12,
        WARNING,
        "The sender does not wish to renegotiate. The peer decides whether it can go on without.",
        (
            "find out why the peer renegotiates: commonly for a client certificate for one path of a site",
            "ask for the certificate in the first handshake, or use TLS 1.3",
        ),
        note="reserved in TLS 1.3, which has no renegotiation",
    ),
    Alert.missing_extension: AlertFacts(
        "RFC 8446 §6.2",
        TLS13,
        FATAL,
        "A message lacks an extension that TLS 1.3 demands there, such as supported_groups beside"
        " key_share or signature_algorithms.",
        (
            "list the extensions of the message before the alert and compare with RFC 8446 §9.2",
            "for QUIC: check quic_transport_parameters",
        ),
    ),
    Alert.unsupported_extension: AlertFacts(
        "RFC 8446 §6.2",
        TLS,
        FATAL,
        "An answer holds an extension that was not offered, or one that may not stand in that message.",
        (
            "compare the extensions of the ServerHello, or of the certificates, with those of the ClientHello",
            "look for a middlebox that removes extensions on one way only",
        ),
    ),
    Alert.certificate_unobtainable: AlertFacts(
        "RFC 6066 §9",
        TLS12,
        EITHER,
        "The server could not fetch the client's certificate from the URL it was given.",
        (
            "try the URL from the server",
            "send the certificate itself instead of a URL",
        ),
        note="reserved in TLS 1.3",
    ),
    Alert.unrecognized_name: AlertFacts(
        "RFC 6066 §3",
        TLS,
        EITHER,
        "The server has no host of the name that the client asked for (SNI). As a warning the"
        " handshake goes on with the default host.",
        (
            "check the name in the ClientHello's server_name: spelling, an IP address, a port at its end",
            "check the virtual hosts and aliases of the server",
        ),
    ),
    Alert.bad_certificate_status_response: AlertFacts(
        "RFC 6066 §8",
        TLS,
        FATAL,
        "The stapled OCSP response is invalid, too old, or missing for a certificate that demands one (must-staple).",
        (
            "look at the response: its times, its signer, the certificate it is about",
            "check that the server can reach its OCSP responder, and its clock",
        ),
    ),
    Alert.bad_certificate_hash_value: AlertFacts(
        "RFC 6066 §9",
        TLS12,
        FATAL,
        "The certificate fetched from the client's URL does not have the hash that the client announced.",
        (
            "compare the file behind the URL with the hash",
            "send the certificate itself instead of a URL",
        ),
        note="reserved in TLS 1.3",
    ),
    Alert.unknown_psk_identity: AlertFacts(
        "RFC 4279 §2",
        TLS,
        FATAL,
        "The server does not know the PSK identity of the client, or does not want to tell"
        " whether it does: then decrypt_error says the same.",
        (
            "compare the identity byte by byte: case, spaces, a missing prefix",
            "check that the server has the key",
        ),
    ),
    Alert.certificate_required: AlertFacts(
        "RFC 8446 §6.2",
        TLS13,
        FATAL,
        "The server demands a client certificate and the client sent none. In TLS 1.3 the client"
        " may already believe that the handshake succeeded.",
        (
            "give the client a certificate and its key",
            "if it has one: check that it is issued by a CA that certificate_request names and fits its schemes",
        ),
    ),
    Alert.general_error: AlertFacts(
        "RFC 9846 §6.2",
        TLS13,
        FATAL,
        "An error for which there is no better alert, or about which the sender does not want to say more.",
        (
            "read the log of the side that sent it",
            "look at the message just before the alert",
        ),
        note="new in RFC 9846; older programs do not know it",
    ),
    Alert.no_application_protocol: AlertFacts(
        "RFC 7301 §3.2",
        TLS,
        FATAL,
        "The server supports none of the application protocols that the client offered by ALPN.",
        (
            "compare the client's ALPN list with the server's (h2, http/1.1, ...)",
            "check that this is the right port for the service",
        ),
    ),
    Alert.ech_required: AlertFacts(
        "RFC 9849 §5",
        TLS13,
        FATAL,
        "The client insists on Encrypted ClientHello and the server did not accept it. A client"
        " sends this after it has taken the server's new ECH configuration, if there was one.",
        (
            "compare the ECH configuration in DNS (HTTPS record) with the server's keys",
            "check that the DNS record is not an old one from a cache",
            "look for a middlebox that ends TLS on the way",
        ),
    ),
}
