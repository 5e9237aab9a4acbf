package org.sparkdl.runtime

import java.io.IOException
import java.nio.file.{Path, Paths}
import java.util.concurrent.{Callable, CountDownLatch, Executors}
import java.util.concurrent.atomic.AtomicInteger

import scala.jdk.CollectionConverters._

import org.scalatest.funsuite.AnyFunSuite

class LibraryLoaderSuite extends AnyFunSuite {
  private val place = Paths.get("somewhere")

  /** A loader that counts its attempts. */
  private def counting(load: Int => Unit): (LibraryLoader, AtomicInteger) = {
    val tries = new AtomicInteger
    new LibraryLoader((_: Path) => load(tries.incrementAndGet())) -> tries
  }

  test("threads that arrive at the same time load the library once") {
    val (loader, tries) = counting(_ => Thread.sleep(50))
    val pool = Executors.newFixedThreadPool(8)
    try pool.invokeAll((1 to 8).map(_ => (() => loader(place)): Callable[Unit]).asJava).asScala.foreach(_.get())
    finally pool.shutdown()
    loader(place)
    assert(tries.get == 1)
  }

  test("a task that is interrupted while it waits fails alone: the library goes on loading for the next") {
    val unpacked = new CountDownLatch(1)
    val (loader, tries) = counting(_ => unpacked.await())
    @volatile var failure: Throwable = null
    val task = new Thread(() =>
      try loader(place)
      catch { case e: Throwable => failure = e }
    )
    task.start()
    task.interrupt()
    task.join()
    assert(failure.isInstanceOf[InterruptedException])
    unpacked.countDown()
    loader(place)
    assert(tries.get == 1)
  }

  test("a failure that can be fixed is not kept") {
    val (loader, tries) = counting(n => if (n == 1) throw new IOException("No space left on device"))
    assert(intercept[IOException](loader(place)).getMessage == "No space left on device")
    loader(place)
    assert(tries.get == 2)
  }

  test("a linkage error is kept, as the JVM keeps it") {
    val (loader, tries) = counting(_ => throw new UnsatisfiedLinkError("GLIBC_2.34 not found"))
    (1 to 3).foreach(_ => assert(intercept[UnsatisfiedLinkError](loader(place)).getMessage.contains("GLIBC_2.34")))
    assert(tries.get == 1)
  }
}
