// What a release adds to the build: see build/release and docs/releasing.md.
ThisBuild / scmInfo := Some(
  ScmInfo(
    url("https://github.com/sparkdl/sparkdl"),
    "scm:git:https://github.com/sparkdl/sparkdl.git",
    "scm:git:ssh://git@github.com/sparkdl/sparkdl.git"
  )
)
Release.settings
