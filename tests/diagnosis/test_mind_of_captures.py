"""The mind over real refused certificates: those of the measured captures, each as the good one of three probes."""

from __future__ import annotations

import json

import pytest

import tlsalert
from tests.diagnosis.devices import measured
from tests.evidence import ATLAS, SHARED, needs_atlas
from tlsalert.diagnosis.device_causes import STRANGE, Facts
from tlsalert.diagnosis.device_mind import mind
from tlsalert.diagnosis.tried import Tried
from tlsalert.model import Verdict, when

#: From here on a verdict that is wrong misleads.
MISLEADS = 0.78
PROBES = ("none_sent", "self_signed_unknown")
OTHER_KEY = ("key_mismatch", "cv_corrupted")


@needs_atlas
@pytest.mark.parametrize("server", ["go-1.19", "mbedtls-2.28", "nss", "openssl-1.0.1e", "openssl-3.0"])
def test_what_is_wrong_with_a_certificate_is_told_by_its_answer_and_three_probes(server: str) -> None:
    right, wrong = 0, []
    for defect, truth, verdict in verdicts(server):
        if verdict.cause in truth:
            right += 1
        else:
            wrong.append((verdict.confidence, defect, verdict.cause))
    assert right / (right + len(wrong)) > 0.7
    assert sum(sure >= MISLEADS for sure, _, _ in wrong) <= 1


def verdicts(server: str) -> list[tuple[str, list[str], Verdict]]:
    """Return each refused certificate of a server's capture with the causes that are right, and the verdict."""
    causes = json.loads((SHARED / "atlas" / "causes.json").read_text())["causes"]
    streams = json.loads((ATLAS / f"{server}.labels.json").read_text())["streams"]
    labels = {(one["tcp_client_port"], one["tcp_server_port"]): one for one in streams if one["config"] == "base"}
    found = []
    for connection in tlsalert.read(ATLAS / f"{server}.pcap", keylog=ATLAS / f"{server}.keys"):
        if connection.client is None or connection.server is None or connection.start is None:
            continue
        label = labels.get((connection.client.port, connection.server.port))
        if label is None or label["defect"] in STRANGE or label["defect"] not in causes:
            continue
        version, defect = label["tls_version"].replace("TLSv", "TLS "), label["defect"]
        row = measured(server).answers.get(version, {})
        if connection.certificates.client and row.get(defect, "ok") != "ok":
            tried = [Tried("good", version, row[defect]), *[Tried(one, version, row[one]) for one in PROBES]]
            facts = Facts(connection.certificates.client, when(connection.start), key_fits=defect not in OTHER_KEY)
            found.append((defect, causes[defect], mind(tried, facts).verdict))
    return found
