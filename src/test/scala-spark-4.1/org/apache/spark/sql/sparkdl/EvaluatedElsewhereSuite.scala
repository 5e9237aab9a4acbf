package org.apache.spark.sql.sparkdl

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.UnsafeProjection
import org.apache.spark.sql.catalyst.optimizer.ReplaceExpressions
import org.apache.spark.sql.catalyst.plans.logical.{Call, OneRowRelation}
import org.apache.spark.sql.functions.col
import org.apache.spark.sql.sparkdl.functions.RefuseStored

import org.sparkdl.errors.SchemaMismatchException
import org.sparkdl.testing.{PlainSql, TestModels}

/** Models where no operator can run them. */
class EvaluatedElsewhereSuite extends PlainSql {

  test("a model as an argument of a procedure is refused") {
    val arguments = prepare().select(TestModels.doubled()(col("x"))).queryExecution.analyzed.expressions
    val e = intercept[SchemaMismatchException](RefuseStored(Call(OneRowRelation(), arguments)))
    assert(e.getMessage.contains("Model 'doubled' cannot stand in Call"))
  }

  test("a model that a format evaluates all the same says what to do instead") {
    val analyzed = prepare().select(TestModels.doubled()(col("x"))).queryExecution.analyzed
    val made = ReplaceExpressions(analyzed).expressions // as formats have them
    val projection = UnsafeProjection.create(made)
    Seq[() => Any](() => made.head.eval(), () => projection(InternalRow.empty)).foreach { evaluate =>
      val e = intercept[SchemaMismatchException](evaluate())
      assert(e.getMessage.contains("Model 'doubled' cannot be evaluated here"))
      assert(e.getMessage.contains("apply the model in a query, and use its result here"))
    }
  }
}
