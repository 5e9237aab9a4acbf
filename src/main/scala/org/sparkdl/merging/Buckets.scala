package org.sparkdl.merging

/** The numbers 0 until the length of `items`, sorted by small keys; those of one key keep their order.
  *
  * @param starts
  *   where the numbers of each key begin in `items`; one more entry than keys
  */
final private[merging] class Buckets(val starts: Array[Int], val items: Array[Int]) {
  def size(key: Int): Int = starts(key + 1) - starts(key)
}

private[merging] object Buckets {

  /** Sorts `count` numbers.
    *
    * @param keys
    *   the key of each number, below `keyCount`
    */
  def of(keys: Array[Int], count: Int, keyCount: Int): Buckets = {
    val starts = startsOf(keys, count, keyCount)
    new Buckets(starts, if (ascending(keys, count)) Array.range(0, count) else sorted(keys, count, starts.clone()))
  }

  private def startsOf(keys: Array[Int], count: Int, keyCount: Int): Array[Int] = {
    val sizes = new Array[Int](keyCount + 1)
    var i = 0
    while (i < count) { sizes(keys(i) + 1) += 1; i += 1 }
    i = 0
    while (i < keyCount) { sizes(i + 1) += sizes(i); i += 1 }
    sizes
  }

  private def ascending(keys: Array[Int], count: Int): Boolean = {
    var i = 1
    while (i < count && keys(i) >= keys(i - 1)) i += 1
    i >= count
  }

  private def sorted(keys: Array[Int], count: Int, next: Array[Int]): Array[Int] = {
    val items = new Array[Int](count)
    var i = 0
    while (i < count) {
      val key = keys(i)
      items(next(key)) = i
      next(key) += 1
      i += 1
    }
    items
  }
}
