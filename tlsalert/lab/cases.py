"""Cases: devices with a story, and the files that their clients need.

``bmc-2015`` is the one that tlsalert began with. The remote console of a BMC trusts the client's own certificate,
CN=IPMI, valid from 2016-05-19 to 2026-05-17; the BMC's clock stands in March 2015. So it answers 42 to the right
certificate, 40 to none and 48 to a home-made one. Beside it the device trusts a maker's CA whose certificate was
valid in 2015 already: with that one's key its clock can be found by trying.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tlsalert.errors import UsageError
from tlsalert.lab.certificates import Identity, issued, self_signed
from tlsalert.lab.levels import LabDevice

#: Each case and what it shows.
CASES = {"bmc-2015": "a BMC that refuses a flawless certificate, because its clock stands in 2015"}

BMC_CLOCK = datetime(2015, 3, 12, 5, 41, 50, tzinfo=UTC)
IPMI = "CN=IPMI,O=Example Server Works,C=US"
IPMI_VALID = datetime(2016, 5, 19, tzinfo=UTC), datetime(2026, 5, 17, tzinfo=UTC)
MAKER_VALID = datetime(2005, 1, 1, tzinfo=UTC), datetime(2045, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Case:
    """A device and where its client's files are: ``client.crt``, ``client.key``, ``ca.crt``, ``ca.key``."""

    name: str
    device: LabDevice
    folder: Path

    def command(self, host: str, port: int) -> str:
        """Return the command that asks the device."""
        where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        files = {"--cert": "client.crt", "--key": "client.key", "--ca-cert": "ca.crt", "--ca-key": "ca.key"}
        options = " ".join(f"{option} {_quoted(self.folder / name)}" for option, name in files.items())
        return f"tlsalert replay {where} {options}"


def make_case(name: str, folder: Path | None = None) -> Case:
    """Make a case with new keys and write its files, mode 0600, to ``folder``, by default a new temporary one.

    Raises UsageError where there is no such case, or the folder can't be written or has such files already.
    """
    if name not in CASES:
        raise UsageError("there is no such case", name, f"take one of {', '.join(CASES)}")
    ipmi = self_signed(IPMI, *IPMI_VALID)
    maker = self_signed("CN=Example Server Works BMC CA,O=Example Server Works,C=US", *MAKER_VALID)
    bmc = issued("CN=bmc.example,O=Example Server Works,C=US", maker, *MAKER_VALID, names=("bmc.example",))
    device = LabDevice(
        bmc,
        trusted=(maker.certificate,),
        pinned=(ipmi.certificate,),
        verify=2,
        clock=BMC_CLOCK,
        versions=("TLS 1.0", "TLS 1.2"),
        shows_clock=True,
        after="console",
    )
    return Case(name, device, _written(folder, ipmi, maker))


def _written(folder: Path | None, client: Identity, authority: Identity) -> Path:
    files = {
        "client.crt": client.certificate.public_bytes(Encoding.PEM),
        "client.key": _key(client),
        "ca.crt": authority.certificate.public_bytes(Encoding.PEM),
        "ca.key": _key(authority),
    }
    try:
        place = Path(tempfile.mkdtemp(prefix="tlsalert-lab-")) if folder is None else folder
        place.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            with open(os.open(place / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(data)
    except OSError as error:
        raise UsageError(
            f"cannot write: {error.strerror}", str(error.filename or folder), "give another --dir"
        ) from error
    return place


def _key(identity: Identity) -> bytes:
    return identity.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _quoted(path: Path) -> str:
    import shlex

    return shlex.quote(str(path))
