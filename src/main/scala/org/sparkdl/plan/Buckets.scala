package org.sparkdl.plan

/** The numbers 0 until `count` sorted by small keys; those of one key keep their order.
  *
  * @param keys
  *   the key of each number, below `keyCount`
  */
final private[plan] class Buckets(keys: Array[Int], count: Int, keyCount: Int) {

  /** Where the numbers of each key begin in `items`; one more entry than keys. */
  val starts: Array[Int] = {
    val sizes = new Array[Int](keyCount + 1)
    var i = 0
    while (i < count) { sizes(keys(i) + 1) += 1; i += 1 }
    i = 0
    while (i < keyCount) { sizes(i + 1) += sizes(i); i += 1 }
    sizes
  }

  val items: Array[Int] = {
    val next = starts.clone()
    val sorted = new Array[Int](count)
    var i = 0
    while (i < count) {
      val key = keys(i)
      sorted(next(key)) = i
      next(key) += 1
      i += 1
    }
    sorted
  }

  def size(key: Int): Int = starts(key + 1) - starts(key)
}
