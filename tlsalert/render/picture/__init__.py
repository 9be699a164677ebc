"""Pictures as SVG that stand alone: in a notebook, in a report, in a README. Nothing is loaded, nothing runs."""
