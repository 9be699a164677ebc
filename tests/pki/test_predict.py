"""What a device will answer, against what servers answered when they were asked: the pinned set-ups of the atlas."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.pki.certificates import NOT_AFTER, NOT_BEFORE
from tests.pki.firmware.images import cramfs
from tests.pki.issuing import Holder, issue, usage
from tlsalert.pki.clues import Clue, clues
from tlsalert.pki.containers import Blob
from tlsalert.pki.found import Found
from tlsalert.pki.inventory import inventory
from tlsalert.pki.predict import Prediction, changes, predict
from tlsalert.render.prediction import sentences

BEFORE, DURING, AFTER = NOT_BEFORE - timedelta(1), NOT_BEFORE + timedelta(1), NOT_AFTER + timedelta(1)
OLD, NEW = b"OpenSSL 1.0.1e 11 Feb 2013", b"OpenSSL 3.0.11 19 Sep 2023"
CA = x509.BasicConstraints(ca=True, path_length=None)
SERVER = issue("CN=device")


def pem(holder: Holder) -> bytes:
    return x509.load_der_x509_certificate(holder.der).public_bytes(Encoding.PEM)


def foretold(
    tmp_path: object,
    client: Holder,
    trusted: Iterable[Holder],
    verify: str,
    library: bytes,
    extra: dict[str, bytes] | None = None,
) -> Prediction:
    """Foretell what an image's stunnel answers to a client."""
    conf = f"cert = /etc/server.pem\n{verify}\nCAfile = /etc/trusted.pem\n[ikvm]\naccept = 5900\nconnect = 5901\n"
    files = {
        "/etc/server.pem": pem(SERVER),
        "/etc/trusted.pem": b"".join(map(pem, trusted)),
        "/etc/stunnel.conf": conf.encode(),
        "/lib/libssl.so.1.0.0": b"\x7fELF" + bytes(100) + library + bytes(100),
        **(extra or {}),
    }
    image = tmp_path / "image.bin"  # type: ignore[operator]
    image.write_bytes(b"\xff" * 512 + cramfs(files))
    shown = tmp_path / "client.pem"  # type: ignore[operator]
    shown.write_bytes(pem(client))
    told: list[Clue] = []

    def watch(blob: Blob) -> None:
        told.extend(clues(blob))

    (one,) = [found for found in inventory([str(shown)]).found if found.kind == "certificate"]
    return predict(one, "client.pem", inventory([str(image)], watch=watch).found, told)


def answers(prediction: Prediction) -> tuple[object, ...]:
    """Return the first answer before, while and after the certificate is valid."""
    (service,) = prediction.services
    spells = [service.at(time) for time in (BEFORE, DURING, AFTER)]
    return tuple("ok" if spell.outcome == "accepted" else spell.answers[0] for spell in spells)


SELF = issue("CN=client")
SIGNING = issue("CN=client", None, usage("digital_signature"))  # a key usage without keyCertSign
FOR_SERVERS = issue("CN=client", None, x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]))
ROOT = issue("CN=root", None, CA)
ISSUED = issue("CN=client", ROOT)


