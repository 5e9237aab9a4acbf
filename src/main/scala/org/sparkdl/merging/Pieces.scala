package org.sparkdl.merging

/** Slots in the order of groups, cut into the pieces that are merged next: neighbours of one group.
  *
  * @param begins
  *   where each piece begins in `slots`
  * @param lengths
  *   of each piece
  * @param groups
  *   which piece is the first of each group; one more entry than groups
  */
final private[merging] class Pieces(slots: Array[Int], begins: Array[Int], lengths: Array[Int], groups: Array[Int]) {
  def count: Int = groups(groups.length - 1)

  /** Merges each piece into its first slot; all pieces of one length together. */
  def merge(merger: Merger, slotBytes: Long): Unit = {
    var longest = 0
    var i = 0
    while (i < count) { longest = math.max(longest, lengths(i)); i += 1 }
    val byLength = Buckets.of(lengths, count, longest + 1)
    var length = 2
    while (length <= longest) {
      if (byLength.size(length) > 0) {
        val same = java.util.Arrays.copyOfRange(byLength.items, byLength.starts(length), byLength.starts(length + 1))
        merger.merge(slots, same.map(begins(_)), length, slotBytes)
      }
      length += 1
    }
  }

  /** The first slot of each piece. */
  def firsts: Array[Int] = begins.map(slots(_))

  /** What is left after the merge, cut again. */
  def next(mostRows: Int): Pieces = Pieces.of(firsts, groups, mostRows)
}

private[merging] object Pieces {

  /** Cuts groups into pieces of at most `mostRows`.
    *
    * @param starts
    *   where the slots of each group begin; one more entry than groups
    */
  def of(slots: Array[Int], starts: Array[Int], mostRows: Int): Pieces = {
    val groups = new Array[Int](starts.length)
    var g = 0
    while (g < starts.length - 1) {
      groups(g + 1) = groups(g) + ((starts(g + 1) - starts(g) + mostRows.toLong - 1) / mostRows).toInt
      g += 1
    }
    val begins = new Array[Int](groups(g))
    val lengths = new Array[Int](groups(g))
    g = 0
    while (g < starts.length - 1) {
      var piece = groups(g)
      while (piece < groups(g + 1)) {
        begins(piece) = starts(g) + (piece - groups(g)) * mostRows
        lengths(piece) = math.min(mostRows, starts(g + 1) - begins(piece))
        piece += 1
      }
      g += 1
    }
    new Pieces(slots, begins, lengths, groups)
  }
}
