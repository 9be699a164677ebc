"""What lines of logs say: each program's way of telling an alert, sent or received, or an error of its own.

:func:`tlsalert.understanding.line.understand` is the way in.
"""