@pytest.mark.parametrize(
    ("client", "trusted", "verify", "library", "told"),
    [
        pytest.param(SELF, [SELF], "verify = 3", OLD, (42, "ok", 45), id="pinned"),
        pytest.param(SELF, [SELF], "verify = 2", NEW, (42, "ok", 45), id="trusted itself"),
        pytest.param(SELF, [SELF], "verifyPeer = yes", NEW, (42, "ok", 45), id="verifyPeer"),
        pytest.param(SELF, [ROOT], "verify = 3", OLD, (48, 48, 48), id="a self-signed stranger"),
        pytest.param(SELF, [ROOT], "verify = 4", NEW, (48, 48, 48), id="a self-signed stranger, verify 4"),
        pytest.param(ISSUED, [ROOT], "verify = 2", NEW, (42, "ok", 45), id="of a trusted CA"),
        pytest.param(ISSUED, [ROOT], "verify = 3", NEW, (42, 42, 42), id="of a trusted CA, but not pinned"),
        pytest.param(ISSUED, [ISSUED], "verify = 3", OLD, (48, 48, 48), id="pinned without its CA"),
        pytest.param(ISSUED, [ISSUED, ROOT], "verify = 3", OLD, (42, "ok", 45), id="pinned with its CA"),
        pytest.param(ISSUED, [SELF], "verify = 4", NEW, (42, 42, 42), id="unknown CA, verify 4"),
        pytest.param(SIGNING, [SIGNING], "verify = 2", OLD, (48, 48, 48), id="no keyCertSign, OpenSSL 1.0"),
        pytest.param(SIGNING, [SIGNING], "verify = 2", NEW, (42, "ok", 45), id="no keyCertSign, OpenSSL 3"),
        pytest.param(FOR_SERVERS, [FOR_SERVERS], "verify = 2", OLD, (42, "ok", 45), id="serverAuth, OpenSSL 1.0"),
        pytest.param(FOR_SERVERS, [FOR_SERVERS], "verify = 2", NEW, (43, 43, 43), id="serverAuth, OpenSSL 3"),
        pytest.param(SELF, [ROOT], "verify = 0", NEW, None, id="not asked"),
    ],
)
def test_the_answer_by_the_devices_clock(
    tmp_path: object,
    client: Holder,
    trusted: list[Holder],
    verify: str,
    library: bytes,
    told: tuple[object, ...] | None,
) -> None:
    prediction = foretold(tmp_path, client, trusted, verify, library)
    if told is None:
        assert prediction.services[0].at(DURING).outcome == "not asked"
    else:
        assert answers(prediction) == told


def test_without_a_certificate_old_and_new_answer_differently(tmp_path: object) -> None:
    for library, code in ((OLD, 40), (NEW, 116)):
        (service,) = foretold(tmp_path, SELF, [SELF], "verify = 3", library).services
        assert service.without.answers[0] == code


def test_the_changes_are_the_two_dates(tmp_path: object) -> None:
    (service,) = foretold(tmp_path, SELF, [SELF], "verify = 3", OLD).services
    assert [(when, before.outcome, after.outcome) for when, before, after in changes(service)] == [
        (NOT_BEFORE, "refused", "accepted"),
        (NOT_AFTER, "accepted", "refused"),
    ]
    assert (service.name, service.address, str(service.library)) == ("ikvm through stunnel", "5900", "OpenSSL 1.0.1e")


def test_its_key_and_its_copies_are_found_and_the_clocks_start(tmp_path: object) -> None:
    key = SELF.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    extra = {"/viewer/client.key": key, "/etc/rc": b"#!/bin/sh\ndate -s '2015-01-01 00:00:00'\n"}
    prediction = foretold(tmp_path, SELF, [SELF], "verify = 3", OLD, extra)
    assert [where.rpartition("!")[2] for where in prediction.keys] == ["cramfs@0x200:/viewer/client.key"]
    assert [where.rpartition("!")[2] for where in prediction.copies] == ["cramfs@0x200:/etc/trusted.pem"]
    assert [start.time for start in prediction.clock_starts] == [datetime(2015, 1, 1, tzinfo=UTC)]


def test_without_a_configuration_all_that_lies_there_is_taken_to_be_trusted() -> None:
    der = SELF.der
    from tlsalert.pki.certificate import read_certificate

    one = Found("F", "certificate", certificate=read_certificate(der), sha256=read_certificate(der).sha256)
    library = next(iter(clues(Blob("F!/lib/libssl.so", b"\x7fELF\0" + OLD + b"\0" * 60))))
    (service,) = predict(one, "c", [one], [library]).services
    assert service.where is None
    assert service.at(AFTER).answers == (45,)
    assert predict(one, "c", [one], []).services == ()


def test_a_trust_store_that_was_not_found_foretells_nothing(tmp_path: object) -> None:
    prediction = foretold(tmp_path, SELF, [], "verify = 3", OLD)
    (service,) = prediction.services
    assert [(spell.outcome, spell.answers) for spell in service.spells] == [("not known", ())]
    assert service.without.answers == (40,)
    assert "cannot be told" in " ".join(sentences(prediction))
