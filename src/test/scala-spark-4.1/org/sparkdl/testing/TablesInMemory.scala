package org.sparkdl.testing

import java.util.{Collections, Iterator => JIterator}

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.connector.catalog.{Identifier, InMemoryRowLevelOperationTableCatalog}
import org.apache.spark.sql.connector.catalog.procedures.{BoundProcedure, ProcedureParameter, UnboundProcedure}
import org.apache.spark.sql.connector.read.Scan
import org.apache.spark.sql.types.{IntegerType, StructType}

/** Spark's own tables in memory, which take UPDATE, DELETE and MERGE, and a procedure of one number. */
class TablesInMemory extends InMemoryRowLevelOperationTableCatalog {
  override def loadProcedure(name: Identifier): UnboundProcedure = TakesNumber
}

object TakesNumber extends UnboundProcedure with BoundProcedure {
  override def name(): String = "takes_number"
  override def bind(types: StructType): BoundProcedure = this
  override def isDeterministic: Boolean = true
  override def parameters(): Array[ProcedureParameter] =
    Array(ProcedureParameter.in("number", IntegerType).build())
  override def call(arguments: InternalRow): JIterator[Scan] = Collections.emptyIterator()
}
