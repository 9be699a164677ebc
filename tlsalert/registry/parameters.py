"""The short tables of IANA that extensions and messages refer to: number → name.

Each cites what registers it. A number that is not listed is shown as it is.
"""

from __future__ import annotations

#: ECCurveType, RFC 8422 §5.4 (the first two RFC 4492).
CURVE_TYPES = {1: "explicit_prime", 2: "explicit_char2", 3: "named_curve"}
#: MaxFragmentLength, RFC 6066 §4, in bytes.
FRAGMENT_LENGTHS = {1: 512, 2: 1024, 3: 2048, 4: 4096}
#: IdentifierType, RFC 6066 §6.
AUTHORITY_TYPES = {0: "pre_agreed", 1: "key_sha1_hash", 2: "x509_name", 3: "cert_sha1_hash"}
#: CertChainType, RFC 6066 §5.
CHAIN_TYPES = {0: "individual_certs", 1: "pkipath"}
#: UserMappingType, RFC 4681 §3.
USER_MAPPING_TYPES = {64: "upn_domain_hint"}
#: AuthzDataFormat, RFC 5878 §2.3.
AUTHORIZATION_FORMATS = {0: "x509_attr_cert", 1: "saml_assertion", 2: "x509_attr_cert_url", 3: "saml_assertion_url"}
#: HeartbeatMode, RFC 6520 §2.
HEARTBEAT_MODES = {1: "peer_allowed_to_send", 2: "peer_not_allowed_to_send"}
#: PskKeyExchangeMode, RFC 8446 §4.2.9.
PSK_MODES = {0: "psk_ke", 1: "psk_dhe_ke"}
#: TokenBindingKeyParameters, RFC 8471 §3.1.
TOKEN_BINDING_KEYS = {0: "rsa2048_pkcs1.5", 1: "rsa2048_pss", 2: "ecdsap256"}
#: CachedInformationType, RFC 7924 §3.
CACHED_TYPES = {1: "cert", 2: "cert_req"}
#: VersionedTransType, RFC 9162 §4.5.
TRANS_TYPES = {
    1: "x509_entry_v2",
    2: "precert_entry_v2",
    3: "x509_sct_v2",
    4: "precert_sct_v2",
    5: "signed_tree_head_v2",
    6: "consistency_proof_v2",
    7: "inclusion_proof_v2",
}
#: DTLS-SRTP protection profiles: RFC 5764 §4.1.2, RFC 7714 §14.2, RFC 8269 §9.2, RFC 8723 §10.1.
SRTP_PROFILES = {
    0x0001: "SRTP_AES128_CM_HMAC_SHA1_80",
    0x0002: "SRTP_AES128_CM_HMAC_SHA1_32",
    0x0005: "SRTP_NULL_HMAC_SHA1_80",
    0x0006: "SRTP_NULL_HMAC_SHA1_32",
    0x0007: "SRTP_AEAD_AES_128_GCM",
    0x0008: "SRTP_AEAD_AES_256_GCM",
    0x0009: "DOUBLE_AEAD_AES_128_GCM_AEAD_AES_128_GCM",
    0x000A: "DOUBLE_AEAD_AES_256_GCM_AEAD_AES_256_GCM",
    0x000B: "SRTP_ARIA_128_CTR_HMAC_SHA1_80",
    0x000C: "SRTP_ARIA_128_CTR_HMAC_SHA1_32",
    0x000D: "SRTP_ARIA_256_CTR_HMAC_SHA1_80",
    0x000E: "SRTP_ARIA_256_CTR_HMAC_SHA1_32",
    0x000F: "SRTP_AEAD_ARIA_128_GCM",
    0x0010: "SRTP_AEAD_ARIA_256_GCM",
}
#: EKT ciphers, RFC 8870 §6.
EKT_CIPHERS = {0: "AESKW128", 1: "AESKW256"}
#: HPKE's KEMs, KDFs and AEADs, RFC 9180 §7.
HPKE_KEMS = {
    0x0010: "DHKEM(P-256, HKDF-SHA256)",
    0x0011: "DHKEM(P-384, HKDF-SHA384)",
    0x0012: "DHKEM(P-521, HKDF-SHA512)",
    0x0020: "DHKEM(X25519, HKDF-SHA256)",
    0x0021: "DHKEM(X448, HKDF-SHA512)",
}
HPKE_KDFS = {1: "HKDF-SHA256", 2: "HKDF-SHA384", 3: "HKDF-SHA512"}
HPKE_AEADS = {1: "AES-128-GCM", 2: "AES-256-GCM", 3: "ChaCha20Poly1305", 0xFFFF: "export-only"}
#: QUIC's transport parameters: RFC 9000 §18.2, RFC 9368 §3, RFC 9221 §3, RFC 9287 §3.
QUIC_PARAMETERS = {
    0x00: "original_destination_connection_id",
    0x01: "max_idle_timeout",
    0x02: "stateless_reset_token",
    0x03: "max_udp_payload_size",
    0x04: "initial_max_data",
    0x05: "initial_max_stream_data_bidi_local",
    0x06: "initial_max_stream_data_bidi_remote",
    0x07: "initial_max_stream_data_uni",
    0x08: "initial_max_streams_bidi",
    0x09: "initial_max_streams_uni",
    0x0A: "ack_delay_exponent",
    0x0B: "max_ack_delay",
    0x0C: "disable_active_migration",
    0x0D: "preferred_address",
    0x0E: "active_connection_id_limit",
    0x0F: "initial_source_connection_id",
    0x10: "retry_source_connection_id",
    0x11: "version_information",
    0x20: "max_datagram_frame_size",
    0x2AB2: "grease_quic_bit",
}
#: Those of them whose value is a variable-length integer.
QUIC_INTEGERS = frozenset({0x01, *range(0x03, 0x0C), 0x0E, 0x20})
#: OCSPResponseStatus, RFC 6960 §4.2.1.
OCSP_STATUSES = {
    0: "successful",
    1: "malformed_request",
    2: "internal_error",
    3: "try_later",
    5: "sig_required",
    6: "unauthorized",
}
#: CRLReason, RFC 5280 §5.3.1.
REVOCATION_REASONS = {
    0: "unspecified",
    1: "key_compromise",
    2: "ca_compromise",
    3: "affiliation_changed",
    4: "superseded",
    5: "cessation_of_operation",
    6: "certificate_hold",
    8: "remove_from_crl",
    9: "privilege_withdrawn",
    10: "aa_compromise",
}
#: ConnectionIdUsage, RFC 9147 §9.
ID_USAGES = {0: "cid_immediate", 1: "cid_spare"}
#: KeyUpdateRequest, RFC 8446 §4.6.3.
UPDATE_REQUESTS = {0: "update_not_requested", 1: "update_requested"}
#: SupplementalDataType, RFC 4681 §3, RFC 5878 §2.
SUPPLEMENTAL_TYPES = {0: "user_mapping_data", 16386: "authz_data"}


def listed(table: dict[int, str], code: int) -> str:
    """Return the name of ``code``, or "unlisted(7)"."""
    return table.get(code) or f"unlisted({code})"
