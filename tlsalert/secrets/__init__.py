"""Secrets: key logs, private keys, the key schedules, and the opening of protected records.

Nothing here ever shows a secret: not in a repr, not in an error, not in a note.
"""
