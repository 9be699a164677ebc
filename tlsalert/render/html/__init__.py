"""Pages to look at and to pass on: one file each, that loads nothing, works from disk and prints."""
