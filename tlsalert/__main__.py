"""``python -m tlsalert``: the same as the command ``tlsalert``."""

from tlsalert.cli import main

main()
