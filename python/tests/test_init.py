"""Importing sparkdl is cheap, and every public name is where the table says."""

import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import sparkdl

VERSION = Path(__file__).resolve().parent.parent.parent / "VERSION"


def test_version_is_the_one_of_the_checkout():
    assert sparkdl.version() == sparkdl.__version__ == VERSION.read_text().strip()


def test_import_is_fast_and_loads_nothing_heavy():
    code = (
        "import sys, time; t = time.perf_counter(); import sparkdl; t = time.perf_counter() - t\n"
        "heavy = {'tensorflow', 'keras', 'pyspark', 'numpy'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "assert t < 1, t"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_modules_for_graphs_and_images_load_tensorflow_when_it_is_used():
    code = (
        "import sys, sparkdl.graph.input, sparkdl.graph.builder, sparkdl.graph.pieces\n"
        "import sparkdl.graph.utils, sparkdl.image.imageIO, sparkdl.transformers.utils\n"
        "import sparkdl.transformers.keras_applications, sparkdl.utils.keras_model\n"
        "heavy = {'tensorflow', 'keras', 'PIL'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = sparkdl.nothing


def test_no_submodule_hides_an_exported_function():
    submodules = {m.name for m in pkgutil.iter_modules(sparkdl.__path__)}
    assert not submodules & set(sparkdl._EXPORTS)


def test_every_export_whose_module_exists_is_there():
    for name, module in sparkdl._EXPORTS.items():
        if importlib.util.find_spec(module) is not None:
            assert getattr(sparkdl, name) is not None


def test_public_modules_are_reachable_without_an_import_of_their_own():
    code = "import sparkdl; assert sparkdl.labels.read_labels(['cat']) == [('cat', 'cat')]"
    subprocess.run([sys.executable, "-c", code], check=True)
    for name in sparkdl._MODULES:
        assert importlib.util.find_spec(f"sparkdl.{name}") is not None


def test_modules_in_packages_are_reachable_too():
    code = (
        "import sys, sparkdl; assert sparkdl.image.imageIO.__name__ == 'sparkdl.image.imageIO'\n"
        "assert sparkdl.graph.builder.GraphFunction.__module__ == 'sparkdl.graph.builder'\n"
        "assert 'tensorflow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError, match=r"module 'sparkdl.graph' has no attribute 'nothing'"):
        _ = sparkdl.graph.nothing


def test_dir_shows_public_names_only():
    code = "import sparkdl; sparkdl.session, sparkdl.doctor; print(*dir(sparkdl))"
    shown = subprocess.run([sys.executable, "-c", f"import sparkdl.session; {code}"], stdout=-1)
    assert shown.stdout.decode().split() == sorted([*sparkdl.__all__, *sparkdl._MODULES])
