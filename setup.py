"""Compiles ``tlsalert/wire`` and a few modules besides with mypyc; all else about the package stands in setup.cfg.

Without a C compiler (or with TLSALERT_PURE=1) the same files run interpreted, some ten times slower.
"""

import os
import sys
from pathlib import Path
from typing import Any

from setuptools import setup
from setuptools.command.build_ext import build_ext

WIRE = sorted(str(path) for path in Path("tlsalert/wire").glob("*.py") if path.name != "__init__.py")
#: What else is done for every connection of a capture, or for every one that failed: its verdict, its JSON, and its
#: decryption.
OTHERS = [
    "tlsalert/diagnosis/causes.py",
    "tlsalert/diagnosis/clocks.py",
    "tlsalert/diagnosis/knowledge.py",
    "tlsalert/diagnosis/refusal.py",
    "tlsalert/diagnosis/stacks.py",
    "tlsalert/diagnosis/traits.py",
    "tlsalert/diagnosis/verdict.py",
    "tlsalert/diagnosis/words.py",
    "tlsalert/render/lines.py",
    "tlsalert/render/shapes.py",
    "tlsalert/witnesses.py",
    "tlsalert/secrets/direction.py",
    "tlsalert/secrets/glance.py",
    "tlsalert/secrets/handshake.py",
    "tlsalert/secrets/keylog.py",
    "tlsalert/secrets/keyring.py",
    "tlsalert/secrets/protection.py",
    "tlsalert/secrets/reveal.py",
    "tlsalert/secrets/schedule.py",
    "tlsalert/secrets/stream.py",
]

#: Functions that no other library may replace can be inlined and called directly: that saves 8 % of a packet's time.
INLINE = ["-fno-semantic-interposition", "-fvisibility=hidden", "-fno-plt"] if sys.platform == "linux" else []


class AllOrNothing(build_ext):
    """Builds every extension or none: a half-compiled ``wire`` would not import."""

    def run(self) -> None:
        """Build; where that fails, say so and leave the files to the interpreter."""
        try:
            super().run()
        except Exception as error:  # setuptools, the compiler and the linker each raise their own kind
            print(f"warning: tlsalert.wire is not compiled, so it runs interpreted and slow: {error}", file=sys.stderr)
            self.extensions = []


def extensions() -> list[Any]:
    """Return what mypyc makes of ``wire``, or nothing where it can't."""
    if os.environ.get("TLSALERT_PURE") == "1":
        return []
    try:
        from mypyc.build import mypycify

        # What mypy has to say about types is for the tests; a later mypy's opinion must not stop an installation.
        options = ["--config-file=", "--follow-imports=silent"]
        made = mypycify([*options, *WIRE, *OTHERS], opt_level="3", debug_level="0", group_name="tlsalert_wire")
    except (ImportError, SystemExit) as error:
        print(f"warning: tlsalert.wire is not compiled, so it runs interpreted and slow: {error}", file=sys.stderr)
        return []
    for extension in made:
        extension.extra_compile_args += INLINE
    return list(made)


setup(ext_modules=extensions(), cmdclass={"build_ext": AllOrNothing})
