"""What programs print about errors that they found themselves, before or instead of an alert from the peer.

Each row holds a piece of the line in lower case, the TLS stack that says so, the side it is on, and the cause.
The alert that such a program will have sent follows from stack, side and cause
(:mod:`tlsalert.diagnosis.knowledge`), unless the row names it: then from that project's source. "none": none.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

Sent = int | Literal["none"] | None  # None: as the stack is known to answer


class LocalError(NamedTuple):
    """One row. ``needle`` is searched in the line in lower case; "a|b" needs both pieces."""

    needle: str
    program: str
    stack: str | None
    side: Literal["client", "server"] | None
    cause: str | None  # None: it refused the certificate, and for what is not in the line
    sent: Sent = None
    also: tuple[tuple[int, str], ...] = ()
    words: str | None = None


# Go crypto/tls: handshake_client.go verifyServerCertificate() answers every fault of the server's certificate
# with bad_certificate; handshake_server.go sends one of its own for some. Texts: crypto/x509/verify.go.
GO: Final = (
    ("failed to parse client certificate", "server", "malformed_certificate", None),
    ("failed to parse certificate from server", "client", "malformed_certificate", 42),
    ("x509: certificate has expired or is not yet valid|is before", "client", "certificate_not_yet_valid", 42),
    ("x509: certificate has expired or is not yet valid", "client", "certificate_expired", 42),
    ("x509: certificate signed by unknown authority|candidate authority certificate", "client", "bad_certificate_signature", 42),
    ("x509: certificate signed by unknown authority", "client", "unknown_ca", 42),
    ("x509: certificate is valid for ", "client", "name_mismatch", 42),
    ("x509: certificate is not valid for any names", "client", "name_mismatch", 42),
    ("x509: cannot validate certificate for ", "client", "name_mismatch", 42),
    ("x509: certificate relies on legacy common name", "client", "name_mismatch", 42),
    ("x509: certificate specifies an incompatible key usage", "client", "wrong_certificate_usage", 42),
    ("x509: certificate is not authorized to sign other", "client", "chain_invalid", 42),
    ("x509: invalid signature: parent certificate cannot sign", "client", "chain_invalid", 42),
    ("x509: a root or intermediate certificate is not authorized", "client", "chain_invalid", 42),
    ("x509: issuer name does not match", "client", "chain_invalid", 42),
    ("x509: too many intermediates", "client", "chain_invalid", 42),
    ("x509: unhandled critical extension", "client", "unsupported_certificate", 42),
    ("x509: cannot verify signature: insecure algorithm", "client", "weak_certificate", 42),
    ("x509: cannot verify signature", "client", "unsupported_certificate", 42),
    ("x509: failed to load system roots", "client", "unknown_ca", 42),
    ("x509: negative serial number", "client", "malformed_certificate", 42),
    ("x509: ecdsa verification failure", "client", "bad_certificate_signature", 42),
    ("crypto/rsa: verification error", "client", "bad_certificate_signature", 42),
    ("tls: first record does not look like a tls handshake", "client", "not_tls", "none"),
    ("http: server gave http response to https client", "client", "not_tls", "none"),
    ("client sent an http request to an https server", "server", "not_tls", "none"),
    ("tls: oversized record received", "client", "not_tls", 22),
    ("tls: unsupported sslv2 handshake received", "server", "no_shared_version", 70),
    ("tls: no cipher suite supported by both", "server", "no_shared_cipher_suite", 40),
    ("tls: no ecdhe curve supported by both", "server", "no_shared_group", 40),
    ("tls: no supported elliptic curves offered", "server", "no_shared_group", 40),
    ("tls: client offered only unsupported versions", "server", "no_shared_version", 70),
    ("tls: server selected unsupported protocol version", "client", "no_shared_version", 70),
    ("tls: no supported versions satisfy", "client", "no_shared_version", "none"),
    ("tls: client requested unsupported application protocols", "server", "no_application_protocol", 120),
    ("tls: server selected unadvertised alpn protocol", "client", "no_application_protocol", 110),
    ("tls: client using inappropriate protocol fallback", "server", "inappropriate_fallback", 86),
    ("tls: peer doesn't support any of the certificate's signature", "server", "no_shared_signature_scheme", 40),
    ("tls: invalid signature by the client certificate", "server", "key_mismatch", 51),
    ("tls: invalid signature by the server certificate", "client", "key_mismatch", 51),
    ("tls: private key does not match public key", None, "key_mismatch", "none"),
    ("tls: private key type does not match", None, "key_mismatch", "none"),
    ("tls: no certificates configured", "server", "internal_error", 80),
    ("tls: neither certificates, getcertificate", "server", "internal_error", "none"),
    ("tls: client's finished message is incorrect", "server", "decryption_failed", None),
    ("tls: server's finished message was incorrect", "client", "decryption_failed", None),
    ("tls: invalid client finished hash", "server", "decryption_failed", 51),
    ("tls: invalid server finished hash", "client", "decryption_failed", 51),
    ("tls: received unexpected handshake message", None, "protocol_violation", 10),
    ("tls: downgrade attempt detected", "client", "protocol_violation", 47),
    ("tls: server chose an unconfigured cipher suite", "client", "no_shared_cipher_suite", 40),
    ("tls: unsupported certificate", None, "unsupported_certificate", None),
    ("tls: client certificate contains an unsupported public key", "server", "unsupported_certificate", 43),
    ("tls: handshake message of length", None, "resource_limit", 80),
    ("tls: failed to find any pem data", None, "malformed_certificate", "none"),
    ("net/http: tls handshake timeout", "client", "timed_out", "none"),
    ("http: tls handshake error|eof", "server", "closed_without_alert", "none"),
    ("http: tls handshake error|connection reset", "server", "reset_without_alert", "none"),
    ("http: tls handshake error|i/o timeout", "server", "timed_out", "none"),
)  # fmt: skip

# A server of Go up to 1.19 says "client" and answers everything with 42; later ones have an alert for each fault.
GO_SERVERS: Final = (
    LocalError("failed to verify client certificate|is before", "Go", "go<=1.19", "server", "certificate_not_yet_valid", 42),
    LocalError("failed to verify client certificate|certificate has expired", "Go", "go<=1.19", "server", "certificate_expired", 42),
    LocalError("failed to verify client certificate|unknown authority", "Go", "go<=1.19", "server", "unknown_ca", 42),
    LocalError("failed to verify client certificate|incompatible key usage", "Go", "go<=1.19", "server", "wrong_certificate_usage", 42),
    LocalError("failed to verify client certificate", "Go", "go<=1.19", "server", None, 42),
    LocalError("handshake error|failed to verify certificate|is before", "Go", "go", "server", "certificate_not_yet_valid"),
    LocalError("handshake error|failed to verify certificate|certificate has expired", "Go", "go", "server", "certificate_expired"),
    LocalError("handshake error|failed to verify certificate|unknown authority", "Go", "go", "server", "unknown_ca"),
    LocalError("handshake error|failed to verify certificate|incompatible key usage", "Go", "go", "server", "wrong_certificate_usage"),
    LocalError(
        "tls: client didn't provide a certificate", "Go", "go", "server", "no_client_certificate", 40,
        ((116, "in TLS 1.3"), (42, "from Go up to 1.19, and up to TLS 1.2 to about 1.23")),
    ),
)  # fmt: skip
BY_DATE = (
    "The program refused its peer's certificate by its dates: expired or not yet valid, as the cause below it says."
)
JAVA_DATES: Final = tuple(
    LocalError(
        needle,
        "Java",
        "java",
        None,
        None,
        46,
        ((45, "expired, up to TLS 1.2"), (42, "not yet valid, up to TLS 1.2")),
        BY_DATE,
    )
    for needle in ("validity check failed", "timestamp check failed")
)

# OpenJDK, sun/security/ssl and sun/security/validator; CertificateMessage.java getCertificateAlert() for a client's answer.
JAVA_FIRST: Final = (
    ("certificateexpiredexception", None, "certificate_expired", None),
    ("certificatenotyetvalidexception", None, "certificate_not_yet_valid", None),
)
JAVA: Final = (
    ("pkix path building failed", "client", "unknown_ca", 46),
    ("unable to find valid certification path", "client", "unknown_ca", 46),
    ("path does not chain with any of the trust anchors", None, "unknown_ca", 46),
    ("trust anchor for certification path not found", "client", "unknown_ca", 46),
    ("no trusted certificate found", None, "unknown_ca", 46),
    ("trustanchors parameter must be non-empty", "client", "unknown_ca", 80),
    ("no subject alternative names", "client", "name_mismatch", 46),
    ("no subject alternative dns name matching", "client", "name_mismatch", 46),
    ("no name matching", "client", "name_mismatch", 46),
    ("certificate for <|doesn't match any of the subject alternative names", "client", "name_mismatch", "none"),
    ("certificates do not conform to algorithm constraints", None, "weak_certificate", None),
    ("certificates does not conform to algorithm constraints", None, "weak_certificate", None),
    ("algorithm constraints check failed", None, "weak_certificate", 43),
    ("comply to algorithm constraints", "client", "no_shared_group", 40),
    ("extended key usage does not permit use for tls client", "server", "wrong_certificate_usage", None),
    ("extended key usage does not permit use for tls server", "client", "wrong_certificate_usage", 46),
    ("keyusage does not allow", None, "wrong_certificate_usage", 46),
    ("certificaterevokedexception", None, "certificate_revoked", None),
    ("certificate has been revoked", None, "certificate_revoked", None),
    ("unable to determine revocation status", None, "revocation_status_unavailable", 46),
    ("certificate signature validation failed", None, "bad_certificate_signature", 46),
    ("signature check failed", None, "bad_certificate_signature", 46),
    ("pkix path validation failed", None, "unknown_ca", 46),
    ("empty client certificate chain", "server", "no_client_certificate", None),
    ("empty server certificate chain", "client", "protocol_violation", 42),
    ("null cert chain", "server", "no_client_certificate", 42),
    ("no cipher suites in common", "server", "no_shared_cipher_suite", 40),
    ("no appropriate protocol", "client", "no_shared_version", "none"),
    ("no negotiable cipher suite", None, "no_shared_cipher_suite", 40),
    ("is not enabled or supported in server context", "server", "no_shared_version", 70),
    ("client requested protocol", "server", "no_shared_version", 70),
    ("is not accepted by client preferences", "client", "no_shared_version", 70),
    ("the server selected protocol version", "client", "no_shared_version", 70),
    ("server chose", "client", "no_shared_version", 70),
    ("unsupported or unrecognized ssl message", None, "not_tls", "none"),
    ("unrecognized ssl message, plaintext connection", None, "not_tls", "none"),
    ("remote host terminated the handshake", None, "closed_without_alert", "none"),
    ("remote host closed connection during handshake", None, "closed_without_alert", "none"),
    ("ssl peer shut down incorrectly", None, "closed_without_alert", "none"),
    ("invalid certificateverify signature", "server", "key_mismatch", 40),
    ("invalid certificate verify", "server", "key_mismatch", 40),
    ("invalid ecdh serverkeyexchange signature", "client", "key_mismatch", 40),
    ("the certificate chain length", None, "chain_too_long", 40),
    ("certificaterequest.java|no available authentication scheme", "client", "no_shared_signature_scheme", "none"),
    ("no available authentication scheme", None, "no_shared_signature_scheme", 40),
    ("unable to produce certificateverify signature", None, "no_shared_signature_scheme", 40),
    ("inappropriate protocol fallback", "server", "inappropriate_fallback", 86),
    ("no application protocol|sslhandshakeexception", None, "no_application_protocol", 120),
    ("tag mismatch", None, "decryption_failed", 20),
    ("insufficient buffer remaining for aead", None, "decryption_failed", 20),
    ("sslpeerunverifiedexception", "client", "name_mismatch", "none"),
)  # fmt: skip

# rustls, rustls/src/error.rs: Display of Error, CertificateError, PeerIncompatible, InvalidMessage.
RUSTLS: Final = (
    ("unknownissuer", "unknown_ca", 48),
    ("notvalidyet", "certificate_not_yet_valid", 45),
    ("certnotvalidyet", "certificate_not_yet_valid", 45),
    ("certificate not valid yet", "certificate_not_yet_valid", 45),
    ("certificate expired", "certificate_expired", 45),
    ("certexpired", "certificate_expired", 45),
    ("expiredrevocationlist", "revocation_status_unavailable", 48),
    ("unknownrevocationstatus", "revocation_status_unavailable", 48),
    ("expired", "certificate_expired", 45),
    ("notvalidforname", "name_mismatch", 42),
    ("not valid for name", "name_mismatch", 42),
    ("revoked", "certificate_revoked", 44),
    ("badsignature", "bad_certificate_signature", 51),
    ("badencoding", "malformed_certificate", 42),
    ("badder", "malformed_certificate", 42),
    ("unhandledcriticalextension", "unsupported_certificate", 42),
    ("invalidpurpose", "wrong_certificate_usage", 43),
    ("requiredekunotfound", "wrong_certificate_usage", 43),
    ("unsupportedsignaturealgorithm", "unsupported_certificate", 51),
    ("unsupportedcertversion", "unsupported_certificate", 46),
    ("causedasendentity", "wrong_certificate_usage", 46),
    ("endentityusedasca", "chain_invalid", 46),
    ("pathlenconstraintviolated", "chain_invalid", 46),
    ("nameconstraintviolation", "chain_invalid", 46),
    ("applicationverificationfailure", "access_denied", 49),
)  # fmt: skip
RUSTLS_MARKS: Final = ("invalid peer certificate", "invalidcertificate", "certificateerror", "invalid certificate:")
RUSTLS_OTHER: Final = (
    ("nociphersuitesincommon", "server", "no_shared_cipher_suite", 40),
    ("nokxgroupsincommon", "server", "no_shared_group", 40),
    ("nosignatureschemesincommon", None, "no_shared_signature_scheme", 40),
    ("nocertificaterequestsignatureschemesincommon", "client", "no_shared_signature_scheme", 40),
    ("tls12notoffered", None, "no_shared_version", 70),
    ("supportedversionsextensionrequired", "server", "no_shared_version", 70),
    ("servertlsversionisdisabled", "client", "no_shared_version", 70),
    ("serverdoesnotsupporttls12or13", "client", "no_shared_version", 70),
    ("tls12notofferedorenabled", None, "no_shared_version", 70),
    ("nocertificatespresented", "server", "no_client_certificate", 116),
    ("peer sent no certificates", "server", "no_client_certificate", 116),
    ("nocertificatesprovided", "server", "no_client_certificate", 116),
    ("noapplicationprotocol", "server", "no_application_protocol", 120),
    ("peer doesn't support any known protocol", "server", "no_application_protocol", 120),
    ("invalidcontenttype", None, "not_tls", 50),
    ("corrupt message", None, "protocol_violation", 50),
    ("cannot decrypt peer's message", None, "decryption_failed", 20),
    ("peer misbehaved", None, "protocol_violation", 47),
    ("peer is incompatible", None, "no_shared_cipher_suite", 40),
    ("inappropriate handshake message", None, "protocol_violation", 10),
    ("inappropriatehandshakemessage", None, "protocol_violation", 10),
    ("without sending tls close_notify", None, "closed_without_alert", "none"),
)  # fmt: skip

# Programs on OpenSSL, and others: words of their own. Alerts as OpenSSL sends them.
OTHERS: Final = (
    # nginx, src/http/ngx_http_request.c: it lets the handshake pass and answers 400.
    ("client sent no required ssl certificate", "nginx", "nginx", "server", "no_client_certificate", "none"),
    ("no required ssl certificate was sent", "nginx", "nginx", "server", "no_client_certificate", "none"),
    ("the plain http request was sent to https port", "nginx", "nginx", "server", "not_tls", "none"),
    ("client sent plain http request to https port", "nginx", "nginx", "server", "not_tls", "none"),
    ("the ssl certificate error", "nginx", "nginx", "server", "unknown_ca", "none"),
    ("closed connection while ssl handshaking", "nginx", "openssl>=1.1.1", None, "closed_without_alert", "none"),
    ("peer closed connection in ssl handshake", "nginx", "openssl>=1.1.1", None, "closed_without_alert", "none"),
    ("upstream ssl certificate does not match", "nginx", "openssl>=1.1.1", "client", "name_mismatch", "none"),
    # Apache httpd, modules/ssl/ssl_engine_*.c
    ("http spoken on https port", "Apache httpd", "openssl>=1.1.1", "server", "not_tls", "none"),
    ("re-negotiation request failed", "Apache httpd", "openssl>=1.1.1", "server", "no_client_certificate", None),
    ("does not include an id which matches the server name", "Apache httpd", None, "server", "name_mismatch", "none"),
    ("does not match server name", "Apache httpd", None, "server", "name_mismatch", "none"),
    ("ssl handshake stopped: connection was closed", "Apache httpd", "openssl>=1.1.1", "server", "closed_without_alert", "none"),
    ("ssl handshake interrupted by system", "Apache httpd", "openssl>=1.1.1", "server", "closed_without_alert", "none"),
    ("no acceptable peer certificate available", "Apache httpd", "openssl>=1.1.1", "server", "no_client_certificate", None),
    ("client requires an ssl certificate", "Apache httpd", "openssl>=1.1.1", "server", "no_client_certificate", None),
    # haproxy, src/connection.c conn_err_code_str()
    ("ssl client ca chain cannot be verified", "HAProxy", "openssl>=1.1.1", "server", None, None),
    ("ssl client certificate not trusted", "HAProxy", "openssl>=1.1.1", "server", None, None),
    ("ssl server ca chain cannot be verified", "HAProxy", "openssl>=1.1.1", "client", "unknown_ca", None),
    ("server presented an ssl certificate different from the configured", "HAProxy", "openssl>=1.1.1", "client", "name_mismatch", None),
    ("connection closed during ssl handshake", "HAProxy", "openssl>=1.1.1", None, "closed_without_alert", "none"),
    ("connection error during ssl handshake", "HAProxy", "openssl>=1.1.1", None, "reset_without_alert", "none"),
    ("timeout during ssl handshake", "HAProxy", "openssl>=1.1.1", None, "timed_out", "none"),
    # stunnel, src/verify.c, src/client.c
    ("certificate not found in local repository", "stunnel", "stunnel-pinned", None, "certificate_not_pinned", 42),
    ("no matching certificate found in local repository", "stunnel", "stunnel-pinned", None, "certificate_not_pinned", 42),
    ("peer certificate required", "stunnel", "openssl>=1.1.1", "server", "no_client_certificate", None),
    ("certificate check failed: no matching host name", "stunnel", "openssl>=1.1.1", "client", "name_mismatch", 42),
    ("no limit on ssl|peer suddenly disconnected", "stunnel", "openssl>=1.1.1", None, "closed_without_alert", "none"),
    ("peer suddenly disconnected", "stunnel", "openssl>=1.1.1", None, "closed_without_alert", "none"),
    # OpenVPN, src/openvpn/ssl.c, ssl_verify.c
    ("tls key negotiation failed to occur within", "OpenVPN", None, None, "timed_out", "none"),
    ("tls error: cannot locate hmac", "OpenVPN", None, None, "protocol_violation", "none"),
    ("tls-crypt unwrap", "OpenVPN", None, None, "protocol_violation", "none"),
    ("verify eku error", "OpenVPN", "openssl>=1.1.1", None, "wrong_certificate_usage", None),
    ("verify ku error", "OpenVPN", "openssl>=1.1.1", None, "wrong_certificate_usage", None),
    ("verify x509name error", "OpenVPN", "openssl>=1.1.1", "client", "name_mismatch", None),
    ("verify nscerttype error", "OpenVPN", "openssl>=1.1.1", None, "wrong_certificate_usage", None),
    ("peer certificate verification failure", "OpenVPN", None, None, "unknown_ca", None),
    # Postfix, src/tls
    ("certificate verification failed for|untrusted issuer", "Postfix", "openssl>=1.1.1", "client", "unknown_ca", "none"),
    ("certificate verification failed for|not designated for", "Postfix", "openssl>=1.1.1", "client", "wrong_certificate_usage", "none"),
    ("server certificate not verified", "Postfix", "openssl>=1.1.1", "client", "unknown_ca", "none"),
    ("tls is required, but was not offered", "Postfix", None, "client", "not_tls", "none"),
    ("client certificate not trusted|postfix", "Postfix", "openssl>=1.1.1", "server", "unknown_ca", "none"),
    ("client didn't present valid ssl certificate", "Dovecot", "openssl>=1.1.1", "server", "no_client_certificate", "none"),
    ("client didn't present valid tls certificate", "Dovecot", "openssl>=1.1.1", "server", "no_client_certificate", "none"),
    ("invalid certificate: |dovecot", "Dovecot", "openssl>=1.1.1", "server", "unknown_ca", "none"),
    ("disconnected (no auth attempts|tls handshaking", "Dovecot", "openssl>=1.1.1", "server", "closed_without_alert", "none"),
    # GnuTLS, lib/errors.c, lib/x509/verify.c (gnutls_certificate_verification_status_print), src/ of gnutls-cli
    ("the certificate issuer is unknown", "GnuTLS", "gnutls", None, "unknown_ca", None),
    ("certificate issuer is unknown", "GnuTLS", "gnutls", None, "unknown_ca", None),
    ("the certificate chain uses expired certificate", "GnuTLS", "gnutls", None, "certificate_expired", None),
    ("the certificate chain uses not yet valid certificate", "GnuTLS", "gnutls", None, "certificate_not_yet_valid", None),
    ("the certificate chain is revoked", "GnuTLS", "gnutls", None, "certificate_revoked", None),
    ("the certificate chain uses insecure algorithm", "GnuTLS", "gnutls", None, "weak_certificate", None),
    ("the name in the certificate does not match the expected", "GnuTLS", "gnutls", "client", "name_mismatch", None),
    ("the certificate chain does not match the intended purpose", "GnuTLS", "gnutls", None, "wrong_certificate_usage", None),
    ("the certificate is not trusted", "GnuTLS", "gnutls", None, "unknown_ca", None),
    ("the signature in the certificate is invalid", "GnuTLS", "gnutls", None, "bad_certificate_signature", None),
    ("the tls connection was non-properly terminated", "GnuTLS", "gnutls", None, "closed_without_alert", "none"),
    ("error in the certificate.", "GnuTLS", "gnutls", None, None, None),
    ("the specified session has been invalidated", "GnuTLS", "gnutls", None, None, "none"),
    ("no supported cipher suites have been found", "GnuTLS", "gnutls", None, "no_shared_cipher_suite", 40),
    ("pki verification of server certificate failed", "GnuTLS", "gnutls", "client", None, None),
    ("error in the certificate verification", "GnuTLS", "gnutls", None, "unknown_ca", None),
    ("no or insufficient priorities were set", "GnuTLS", "gnutls", None, "no_shared_cipher_suite", "none"),
    ("could not negotiate a supported cipher suite", "GnuTLS", "gnutls", None, "no_shared_cipher_suite", 40),
    ("an unexpected tls packet was received", "GnuTLS", "gnutls", None, "not_tls", 10),
    ("a packet with illegal or unsupported version was received", "GnuTLS", "gnutls", None, "no_shared_version", 70),
    ("decryption has failed", "GnuTLS", "gnutls", None, "decryption_failed", 20),
    ("public key signature verification has failed", "GnuTLS", "gnutls", None, "key_mismatch", 51),
    ("key usage violation in certificate has been detected", "GnuTLS", "gnutls", None, "wrong_certificate_usage", 80),
    ("certificate is required", "GnuTLS", "gnutls", None, "no_client_certificate", 116),
    ("no certificate was found", "GnuTLS", "gnutls", None, "no_client_certificate", 50),
    ("server certificate verification failed. cafile", "GnuTLS", "gnutls", "client", "unknown_ca", None),
    # wget, src/openssl.c and src/gnutls.c
    ("unable to locally verify the issuer's authority", "wget", "openssl>=1.1.1", "client", "unknown_ca", "none"),
    ("self-signed certificate encountered", "wget", "openssl>=1.1.1", "client", "unknown_ca", "none"),
    ("issued certificate not yet valid", "wget", "openssl>=1.1.1", "client", "certificate_not_yet_valid", "none"),
    ("issued certificate has expired", "wget", "openssl>=1.1.1", "client", "certificate_expired", "none"),
    ("the certificate of |is not yet activated", "wget", "gnutls", "client", "certificate_not_yet_valid", "none"),
    ("the certificate of |has expired", "wget", "gnutls", "client", "certificate_expired", "none"),
    ("the certificate has not yet been activated", "wget", "gnutls", "client", "certificate_not_yet_valid", "none"),
    ("the certificate has expired", "wget", "gnutls", "client", "certificate_expired", "none"),
    ("certificate of |is not trusted", "wget", "gnutls", "client", "unknown_ca", "none"),
    ("certificate of |doesn't have a known issuer", "wget", "gnutls", "client", "unknown_ca", "none"),
    ("no certificate subject alternative name matches", "wget", "openssl>=1.1.1", "client", "name_mismatch", "none"),
    ("doesn't match requested host name", "wget", "openssl>=1.1.1", "client", "name_mismatch", "none"),
    ("the certificate's owner does not match hostname", "wget", "gnutls", "client", "name_mismatch", "none"),
    ("cannot verify |'s certificate", "wget", "openssl>=1.1.1", "client", "unknown_ca", "none"),
    # curl, lib/vtls
    ("no alternative certificate subject name matches", "curl", "openssl>=1.1.1", "client", "name_mismatch", "none"),
    ("does not match target host", "curl", "openssl>=1.1.1", "client", "name_mismatch", "none"),
    ("does not match target hostname", "curl", "openssl>=1.1.1", "client", "name_mismatch", "none"),
    ("ssl public key does not match pinned public key", "curl", None, "client", "certificate_not_pinned", "none"),
    ("ssl: public key does not match pinned", "curl", None, "client", "certificate_not_pinned", "none"),
    ("unable to set private key file", "curl", None, "client", "key_mismatch", "none"),
    ("could not load pem client certificate", "curl", None, "client", "no_client_certificate", "none"),
    ("client certificate not found (nickname", "NSS", "nss", "client", "no_client_certificate", "none"),
    ("tls connect error: unexpected eof", "curl", "openssl>=1.1.1", "client", "closed_without_alert", "none"),
    # NSS's words, nss/lib/ssl/SSLerrs.h
    ("peer's certificate issuer has been marked as not trusted", "NSS", "nss", "client", "unknown_ca", 48),
    ("peer's certificate issuer is not recognized", "NSS", "nss", None, "unknown_ca", 48),
    ("peer's certificate has expired", "NSS", "nss", None, "certificate_expired", 45),
    ("peer's certificate has been revoked", "NSS", "nss", None, "certificate_revoked", 44),
    ("cannot communicate securely with peer: no common encryption", "NSS", "nss", None, "no_shared_cipher_suite", 40),
    ("ssl received a record that exceeded the maximum permissible length", "NSS", "nss", None, "not_tls", 22),
    ("unable to communicate securely with peer: requested domain name does not match", "NSS", "nss", "client", "name_mismatch", 42),
    # Python, Lib/ssl.py, Modules/_ssl.c; urllib3, requests
    ("hostname mismatch, certificate is not valid for", "Python", "openssl>=1.1.1", "client", "name_mismatch", 42),
    ("ip address mismatch, certificate is not valid for", "Python", "openssl>=1.1.1", "client", "name_mismatch", 42),
    ("eof occurred in violation of protocol", "Python", "openssl>=1.1.1", None, "closed_without_alert", "none"),
    ("hostname |doesn't match", "Python", "openssl>=1.1.1", "client", "name_mismatch", "none"),
    # Node, lib/_tls_wrap.js, src/crypto: it closes without an alert where its own check says no
    ("err_tls_cert_altname_invalid", "Node.js", "node", "client", "name_mismatch", "none"),
    ("hostname/ip does not match certificate's altnames", "Node.js", "node", "client", "name_mismatch", "none"),
    ("client network socket disconnected before secure tls", "Node.js", "node", "client", "closed_without_alert", "none"),
    ("err_tls_handshake_timeout", "Node.js", "node", None, "timed_out", "none"),
    ("err_tls_protocol_version_conflict", "Node.js", "node", None, "no_shared_version", "none"),
    # .NET, System.Net.Security
    ("remotecertificatenamemismatch", ".NET", None, "client", "name_mismatch", None),
    ("notsignaturevalid", ".NET", None, None, "bad_certificate_signature", None),
    ("nottimevalid", ".NET", None, None, "certificate_expired", None),
    ("not within its validity period", ".NET", None, None, "certificate_expired", None),
    ("untrustedroot", ".NET", None, None, "unknown_ca", None),
    ("partialchain", ".NET", None, None, "chain_incomplete", None),
    ("revocationstatusunknown", ".NET", None, None, "revocation_status_unavailable", None),
    ("remotecertificatechainerrors", ".NET", None, None, "unknown_ca", None),
    ("remotecertificatenotavailable", ".NET", None, None, "no_client_certificate", None),
    ("the remote certificate is invalid according to the validation procedure", ".NET", None, None, "unknown_ca", None),
    ("the remote certificate was rejected by the provided", ".NET", None, None, "access_denied", None),
    ("cannot determine the frame size or a corrupted frame", ".NET", None, None, "not_tls", "none"),
    ("could not create ssl/tls secure channel", ".NET", "schannel", "client", "no_shared_version", "none"),
    ("could not establish trust relationship", ".NET", "schannel", "client", "unknown_ca", None),
    ("unexpected eof or 0 bytes from the transport", ".NET", None, None, "closed_without_alert", "none"),
    # s2n-tls, error/s2n_errno.c
    ("certificate is untrusted", "s2n-tls", None, None, "unknown_ca", 46),
    ("certificate has expired (s2n", "s2n-tls", None, None, "certificate_expired", 45),
    # Windows event 36874, 36880 …
    ("none of the cipher suites supported by the client", "Schannel", "schannel", "server", "no_shared_cipher_suite", 40),
    ("no suitable default server credential", "Schannel", "schannel", "server", "internal_error", None),
    ("certificate received from the remote server was issued by an untrusted", "Schannel", "schannel", "client", "unknown_ca", None),
    ("certificate received from the remote server has expired", "Schannel", "schannel", "client", "certificate_expired", None),
    ("certificate received from the remote server has not validated correctly", "Schannel", "schannel", "client", "unknown_ca", None),
    ("certificate received from the remote client has not validated correctly", "Schannel", "schannel", "server", "unknown_ca", None),
    ("does not contain the expected name", "Schannel", "schannel", "client", "name_mismatch", None),
    # Erlang/OTP, lib/ssl/src
    ("bad_cert,unknown_ca", "Erlang/OTP", "erlang", None, "unknown_ca", None),
    ("bad_cert,cert_expired", "Erlang/OTP", "erlang", None, "certificate_expired", None),
    ("bad_cert,hostname_check_failed", "Erlang/OTP", "erlang", "client", "name_mismatch", 40),
    ("bad_cert,selfsigned_peer", "Erlang/OTP", "erlang", None, "unknown_ca", None),
    # PostgreSQL, MySQL, Redis, SSH-like others
    ("could not accept ssl connection: eof detected", "PostgreSQL", "openssl>=1.1.1", "server", "closed_without_alert", "none"),
    ("connection requires a valid client certificate", "PostgreSQL", "openssl>=1.1.1", "server", "no_client_certificate", "none"),
    ("server does not support ssl", "PostgreSQL", None, "client", "not_tls", "none"),
    ("server certificate for |does not match host name", "PostgreSQL", "openssl>=1.1.1", "client", "name_mismatch", "none"),
    ("unable to get private key", "OpenSSL", None, None, "key_mismatch", "none"),
    ("private key does not match the certificate public key", "OpenSSL", None, None, "key_mismatch", "none"),
    ("private key does not match certificate", "OpenSSL", None, None, "key_mismatch", "none"),
    ("unexpected eof while reading", "OpenSSL", "openssl>=1.1.1", None, "closed_without_alert", "none"),
    ("gnutls_handshake() failed: the tls connection was non-properly terminated", "GnuTLS", "gnutls", None, "closed_without_alert", "none"),
    ("connection reset by peer|ssl", "OpenSSL", None, None, "reset_without_alert", "none"),
    ("connection reset by peer|tls", "OpenSSL", None, None, "reset_without_alert", "none"),
    ("connection reset by peer|handshake", "OpenSSL", None, None, "reset_without_alert", "none"),
    ("wrote an invalid |tls", "GnuTLS", None, None, "protocol_violation", "none"),
    ("ssl_error_syscall", "OpenSSL", None, None, "closed_without_alert", "none"),
    ("handshake has read 0 bytes", "OpenSSL", None, "client", "not_tls", "none"),
    ("no peer certificate available", "OpenSSL", None, "client", "closed_without_alert", "none"),
)  # fmt: skip


def rows() -> tuple[LocalError, ...]:
    """Return all rows, in the order in which they are tried."""
    return (
        *GO_SERVERS,
        *(LocalError(needle, "Go", "go", side, cause, sent) for needle, side, cause, sent in GO),  # type: ignore[arg-type]
        *(LocalError(needle, "Java", "java", side, cause, sent) for needle, side, cause, sent in JAVA_FIRST),
        *JAVA_DATES,
        *(LocalError(needle, "Java", "java", side, cause, sent) for needle, side, cause, sent in JAVA),  # type: ignore[arg-type]
        *(
            LocalError(f"{mark}|{needle}", "rustls", "rustls", None, cause, sent)
            for needle, cause, sent in RUSTLS
            for mark in RUSTLS_MARKS
        ),
        *(LocalError(needle, "rustls", "rustls", side, cause, sent) for needle, side, cause, sent in RUSTLS_OTHER),  # type: ignore[arg-type]
        *(LocalError(*row) for row in OTHERS),
    )
