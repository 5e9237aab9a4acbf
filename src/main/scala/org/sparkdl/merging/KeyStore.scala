package org.sparkdl.merging

import org.apache.spark.sql.catalyst.expressions.UnsafeRow
import org.apache.spark.unsafe.Platform
import org.apache.spark.unsafe.array.ByteArrayMethods

/** Copies of keys, numbered in the order in which they came: no object per key. */
final private[merging] class KeyStore(fields: Int) {
  private var memory = new Array[Byte](1 << 12)
  private var ends = new Array[Int](1 << 8)
  private val view = new UnsafeRow(fields)
  private var count = 0

  def size: Int = count
  def bytes: Long = startOf(count).toLong

  def append(key: UnsafeRow): Unit = {
    val from = startOf(count)
    val end = Math.addExact(from, key.getSizeInBytes)
    if (end > memory.length) memory = java.util.Arrays.copyOf(memory, math.max(end, KeyStore.larger(memory.length)))
    if (count == ends.length) ends = java.util.Arrays.copyOf(ends, KeyStore.larger(count))
    copy(key, Platform.BYTE_ARRAY_OFFSET + from.toLong)
    ends(count) = end
    count += 1
  }

  /** Rows are whole words, and most keys have few: copying those one by one is faster than a call of `copyMemory`. */
  private def copy(key: UnsafeRow, to: Long): Unit = {
    val (base, from, length) = (key.getBaseObject, key.getBaseOffset, key.getSizeInBytes)
    if (length > KeyStore.SmallBytes) Platform.copyMemory(base, from, memory, to, length.toLong)
    else {
      var i = 0
      while (i < length) { Platform.putLong(memory, to + i, Platform.getLong(base, from + i)); i += 8 }
    }
  }

  def matches(id: Int, key: UnsafeRow): Boolean = {
    val from = startOf(id)
    val length = ends(id) - from
    length == key.getSizeInBytes && ByteArrayMethods.arrayEquals(
      key.getBaseObject,
      key.getBaseOffset,
      memory,
      Platform.BYTE_ARRAY_OFFSET + from.toLong,
      length.toLong
    )
  }

  /** The key with this number, valid until the next call or change. */
  def apply(id: Int): UnsafeRow = {
    val from = startOf(id)
    view.pointTo(memory, Platform.BYTE_ARRAY_OFFSET + from.toLong, ends(id) - from)
    view
  }

  def clear(): Unit = count = 0

  private def startOf(id: Int): Int = if (id == 0) 0 else ends(id - 1)
}

private object KeyStore {
  private val SmallBytes = 64

  def larger(size: Int): Int = math.min(2L * size, Int.MaxValue - 16L).toInt
}
