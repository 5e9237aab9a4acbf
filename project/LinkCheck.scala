import java.io.File

import sbt._
import sbt.Keys._

/** Whether the jar, which is compiled against one version of Spark, links with all others: whatever our classes call or
  * extend of Spark has to be in the jars of each version. Says nothing of what Spark's methods do.
  */
object LinkCheck {
  val linkCheck = taskKey[Unit]("Fails for what our classes use of Spark and one of its versions does not have")

  /** What of Spark our classes refer to is in these modules. */
  private val modules = Seq(
    "spark-catalyst", "spark-common-utils", "spark-core", "spark-kvstore", "spark-launcher", "spark-mllib",
    "spark-mllib-local", "spark-network-common", "spark-sql", "spark-sql-api", "spark-tags", "spark-unsafe", "spark-variant"
  )
  private def modulesOf(release: String): Seq[String] =
    if (release.startsWith("3.")) modules.filterNot(_ == "spark-variant")
    else if (release.startsWith("4.0.")) modules
    else modules :+ "spark-common-utils-java" // was a part of another module

  private val shims = "org/apache/spark/sql/sparkdl/versions/"

  /** A configuration of sbt for the jars of each release that the jar is not compiled against. */
  private def linked(line: SparkLine): Map[String, Configuration] =
    Versions.list("spark.linked").filter(release => line.minors.exists(minor => release.startsWith(s"$minor."))).map { release =>
      val digits = release.replace(".", "")
      release -> Configuration.of(s"Spark$digits", s"spark$digits").hide
    }.toMap

  def settings(line: SparkLine): Seq[Setting[_]] = Seq(
    ivyConfigurations ++= linked(line).values.toSeq,
    libraryDependencies ++= linked(line).toSeq.flatMap { case (release, configuration) =>
      modulesOf(release).map(module => ("org.apache.spark" %% module % release % configuration).intransitive())
    },
    linkCheck := check(line).value
  )

  private def check(line: SparkLine) = Def.task {
    val ours = ClassFiles.in((Compile / classDirectory).value)
    val compiled = (Compile / dependencyClasspath).value.map(_.data)
    val others = compiled.filterNot(_.getName.startsWith("spark-"))
    val (releases, folder, log) = (update.value, target.value, streams.value.log)
    (Compile / compile).value
    line.minors.filter(jarsOf(_, line, releases, folder).isEmpty).foreach { minor =>
      log.info(s"Spark $minor: not checked, for Maven has no jars of it; build/matrix fetches those of pyspark.")
    }
    val problems = for {
      minor <- line.minors
      jars <- jarsOf(minor, line, releases, folder).toSeq
      problem <- problemsWith(minor, ours, jars ++ others)
    } yield s"Spark $minor has no $problem"
    problems.foreach(problem => log.error(problem))
    if (problems.nonEmpty) sys.error("The jar does not link with all versions of Spark; see docs/architecture.md, Versions of Spark.")
  }

  /** The jars of a minor version: those of Maven or, where Maven has none, those of pyspark if build/matrix has it. */
  private def jarsOf(minor: String, line: SparkLine, releases: UpdateReport, target: File): Option[Seq[File]] = {
    val configuration = linked(line).collectFirst { case (release, found) if release.startsWith(s"$minor.") => found }
    val inPyspark = (target / "spark" / minor / "pyspark" / "jars" * "spark-*.jar").get
    configuration.map(c => releases.select(configurationFilter(c.name))).orElse(Some(inPyspark).filter(_.nonEmpty))
  }

  private def problemsWith(minor: String, ours: Seq[ClassFile], jars: Seq[File]): Seq[String] = {
    val pool = new ClassPool(jars)
    try new Links(ours.map(c => c.name -> c).toMap, pool).problems(s"${shims}Spark${minor.replace(".", "")}", shims)
    finally pool.close()
  }
}

/** Links of our classes with those of a pool. */
private class Links(ours: Map[String, ClassFile], pool: ClassPool) {

  /** What is missing, with the class that wants it.
    *
    * @param shim
    *   the class for this version of Spark: of the package with the shims, only what it refers to is looked at
    */
  def problems(shim: String, shims: String): Seq[String] = {
    val mine = reachable(Set(shim, s"${shims}SparkApi"), shims)
    val looked = ours.values.filter(c => !c.name.startsWith(shims) || mine(c.name)).toSeq.sortBy(_.name)
    looked.flatMap(c => missing(c).map(what => s"$what, which ${c.name} needs")).distinct
  }

  private def reachable(from: Set[String], within: String): Set[String] = {
    val further = from ++ from.flatMap(ours.get).flatMap(_.classes).filter(n => n.startsWith(within) && ours.contains(n))
    if (further == from) from else reachable(further, within)
  }

  private def missing(c: ClassFile): Seq[String] = {
    val classes = c.classes.filter(n => isSparks(n) && pool.get(n).isEmpty).map(n => s"class $n")
    val members = c.uses.filter(m => isSparks(m.owner) && find(m.owner).nonEmpty && !resolves(m)).map(_.toString)
    val methods = if (c.isConcrete) wanted(c.name).filterNot(implemented(c.name, _)).map(m => s"method $m to inherit") else Nil
    (classes ++ members ++ methods).toSeq
  }

  private def isSparks(name: String): Boolean =
    name.startsWith("org/apache/spark/") && !ours.contains(name)

  private def find(name: String): Option[ClassFile] = ours.get(name).orElse(pool.get(name))

  /** A parent that nobody has may have it. */
  private def resolves(m: Member): Boolean = find(m.owner).forall { c =>
    c.has(m.name, m.isField) || !m.name.startsWith("<init>") && c.parents.exists(p => resolves(m.copy(owner = p)))
  }

  /** The abstract methods of Spark's that a class inherits. */
  private def wanted(name: String): Set[String] = find(name).toSeq.flatMap { c =>
    (if (isSparks(name)) c.abstractMethods else Nil) ++ c.parents.flatMap(wanted)
  }.toSet

  private def implemented(name: String, method: String): Boolean =
    find(name).forall(c => c.implements(method) || c.parents.exists(implemented(_, method)))
}
