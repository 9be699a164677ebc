"""IANA's TLS registries as open sets of names: one module each, imported where it is used."""
