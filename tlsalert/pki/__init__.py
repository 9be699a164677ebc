"""Certificates and what they say: facts that bytes in evidence hold, however broken the bytes are."""
