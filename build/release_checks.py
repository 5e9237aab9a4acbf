"""What build/release asks of files: `python build/release_checks.py CHECK ARGUMENTS...`.

Each check prints what it found, and ends with an error that says how to mend it.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import tarfile
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

MEGABYTE = 1024 * 1024
# Of one file: PyPI's limit, and what Maven Central takes.
LIMITS = {".whl": 100 * MEGABYTE, ".gz": 100 * MEGABYTE, ".zip": 1024 * MEGABYTE}
# How NOTICE calls the projects whose classes are in the jar, by their groups in Maven.
NAMES = {
    "org.tensorflow": "TensorFlow Java",
    "org.bytedeco": "JavaCPP",
    "com.google.protobuf": "Protocol Buffers",
    "com.twelvemonkeys.common": "TwelveMonkeys ImageIO",
    "com.twelvemonkeys.imageio": "TwelveMonkeys ImageIO",
}
# What Maven Central wants of an artefact: these files, and these elements of its POM.
KINDS = (".jar", "-sources.jar", "-javadoc.jar", ".pom")
IN_POM = (
    *("groupId", "artifactId", "version", "name", "description", "url"),
    *("licenses/license/name", "developers/developer/name"),
    *("scm/url", "scm/connection", "scm/developerConnection"),
)
HASHES = ("md5", "sha1", "sha256", "sha512")


class NotReady(Exception):
    """Something has to be mended before a release."""


def changelog(file: str, version: str) -> str:
    """Return the date of the section of a version; it must be there and say something."""
    text = Path(file).read_text(encoding="utf-8")
    found = re.search(
        rf"^## {re.escape(version)} \(([^)\n]*)\)\n(.*?)(?=^## |\Z)", text, re.M | re.S
    )
    if not found or not found[2].strip():
        raise NotReady(f"{file} has no section '## {version} (date)' with a text: write it.")
    return f"{version} is {found[1]}, {len(found[2].splitlines())} lines"


def bill(file: str, notice: str, *left_out: str) -> str:
    """Return the licences of the components of a bill of materials, which NOTICE must name.

    Left out are groups of which the jar holds nothing, and our own.
    """
    said = Path(notice).read_text(encoding="utf-8")
    licences = {}
    for component in json.loads(Path(file).read_text(encoding="utf-8"))["components"]:
        group, name = component.get("group", ""), component["name"]
        if group in left_out:
            continue
        licences[f"{group}:{name}"] = _licences(component)
        if NAMES.get(group, group) not in said:
            raise NotReady(f"{notice} does not name {group}:{name}, whose classes are in the jar.")
    without = [name for name, licence in licences.items() if not licence]
    if without:
        raise NotReady(f"The bill of materials has no licence of {', '.join(without)}.")
    return "\n".join(f"{name}: {licence}" for name, licence in sorted(licences.items()))


def _licences(component: dict) -> str:
    given = [entry.get("license", entry) for entry in component.get("licenses", [])]
    return " or ".join(one.get("id") or one.get("name") or one["expression"] for one in given)


def checksums(*files: str) -> str:
    """Write the checksums that Maven Central wants beside each file."""
    for file in map(Path, files):
        for name in HASHES:
            digest = hashlib.new(name, file.read_bytes()).hexdigest()
            file.with_name(f"{file.name}.{name}").write_text(digest)
    return f"{len(HASHES)} checksums of each of {len(files)} files"


def central(repository: str, *names: str) -> str:
    """Return what is there for Maven Central: all of each artefact, as Central wants it."""
    there = {pom.parent.parent.name: pom for pom in Path(repository).rglob("*.pom")}
    if set(there) != set(names):
        raise NotReady(f"Expected {', '.join(names)}, got {', '.join(sorted(there))}.")
    for name, pom in there.items():
        project = ET.parse(pom).getroot()
        missing = [e for e in IN_POM if not project.findtext(f"./{{*}}{e.replace('/', '/{*}')}")]
        if missing:
            raise NotReady(f"The POM of {name} lacks {', '.join(missing)}: see build.sbt.")
        for kind in KINDS:
            for suffix in ("", ".asc", ".md5", ".sha1"):
                file = pom.with_name(f"{pom.stem}{kind}{suffix}")
                if not file.is_file() or not file.stat().st_size:
                    raise NotReady(f"{name} has no {file.name}.")
    return f"{len(there)} artefacts for Maven Central: {', '.join(sorted(there))}"


def same(first: str, second: str) -> str:
    """Compare two builds of a file, byte by byte; if they differ, say where.

    Of a .tar.gz its files are compared: setuptools writes the time of packing beside them.
    """
    a, b = Path(first), Path(second)
    if a.read_bytes() == b.read_bytes():
        return f"{a.name}: two builds, the same {a.stat().st_size} bytes"
    if a.suffix == ".gz":
        files = _files(a)
        if files == _files(b):
            return f"{a.name}: two builds, the same {len(files)} files"
    entries = ", ".join(_differing(a, b)) if zipfile.is_zipfile(a) else "its bytes"
    raise NotReady(f"Two builds of {a.name} differ: {entries}.")


def _files(packed: Path) -> dict[str, str]:
    with tarfile.open(packed) as archive:
        read = {m.name: archive.extractfile(m) for m in archive.getmembers() if m.isfile()}
        return {name: hashlib.sha256(file.read()).hexdigest() for name, file in read.items()}


def _differing(a: Path, b: Path) -> Iterable[str]:
    with zipfile.ZipFile(a) as one, zipfile.ZipFile(b) as other:
        content = [{i.filename: (i.CRC, i.date_time) for i in z.infolist()} for z in (one, other)]
        orders = [z.namelist() for z in (one, other)]
    names = [n for n in content[0] | content[1] if content[0].get(n) != content[1].get(n)]
    if not names and orders[0] != orders[1]:
        return ["the order of the entries"]
    return names[:10] or ["attributes"]


def sizes(*files: str) -> str:
    """Return the sizes of files, none of which may be larger than where it goes allows."""
    lines = []
    for file in map(Path, files):
        size, limit = file.stat().st_size, LIMITS[file.suffix]
        if size > limit:
            raise NotReady(f"{file.name} has {size} bytes; {limit} are allowed.")
        lines.append(f"{file.name}: {size / MEGABYTE:.1f} MB of {limit // MEGABYTE} MB")
    return "\n".join(lines)


def breakages(found: str, accepted: str) -> str:
    """Return how many changes of Python's interface griffe found; each must be accepted.

    A line of griffe is a file and a line number, the name, and the change; all else it says is an
    error, which nobody accepts.
    """
    changes = [re.sub(r"^\S+:\d+: ", "", line) for line in _lines(found) if line]
    meant = {line.removeprefix("python ") for line in _lines(accepted)}
    others = [change for change in changes if change not in meant]
    if others:
        raise NotReady(
            f"The interface has changed since the last release:\n{chr(10).join(others)}\n"
            f"Keep what was there, or, if it is meant, add lines 'python CHANGE' to {accepted}."
        )
    return f"{len(changes)} changes of the interface, all of them accepted"


def _lines(file: str) -> list[str]:
    return [line.strip() for line in Path(file).read_text(encoding="utf-8").splitlines()]


CHECKS: dict[str, Callable[..., str]] = {
    check.__name__: check for check in (changelog, bill, checksums, central, same, sizes, breakages)
}

if __name__ == "__main__":
    try:
        print(CHECKS[sys.argv[1]](*sys.argv[2:]))
    except NotReady as problem:
        sys.exit(f"NOT READY: {problem}")
