package org.apache.spark.sql.sparkdl

/** Models as SQL functions of a session or a catalog, and where such functions may stand. */
package object functions
