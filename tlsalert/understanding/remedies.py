"""What each cause is in few words, and what to look at next: for those who have a line and not the handshake."""

from __future__ import annotations

#: Each cause in a few words, for lists.
SHORT: dict[str, str] = {
    "certificate_not_yet_valid": "not yet valid",
    "certificate_expired": "expired",
    "unknown_ca": "unknown CA",
    "no_client_certificate": "no client certificate",
    "bad_certificate_signature": "bad signature",
    "key_mismatch": "signed with another key",
    "wrong_certificate_usage": "wrong key usage",
    "certificate_revoked": "revoked",
    "unsupported_certificate": "unsupported kind",
    "malformed_certificate": "malformed",
    "weak_certificate": "weak key or hash",
    "chain_incomplete": "intermediate missing",
    "chain_out_of_order": "chain out of order",
    "chain_invalid": "issuer may not issue",
    "chain_too_long": "chain too long",
    "revocation_status_unavailable": "CRL or OCSP missing, stale or wrong",
    "certificate_not_pinned": "not the pinned certificate",
    "name_mismatch": "wrong name",
    "no_shared_version": "no common version",
    "no_shared_cipher_suite": "no common cipher suite",
    "no_shared_group": "no common group",
    "no_shared_signature_scheme": "no common signature scheme",
    "unrecognized_name": "unknown server name",
    "no_application_protocol": "no common ALPN protocol",
    "inappropriate_fallback": "needless fallback",
    "decryption_failed": "record or Finished wrong",
    "protocol_violation": "protocol broken",
    "not_tls": "not TLS",
    "closed_without_alert": "closed without an alert",
    "reset_without_alert": "reset without an alert",
    "timed_out": "timed out",
    "user_canceled": "cancelled",
    "resource_limit": "too large",
    "internal_error": "failed inside",
    "access_denied": "refused by its application",
    "normal_close": "closed",
    "unknown_psk_identity": "unknown PSK",
    "ech_required": "ECH needed",
}

#: What to look at next, the likeliest first, by cause.
NEXT: dict[str, tuple[str, ...]] = {
    "certificate_not_yet_valid": (
        "compare notBefore of every certificate in the chain with the clock of the side that refused",
        "set that clock: a device without a battery or NTP may live in another year",
        "check the clock of the CA that issued the certificate, if it is brand new",
    ),
    "certificate_expired": (
        "compare notAfter of every certificate of the chain, the CAs' too, with the refusing side's clock",
        "renew what expired and restart the program that presents it",
        "check the refusing side's clock",
    ),
    "unknown_ca": (
        "see whether the intermediate certificates are sent along",
        "give the side that refused the root that issued the certificate, in the store that it really uses",
        "look for a TLS-inspecting proxy, which signs with a CA of its own",
    ),
    "chain_incomplete": (
        "append the intermediate certificates to the file that the presenting side sends",
        "check that the root is in the refusing side's store",
    ),
    "no_client_certificate": (
        "give the client a certificate and its key",
        "where it has one: compare its issuer and key type with the server's certificate_request",
        "check that the client could read both files, and that the key fits the certificate",
    ),
    "bad_certificate_signature": (
        "look for two CAs of the same name and different keys: a renewed one, or an impostor",
        "compare the certificate file with the original: it may be damaged",
    ),
    "key_mismatch": (
        "compare the public keys of the certificate and of the private key",
        "after a renewal: both files must have been replaced, and the program restarted",
    ),
    "wrong_certificate_usage": (
        "check extendedKeyUsage: clientAuth for a client, serverAuth for a server",
        "check keyUsage: digitalSignature",
        "check that the leaf, and not a CA, is sent first",
    ),
    "certificate_revoked": (
        "look the serial number up in the CA's CRL or ask its OCSP responder",
        "have a new certificate issued",
    ),
    "unsupported_certificate": (
        "check the key's type and curve and the critical extensions",
        "use RSA of 2048 bits or P-256",
    ),
    "malformed_certificate": (
        "decode the certificate with another tool, byte by byte",
        "check what the presenting side sends: DER or PEM, one file or another",
    ),
    "weak_certificate": (
        "issue the certificate with RSA of 2048 bits or P-256, signed with SHA-256",
        "check every certificate of the chain, not only the first",
        "look at the refusing side's security level or disabled algorithms",
    ),
    "chain_out_of_order": ("put the leaf first, then each issuer in turn",),
    "chain_invalid": ("look at the issuers' basic constraints, keyUsage, path length and name constraints",),
    "chain_too_long": ("raise the verify depth of the side that refused, or use a shorter chain",),
    "revocation_status_unavailable": (
        "give the refusing side a current CRL for each CA of the chain",
        "check that the OCSP responder or the CRL's address can be reached from there",
        "compare the CRL's dates with the clock",
    ),
    "certificate_not_pinned": ("put exactly this certificate into the refusing side's store",),
    "name_mismatch": (
        "compare the name that was asked for with the certificate's subjectAltName; the common name no longer counts",
        "an IP address needs an entry of type iPAddress",
        "check that the request reached the right server: SNI, DNS, a proxy",
    ),
    "no_shared_version": (
        "compare the client's versions with those that the server allows",
        "check minimum versions in the configuration and the system's crypto policy",
    ),
    "no_shared_cipher_suite": (
        "compare the client's cipher suites with the server's",
        "check that the server's certificate fits the suites: an ECDSA key serves no RSA suite",
        "check that the server has loaded its certificate at all",
    ),
    "no_shared_group": (
        "compare supported_groups of both sides",
        "replace Diffie-Hellman parameters under 2048 bits",
    ),
    "no_shared_signature_scheme": (
        "compare signature_algorithms with the key of the certificate",
        "check the security level and the system's crypto policy: SHA-1 is often off",
    ),
    "unrecognized_name": (
        "check the name in the ClientHello's server_name",
        "check the virtual hosts and aliases of the server",
    ),
    "no_application_protocol": ("compare the ALPN lists of both sides (h2, http/1.1, …)",),
    "inappropriate_fallback": ("look at the first connection: why did it fail?",),
    "decryption_failed": (
        "look for something on the way that changes bytes",
        "suspect a key that differs, or a bug in one of the two libraries",
    ),
    "protocol_violation": (
        "look at the message just before the alert",
        "look for a middlebox on the way",
        "update the older of the two libraries",
    ),
    "not_tls": (
        "check the port: one side speaks no TLS here",
        "check whether TLS begins only after STARTTLS or CONNECT",
        "look for a proxy that answered in plain text",
    ),
    "closed_without_alert": (
        "look in the log of the side that closed",
        "look for a firewall, a load balancer or a health check that closes by itself",
        "check whether the server is configured for TLS on this port, with this name",
    ),
    "reset_without_alert": (
        "look in the log of the side that reset",
        "look for a firewall or an intrusion prevention system on the way",
    ),
    "timed_out": (
        "check that the port can be reached and answers with TLS at once",
        "check the path MTU: a large ClientHello or Certificate may be lost",
    ),
    "resource_limit": ("send fewer or smaller certificates, or raise the limit of the side that refused",),
    "internal_error": ("read the log of the side that failed at the time of the error",),
    "access_denied": ("look at the access rules and the callbacks of the side that refused",),
    "user_canceled": ("check for certificate or PIN dialogues and time limits",),
    "unknown_psk_identity": ("compare the PSK identity byte by byte",),
}
