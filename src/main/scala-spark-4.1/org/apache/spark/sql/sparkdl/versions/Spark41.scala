package org.apache.spark.sql.sparkdl.versions

final private class Spark41
    extends SparkApi
    with ShortNames
    with PlainArguments
    with Constraints
    with Collations
    with Commands
