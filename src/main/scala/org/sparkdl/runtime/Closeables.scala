package org.sparkdl.runtime

import scala.collection.mutable.ArrayBuffer
import scala.reflect.ClassTag

/** Several things that hold native memory. */
private[sparkdl] object Closeables {

  /** Makes one of each, all or none: when one cannot be made, those before it are closed. */
  def made[A, T <: AutoCloseable: ClassTag](from: Seq[A])(make: A => T): Array[T] = {
    val done = new ArrayBuffer[T](from.size)
    try { from.foreach(done += make(_)); done.toArray }
    catch { case e: Throwable => done.foreach(_.close()); throw e }
  }

  /** Closes all, those after one that throws, too. */
  def close(all: Iterable[AutoCloseable]): Unit =
    all.headOption.foreach { first =>
      try first.close()
      finally close(all.tail)
    }
}
