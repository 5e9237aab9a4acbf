import sbt._

/** Files that the build writes from others. */
object Generated {

  /** A newer file of the same text would make sbt pack or compile again, so that one is left alone. */
  def write(file: File, text: String): File = {
    if (!file.exists || IO.read(file) != text) IO.write(file, text)
    file
  }
}
