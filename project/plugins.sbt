addSbtPlugin("com.eed3si9n" % "sbt-assembly" % "2.3.1")
addSbtPlugin("org.scalameta" % "sbt-scalafmt" % "2.5.4")
libraryDependencies += "org.ow2.asm" % "asm" % "9.6" // reads classes, for LinkCheck
