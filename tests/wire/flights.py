"""A hello and the flight that answers it, as segments on a line: what tests of TCP send in every order."""

from __future__ import annotations

from tests.wire import tls
from tests.wire.packets import Line
from tests.wire.reading import told
from tlsalert.wire.flow import Flow, Half

HELLO = tls.said(tls.message(tls.CLIENT_HELLO, tls.client_hello()))
FLIGHT = tls.said(
    tls.message(tls.SERVER_HELLO, tls.server_hello()),
    tls.message(tls.CERTIFICATE, tls.certificate_list(b"\x30" * 3000)),
    tls.message(tls.SERVER_HELLO_DONE),
)
ALERT = tls.alert(2, 42)
FLIGHT_TOLD = ["server server_hello", "server certificate", "server server_hello_done"]
STORY = ["client client_hello", *FLIGHT_TOLD, "client alert 2 42"]
#: The server's flight in segments: offset and bytes.
SEGMENTS = [(at, FLIGHT[at : at + 500]) for at in range(0, len(FLIGHT), 500)]


def begun(numbers: tuple[int, int] = (1000, 9000)) -> Line:
    """Return a line that was opened and on which the client said hello."""
    return Line(numbers=numbers).open().put("client", 0, HELLO)


def lines(flow: Flow) -> list[str]:
    assert flow.transcript is not None
    return told(flow.transcript)


def half(line: Line, side: int) -> Half:
    """Return one direction of the only flow that is open."""
    flow = only(line)
    found = flow.b if side else flow.a
    assert found is not None
    return found


def only(line: Line) -> Flow:
    """Return the only flow that is open."""
    (flow,) = line.table.known.all()
    return flow


def notes(flow: Flow) -> list[str]:
    assert flow.transcript is not None
    return flow.transcript.notes
