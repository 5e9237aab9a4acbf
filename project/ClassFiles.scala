import java.io.{File, InputStream}
import java.nio.file.Files
import java.util.jar.JarFile

import scala.collection.JavaConverters._
import scala.collection.mutable

import org.objectweb.asm._

/** A field or method with its type, as a class file names it. */
final case class Member(owner: String, name: String, isField: Boolean) {
  override def toString: String = s"${if (isField) "field" else "method"} $owner.$name"
}

/** What a class file says of the class, and what it refers to. Names have slashes, as in class files. */
final class ClassFile(bytes: Array[Byte]) {
  private val read = new ClassReader(bytes)
  val name: String = read.getClassName
  val parents: Seq[String] = Option(read.getSuperName).toSeq ++ read.getInterfaces
  val isConcrete: Boolean = (read.getAccess & (Opcodes.ACC_ABSTRACT | Opcodes.ACC_INTERFACE)) == 0
  private val members = mutable.Map.empty[(String, Boolean), Boolean]
  private val used = mutable.LinkedHashSet.empty[Member]
  private val named = mutable.LinkedHashSet.empty[String] ++ parents

  def has(name: String, isField: Boolean): Boolean = members.contains((name, isField))
  def implements(method: String): Boolean = members.get((method, false)).contains(false)
  def abstractMethods: Iterable[String] = members.collect { case ((method, false), true) => method }
  def uses: Iterable[Member] = used
  def classes: Iterable[String] = named ++ used.map(_.owner)

  read.accept(new ClassVisitor(Opcodes.ASM9) {
    override def visitField(access: Int, name: String, kind: String, generic: String, value: Any): FieldVisitor = {
      members((name + kind, true)) = false
      null
    }
    override def visitMethod(
        access: Int, name: String, kind: String, generic: String, thrown: Array[String]): MethodVisitor = {
      members((name + kind, false)) = (access & Opcodes.ACC_ABSTRACT) != 0
      Body
    }
  }, ClassReader.SKIP_DEBUG | ClassReader.SKIP_FRAMES)

  private object Body extends MethodVisitor(Opcodes.ASM9) {
    override def visitMethodInsn(code: Int, owner: String, name: String, kind: String, interface: Boolean): Unit =
      used += Member(owner, name + kind, isField = false)
    override def visitFieldInsn(code: Int, owner: String, name: String, kind: String): Unit =
      used += Member(owner, name + kind, isField = true)
    override def visitTypeInsn(code: Int, kind: String): Unit = named += kind
    override def visitInvokeDynamicInsn(name: String, kind: String, by: Handle, arguments: AnyRef*): Unit =
      arguments.foreach {
        case h: Handle => used += Member(h.getOwner, h.getName + h.getDesc, isField = h.getTag <= Opcodes.H_PUTSTATIC)
        case _         =>
      }
  }
}

/** The classes of jars, and Java's own; those before hide those after. Each is read when it is asked for. */
final class ClassPool(jars: Seq[File]) {
  private val open = jars.map(new JarFile(_))
  private val places: Map[String, () => InputStream] = open.reverse.flatMap { jar =>
    jar.entries.asScala.map(_.getName).filter(_.endsWith(".class")).map { entry =>
      entry.stripSuffix(".class") -> (() => jar.getInputStream(jar.getEntry(entry)))
    }
  }.toMap
  private val found = mutable.Map.empty[String, Option[ClassFile]]

  def get(name: String): Option[ClassFile] = found.getOrElseUpdate(name, read(name))
  def close(): Unit = open.foreach(_.close())

  private def read(name: String): Option[ClassFile] = {
    val javas = () => ClassLoader.getPlatformClassLoader.getResourceAsStream(s"$name.class")
    Option(places.getOrElse(name, javas)()).map { in =>
      try new ClassFile(in.readAllBytes())
      finally in.close()
    }
  }
}

object ClassFiles {

  /** The classes of a folder. */
  def in(folder: File): Seq[ClassFile] = {
    val files = Files.walk(folder.toPath)
    try files.iterator.asScala.filter(_.toString.endsWith(".class")).map(f => new ClassFile(Files.readAllBytes(f))).toVector
    finally files.close()
  }
}
