"""Who sends which alert for what: one generated table for each alert, loaded when it is asked for."""
