package org.sparkdl.files

import java.lang.ref.{Reference, WeakReference}
import java.nio.file.{Path, Paths}

import scala.collection.mutable

/** A folder, or a file in one, that a model was read from. As long as a stage's model, a column, a function, a plan
  * or a job has this object, the folder may still be read, and Python does not remove it
  * (`sparkdl._places.held_folders`).
  *
  * There is one object per folder while anything has it. One that was serialized becomes that one again, so that
  * copies of a plan hold the folder too.
  */
final private[sparkdl] class HeldFolder private (val path: String) extends Serializable {
  override def equals(other: Any): Boolean = other match {
    case folder: HeldFolder => folder.path == path
    case _                  => false
  }
  override def hashCode: Int = path.hashCode
  override def toString: String = path

  /** Calls `body` with its path; it stays until that returns. */
  def using[T](body: Path => T): T =
    try body(Paths.get(path))
    finally Reference.reachabilityFence(this)

  private def readResolve(): AnyRef = HeldFolder.of(path)
}

private[sparkdl] object HeldFolder {

  /** Weak: the garbage collector finds out when nothing has a folder any more. */
  private val folders = mutable.Map.empty[String, WeakReference[HeldFolder]]

  def of(folder: Path): HeldFolder = of(folder.toString)

  private def of(path: String): HeldFolder = synchronized {
    folders.get(path).flatMap(r => Option(r.get)).getOrElse {
      folders --= folders.collect { case (gone, reference) if reference.get == null => gone }
      val folder = new HeldFolder(path)
      folders.put(path, new WeakReference(folder))
      folder
    }
  }

  /** Whether something has this folder, or a part of it. */
  def isHeld(folder: Path): Boolean = heldOf(Seq(folder.toString), collect = false).nonEmpty

  /** Those of some folders that something has, or has a part of.
    *
    * @param collect
    *   whether to collect garbage first, without which folders that were let go just now may be among them
    */
  def heldOf(paths: Seq[String], collect: Boolean): Seq[String] = {
    if (collect) System.gc()
    val needed = synchronized(folders.collect { case (path, reference) if reference.get != null => path }.toSeq)
    paths.filter(path => needed.exists(n => n == path || n.startsWith(s"$path/")))
  }
}
