"""Where evidence comes from: one module per kind, each recognised by its content, never by its name."""
