"""A second opinion: what Wireshark sees in a capture, beside what tlsalert says of it."""
