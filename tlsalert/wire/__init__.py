"""Bytes to messages: packets, TCP, TLS records, handshake. It opens nothing and reads no clock.

The modules here are compiled by mypyc where there is a C compiler and run interpreted elsewhere, with
the same results. They make light native values; :mod:`tlsalert.wire.connection` makes the public model
of a connection from them when it is asked for.
"""
