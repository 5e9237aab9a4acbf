package org.apache.spark.sql.sparkdl

/** Nodes with models moved in a plan, so that fewer rows and columns go through them. */
package object moving
