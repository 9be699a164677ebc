"""``python -m tlsalert`` is the command line, too."""

from __future__ import annotations

import subprocess
import sys


def test_the_module_runs_as_the_command_does() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tlsalert", "explain", "48"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert done.stdout.startswith("unknown_ca (48)")
