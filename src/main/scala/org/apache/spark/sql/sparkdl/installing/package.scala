package org.apache.spark.sql.sparkdl

/** The rules of the optimizer in their order, and how they get into every session. */
package object installing
