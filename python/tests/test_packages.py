"""`spark-submit --packages` and the wheel bring everything to a machine that has nothing.

The programs get a home folder of their own, so that its Ivy cache is empty for the first of them
and its local Maven repository holds what `publishM2` writes, and nothing else. The wheel gets
another one.
"""

from __future__ import annotations

import filecmp
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from conftest import CHECKOUT, JVM_OPTIONS, PACKAGE_FOLDER
from standalone_cluster import SPARK_HOME, standalone_cluster

import sparkdl
from sparkdl.session.supported_versions import supported

pytestmark = pytest.mark.network

PROGRAMS = Path(__file__).resolve().parent / "programs"
VERSION = sparkdl.version()
COORDINATES = f"org.sparkdl:sparkdl_2.13:{VERSION}"
IN_REPOSITORY = f"org/sparkdl/sparkdl_2.13/{VERSION}/sparkdl_2.13-{VERSION}"
# Where the 680 MB of native libraries are unpacked stays the real home: once is enough.
NATIVE_PLACE = f"org.bytedeco.javacpp.cachedir={Path.home() / '.sparkdl' / 'native'}"
RESULT = f"RESULT sparkdl {VERSION} halves 0.0 0.5 1.0 1.5"


@pytest.fixture(scope="module")
def published() -> Path:
    """A Maven repository with what publishM2 makes of the jar under test (build/test did it)."""
    repository = CHECKOUT / "target" / "m2"
    jar = repository / f"{IN_REPOSITORY}.jar"
    tested = CHECKOUT / "target" / "jars" / f"sparkdl_2.13-{VERSION}.jar"
    if not (jar.is_file() and tested.is_file() and filecmp.cmp(jar, tested, shallow=False)):
        sbt = [str(CHECKOUT / "build" / "sbt"), f"-Dmaven.repo.local={repository}", "publishM2"]
        subprocess.run(sbt, check=True, stdin=subprocess.DEVNULL, cwd=CHECKOUT)
    return repository


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A bundle of x / 2, one number per row."""
    path = tmp_path_factory.mktemp("models") / "half"
    return sparkdl.save_bundle(lambda x: x / 2, path, inputs={"x": ("float32", [None])})


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, published: Path) -> Path:
    """A home folder whose ~/.m2 has only sparkdl, and which at first has no Ivy cache."""
    folder = tmp_path_factory.mktemp("home")
    shutil.copytree(published / "org" / "sparkdl", folder / ".m2/repository/org/sparkdl")
    return folder


def run(home: Path, command: list[object], **environment: str) -> str:
    variables = {
        **{k: v for k, v in os.environ.items() if k not in ("PYSPARK_SUBMIT_ARGS", "SPARK_HOME")},
        "SPARK_SUBMIT_OPTS": f"{JVM_OPTIONS} -Duser.home={home} -D{NATIVE_PLACE}",
        "PYTHONPATH": str(PACKAGE_FOLDER),
        **environment,
    }
    done = subprocess.run(
        [str(word) for word in command],
        env=variables,
        cwd=home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    skip_without_registry(done.stdout)
    assert done.returncode == 0, done.stdout[-6000:]
    return done.stdout


def skip_without_registry(output: str) -> None:
    # Only when the module that has to come from a registry is the one that cannot be had.
    failed = "unresolved dependency: org.tensorflow" in output or "download failed" in output
    if failed and ("Server access error" in output or "not found. url" in output):
        pytest.skip("the Maven repositories cannot be reached, and the Ivy cache is empty")


def submit(home: Path, *words: object, master: str = "local[1]") -> str:
    spark_submit = SPARK_HOME / "bin" / "spark-submit"
    where = ["--master", master, "--conf", "spark.ui.enabled=false"]
    return run(home, [spark_submit, *where, "--packages", COORDINATES, *words])


def compiled(home: Path, source: Path, sparkdl_jar: Path) -> Path:
    """Compile with the compiler that Spark brings for its shell."""
    spark = f"{SPARK_HOME}/jars/*"
    java = Path(os.environ["JAVA_HOME"]) / "bin" / "java" if "JAVA_HOME" in os.environ else "java"
    jar = home / "program.jar"
    scalac = [java, *JVM_OPTIONS.split(), "-cp", spark, "scala.tools.nsc.Main", "-usejavacp"]
    run(home, [*scalac, "-classpath", f"{spark}:{sparkdl_jar}", "-d", jar, source])
    return jar


def test_a_python_program_runs_on_a_standalone_cluster_from_an_empty_ivy_cache(
    home, bundle, tmp_path
):
    """Its two workers have a card each, or so they say."""
    (script := tmp_path / "cards.sh").write_text(
        """#!/bin/sh\necho '{"name": "gpu", "addresses": ["1"]}'\n"""
    )
    script.chmod(0o700)
    gpu = "spark.worker.resource.gpu"
    cards = f"-D{gpu}.amount=1 -D{gpu}.discoveryScript={script}"
    settings = {
        "spark.driver.host": "127.0.0.1",
        "spark.executor.cores": 1,
        "spark.executor.memory": "600m",
        "spark.executor.resource.gpu.amount": 1,
        "spark.task.resource.gpu.amount": 1,
        "spark.executor.extraJavaOptions": f"{JVM_OPTIONS} -D{NATIVE_PLACE}",
    }
    conf = [word for key, value in settings.items() for word in ("--conf", f"{key}={value}")]
    (seen := tmp_path / "seen").mkdir()
    program = PROGRAMS / "cluster_program.py"
    with standalone_cluster(tmp_path, 2, cards, CUDA_VISIBLE_DEVICES="7,5") as master:
        output = submit(home, *conf, program, bundle, seen, master=master)
    assert json.loads(output.rpartition("RESULT ")[2].splitlines()[0]) == {
        "sparkdl": VERSION,
        "master": master,
        "stage": 390.0,
        "halves": [0.0, 0.5, 1.0, 1.5],
        "total": 780.0,
        "epochs": 1,
    }
    # Spark's address counts what CUDA is shown: the executors' second card.
    assert {file.name: file.read_text() for file in seen.iterdir()} == {"0": "5", "1": "5"}
    assert {j.name for j in (home / ".ivy2.5.2" / "jars").glob("*.jar")} == {
        f"org.sparkdl_sparkdl_2.13-{VERSION}.jar",
        f"org.tensorflow_tensorflow-core-native-{supported('tensorflow.java')[0]}-linux-x86_64.jar",
        f"org.bytedeco_javacpp-{supported('javacpp')[0]}-linux-x86_64.jar",
    }


