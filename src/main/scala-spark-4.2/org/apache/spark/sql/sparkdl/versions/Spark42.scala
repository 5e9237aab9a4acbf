package org.apache.spark.sql.sparkdl.versions

final private class Spark42
    extends SparkApi
    with FullNames
    with PlainArguments
    with Constraints
    with Collations
    with Commands
