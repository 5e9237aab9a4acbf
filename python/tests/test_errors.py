"""Exceptions of the JVM arrive as Python's classes of the same names."""

import pytest
from pyspark.errors import IllegalArgumentException

from sparkdl import errors


@pytest.fixture
def jvm(spark):
    return spark._jvm


def throw(jvm, throwable):
    """Let Java throw it: a completed future hands its failure on, wrapped as a cause."""
    future = jvm.java.util.concurrent.CompletableFuture()
    future.completeExceptionally(throwable)
    return future.join()


def test_an_exception_becomes_the_class_of_the_same_name(jvm):
    cause = jvm.org.sparkdl.errors.InvalidModelException("graph.pb has another hash", None)
    with pytest.raises(errors.InvalidModelException, match=r"^graph\.pb has another hash$") as e:
        throw(jvm, cause)
    assert "org.sparkdl.errors.InvalidModelException" in e.value.java_stack_trace
    assert isinstance(e.value, errors.SparkDLException)


def test_an_exception_is_found_among_the_causes(jvm):
    cause = jvm.org.sparkdl.errors.InvalidInputException("row 3", None)
    wrapped = jvm.org.apache.spark.SparkException("Job aborted", cause)
    with pytest.raises(errors.InvalidInputException, match="^row 3$"):
        throw(jvm, wrapped)


def test_other_exceptions_stay_what_pyspark_makes_of_them(jvm):
    with pytest.raises(IllegalArgumentException):
        jvm.java.util.UUID.fromString("none")
    with errors.jvm_errors(), pytest.raises(IllegalArgumentException):
        jvm.java.util.UUID.fromString("none")


def test_every_class_of_the_jvm_has_its_twin(jvm):
    for name in errors._CLASSES:
        throwable = getattr(jvm.org.sparkdl.errors, name)("text", None)
        assert type(errors.from_java(throwable)) is errors._CLASSES[name]


def test_jvm_errors_converts_without_the_installed_conversion(jvm, monkeypatch):
    from pyspark.errors.exceptions import captured

    cause = jvm.org.sparkdl.errors.SettingsException("batchSize", None)
    monkeypatch.setattr(captured, "convert_exception", captured._convert_exception)

    @errors.jvm_errors()
    def call():
        throw(jvm, cause)

    with pytest.raises(errors.SettingsException, match="^batchSize$"):
        call()