def test_a_scala_program_runs_from_what_a_python_program_has_fetched(home, published, bundle):
    jar = compiled(home, PROGRAMS / "HalfProgram.scala", published / f"{IN_REPOSITORY}.jar")
    assert RESULT in submit(home, "--class", "HalfProgram", jar, bundle)


def test_the_wheel_starts_a_session_from_an_empty_ivy_cache(tmp_path, bundle):
    wheel = CHECKOUT / "dist" / f"sparkdl_py-{VERSION}-py3-none-any.whl"
    if not wheel.is_file():
        pytest.skip("no wheel in dist/ (build/wheel makes it)")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    output = run(
        tmp_path,
        [sys.executable, PROGRAMS / "half_program.py", bundle],
        PYTHONPATH=str(tmp_path / "site"),
    )
    assert RESULT in output
    assert f"org.sparkdl#sparkdl_2.13;{VERSION}-" in output  # the wheel's, not another build


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory, published: Path) -> Path:
    """A repository like the public one, with other files for TensorFlow's libraries."""
    folder = tmp_path_factory.mktemp("repository")
    shutil.copytree(published / "org" / "sparkdl", folder / "org" / "sparkdl")
    for group, name, key in (
        ("org.tensorflow", "tensorflow-core-native", "tensorflow.java"),
        ("org.bytedeco", "javacpp", "javacpp"),
    ):
        version = supported(key)[0]
        place = folder / group.replace(".", "/") / name / version
        place.mkdir(parents=True)
        facts = f"<groupId>{group}</groupId><artifactId>{name}</artifactId>"
        (place / f"{name}-{version}.pom").write_text(
            f"<project><modelVersion>4.0.0</modelVersion>{facts}<version>{version}</version></project>"
        )
        for platform in supported("natives"):
            (place / f"{name}-{version}-{platform}.jar").write_text("a library")
    return folder


