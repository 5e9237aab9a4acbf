package org.sparkdl.merging

import org.apache.spark.sql.catalyst.expressions.UnsafeRow

/** Numbers the groups of the rows that wait for a merge, in the order in which their first rows came. */
private[merging] sealed abstract class GroupKeys(fields: Int) {
  protected val keys = new KeyStore(fields)

  /** The number of the key's group, a new one if it has none. */
  def groupOf(key: UnsafeRow): Int

  /** Whether more rows of the key's group may follow after a merge; other groups can leave. */
  def open(key: UnsafeRow): Boolean

  /** How many of the merged groups have to leave to make room.
    *
    * @param rows
    *   how many rows there were before the merge
    */
  def leavingCount(rows: Int): Int

  def size: Int = keys.size
  def bytes: Long = keys.bytes
  def apply(group: Int): UnsafeRow = keys(group)

  /** Forgets all groups but the last `kept`, 0 or 1. */
  def forget(kept: Int): Unit = {
    val last = if (kept > 0) keys(keys.size - 1).copy() else null
    clear()
    if (last != null) groupOf(last)
  }

  protected def clear(): Unit = keys.clear()
}

/** Rows whose keys are sorted: a group ends where the next one begins. */
final private[merging] class SortedKeys(fields: Int) extends GroupKeys(fields) {
  override def groupOf(key: UnsafeRow): Int = {
    if (keys.size == 0 || !keys.matches(keys.size - 1, key)) keys.append(key)
    keys.size - 1
  }
  override def open(key: UnsafeRow): Boolean = keys.size > 0 && keys.matches(keys.size - 1, key)
  override def leavingCount(rows: Int): Int = keys.size - 1
}

/** Rows in any order: a hash table with open addressing. */
final private[merging] class HashedKeys(fields: Int) extends GroupKeys(fields) {
  private var table = new Array[Int](1 << 9) // number + 1; 0 = free
  private var hashes = new Array[Int](1 << 8)

  override def groupOf(key: UnsafeRow): Int = {
    val hash = key.hashCode()
    val mask = table.length - 1
    var at = hash & mask
    while (table(at) != 0) {
      val group = table(at) - 1
      if (hashes(group) == hash && keys.matches(group, key)) return group
      at = (at + 1) & mask
    }
    append(key, hash)
  }

  private def append(key: UnsafeRow, hash: Int): Int = {
    val group = keys.size
    keys.append(key)
    if (group == hashes.length) grow()
    hashes(group) = hash
    place(hash, group)
    group
  }

  private def grow(): Unit = {
    val groups = hashes.length
    hashes = java.util.Arrays.copyOf(hashes, 2 * groups)
    table = new Array[Int](2 * table.length)
    var group = 0
    while (group < groups) { place(hashes(group), group); group += 1 }
  }

  private def place(hash: Int, group: Int): Unit = {
    val mask = table.length - 1
    var at = hash & mask
    while (table(at) != 0) at = (at + 1) & mask
    table(at) = group + 1
  }

  /** Merged groups stay, unless the merge freed less than half of the slots: then most keys are rare here, and the
    * shuffle brings their rows together.
    */
  override def leavingCount(rows: Int): Int = if (keys.size > rows / 2) keys.size else 0

  override def open(key: UnsafeRow): Boolean = false

  override protected def clear(): Unit = {
    super.clear()
    java.util.Arrays.fill(table, 0)
  }
}
