"""Writes tlsalert/registry/*.py from the tables in tools/iana/*.csv.

    python tools/make_registries.py           write what differs
    python tools/make_registries.py --check   write nothing; exit 1 if a module differs from its tables

A table is a CSV with the columns Value, Name, Reference (and Label, for versions) under comment lines that
say what it holds "as of" which month. A Value is a number as IANA lists it, a range "224-255", or "0xnAnA"
for the sixteen GREASE values of RFC 8701; ranges are named, not listed.
"""

from __future__ import annotations

import csv
import re
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TABLES = ROOT / "tools" / "iana"
MODULES = ROOT / "tlsalert" / "registry"


@dataclass(frozen=True)
class Row:
    """One line of a table: the value as it was written, the name, its source and (versions) its label."""

    value: str
    name: str
    reference: str
    label: str

    @property
    def single(self) -> bool:
        """Whether this is one code and not a range."""
        return "-" not in self.value and self.value != "0xnAnA"


@dataclass(frozen=True)
class Table:
    """One class to be: its name, docstring, base, table, and the methods that are written by hand."""

    name: str
    doc: str
    csv: str
    hexadecimal: bool = False
    methods: str = ""

    @property
    def rows(self) -> list[Row]:
        """The table's lines, in its order."""
        lines = [line for line in self._text.splitlines() if not line.startswith("#")]
        return [Row(*[*line, ""][:4]) for line in list(csv.reader(lines))[1:]]

    @property
    def date(self) -> str:
        """The month of which the table says it is."""
        found = re.search(r"as of ([A-Z][a-z]+ \d{4})", self._text)
        if not found:
            raise SystemExit(f"tools/iana/{self.csv}.csv: no comment says as of which month it is")
        return found[1]

    @property
    def _text(self) -> str:
        return (TABLES / f"{self.csv}.csv").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Module:
    """One module to be: its name, docstring, classes and the code at its end that is written by hand."""

    name: str
    doc: str
    tables: tuple[Table, ...]
    tail: str = ""


VERSION_METHODS = '''
    @classmethod
    def _name_of(cls, code: int) -> str:
        """Name the drafts of TLS 1.3 and GREASE; they have no entries of their own."""
        if (draft := draft_of(code)) is not None:
            return f"TLSv1_3_draft{draft}" + ("_facebook" if code >> 8 == 0xFB else "")
        return name_in_ranges(code)

    @property
    def label(self) -> str:
        """The version as people write it: "TLS 1.2", "TLS 1.3 draft 28"; "0x1234" where it is unlisted."""
        return version_label(self._value_)
'''

LINK_TAIL = '''

def link_type_name(number: int) -> str:
    """Return a link type's name on the list, or that it has none."""
    listed = number in LinkType.__members__.values()
    return f"LINKTYPE_{LinkType(number).name}" if listed else "a number without a name"
'''

VERSION_TAIL = '''

LABELS: dict[int, str] = {
%s}


def version_label(code: int) -> str:
    """Return the version as people write it: "TLS 1.2", "TLS 1.3 draft 28"; "0x1234" where it is unlisted."""
    if (label := LABELS.get(code)) is not None:
        return label
    if (draft := draft_of(code)) is not None:
        return f"TLS 1.3 draft {draft}" + (" (Facebook)" if code >> 8 == 0xFB else "")
    return f"GREASE 0x{code:04X}" if is_grease(code) else f"0x{code:04X}"


def draft_of(code: int) -> int | None:
    """Return the draft of TLS 1.3 that 0x7fNN (draft-ietf-tls-tls13) or Facebook's 0xfbNN stands for."""
    return code & 0xFF if code >> 8 in (0x7F, 0xFB) and code & 0xFF else None
'''

SUITE_TAIL = '''

NAMES: dict[int, str] = {suite._value_: name for name, suite in CipherSuite.__members__.items()}


def cipher_suite_name(code: int) -> str:
    """Return IANA's name of the cipher suite ``code``, or its number ("0x1234") where it is unlisted."""
    return NAMES.get(code) or f"0x{code:04X}"
'''

KIND_METHODS = '''
    @classmethod
    def _name_of(cls, code: int) -> str:
        """Name a kind whose first byte is zero as the TLS cipher suite it stands for, RFC 5246 App. E.2."""
        return CipherSuite(code).name if code <= 0xFFFF else "unlisted"

    def __str__(self) -> str:
        """Return the name and the three bytes of the code in hexadecimal."""
        return f"{self._name_}(0x{self._value_:06X})"
'''

