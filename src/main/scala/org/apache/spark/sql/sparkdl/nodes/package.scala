package org.apache.spark.sql.sparkdl

/** Logical nodes that run models and programs, and how they get on top of the plan of a DataFrame. */
package object nodes
