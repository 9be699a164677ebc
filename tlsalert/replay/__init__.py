"""Asks the device itself: a captured handshake again, with many certificates, and what came of each."""