def resolved(spark, repository: Path, ivy: Path, packages: list[str]) -> set[str]:
    """Return the jars that Spark finds for packages in a repository, from an empty cache."""
    (settings := ivy / "settings.xml").write_text(
        f'<ivysettings><caches defaultCacheDir="{ivy}"/><settings defaultResolver="all"/>'
        f'<resolvers><ibiblio name="all" m2compatible="true" root="{repository.as_uri()}"/>'
        "</resolvers></ivysettings>"
    )
    jvm = spark._jvm
    maven, nothing = jvm.org.apache.spark.util.MavenUtils, jvm.scala.Option.empty()
    output = jvm.java.io.PrintStream(jvm.java.io.OutputStream.nullOutputStream())
    ivy_settings = maven.loadIvySettings(str(settings), nothing, jvm.scala.Some(str(ivy)), output)
    found = maven.resolveMavenCoordinates(
        ",".join(packages), ivy_settings, nothing, True, jvm.PythonUtils.toSeq([]), False, output
    )
    return {Path(found.apply(i)).name for i in range(found.size())}


@pytest.mark.parametrize(
    "others", [[p] for p in supported("natives")[1:]] + [supported("natives")[1:]], ids="+".join
)
def test_each_platform_has_an_artefact_that_brings_its_libraries(
    spark, libraries, tmp_path, others
):
    ours = [f"org.sparkdl:sparkdl-native-{platform}:{VERSION}" for platform in others]
    tensorflow, javacpp = supported("tensorflow.java")[0], supported("javacpp")[0]
    wanted = {supported("natives")[0], *others}
    assert resolved(spark, libraries, tmp_path, [COORDINATES, *ours]) == {
        f"org.sparkdl_sparkdl_2.13-{VERSION}.jar",
        *(f"org.sparkdl_sparkdl-native-{p}-{VERSION}.jar" for p in others),
        *(f"org.tensorflow_tensorflow-core-native-{tensorflow}-{p}.jar" for p in wanted),
        *(f"org.bytedeco_javacpp-{javacpp}-{p.removesuffix('-gpu')}.jar" for p in wanted),
    }


def test_what_is_published_is_complete(published):
    kinds = (".jar", "-sources.jar", "-javadoc.jar", ".pom")
    files = [published / f"{IN_REPOSITORY}{kind}" for kind in kinds]
    assert [f for f in files if not f.is_file()] == []
    pom = files[-1].read_text()
    for element in ("<licenses>", "<scm>", "<developers>", "<classifier>linux-x86_64</classifier>"):
        assert element in pom
    assert pom.count("<dependency>") == 2


def test_the_jar_has_protobuf_only_relocated_and_nothing_of_spark_or_scala(published):
    names = zipfile.ZipFile(published / f"{IN_REPOSITORY}.jar").namelist()
    foreign = ("com/google/protobuf/", "scala/", "org/apache/", "org/scalatest/")
    bridge = "org/apache/spark/sql/sparkdl/"  # our own, for Spark's private API
    classes = [n for n in names if n.endswith(".class") and not n.startswith(bridge)]
    assert [n for n in classes if n.startswith(foreign)] == []
    assert "org/sparkdl/shaded/protobuf/Message.class" in names
    assert "org/tensorflow/internal/c_api/TF_Session.class" in names
    assert "META-INF/LICENSE" in names
    assert "META-INF/NOTICE" in names
    assert [n for n in names if n.endswith(".so")] == []
