import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.functions.col
import org.sparkdl.{Model, Version}

/** What a Scala user submits: a dependency on sparkdl and nothing else. Its argument is a bundle of x / 2. */
object HalfProgram {
  def main(arguments: Array[String]): Unit = {
    val spark = SparkSession.builder.appName("a Scala program").getOrCreate()
    val half = Model.load(arguments(0))
    val halves = spark.range(4).select(half(col("id").cast("float"))).collect().map(_.getFloat(0))
    println(s"RESULT sparkdl ${Version.current} halves ${halves.mkString(" ")}")
    spark.stop()
  }
}
