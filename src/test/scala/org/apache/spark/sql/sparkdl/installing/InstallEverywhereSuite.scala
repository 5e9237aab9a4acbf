package org.apache.spark.sql.sparkdl.installing

import java.util.concurrent.{Callable, Executors, TimeUnit}
import java.util.concurrent.atomic.AtomicBoolean

import org.apache.spark.sql.SparkSessionExtensions
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan
import org.apache.spark.sql.catalyst.rules.Rule

import org.sparkdl.testing.SparkSuite

class InstallEverywhereSuite extends SparkSuite {

  test("queries of other threads that are planned while the operator is installed keep their rules") {
    val threads = Executors.newFixedThreadPool(2)
    try
      Range(0, 300).foreach { round =>
        val extensions = withRules(200)
        val installed = new AtomicBoolean(false)
        val planning = threads.submit(seen(extensions, installed))
        InstallEverywhere.through(extensions)
        installed.set(true)
        assert(planning.get(30, TimeUnit.SECONDS) == Set(200, 201), s"round $round")
      }
    finally threads.shutdownNow()
  }

  test("the operator is installed once, by however many threads") {
    val threads = Executors.newFixedThreadPool(8)
    try
      Range(0, 20).foreach { _ =>
        val extensions = withRules(3)
        val install: Runnable = () => InstallEverywhere.through(extensions)
        (1 to 8).map(_ => threads.submit(install)).foreach(_.get(30, TimeUnit.SECONDS))
        val rules = extensions.buildOptimizerRules(spark)
        assert(rules.size == 4 && rules.last == InstallEverywhere)
      }
    finally threads.shutdownNow()
  }

  private def withRules(number: Int): SparkSessionExtensions = {
    val extensions = new SparkSessionExtensions
    (1 to number).foreach(_ => extensions.injectOptimizerRule(_ => NoRule))
    extensions
  }

  /** How many rules queries find, the last of which is planned after the operator was installed. */
  private def seen(extensions: SparkSessionExtensions, installed: AtomicBoolean): Callable[Set[Int]] = { () =>
    def count(): Int = extensions.buildOptimizerRules(spark).size
    Iterator.continually(count()).takeWhile(_ => !installed.get).toSet + 200 + count()
  }
}

private object NoRule extends Rule[LogicalPlan] {
  override def apply(plan: LogicalPlan): LogicalPlan = plan
}
