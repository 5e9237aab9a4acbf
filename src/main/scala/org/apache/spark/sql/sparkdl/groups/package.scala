package org.apache.spark.sql.sparkdl

/** Models beside aggregations: what only the keys and results of groups decide is computed once per group. */
package object groups
