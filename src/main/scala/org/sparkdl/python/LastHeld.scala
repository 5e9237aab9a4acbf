package org.sparkdl.python

import scala.collection.mutable

import org.sparkdl.files.HeldFolder

/** What Python fetched last. It gets paths, which hold nothing, and reads what is there soon. */
final private[python] class LastHeld(most: Int = 16) {
  private val folders = mutable.LinkedHashSet.empty[HeldFolder]

  /** Holds a folder until `most` others are held after it. */
  def hold(folder: HeldFolder): HeldFolder = synchronized {
    folders -= folder
    folders += folder
    if (folders.size > most) folders -= folders.head
    folder
  }
}
