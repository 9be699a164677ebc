"""The recipes for client certificates, by theme; :mod:`tlsalert.pki.variants` puts them together."""
