"""Another project's package of the name `sparkdl` is found, and the remedy said."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import sparkdl
from sparkdl.session.other_packages import elsewhere, mixed_in


def test_a_distribution_in_the_same_folder_is_said(tmp_path: Path) -> None:
    assert mixed_in() is None
    (tmp_path / "sparkdl-0.2.2.dist-info").mkdir()
    said = mixed_in(tmp_path / "sparkdl")
    assert said
    assert said.startswith("The distribution 'sparkdl' 0.2.2, another project, was installed into")
    assert "pip install --force-reinstall --no-deps sparkdl-py" in said


def test_a_package_elsewhere_on_the_path_is_found(tmp_path: Path) -> None:
    package = Path(sparkdl.__file__).parent
    other = tmp_path / "sparkdl"
    other.mkdir()
    path = [str(tmp_path), str(package.parent), str(tmp_path)]
    assert elsewhere(path) == [], "a folder without __init__.py is none"
    (other / "__init__.py").touch()
    ((found, remedy),) = elsewhere(path)
    assert found == str(other)
    assert "pip uninstall sparkdl" in remedy


def test_the_doctor_says_so(tmp_path: Path) -> None:
    (tmp_path / "sparkdl").mkdir()
    (tmp_path / "sparkdl" / "__init__.py").touch()
    code = (
        "import sparkdl, sys\n"
        f"sys.path.append({str(tmp_path)!r})\n"
        "from sparkdl.session.doctor import _python_findings\n"
        "print(*[f for f in _python_findings() if f.topic == 'another sparkdl'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(
        f"another sparkdl: {tmp_path}/sparkdl  PROBLEM: Both are imported"
    )
