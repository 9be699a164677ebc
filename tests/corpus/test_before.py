"""What was spoken before TLS in public captures, by what is known of each."""

from __future__ import annotations

import pytest

from tests.evidence import CORPUS, needs_corpus
from tlsalert.capture import read

#: The capture, its connection, the protocol, and the frame with the last words before TLS.
KNOWN = [
    ("PcapPlusPlus/Tests/Pcap++Test/PcapExamples/pcapng-example.pcapng", 0, "mysql", 6),
    ("arkime/tests/pcap/mysql-tls.pcap", 0, "mysql", 6),
    ("ja4/pcap/https-connect.pcap", 0, "http-connect", 6),
    ("ja4/pcap/socks4-https.pcap", 0, "socks4", 6),
    ("mercury/unit_tests/pcaps/imap2.pcap", 0, "imap", 11),
    ("mercury/unit_tests/pcaps/openvpn_tcp_multi.pcap", 0, "openvpn", 8),
    ("mercury/unit_tests/pcaps/openvpn_tcp_single.pcap", 0, "openvpn", 13),
    ("nDPI/tests/cfgs/default/pcap/443-opvn.pcap", 0, "openvpn", 8),
    ("nDPI/tests/cfgs/default/pcap/ftp-start-tls.pcap", 0, "ftp", 10),
    ("nDPI/tests/cfgs/default/pcap/http_connect.pcap", 0, "http-connect", 11),
    ("nDPI/tests/cfgs/default/pcap/imap-starttls.pcap", 0, "imap", 11),
    ("nDPI/tests/cfgs/default/pcap/mysql.pcapng", 0, "mysql", 21),
    ("nDPI/tests/cfgs/default/pcap/openvpn.pcap", 0, "openvpn", 29),
    ("nDPI/tests/cfgs/default/pcap/openvpn_nohmac_tcp.pcapng", 0, "openvpn", 8),
    ("nDPI/tests/cfgs/default/pcap/pgsql2.pcapng", 0, "postgresql", 6),
    ("nDPI/tests/cfgs/default/pcap/smtp-starttls.pcap", 0, "smtp", 10),
    ("nDPI/tests/cfgs/default/pcap/smtp-starttls.pcap", 1, "smtp", 45),
    ("nDPI/tests/cfgs/default/pcap/tls_heur__shadowsocks-tcp.pcapng", 0, "socks5", 13),
    ("nDPI/tests/cfgs/default/pcap/tls_heur__trojan-tcp-tls.pcapng", 0, "socks5", 17),
    ("nDPI/tests/cfgs/default/pcap/tls_heur__vmess-tcp.pcapng", 0, "socks5", 13),
    ("suricata-verify/tests/bug-2769/issue_no_icmp.pcap", 0, "http-connect", 5),
    ("suricata-verify/tests/smtp-startssl/input.pcap", 0, "smtp", 12),
    ("wireshark-notes/tls/mysql-ssl-larger.pcapng", 0, "mysql", 6),
    ("wireshark-notes/tls/pgsql-ssl.pcapng", 0, "postgresql", 6),
    ("wireshark-notes/tls/smtp2525-ssl.pcapng", 0, "smtp", 11),
    ("zeek/testing/btest/Traces/ftp/ftp-auth-tls.pcap", 0, "ftp", 21),
    ("zeek/testing/btest/Traces/mysql/tls-12-amazon-rds.pcap", 0, "mysql", 6),
    ("zeek/testing/btest/Traces/mysql/tls-13-amazon-rds.pcap", 0, "mysql", 6),
    ("zeek/testing/btest/Traces/postgresql/psql-aws-ssl-require-15432.pcap", 0, "postgresql", 6),
    ("zeek/testing/btest/Traces/postgresql/psql-aws-ssl-require.pcap", 0, "postgresql", 6),
    ("zeek/testing/btest/Traces/rdp/rdp-no-cookie-mstshash.pcap", 0, "rdp", 9),
    ("zeek/testing/btest/Traces/tls/irc-starttls.pcap", 0, "irc", 6),
    ("zeek/testing/btest/Traces/tls/pop3-starttls.pcap", 0, "pop3", 9),
    ("zeek/testing/btest/Traces/tls/smtp-starttls.pcap", 0, "smtp", 11),
]


@needs_corpus
@pytest.mark.parametrize(("path", "number", "protocol", "until"), KNOWN)
def test_the_protocol_before_tls_is_named(path: str, number: int, protocol: str, until: int) -> None:
    connection = read(CORPUS / path)[number]
    assert connection.protocol == protocol
    assert connection.preamble is not None
    assert connection.preamble.refusal is None
    assert connection.preamble.until is not None
    assert connection.preamble.until.frame == until
    assert connection.verdict is not None
    assert connection.verdict.outcome != "not_tls"
