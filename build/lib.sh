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

# versions_of KEY: a line of the file of versions.
versions_of() { sed -n "s/^$1=//p" "$root/python/sparkdl/resources/versions.properties"; }

# either WORD...: "17", "17 or 21", "17, 21 or 25".
either() {
  local text=$1
  shift
  while [ $# -gt 1 ]; do text="$text, $1"; shift; done
  echo "$text${1:+ or $1}"
}

# among WORD LIST...: whether the word is in the list.
among() { [[ " ${*:2} " == *" $1 "* ]]; }

java_command() { if [ -n "${JAVA_HOME:-}" ]; then echo "$JAVA_HOME/bin/java"; else echo java; fi; }

# java_version: the first number of its version.
java_version() { "$(java_command)" -version 2>&1 </dev/null | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1; }

# javas_of RELEASE: the versions of Java that a release of Spark is tested with.
javas_of() {
  local newer
  newer=$(printf '%s\n' "$(versions_of java.newer.spark)" "${1%.*}" | sort -V | head -n 1)
  echo "$(versions_of java)$([ "$newer" != "$(versions_of java.newer.spark)" ] || echo " $(versions_of java.newer)")"
}

# check_java: a JDK that Spark and sparkdl are tested with.
check_java() {
  local java found tested wanted oldest
  read -ra tested <<<"$(javas_of "$(versions_of spark.python)")"
  wanted="JDK $(either "${tested[@]}")" oldest=${tested[0]}
  java=$(java_command)
  command -v "$java" >/dev/null 2>&1 || die "no JDK: '$java' is not there. Install $wanted" \
    "(Debian and Ubuntu: apt install openjdk-$oldest-jdk-headless) and put it on the PATH, or set JAVA_HOME to it."
  found=$(java_version)
  among "${found:-unknown}" "${tested[@]}" || die "$wanted is needed, but '$java' is version ${found:-unknown}." \
    "Set JAVA_HOME to a $wanted, for example: JAVA_HOME=/usr/lib/jvm/java-$oldest-openjdk-amd64 $0"
}

# check_build_tool: sbt, or Maven to fetch sbt with.
check_build_tool() {
  command -v sbt >/dev/null 2>&1 || command -v mvn >/dev/null 2>&1 || die "neither 'sbt' nor 'mvn' is on the" \
    "PATH. Install one of them (Debian and Ubuntu: apt install maven; build/sbt then fetches sbt through it)."
}

# python_names: what a Python of a tested version may be called, the newest first.
python_names() {
  local name names=" python"
  for name in $(versions_of python); do names=" python$name$names"; done
  echo "python3$names"
}

# find_python: prints the first Python of a tested version; SPARKDL_PYTHON names one.
find_python() {
  local candidate candidates=${SPARKDL_PYTHON:-$(python_names)} tested
  read -ra tested <<<"$(versions_of python)"
  for candidate in $candidates; do
    # A name on the PATH may be a shim without a Python behind it, so it is run.
    if among "$("$candidate" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null </dev/null)" "${tested[@]}"; then
      command -v "$candidate"
      return
    fi
  done
  die "no Python $(either "${tested[@]}") among: $candidates." \
    "Install one (Debian and Ubuntu: apt install python3 python3-venv) or name it: SPARKDL_PYTHON=/path/to/python $0"
}

check_platform() {
  case $(uname -s)-$(uname -m) in
    Linux-x86_64 | Linux-aarch64) ;;
    *) die "sparkdl is built on Linux, on x86_64 or ARM; this is $(uname -s) $(uname -m). Use such a machine or container." ;;
  esac
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

# make_venv [FOLDER REQUIREMENTS]: the packages that a file of this folder pins, by default those of requirements.txt in .venv;
# kept while these and the Python are the same.
make_venv() {
  local folder=${1:-$venv} file=$root/build/${2:-requirements.txt} wanted
  local name=${folder#"$root"/}
  wanted=$({ "$python" --version; cat "$file"; } | sha256sum | cut -d' ' -f1)
  if [ -x "$folder/bin/python" ] && [ "$(cat "$folder/.made-from" 2>/dev/null)" = "$wanted" ]; then
    say "Python packages: $name is up to date"
    return
  fi
  say "Python packages: making $name with $("$python" --version) (about 600 MB to download the first time)"
  rm -rf "$folder"
  "$python" -m venv "$folder"
  local log="$root/target/pip.log"
  mkdir -p "$root/target"
  "$folder/bin/python" -m pip install --no-input -q -r "$file" >"$log" 2>&1 </dev/null ||
    { tail -n 20 "$log" >&2; die "pip could not install ${file#"$root"/}; its last lines are above, all in $log."; }
  echo "$wanted" >"$folder/.made-from"
}

# make_oldest_venv: the oldest TensorFlow, in $venv from now on.
make_oldest_venv() {
  venv="$root/target/venv/oldest"
  make_venv "$venv" requirements-oldest.txt
}

# check_oldest VERSION: whether it is that of requirements-oldest.txt.
check_oldest() {
  local oldest
  read -r oldest _ <<<"$(versions_of tensorflow)"
  [ "$1" = "$oldest" ] || die "--tensorflow takes the oldest version that sparkdl works with, $oldest, not '$1':" \
    "all other tests run on the newest."
}

# spark_path RELEASE: where the pyspark of a release is; that of the tests is in .venv.
spark_path() { if [ "$1" = "$(versions_of spark.python)" ]; then echo; else echo "$root/target/spark/${1%.*}"; fi; }

# release_of MINOR: the release of pyspark that a minor version of Spark is tested with.
release_of() {
  local release
  for release in $(versions_of spark.matrix); do
    [ "${release%.*}" != "$1" ] || { echo "$release"; return; }
  done
  die "sparkdl is not tested with Spark '$1', but with $(versions_of spark)."
}

# oldest_release: of pyspark, that the default jar is for.
oldest_release() {
  local major
  major=$(versions_of spark.compiled | cut -d. -f1)
  tr ' ' '\n' <<<"$(versions_of spark.matrix)" | sed -n "/^$major\./{p;q}"
}

# project_of RELEASE: the project of sbt that makes the jar for a release of pyspark, with a slash; none for the default.
project_of() { case "$1" in 3.*) echo "spark3_$(versions_of spark3.scala | cut -d. -f1,2 | tr -d .)/" ;; esac; }

# packages_of RELEASE: what a release of pyspark needs in other versions than build/requirements.txt has.
packages_of() { case "$1" in 3.*) versions_of spark3.packages ;; esac; }

# make_spark RELEASE: pyspark of another version than that in .venv, kept in target/spark while it is the same release.
make_spark() {
  local folder
  folder=$(spark_path "$1")
  [ -n "$folder" ] && [ ! -d "$folder/pyspark-$1.dist-info" ] || return 0
  say "pyspark $1: into ${folder#"$root"/} (450 MB to download)"
  rm -rf "$folder"
  # shellcheck disable=SC2046 # words
  run_logged pyspark "$venv/bin/python" -m pip install --no-input -q --target "$folder" "pyspark==$1" $(packages_of "$1")
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
