package org.sparkdl.rows

import java.util.{Arrays, LinkedHashMap => JLinkedHashMap}

import org.apache.spark.sql.catalyst.InternalRow

import org.sparkdl.application.ModelApplication

/** Rows of equal shape run together although they do not follow each other: of a window of rows, each goes to the
  * group of its shape. So rows of random lengths are run in few runs instead of one each.
  *
  * A window ends when one of its groups has enough rows, or when its rows, or their bytes, are many.
  */
final private class ShapedGroups(task: BatchTask) extends RowGroups {
  import ShapedGroups._

  private val shapes = task.feeds.map(_.cellShape.orNull).toArray // null where the schema tells the shape
  private val groups = new JLinkedHashMap[Key, Shaped]
  private val found = new Key(new Array[Long](shapes.filter(_ != null).map(_.dims.length).sum))
  private var current: Shaped = _
  private var most = task.capacity
  private var bytes = 0L

  override def of(inputs: InternalRow, ordinals: Array[Int]): RowGroup = {
    reason = measure(inputs, ordinals)
    if (reason != null) null
    else {
      if (current == null || current.key != found) current = shaped()
      current.group
    }
  }

  /** Puts the shapes of the inputs, one after another, into `found`. */
  private def measure(inputs: InternalRow, ordinals: Array[Int]): String = {
    var at = 0
    var i = 0
    while (i < shapes.length) {
      val shape = shapes(i)
      if (shape != null) {
        val why = if (inputs.isNullAt(ordinals(i))) RowErrors.Null else shape.measure(inputs, ordinals(i))
        if (why != null) { failed = i; return why }
        System.arraycopy(shape.dims, 0, found.dims, at, shape.dims.length)
        at += shape.dims.length
      }
      i += 1
    }
    null
  }

  private def shaped(): Shaped = {
    val known = groups.get(found)
    if (known != null) known
    else {
      val feeds = task.feeds.zip(shapes).map { case (f, s) => if (s == null) f else f.shaped(s.dims.toSeq) }
      val made = new Shaped(new Key(found.dims.clone()), new RowGroup(task, feeds, Initial))
      groups.put(made.key, made)
      made
    }
  }

  override def added(): Unit = {
    val row = current.group.bytes
    bytes += row
    if (current.most == 0) {
      // The outputs' size is not known: as large as the inputs.
      current.most =
        if (task.rowsGiven) task.capacity else math.max(task.capacity, ModelApplication.rowsFor(Some(2 * row)))
      current.group.expect(current.most)
    }
  }

  override def full(window: RowWindow): Boolean =
    current != null && current.group.count > 0 && current.group.count >= current.most ||
      window.count >= task.capacity && (window.count >= most || bytes + window.bytes >= Budget)

  override def foreach(run: RowGroup => Unit): Unit =
    groups.values().forEach(shaped => if (shaped.group.count > 0) run(shaped.group))

  /** The next window has as many rows as will fit if they are like these; the first one is small, since nobody knows
    * how large its outputs are.
    */
  override def ran(window: RowWindow, outputs: Long): Unit = {
    val took = math.max(bytes + window.bytes + outputs, 1)
    most = (Budget * window.count / took).min(ModelApplication.MostRows.toLong).toInt
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

  /** Slots of a group to begin with. */
  val Initial = 8

  /** Groups that are kept from window to window: where shapes are few, their memory is used again. */
  val Kept = 4

  /** The shapes of a row's inputs; the one that is looked for is written over again and again. */
  final class Key(val dims: Array[Long]) {
    override def hashCode: Int = Arrays.hashCode(dims)
    override def equals(other: Any): Boolean = other match {
      case key: Key => Arrays.equals(dims, key.dims)
      case _        => false
    }
  }

  final class Shaped(val key: Key, val group: RowGroup) { var most = 0 }
}
