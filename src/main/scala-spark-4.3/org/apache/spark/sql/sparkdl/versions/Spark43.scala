package org.apache.spark.sql.sparkdl.versions

final private class Spark43
    extends SparkApi
    with FullNames
    with DefaultArguments
    with Constraints
    with Collations
    with Commands
