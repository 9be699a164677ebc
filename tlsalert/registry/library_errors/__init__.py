"""The numbers and names of the errors of TLS libraries: one generated table for each."""
