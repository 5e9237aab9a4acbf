# Shared by the scripts in this folder: progress, prerequisites, the virtual environment and the jar.
# To be sourced; every path is below $root, and nothing outside it is changed but the caches of pip and sbt.
set -Eeuo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv="$root/.venv"
SECONDS=0
trap 'printf "\nERROR: %s stopped in %s, line %s\n" "$0" "${BASH_SOURCE[0]}" "$LINENO" >&2' ERR

# say TEXT: a line of progress with the seconds since the start.
say() { printf '==> [%3ds] %s\n' "$SECONDS" "$*"; }

# die TEXT: what is wrong and how to mend it, then the end.
die() { printf '\nERROR: %s\n' "$*" >&2; exit 1; }

java_command() { if [ -n "${JAVA_HOME:-}" ]; then echo "$JAVA_HOME/bin/java"; else echo java; fi; }

# check_java: Spark 4.1 and sparkdl are built for and tested with JDK 17.
check_java() {
  local java found
  java=$(java_command)
  command -v "$java" >/dev/null 2>&1 || die "no JDK: '$java' is not there. Install JDK 17" \
    "(Debian and Ubuntu: apt install openjdk-17-jdk-headless) and put it on the PATH, or set JAVA_HOME to it."
  found=$("$java" -version 2>&1 </dev/null | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1)
  [ "$found" = 17 ] || die "JDK 17 is needed, but '$java' is version ${found:-unknown}." \
    "Set JAVA_HOME to a JDK 17, for example: JAVA_HOME=/usr/lib/jvm/java-17-openjdk-amd64 $0"
}

# check_build_tool: sbt, or Maven to fetch sbt with.
check_build_tool() {
  command -v sbt >/dev/null 2>&1 || command -v mvn >/dev/null 2>&1 || die "neither 'sbt' nor 'mvn' is on the" \
    "PATH. Install one of them (Debian and Ubuntu: apt install maven; build/sbt then fetches sbt through it)."
}

# find_python: prints the first Python 3.10 to 3.12; SPARKDL_PYTHON names one.
find_python() {
  local candidate
  for candidate in ${SPARKDL_PYTHON:-python3 python3.12 python3.11 python3.10 python}; do
    # A name on the PATH may be a shim without a Python behind it, so it is run.
    if "$candidate" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 13))' >/dev/null 2>&1 </dev/null; then
      command -v "$candidate"
      return
    fi
  done
  die "no Python 3.10, 3.11 or 3.12 among: ${SPARKDL_PYTHON:-python3 python3.12 python3.11 python3.10 python}." \
    "Install one (Debian and Ubuntu: apt install python3 python3-venv) or name it: SPARKDL_PYTHON=/path/to/python $0"
}

check_platform() {
  [ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] || die "TensorFlow's native library is bundled for Linux x86_64;" \
    "this is $(uname -s) $(uname -m). Use a Linux x86_64 machine or container."
}

# check_prerequisites: all of the above; sets $python.
check_prerequisites() {
  check_platform
  check_java
  check_build_tool
  python=$(find_python)
  "$python" -c 'import venv, ensurepip' 2>/dev/null || die "'$python' cannot make virtual environments." \
    "Install its venv module (Debian and Ubuntu: apt install python3-venv)."
}

# make_venv: .venv with the pinned packages of build/requirements.txt; kept while these and the Python are the same.
make_venv() {
  local wanted
  wanted=$({ "$python" --version; cat "$root/build/requirements.txt"; } | sha256sum | cut -d' ' -f1)
  if [ -x "$venv/bin/python" ] && [ "$(cat "$venv/.made-from" 2>/dev/null)" = "$wanted" ]; then
    say "Python packages: .venv is up to date"
    return
  fi
  say "Python packages: making .venv with $("$python" --version) (about 600 MB to download the first time)"
  rm -rf "$venv"
  "$python" -m venv "$venv"
  local log="$root/target/pip.log"
  mkdir -p "$root/target"
  "$venv/bin/python" -m pip install --no-input -q -r "$root/build/requirements.txt" >"$log" 2>&1 </dev/null ||
    { tail -n 20 "$log" >&2; die "pip could not install build/requirements.txt; its last lines are above, all in $log."; }
  echo "$wanted" >"$venv/.made-from"
}

# jar_sources: a hash of everything that the jar is made from.
jar_sources() {
  (cd "$root" && find build.sbt VERSION LICENSE NOTICE project src/main python/sparkdl/resources -type f \
    -not -path '*/target/*' | LC_ALL=C sort | xargs -d '\n' sha256sum | sha256sum | cut -d' ' -f1)
}

# build_jar: target/jars with the shaded jar, the native jars and the POM; skipped when nothing has changed.
build_jar() {
  if [ "$(cat "$root/target/jars/.made-from" 2>/dev/null)" = "$(jar_sources)" ]; then
    say "jar: target/jars is up to date"
    return
  fi
  say "jar: compiling and packing (sbt; fetches Spark and TensorFlow Java the first time, about 500 MB)"
  run_logged sbt-jar "$root/build/sbt" devJars
  mark_jar
}

# mark_jar: target/jars was just made.
mark_jar() { jar_sources >"$root/target/jars/.made-from"; }

# run_logged NAME COMMAND...: quiet; shows the end of the output when the command fails.
run_logged() {
  local log="$root/target/$1.log"
  shift
  mkdir -p "$root/target"
  "$@" >"$log" 2>&1 </dev/null || { tail -n 60 "$log" >&2; die "'$*' failed; its last lines are above, all in $log."; }
}
