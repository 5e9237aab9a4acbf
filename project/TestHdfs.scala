import sbt._
import sbt.Keys._

/** Hadoop's own mini cluster, so that tests have a real HDFS: Scala's on their class path, Python's in target/hdfs. */
object TestHdfs {
  /** The cluster, and the mocks that it is made with. */
  def modules(hadoop: String): Seq[ModuleID] = Seq(
    "org.apache.hadoop" % "hadoop-client-minicluster" % hadoop,
    "org.mockito" % "mockito-core" % "4.11.0",
    "net.bytebuddy" % "byte-buddy" % "1.12.19",
    "net.bytebuddy" % "byte-buddy-agent" % "1.12.19"
  ).map(_.intransitive())

  val hdfsJars = taskKey[Seq[File]]("Puts the jars of the mini cluster into target/hdfs, for the tests in Python")

  def settings(hadoop: String): Seq[Setting[_]] = Seq(hdfsJars := {
    val folder = target.value / "hdfs"
    val names = modules(hadoop).map(m => s"${m.name}-${m.revision}.jar")
    val jars = (Test / dependencyClasspath).value.map(_.data).filter(f => names.contains(f.getName))
    jars.map { jar =>
      val copy = folder / jar.getName
      if (!copy.exists) IO.copyFile(jar, copy)
      copy
    }
  })
}
