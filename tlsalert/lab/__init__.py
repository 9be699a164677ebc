"""The lab: a TLS device with a clock of its own, and the recorder that makes captures of it."""
