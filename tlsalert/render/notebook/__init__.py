"""What a notebook shows: connections, verdicts, certificates and replays as HTML, as a picture, and as text."""
