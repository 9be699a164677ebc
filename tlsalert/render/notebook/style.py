"""The stylesheet of what a notebook shows: it follows the notebook's own theme, else the reader's.

JupyterLab and Notebook 7 tell their theme by an attribute of the page, VS Code by a class; elsewhere
``prefers-color-scheme`` decides, as for the pictures.
"""

from __future__ import annotations

from tlsalert.render.picture.svg import STYLESHEET
from tlsalert.render.themes import DARK_CSS, LIGHT_CSS

_AS_LIGHT = ("[data-jp-theme-light=true]", ".vscode-light")
_AS_DARK = ("[data-jp-theme-light=false]", ".vscode-dark")


def _themed(within: tuple[str, ...], colours: str) -> str:
    """Return the colours for cells and pictures inside of any of these."""
    chosen = (f"{theme} {what}" for theme in within for what in (".tlsalert-cell", ".tlsalert-cell .tlsalert-picture"))
    return f"{','.join(chosen)}{{{colours}}}"


CSS = (
    STYLESHEET
    + f".tlsalert-cell{{{LIGHT_CSS};color:var(--tp-ink);max-width:76em;overflow-x:auto;"
    + "font:14px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',sans-serif}"
    + f"@media(prefers-color-scheme:dark){{.tlsalert-cell{{{DARK_CSS}}}}}"
    + _themed(_AS_LIGHT, LIGHT_CSS)
    + _themed(_AS_DARK, DARK_CSS)
    + ".tlsalert-cell p{margin:.3em 0}"
    + ".tlsalert-cell .dim{color:var(--tp-dim)}"
    + ".tlsalert-cell .good{color:var(--tp-good)}"
    + ".tlsalert-cell .bad{color:var(--tp-bad)}"
    + ".tlsalert-cell .warn{color:var(--tp-warn)}"
    + ".tlsalert-cell .verdict{font-size:15px;border-left:4px solid currentColor;padding-left:.6em;margin:.5em 0}"
    + ".tlsalert-cell .verdict b{color:var(--tp-ink)}"
    + ".tlsalert-cell svg{display:block;margin:.6em 0}"
    + ".tlsalert-cell table{border-collapse:collapse;margin:.5em 0;color:var(--tp-ink);font-size:13px}"
    # Notebooks align and stripe all tables as if they were numbers, with rules that only these outdo.
    + ".tlsalert-cell th,.tlsalert-cell td{text-align:left!important;vertical-align:top!important;"
    + "padding:.2em .9em .2em 0!important;background:none!important;border:0;border-bottom:1px solid var(--tp-line);"
    + "white-space:nowrap;max-width:none}"
    + ".tlsalert-cell tr{background:none!important}"
    + ".tlsalert-cell td:last-child{white-space:normal;overflow-wrap:anywhere;min-width:14em}"
    + ".tlsalert-cell th{font-weight:600}"
    + ".tlsalert-cell .facts th{color:var(--tp-dim);font-weight:400}"
    + ".tlsalert-cell .facts th,.tlsalert-cell .facts td{border-bottom:0}"
    + ".tlsalert-cell .answers td{white-space:nowrap;min-width:0}"
    + ".tlsalert-cell summary{cursor:pointer}"
)
