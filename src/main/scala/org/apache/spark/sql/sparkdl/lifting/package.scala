package org.apache.spark.sql.sparkdl

/** Calls taken out of the expressions of a plan into nodes below them. */
package object lifting
