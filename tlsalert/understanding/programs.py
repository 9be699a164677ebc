"""Who printed a line, by its looks. The TLS library below it is told apart elsewhere."""

from __future__ import annotations

import re
from typing import Final

#: Pieces of a line in lower case and the program that they show, the surer first.
SIGNS: Final = (
    (r"^curl: ?\(\d+\)|\* (?:ssl certificate problem|tlsv1|openssl ssl_|nss error|schannel:|gnutls)", "curl"),
    (r"\((?:in|out)\), tls (?:alert|handshake)", "curl"),
    (r"^git|fatal: unable to access", "git"),
    (r"^wget:|^error: the certificate of|^error: cannot verify|--no-check-certificate", "wget"),
    (r"openvpn|^openssl: error:|tls_error: bio read|tls error: tls |verify error: depth=|tls: error: bio", "OpenVPN"),
    (r"postfix/|tls library problem:|ssl_accept error from|ssl_connect error to", "Postfix"),
    (r"dovecot|(?:imap|pop3|managesieve|submission)-login:|where=0x", "Dovecot"),
    (r"\bah0\d{4}\b|\[ssl:(?:info|warn|error|debug|emerg)\]", "Apache httpd"),
    (r"ssl_do_handshake\(\) failed|while ssl handshaking|\[(?:crit|info|error|emerg)\] \d+#\d+|\bnginx\b", "nginx"),
    (
        r"\bhaproxy\b|\[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d\.\d{3}\] \S+[~/]"
        r"|ssl handshake failure$|/\d+: ssl (?:handshake|client)",
        "HAProxy",
    ),
    (r"\blog\d\[|\bstunnel\b|ssl_accept: .*\.c:\d+|ssl_connect: .*\.c:\d+", "stunnel"),
    (r"\bexim\b|tls error on connection from", "Exim"),
    (r"starttls=(?:server|client)", "sendmail"),
    (r"\bmosquitto\b|^\d+: openssl error", "Mosquitto"),
    (r"could not accept ssl connection|psql:", "PostgreSQL"),
    (r"\bmysql|mariadb|error 2026", "MySQL"),
    (r"\[ssl: |_ssl\.c:|(?<!net\.)ssl\.ssl|sslcertverificationerror|urllib3|requests\.exceptions", "Python"),
    (r"net::err_|ssl_client_socket|net_error -", "Chromium"),
    (r"^\s*(?:reason|code|library|function): '|err_ssl_|err_tls_|\beproto\b|deps/openssl|node:", "Node.js"),
    (r"openssl::ssl::sslerror|ssl_connect returned=|ssl_accept returned=", "Ruby"),
    (r"failed to enable crypto|stream_socket_client|file_get_contents\(", "PHP"),
    (r"failure in ssl library|conscrypt|nativecrypto", "Android"),
    (r"openssl_internal", "BoringSSL"),
    (r"bouncycastle|tlsfatalalert", "Bouncy Castle"),
    (r"mozilla_pkix|\bfirefox\b|error code: (?:sec|ssl|pr|mozilla)", "Firefox"),
    (r"trust anchor for certification path", "Android"),
    (r"java(?:x)?\.|sslhandshakeexception|sun\.security|\|fatal \(", "Java"),
    (r"system\.(?:net|security|io)|authenticationexception", ".NET"),
    (r"crypto_error (?:0x)?1", "QUIC"),
    (r"remote error: tls:|http: tls handshake error|\bx509: |\btls: ", "Go"),
    (r"rustls|alertreceived|invalidcertificate|invalid peer certificate", "rustls"),
    (r"schannel|sec_e_|36887|36888|36874|fatal alert (?:code|was)", "Schannel"),
    (r"{tls_alert|ssl_handshake\.erl|tls (?:client|server): in state", "Erlang/OTP"),
    (r"tstclnt|selfserv|nss error|sec_error_|ssl_error_[a-z_]*alert", "NSS"),
    (r"gnutls|^\*\*\* fatal error|^- status: the certificate", "GnuTLS"),
    (r"mbedtls|ssl_tls\.c:|ssl_msg\.c:|ssl_cli\.c:|ssl_srv\.c:", "Mbed TLS"),
    (r"wolfssl|last_rx|last_tx", "wolfSSL"),
    (r"error:14(?:fff|04b)", "LibreSSL"),
    (
        r"error:[0-9a-f]{8}|ssl routines|ssl alert number|verify error|depth lookup|ssl3? alert (?:read|write)",
        "OpenSSL",
    ),
)
_PATTERNS: Final[list[tuple[re.Pattern[str], str]]] = []


def program_of(low: str) -> str | None:
    """Return who printed a line that is given in lower case; None where it does not show."""
    if not _PATTERNS:
        _PATTERNS.extend((re.compile(pattern), name) for pattern, name in SIGNS)
    return next((name for pattern, name in _PATTERNS if pattern.search(low)), None)
