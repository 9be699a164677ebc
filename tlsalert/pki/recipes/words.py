"""What several recipes share: object identifiers that nobody knows, and the names of the alerts they call for."""

from __future__ import annotations

#: Under the private enterprise number for examples (RFC 5612), so that nobody can have given them a meaning.
UNKNOWN_EXTENSION = "1.3.6.1.4.1.32473.1"
UNKNOWN_KEY = "1.3.6.1.4.1.32473.2"
UNKNOWN_SIGNATURE = "1.3.6.1.4.1.32473.3"

# RFC 5246 §7.2.2 and RFC 8446 §6.2, each in its words.
CORRUPT = "bad_certificate"  # "was corrupt, contained signatures that did not verify correctly, etc."
UNSUPPORTED = "unsupported_certificate"  # "was of an unsupported type"
REVOKED = "certificate_revoked"
DATED = "certificate_expired"  # "has expired or is not currently valid"
OTHER = "certificate_unknown"  # "some other (unspecified) issue arose in processing the certificate"
NO_CA = "unknown_ca"  # "could not be located or couldn't be matched with a known trust anchor"
