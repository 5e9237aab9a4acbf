package org.sparkdl.rows

import java.util.{Arrays, LinkedHashMap => JLinkedHashMap}

import org.apache.spark.sql.catalyst.InternalRow

import org.sparkdl.application.ModelApplication

/** Runs rows of equal shape together even if they do not follow each other: each row of a window goes to the group of
  * its shape. So rows of random lengths take few runs instead of one each.
  *
  * A window ends when one of its groups has enough rows, or when it has many rows or many bytes.
  */
final private class ShapedGroups(task: BatchTask) extends RowGroups {
  import ShapedGroups._

  private val shapes = task.feeds.map(_.cellShape.orNull).toArray // null where the schema tells the shape
  private val groups = new JLinkedHashMap[ShapeKey, ShapedGroup]
  private val lookup = new ShapeKey(new Array[Long](shapes.filter(_ != null).map(_.dims.length).sum))
  private var current: ShapedGroup = _
  private var maxRows = task.capacity
  private var bytes = 0L

  override def of(inputs: InternalRow, ordinals: Array[Int]): RowGroup = {
    reason = measure(inputs, ordinals)
    if (reason != null) null
    else {
      if (current == null || current.key != lookup) current = shaped()
      current.group
    }
  }

  /** Puts the shapes of the inputs, one after another, into `lookup`. */
  private def measure(inputs: InternalRow, ordinals: Array[Int]): String = {
    var at = 0
    var i = 0
    while (i < shapes.length) {
      val shape = shapes(i)
      if (shape != null) {
        val why = if (inputs.isNullAt(ordinals(i))) RowErrors.Null else shape.measure(inputs, ordinals(i))
        if (why != null) { failed = i; return why }
        System.arraycopy(shape.dims, 0, lookup.dims, at, shape.dims.length)
        at += shape.dims.length
      }
      i += 1
    }
    null
  }

  private def shaped(): ShapedGroup = {
    val group = groups.get(lookup)
    if (group != null) group
    else {
      val feeds = task.feeds.zip(shapes).map { case (f, s) => if (s == null) f else f.shaped(s.dims.toSeq) }
      val created = new ShapedGroup(new ShapeKey(lookup.dims.clone()), new RowGroup(task, feeds, Initial))
      groups.put(created.key, created)
      created
    }
  }

  override def rowAdded(): Unit = {
    val row = current.group.bytes
    bytes += row
    if (current.maxRows == 0) {
      // The size of the outputs is not known: assume that of the inputs.
      current.maxRows =
        if (task.rowsGiven) task.capacity else math.max(task.capacity, ModelApplication.rowsFor(Some(2 * row)))
      current.group.expect(current.maxRows)
    }
  }

  override def full(window: RowWindow): Boolean =
    current != null && current.group.count > 0 && current.group.count >= current.maxRows ||
      window.count >= task.capacity && (window.count >= maxRows || bytes + window.bytes >= Budget)

  override def foreach(run: RowGroup => Unit): Unit =
    groups.values().forEach(shaped => if (shaped.group.count > 0) run(shaped.group))

  /** The next window has as many rows as will fit if they are like these; the first one is small, because the size of
    * its outputs is unknown.
    */
  override def afterRun(window: RowWindow, outputs: Long): Unit = {
    val used = math.max(bytes + window.bytes + outputs, 1)
    maxRows = (Budget * window.count / used).min(ModelApplication.MostRows.toLong).toInt
    bytes = 0
    if (groups.size > Kept) close() else groups.values().forEach(_.group.clear())
  }

  override def close(): Unit = {
    groups.values().forEach(_.group.close())
    groups.clear()
    current = null
  }
}

private object ShapedGroups {

  /** Bytes of a window's inputs, carried columns and outputs. */
  val Budget: Long = 4L << 20

  /** Initial number of slots of a group. */
  val Initial = 8

  /** Groups that are kept from window to window: where there are few shapes, their memory is used again. */
  val Kept = 4

  /** The shapes of a row's inputs; the one for lookups is overwritten by each row. */
  final class ShapeKey(val dims: Array[Long]) {
    override def hashCode: Int = Arrays.hashCode(dims)
    override def equals(other: Any): Boolean = other match {
      case key: ShapeKey => Arrays.equals(dims, key.dims)
      case _             => false
    }
  }

  final class ShapedGroup(val key: ShapeKey, val group: RowGroup) { var maxRows = 0 }
}
