"""`start` checks what it is given, and adds to what the user has set."""

import os
import re
import subprocess
import sys

import pytest

import sparkdl
from sparkdl.errors import SettingsException
from sparkdl.session import spark_jars, spark_session
from sparkdl.session.supported_versions import SPARK_RANGE, supported


def test_rejects_memory_without_a_number():
    with pytest.raises(SettingsException, match="such as '4g' or '512m', got 'much'"):
        sparkdl.start(memory="much")


def test_names_both_versions_when_pyspark_is_not_one_it_is_tested_with(monkeypatch):
    import pyspark

    monkeypatch.setattr(pyspark, "__version__", "3.5.6")
    first, end = map(re.escape, SPARK_RANGE)
    with pytest.raises(
        SettingsException, match=rf"Spark {first} up to.* {end}, but pyspark is 3\.5\.6"
    ):
        sparkdl.start()


def test_warns_of_a_spark_that_is_newer_than_the_tested_ones(spark, monkeypatch):
    monkeypatch.setattr(spark_session, "spark_tested", lambda version: False)
    with pytest.warns(UserWarning, match=rf"Spark is {re.escape(spark.version)}: what works there"):
        assert sparkdl.start(spark=spark) is spark


def test_takes_the_wheels_repository_first(tmp_path):
    repository, jars = tmp_path / "m2", tmp_path / "jars"
    folder = repository / "org" / "sparkdl" / "sparkdl_2.13" / "1.0-abc"
    folder.mkdir(parents=True)
    (folder / "sparkdl_2.13-1.0-abc.pom").write_text("")
    jars.mkdir()
    (jars / "sparkdl.jar").write_text("")
    assert spark_jars.submit_conf(repository, jars) == {
        "spark.jars.repositories": repository.as_uri(),
        "spark.jars.packages": "org.sparkdl:sparkdl_2.13:1.0-abc",
    }
    assert spark_jars.submit_conf(tmp_path / "none", jars) == {
        "spark.jars": (jars / "sparkdl.jar").as_uri()
    }


@pytest.mark.parametrize(
    ("system", "machine", "more"),
    [
        ("Linux", "x86_64", ""),
        ("Linux", "aarch64", f",org.sparkdl:sparkdl-native-linux-arm64:{sparkdl.version()}"),
        ("Darwin", "arm64", f",org.sparkdl:sparkdl-native-macosx-arm64:{sparkdl.version()}"),
        ("Darwin", "x86_64", ""),  # for which there is no library; the first use says so
    ],
)
def test_takes_the_native_libraries_of_its_machine(tmp_path, monkeypatch, system, machine, more):
    monkeypatch.setattr("platform.system", lambda: system)
    monkeypatch.setattr("platform.machine", lambda: machine)
    folder = tmp_path / "org" / "sparkdl" / "sparkdl_2.13" / "1.0-abc"
    folder.mkdir(parents=True)
    (folder / "sparkdl_2.13-1.0-abc.pom").write_text("")
    conf = spark_jars.submit_conf(tmp_path)
    assert conf["spark.jars.packages"] == f"org.sparkdl:sparkdl_2.13:1.0-abc{more}"


def test_says_where_it_searched_when_there_is_no_jar(tmp_path):
    with pytest.raises(SettingsException, match="build/sbt devJars"):
        spark_jars.submit_conf(tmp_path / "m2", tmp_path / "jars")


@pytest.fixture
def jar(monkeypatch):
    monkeypatch.setattr(
        spark_session, "submit_conf", lambda: {"spark.jars.packages": "org.sparkdl:sparkdl_2.13:1"}
    )


def test_extends_the_users_packages_wherever_they_are_set(jar, monkeypatch):
    monkeypatch.setenv("PYSPARK_SUBMIT_ARGS", "--packages a:a:1 --master yarn pyspark-shell")
    settings = spark_session._add_jar({})
    assert settings == {"spark.jars.packages": "a:a:1,org.sparkdl:sparkdl_2.13:1"}
    assert os.environ["PYSPARK_SUBMIT_ARGS"] == "--master yarn pyspark-shell"


def test_leaves_a_build_that_the_user_has_chosen(jar, monkeypatch):
    chosen = {"spark.jars.packages": "org.sparkdl:sparkdl_2.13:0.9"}
    monkeypatch.delenv("PYSPARK_SUBMIT_ARGS", raising=False)
    assert spark_session._add_jar(chosen) == chosen


def test_gives_a_session_whose_jar_has_the_same_version(spark):
    from sparkdl.session.jvm_door import door

    assert door().version() == door(spark).version() == sparkdl.version()
    assert sparkdl.start() is spark
    assert sparkdl.start(spark=spark) is spark


def test_warns_that_memory_cannot_be_changed_any_more(spark):
    with pytest.warns(UserWarning, match="already runs"):
        sparkdl.start(memory="1g")


def test_a_session_without_the_jar_says_what_to_do(spark, monkeypatch):
    from sparkdl.session import jvm_door

    monkeypatch.setattr(jvm_door, "_DOOR", "org.sparkdl.python.NoSuchDoor")
    with pytest.raises(SettingsException, match=r"--packages org\.sparkdl:sparkdl_2\.13:"):
        sparkdl.start(spark=spark)


def test_refuses_a_spark_connect_client():
    class Client:
        version = "4.1.0"

    with pytest.raises(SettingsException, match="Spark Connect client has no JVM"):
        sparkdl.start(spark=Client())


def test_the_native_library_loads_from_the_jar_of_the_checkout(spark):
    assert (
        spark._jvm.org.sparkdl.runtime.NativeRuntime("", 0)
        .version()
        .startswith(supported("tensorflow.jvm")[0])
    )


def test_the_first_use_loads_the_native_library_from_where_the_setting_says(tmp_path):
    no_directory = tmp_path / "file" / "native"
    no_directory.parent.touch()
    code = f"""
import sparkdl, sparkdl.tensorframes as tfs
conf = {{"spark.ui.enabled": False, "spark.sparkdl.native.dir": {str(no_directory)!r}}}
spark = sparkdl.start(master="local[1]", memory="1g", conf=conf)
try:
    tfs.map_blocks(lambda x: {{"z": x + 3.0}}, spark.createDataFrame([(1.0,)], "x double"))
except sparkdl.errors.NativeLibraryException as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert f"It is unpacked into '{no_directory}'" in done.stdout, done.stdout + done.stderr