PLAN = (
    Module(
        "alerts",
        "TLS alerts, RFC 8446 §6: levels and descriptions.",
        (
            Table("AlertLevel", "An alert's level. TLS 1.3 receivers go by the description.", "alert_levels"),
            Table("AlertDescription", "What an alert says.", "alert_descriptions"),
        ),
    ),
    Module(
        "handshake_types",
        "Types of handshake messages, RFC 8446 §4.",
        (Table("HandshakeType", "A handshake message's type.", "handshake_types"),),
    ),
    Module(
        "content_types",
        "Content types of records, RFC 8446 §5.1.",
        (Table("ContentType", "What a record holds.", "content_types"),),
    ),
    Module(
        "versions",
        "Protocol versions from SSLv2 to TLS 1.3 and DTLS 1.3, and how people write them.",
        (Table("Version", "A protocol version.", "versions", hexadecimal=True, methods=VERSION_METHODS),),
        tail=VERSION_TAIL,
    ),
    Module(
        "cipher_suites",
        "Cipher suites of SSLv3 and TLS, and the cipher kinds of SSLv2.",
        (
            Table("CipherSuite", "A cipher suite, RFC 8446 App. B.4.", "cipher_suites", hexadecimal=True),
            Table(
                "Sslv2CipherKind",
                "A cipher kind of an SSLv2 hello: three bytes, RFC 5246 App. E.2.",
                "sslv2_cipher_kinds",
                methods=KIND_METHODS,
            ),
        ),
        tail=SUITE_TAIL,
    ),
    Module(
        "extensions",
        "Extensions of hellos and certificates, RFC 8446 §4.2.",
        (Table("ExtensionType", "An extension's type.", "extensions"),),
    ),
    Module(
        "groups",
        "Groups for key exchange, RFC 8446 §4.2.7 (elliptic curves, RFC 8422 §5.1.1).",
        (Table("NamedGroup", "A group or curve for the key exchange.", "groups"),),
    ),
    Module(
        "signature_schemes",
        "Signature schemes, RFC 8446 §4.2.3, and TLS 1.2's pairs of hash and signature, RFC 5246 §7.4.1.4.1.",
        (Table("SignatureScheme", "How something is signed.", "signature_schemes", hexadecimal=True),),
    ),
    Module(
        "certificates",
        "What kinds of certificate there are, how they are compressed, and kinds of revocation status.",
        (
            Table(
                "ClientCertificateType",
                "A kind of client certificate that a server asks for, RFC 5246 §7.4.4.",
                "client_certificate_types",
            ),
            Table("CertificateType", "The form of a certificate, RFC 7250 §3.", "certificate_types"),
            Table(
                "CertificateStatusType",
                "The form of a revocation status, RFC 6066 §8.",
                "certificate_status_types",
            ),
            Table(
                "CertificateCompressionAlgorithm",
                "How a certificate is compressed, RFC 8879 §3.",
                "certificate_compression_algorithms",
            ),
        ),
    ),
    Module(
        "compression",
        "Compression methods, RFC 3749. TLS 1.3 has none.",
        (Table("CompressionMethod", "How records are compressed.", "compression_methods"),),
    ),
    Module(
        "link_types",
        "Link types of capture files: what a captured packet begins with.",
        (Table("LinkType", "A link type by its number; the list's names begin with LINKTYPE_.", "link_types"),),
        LINK_TAIL,
    ),
)


def main(arguments: list[str]) -> int:
    """Write the modules, or with ``--check`` only compare them. Returns the exit code."""
    if arguments not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    stale = [module for module in PLAN if text_on_disk(module) != text_of(module)]
    for module in stale:
        path = f"tlsalert/registry/{module.name}.py"
        if arguments:
            print(f"{path} differs from its tables; run python tools/make_registries.py", file=sys.stderr)
        else:
            (MODULES / f"{module.name}.py").write_text(text_of(module), encoding="utf-8")
            print(f"wrote {path}")
    return 1 if stale and arguments else 0


def text_on_disk(module: Module) -> str | None:
    """Return the module as it is, or None where it is missing."""
    path = MODULES / f"{module.name}.py"
    return path.read_text(encoding="utf-8") if path.exists() else None


def text_of(module: Module) -> str:
    """Return the module as its tables make it."""
    classes = "\n\n".join(class_text(table) for table in module.tables)
    tail = module.tail
    if "%s" in tail:
        tail = tail % "".join(f'    {row.value}: "{row.label}",\n' for row in rows_of(module) if row.label)
    return f"{header(module)}{imports(classes + tail)}\n\n{classes}{tail}"


def header(module: Module) -> str:
    """Return the docstring and the note for ruff: some of the RFCs' names are in mixed case."""
    sources = "".join(f"    tools/iana/{table.csv}.csv, as of {table.date}\n" for table in module.tables)
    mixed = any(re.match(r"[a-z]\w*[A-Z]", row.name) for row in rows_of(module))
    noqa = "# ruff: noqa: N815 (the RFCs' spelling)\n" if mixed else ""
    return (
        f'{noqa}"""{module.doc}\n\n'
        f'Generated by tools/make_registries.py; change the tables, not this file:\n{sources}"""\n\n'
        "from __future__ import annotations\n\n"
    )


def imports(code: str) -> str:
    """Return the import of what ``code`` needs from the registries' common part."""
    names = ("HexRegistry", "Registry", "is_grease", "name_in_ranges")
    used = [name for name in names if re.search(rf"(?<![\w]){name}\b", code)]
    return f"from tlsalert.registry.open import {', '.join(used)}\n"


def rows_of(module: Module) -> list[Row]:
    """Return the lines of all of a module's tables."""
    return [row for table in module.tables for row in table.rows]


def class_text(table: Table) -> str:
    """Return the class: its members with their sources, and how codes without an entry are named."""
    base = "HexRegistry" if table.hexadecimal else "Registry"
    rows = (row for row in table.rows if row.single)
    members = "".join(f"    {row.name} = {row.value}  # {row.reference}\n" for row in rows)
    methods = table.methods or ranges_text(table)
    return f'class {table.name}({base}):\n    """{table.doc}"""\n\n{members}{methods}'


def ranges_text(table: Table) -> str:
    """Return the method that names the codes in ranges, or nothing where the table has none."""
    greased = any(row.value == "0xnAnA" for row in table.rows)
    private = [row.value.split("-") for row in table.rows if "-" in row.value]
    if not greased and not private:
        return ""
    ranges = [f"range({first}, {last} + 1)" for first, last in private]
    call = ", ".join(["code", *ranges, *([] if greased else ["grease=False"])])
    return (
        "\n    @classmethod\n"
        "    def _name_of(cls, code: int) -> str:\n"
        '        """Name the codes in ranges that are set aside."""\n'
        f"        return name_in_ranges({call})\n"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
