package org.apache.spark.sql.sparkdl.frames

import scala.reflect.ClassTag

import org.apache.spark.rdd.RDD
import org.apache.spark.util.Utils

/** Results of tasks on their way to the driver. */
object TaskResults {

  /** What `f` makes of each partition, in their order. Results travel as bytes in arrays of any objects, both of
    * which Kryo knows when `spark.kryo.registrationRequired` is set.
    */
  def perPartition[A, T: ClassTag](rdd: RDD[A])(f: Iterator[A] => T): Array[T] = {
    val results = rdd.mapPartitions(rows => Iterator.single[Any](Utils.serialize(f(rows)))).collect()
    val loader = Thread.currentThread.getContextClassLoader
    results.map(bytes => Utils.deserialize[T](bytes.asInstanceOf[Array[Byte]], loader))
  }
}
