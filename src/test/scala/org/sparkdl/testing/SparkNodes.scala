package org.sparkdl.testing

import java.lang.reflect.{Constructor, Modifier}
import java.util.jar.JarFile

import scala.collection.mutable
import scala.jdk.CollectionConverters._
import scala.util.{Try, Using}

import org.apache.spark.sql.catalyst.expressions.Expression
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan
import org.apache.spark.sql.execution.SparkPlan

/** Spark's logical nodes and commands, found in its jars. */
object SparkNodes {

  /** The names of those that may hold an expression, or a query that does, as their constructors show. */
  lazy val mayHoldModel: Set[String] =
    all.filter(holdsExpression(_, mutable.Set.empty)).map(_.getSimpleName.stripSuffix("$")).toSet

  lazy val all: Seq[Class[_]] = Seq(classOf[LogicalPlan], classOf[SparkPlan]).flatMap(classesBeside)

  private def classesBeside(one: Class[_]): Seq[Class[_]] = {
    val jar = one.getProtectionDomain.getCodeSource.getLocation.getPath
    val names =
      Using.resource(new JarFile(jar))(_.entries().asScala.map(_.getName).filter(_.endsWith(".class")).toVector)
    names
      .flatMap(n => named(n.stripSuffix(".class").replace('/', '.')))
      .filter(c => classOf[LogicalPlan].isAssignableFrom(c) && !Modifier.isAbstract(c.getModifiers))
  }

  private val types = """org\.apache\.spark\.sql\.[\w.$]+""".r
  private val columns =
    Set("Attribute", "AttributeReference", "AttributeSet", "AttributeMap", "AttributeSeq", "ExprId", "ExpressionInfo")

  /** Through the classes of its parts, too: the columns of a definition of a table have defaults. */
  private def holdsExpression(c: Class[_], seen: mutable.Set[Class[_]]): Boolean =
    c.getDeclaredConstructors.exists(parts(_).exists { part =>
      isExpression(part) || classOf[LogicalPlan].isAssignableFrom(part) ||
      (part.getName.contains(".catalyst.") && seen.add(part) && holdsExpression(part, seen))
    })

  private def parts(constructor: Constructor[_]): Seq[Class[_]] =
    constructor.getGenericParameterTypes.toSeq.flatMap(t => types.findAllIn(t.getTypeName).flatMap(named))

  private def isExpression(c: Class[_]): Boolean =
    !columns(c.getSimpleName) && (classOf[Expression].isAssignableFrom(c) ||
      c.getName.startsWith("org.apache.spark.sql.catalyst.expressions."))

  private def named(name: String): Option[Class[_]] = Try(
    Class.forName(name, false, getClass.getClassLoader)
  ).toOption
}
