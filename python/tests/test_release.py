"""What build/release asks of files before a release."""

from __future__ import annotations

import hashlib
import io
import json
import runpy
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from conftest import CHECKOUT

import sparkdl

CHECKS = SimpleNamespace(**runpy.run_path(str(CHECKOUT / "build" / "release_checks.py")))


def refused(check: Callable[..., str], *arguments: Any) -> str:
    with pytest.raises(CHECKS.NotReady) as e:
        check(*map(str, arguments))
    return str(e.value)


def test_the_changelog_has_a_section_of_this_version(tmp_path: Path) -> None:
    assert CHECKS.changelog(str(CHECKOUT / "CHANGELOG.md"), sparkdl.__version__)
    file = tmp_path / "CHANGELOG.md"
    file.write_text("## 0.2.0 (2027-01-05)\n\n## 0.1.0 (2026-12-01)\n- all\n")
    assert CHECKS.changelog(str(file), "0.1.0") == "0.1.0 is 2026-12-01, 1 lines"
    assert "has no section '## 0.2.0 (date)' with a text" in refused(
        CHECKS.changelog, file, "0.2.0"
    )


def test_what_is_in_the_jar_has_a_licence_and_is_in_the_notice(tmp_path: Path) -> None:
    bill, notice = tmp_path / "bill.json", CHECKOUT / "NOTICE"

    def write(group: str, *licences: dict[str, str]) -> Path:
        entries = [{"license": one} for one in licences]
        component = {"group": group, "name": "one", "licenses": entries}
        bill.write_text(json.dumps({"components": [component, {"group": "us", "name": "sparkdl"}]}))
        return bill

    write("org.tensorflow", {"id": "Apache-2.0"}, {"name": "another"})
    assert CHECKS.bill(str(bill), str(notice), "us") == "org.tensorflow:one: Apache-2.0 or another"
    assert "no licence of org.tensorflow:one" in refused(
        CHECKS.bill, write("org.tensorflow"), notice, "us"
    )
    assert "does not name com.unheard:one" in refused(
        CHECKS.bill, write("com.unheard", {"id": "MIT"}), notice, "us"
    )


def test_checksums_lie_beside_their_files(tmp_path: Path) -> None:
    file = tmp_path / "a.jar"
    file.write_bytes(b"content")
    CHECKS.checksums(str(file))
    assert (tmp_path / "a.jar.sha1").read_text() == hashlib.sha1(b"content").hexdigest()
    assert len(list(tmp_path.iterdir())) == 5


def test_an_artefact_has_all_that_maven_central_wants(tmp_path: Path) -> None:
    folder = tmp_path / "org" / "us" / "a" / "1"
    folder.mkdir(parents=True)
    elements = ("groupId", "artifactId", "version", "name", "url")
    wanted = "".join(f"<{name}>x</{name}>" for name in elements)
    wanted += "<licenses><license><name>x</name></license></licenses>"
    wanted += "<developers><developer><name>x</name></developer></developers>"
    wanted += "<scm><url>x</url><connection>x</connection>"
    wanted += "<developerConnection>x</developerConnection></scm>"
    for kind in CHECKS.KINDS:
        for suffix in ("", ".asc", ".md5", ".sha1"):
            (folder / f"a-1{kind}{suffix}").write_text("x")

    def write_pom(content: str) -> None:
        text = f'<project xmlns="http://maven.apache.org/POM/4.0.0">{content}</project>'
        (folder / "a-1.pom").write_text(text)

    write_pom(wanted)
    assert "lacks description" in refused(CHECKS.central, tmp_path, "a")
    write_pom(f"{wanted}<description>x</description>")
    assert CHECKS.central(str(tmp_path), "a") == "1 artefacts for Maven Central: a"
    assert refused(CHECKS.central, tmp_path, "a", "b") == "Expected a, b, got a."
    (folder / "a-1-javadoc.jar.asc").write_text("")
    assert refused(CHECKS.central, tmp_path, "a") == "a has no a-1-javadoc.jar.asc."


def test_two_builds_that_differ_say_in_which_entry(tmp_path: Path) -> None:
    files = []
    for name, text in {"a": "1", "b": "1", "c": "2"}.items():
        files.append(tmp_path / f"{name}.jar")
        with zipfile.ZipFile(files[-1], "w") as archive:
            archive.writestr(zipfile.ZipInfo("same.txt"), "0")
            archive.writestr(zipfile.ZipInfo("version.txt"), text)
    assert "the same" in CHECKS.same(str(files[0]), str(files[1]))
    assert refused(CHECKS.same, files[0], files[2]) == "Two builds of a.jar differ: version.txt."


def test_of_an_sdist_the_files_are_compared(tmp_path: Path) -> None:
    packed = []
    for name, time, text in (("a", 1, "1"), ("b", 2, "1"), ("c", 2, "2")):
        packed.append(tmp_path / f"{name}.tar.gz")
        with tarfile.open(packed[-1], "w:gz") as archive:
            entry = tarfile.TarInfo("file.txt")
            entry.size, entry.mtime = len(text), time
            archive.addfile(entry, io.BytesIO(text.encode()))
    assert CHECKS.same(*map(str, packed[:2])) == "a.tar.gz: two builds, the same 1 files"
    assert refused(CHECKS.same, packed[0], packed[2]) == "Two builds of a.tar.gz differ: its bytes."


def test_a_file_that_is_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "x.whl"
    file.write_bytes(b"12345")
    assert CHECKS.sizes(str(file)) == "x.whl: 0.0 MB of 100 MB"
    monkeypatch.setitem(CHECKS.LIMITS, ".whl", 4)
    assert refused(CHECKS.sizes, file) == "x.whl has 5 bytes; 4 are allowed."


def test_a_change_of_the_interface_has_to_be_accepted(tmp_path: Path) -> None:
    found, accepted = tmp_path / "found.txt", tmp_path / "accepted.txt"
    found.write_text("python/sparkdl/x.py:3: start(memory): Parameter was removed\n")
    accepted.write_text("# why\npython start(memory): Parameter was removed\n")
    assert CHECKS.breakages(str(found), str(accepted)).startswith("1 changes of the interface")
    accepted.write_text("scala start\n")
    assert "changed since the last release:\nstart(memory): Parameter was removed\nKeep" in refused(
        CHECKS.breakages, found, accepted
    )
