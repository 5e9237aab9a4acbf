"""`start` checks what it is given, and adds to what the user has set."""

import os
import re
import subprocess
import sys

import pytest

import sparkdl
from sparkdl.errors import SettingsException
from sparkdl.session import spark_jars, spark_session
from sparkdl.session.quiet_logs import with_quiet_logs
from sparkdl.session.supported_versions import SPARK_RANGE, supported


def test_rejects_memory_without_a_number():
    with pytest.raises(SettingsException, match="such as '4g' or '512m', got 'much'"):
        sparkdl.start(memory="much")


def test_names_both_versions_when_pyspark_is_not_one_it_is_tested_with(monkeypatch):
    import pyspark

    monkeypatch.setattr(pyspark, "__version__", "3.4.4")
    first, end = map(re.escape, SPARK_RANGE)
    with pytest.raises(
        SettingsException, match=rf"Spark {first} up to.* {end}, but pyspark is 3\.4\.4"
    ):
        sparkdl.start()


def test_warns_of_a_spark_that_is_newer_than_the_tested_ones(spark, monkeypatch):
    monkeypatch.setattr(spark_session, "spark_tested", lambda version: False)
    with pytest.warns(UserWarning, match=rf"Spark is {re.escape(spark.version)}: what works there"):
        assert sparkdl.start(spark=spark) is spark


@pytest.mark.parametrize(
    ("artifact", "project"), [("sparkdl_2.13", ""), ("sparkdl-spark3_2.12", "spark3_2.12")]
)
def test_takes_the_wheels_repository_first(artifact, project, tmp_path):
    repository, jars = tmp_path / "m2", tmp_path / "target" / project / "jars"
    folder = repository / "org" / "sparkdl" / artifact / "1.0-abc"
    folder.mkdir(parents=True)
    (folder / f"{artifact}-1.0-abc.pom").write_text("")
    jars.mkdir(parents=True)
    (jars / "sparkdl.jar").write_text("")
    target = tmp_path / "target"
    assert spark_jars.submit_conf(artifact, repository, target) == {
        "spark.jars.repositories": repository.as_uri(),
        "spark.jars.packages": f"org.sparkdl:{artifact}:1.0-abc",
    }
    assert spark_jars.submit_conf(artifact, tmp_path / "none", target) == {
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
    conf = spark_jars.submit_conf("sparkdl_2.13", tmp_path)
    assert conf["spark.jars.packages"] == f"org.sparkdl:sparkdl_2.13:1.0-abc{more}"


@pytest.mark.parametrize(
    ("artifact", "task"),
    [("sparkdl_2.13", "devJars"), ("sparkdl-spark3_2.12", "spark3_212/devJars")],
)
def test_says_where_it_searched_when_there_is_no_jar(artifact, task, tmp_path):
    with pytest.raises(SettingsException, match=f"run build/sbt {task}"):
        spark_jars.submit_conf(artifact, tmp_path / "m2", tmp_path / "target")


def test_takes_the_jar_for_the_scala_of_the_spark_that_it_starts(tmp_path, monkeypatch):
    jars = tmp_path / "jars"
    jars.mkdir()
    (jars / "spark-core_2.13-3.5.6.jar").write_text("")
    monkeypatch.setenv("SPARK_HOME", str(tmp_path))
    assert spark_jars.installed_artifact() == "sparkdl-spark3_2.13"


def test_refuses_a_java_that_is_too_old_for_the_jar(spark, monkeypatch):
    from sparkdl.session import jvm_door

    monkeypatch.setattr(jvm_door, "_with_java", set())  # as if it had not been asked
    monkeypatch.setattr(jvm_door, "supported", lambda key: ["99"])
    with pytest.raises(SettingsException, match=r"Spark runs on Java \d+, and sparkdl needs 99"):
        sparkdl.start(spark=spark)


@pytest.fixture
def jar(monkeypatch):
    settings = {"spark.jars.packages": "org.sparkdl:sparkdl_2.13:1"}
    monkeypatch.setattr(spark_session, "submit_conf", lambda artifact: settings)


def test_extends_the_users_packages_wherever_they_are_set(jar, monkeypatch):
    monkeypatch.setenv("PYSPARK_SUBMIT_ARGS", "--packages a:a:1 --master yarn pyspark-shell")
    settings = spark_session._add_jar({})
    assert settings == {"spark.jars.packages": "a:a:1,org.sparkdl:sparkdl_2.13:1"}
    assert os.environ["PYSPARK_SUBMIT_ARGS"] == "--master yarn pyspark-shell"


def test_leaves_a_build_that_the_user_has_chosen(jar, monkeypatch):
    chosen = {"spark.jars.packages": "org.sparkdl:sparkdl_2.13:0.9"}
    monkeypatch.delenv("PYSPARK_SUBMIT_ARGS", raising=False)
    assert spark_session._add_jar(chosen) == chosen


@pytest.fixture
def no_log_settings(monkeypatch, tmp_path):
    monkeypatch.setenv("SPARK_CONF_DIR", str(tmp_path))
    for name in ("PYSPARK_SUBMIT_ARGS", "LOG4J_CONFIGURATION_FILE", "TF_CPP_MIN_LOG_LEVEL"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_a_log_that_nobody_has_set_up_is_quiet(no_log_settings, monkeypatch):
    monkeypatch.setenv("PYSPARK_SUBMIT_ARGS", "--driver-java-options -Da=b pyspark-shell")
    settings = with_quiet_logs({"spark.app.name": "x"})
    options = settings.pop("spark.driver.extraJavaOptions")
    assert re.fullmatch(r"-Da=b -Dlog4j2.configurationFile=file:///.*/log4j2.properties", options)
    assert settings == {"spark.app.name": "x", "spark.executorEnv.TF_CPP_MIN_LOG_LEVEL": "2"}
    assert os.environ["PYSPARK_SUBMIT_ARGS"] == "pyspark-shell"


def test_a_log_that_somebody_has_set_up_stays(no_log_settings, monkeypatch):
    options = {"spark.driver.extraJavaOptions": "-Dlog4j2.configurationFile=mine.xml"}
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "0")
    level = {"spark.executorEnv.TF_CPP_MIN_LOG_LEVEL": "0"}
    assert with_quiet_logs(options) == options | level
    (no_log_settings / "log4j2.xml").write_text("<Configuration/>")
    assert with_quiet_logs({}) == level


def test_a_session_starts_without_a_word_of_its_own(tmp_path):
    code = """
import sparkdl, sparkdl.tensorframes as tfs
spark = sparkdl.start(master="local[1]", conf={"spark.ui.enabled": False})
spark.range(1).selectExpr("double(id) x").collect()
spark.stop()
"""
    environment = {**os.environ, "SPARK_CONF_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment
    )
    said = re.sub(r"\[Stage \d+:[^\]]*\]|\r", "", done.stderr)
    # The JVM says this before anything can be configured.
    said = said.replace("WARNING: Using incubator modules: jdk.incubator.vector\n", "")
    assert (done.stdout, said.strip()) == ("", "")


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
    package = re.escape(spark_jars.coordinates(spark_jars.installed_artifact()))
    with pytest.raises(SettingsException, match=f"--packages {package}"):
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
