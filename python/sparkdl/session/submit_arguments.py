"""What the environment already tells spark-submit, so that `start` adds to it and hides nothing.

pyspark runs `spark-submit --conf <builder's settings> $PYSPARK_SUBMIT_ARGS`. An option there
(`--packages`) wins over a setting of the builder (`spark.jars.packages`), and a setting of the
builder wins over `spark-defaults.conf`. A list that `start` extends has to hold all three.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from pathlib import Path

from sparkdl._text_files import read_text

_OPTIONS = {
    "--packages": "spark.jars.packages",
    "--repositories": "spark.jars.repositories",
    "--jars": "spark.jars",
    "--master": "spark.master",
    "--driver-memory": "spark.driver.memory",
    "--driver-java-options": "spark.driver.extraJavaOptions",
}


class SubmitArguments:
    """`PYSPARK_SUBMIT_ARGS` and `spark-defaults.conf`, read once."""

    def __init__(self, arguments: str | None = None, defaults: Path | None = None) -> None:
        text = os.environ.get("PYSPARK_SUBMIT_ARGS", "pyspark-shell")
        self._arguments = shlex.split(text if arguments is None else arguments)
        self._defaults = dict(_read_defaults(defaults or spark_folder() / "spark-defaults.conf"))

    def get(self, key: str) -> str | None:
        """Return what the environment says about a setting, or None."""
        settings = dict(self._settings())
        return settings.get(key, self._defaults.get(key))

    def without(self, keys: set[str]) -> str:
        """Return the arguments without those about `keys`, which the builder sets now."""
        remaining: list[str] = []
        for words, key, _ in self._words():
            if key not in keys:
                remaining.extend(words)
        return shlex.join(remaining)

    def give_way(self, keys: set[str]) -> None:
        """Take these out of `PYSPARK_SUBMIT_ARGS`, where they win over the builder's settings.

        What they said is in the builder's settings, or overridden by them.
        """
        if "PYSPARK_SUBMIT_ARGS" in os.environ:
            os.environ["PYSPARK_SUBMIT_ARGS"] = self.without(keys)

    def _settings(self) -> Iterator[tuple[str, str]]:
        # Options come after --conf, because spark-submit prefers them wherever they are.
        settings = [(w[0], k, v) for w, k, v in self._words() if k is not None and v is not None]
        yield from ((k, v) for w, k, v in settings if w.startswith(("--conf", "-c")))
        yield from ((k, v) for w, k, v in settings if not w.startswith(("--conf", "-c")))

    def _words(self) -> Iterator[tuple[list[str], str | None, str | None]]:
        """Yield (words, setting, value); setting is None for options that are not known."""
        i = 0
        while i < len(self._arguments):
            option, joined, value = self._arguments[i].partition("=")
            known = option in _OPTIONS or option in ("--conf", "-c")
            words = [self._arguments[i]]
            if known and not joined and i + 1 < len(self._arguments):
                value = self._arguments[i + 1]
                words.append(value)
            i += len(words)
            if not known:
                yield words, None, None
            elif option in _OPTIONS:
                yield words, _OPTIONS[option], value
            else:
                key, _, setting = value.partition("=")
                yield words, key, setting


def spark_folder() -> Path:
    """Return the folder of Spark's own files of settings, which need not be there."""
    from pyspark.find_spark_home import _find_spark_home

    home = str(_find_spark_home())  # type: ignore[no-untyped-call]
    return Path(os.environ.get("SPARK_CONF_DIR") or Path(home) / "conf")


def _read_defaults(file: Path) -> Iterator[tuple[str, str]]:
    if not file.is_file():
        return
    for line in read_text(file).splitlines():
        words = line.strip().replace("=", " ", 1).split(None, 1)
        if len(words) == 2 and not words[0].startswith("#"):
            yield words[0], words[1].strip()
