package org.apache.spark.sql.sparkdl.versions

final private class Spark40
    extends SparkApi
    with ShortNames
    with PlainArguments
    with NoConstraints
    with Collations
    with Commands
