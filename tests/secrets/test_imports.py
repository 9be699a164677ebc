"""Ciphers and private keys are imported where they are used: whoever has no secrets does not wait for them."""

from __future__ import annotations

import subprocess
import sys


def test_cryptography_is_not_imported_before_a_record_is_opened() -> None:
    code = (
        "import sys, tlsalert.secrets.stream, tlsalert.secrets.keylog, tlsalert.secrets.private_keys;"
        "print([name for name in ('cryptography', 'socket', 'ssl') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
