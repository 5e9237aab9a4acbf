package org.apache.spark.sql.sparkdl

/** DataFrames as Spark knows them: their plans, columns, rows, groups and listed files; nothing of sparkdl. */
package object frames
