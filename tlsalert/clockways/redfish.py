"""Redfish (DMTF DSP0266 and the schema Manager): the DateTime of a device's managers, its BMC's clock.

The service root is open to everyone; the managers commonly want an account, which goes out by HTTPS only and to the
named target only. The certificate is not verified: the device's clock may be what makes it invalid.
"""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime
from typing import Final

from tlsalert.clockways.http import Answer, NoAnswerError, Place, ask
from tlsalert.clockways.manners import Login, Manners
from tlsalert.clockways.reading import SECOND, Reading, Sample, judged, unreached
from tlsalert.model import EPOCH

WAY: Final = "redfish"
#: DSP0266 "Service root": the one path that is fixed.
ROOT: Final = "/redfish/v1/"
#: Managers that are looked at until one tells the time, and the longest path that is followed.
MOST: Final = 4
LONGEST_PATH: Final = 512


class _NoClockError(Exception):
    """The service tells no time; it says why."""


def by_redfish(place: Place, login: Login | None, manners: Manners) -> Reading:
    """Ask the managers for their DateTime. Nothing that the service answers raises an error."""
    try:
        return _Service(place, login, manners).read()
    except _NoClockError as error:
        return Reading(WAY, str(error))
    except NoAnswerError as error:
        return Reading(WAY, error.says) if error.reached else unreached(WAY, error.says)


def read_date_time(said: object) -> tuple[int, float, bool] | None:
    """Return a DateTime in nanoseconds since 1970, its resolution in seconds, and whether it names its zone.

    Redfish wants ``YYYY-MM-DDThh:mm:ss[.sss]Z`` or an offset in place of the Z; one without either is taken for UTC.
    """
    if not isinstance(said, str) or not 10 < len(said) < 64:
        return None
    try:
        found = datetime.fromisoformat(said.strip())
        zoned = found.tzinfo is not None
        moment = found if zoned else found.replace(tzinfo=UTC)
        span = moment - EPOCH
    except (ValueError, OverflowError):
        return None
    time = (span.days * 86_400 + span.seconds) * SECOND + span.microseconds * 1000
    return time, 0.001 if "." in said else 1.0, zoned


class _Service:
    """One Redfish service."""

    def __init__(self, place: Place, login: Login | None, manners: Manners) -> None:
        self._place, self._login, self._manners = place, login, manners

    def read(self) -> Reading:
        """Find a manager with a clock, and ask it a few times."""
        path, first = self._manager()
        samples = [first[0]]
        for _ in range(self._manners.samples - 1):
            self._manners.rest(self._manners.pause)
            answer = self._get(path)
            sample = _sample(answer)
            if sample is None:
                break
            samples.append(sample[0])
        told = judged(WAY, samples, "DateTime")
        zone = "" if first[1] else "; it names no time zone, and is taken for UTC"
        return Reading(WAY, f"{told.says} ({path}){zone}", told.time, told.at, told.error_seconds)

    def _manager(self) -> tuple[str, tuple[Sample, bool]]:
        """Return the first manager's path that tells the time, and what it said."""
        root = ask(self._place, "GET", ROOT, self._manners, body=True)
        service = root.json()
        if root.status != 200 or service is None or "RedfishVersion" not in service:
            raise _NoClockError(f"{self._place}: no Redfish service there (HTTP {root.status})")
        managers = self._object(_link(service.get("Managers")) or "/redfish/v1/Managers")
        members = managers.get("Members")
        linked = map(_link, members[:MOST]) if isinstance(members, list) else ()
        paths = [path for path in linked if path is not None]
        if not paths:
            raise _NoClockError("its service lists no managers")
        for path in paths:
            found = _sample(self._get(path))
            if found is not None:
                return path, found
        raise _NoClockError("its managers have no DateTime")

    def _object(self, path: str) -> dict[str, object]:
        answer = self._get(path)
        found = answer.json()
        if found is None:
            raise _NoClockError(f"{path} is no JSON object")
        return found

    def _get(self, path: str) -> Answer:
        fields: tuple[str, ...] = ()
        if self._login is not None and self._place.secure:
            pair = b64encode(f"{self._login.user}:{self._login.password}".encode()).decode("ascii")
            fields = (f"Authorization: Basic {pair}",)
        answer = ask(self._place, "GET", path, self._manners, fields, body=True)
        if answer.status in (401, 403):
            if self._login is None:
                raise _NoClockError(f"{path} wants an account (HTTP {answer.status}): give --user")
            raise _NoClockError(f"{path} does not let {self._login.user} in (HTTP {answer.status})")
        if answer.status != 200:
            raise _NoClockError(f"{path} answers with HTTP {answer.status}; redirects are not followed")
        return answer


def _sample(answer: Answer) -> tuple[Sample, bool] | None:
    found = read_date_time((answer.json() or {}).get("DateTime"))
    if found is None:
        return None
    time, resolution, zoned = found
    return Sample(time, answer.sent, answer.came, resolution), zoned


def _link(said: object) -> str | None:
    """Return the path of a link ("@odata.id") on this same server, None where it is none: no other host is asked."""
    path = said.get("@odata.id") if isinstance(said, dict) else None
    if not isinstance(path, str) or not path.startswith("/redfish/") or len(path) > LONGEST_PATH:
        return None
    return path if path.isascii() and path.isprintable() and " " not in path else None
