package org.sparkdl.testing

import java.nio.file.Files

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.hdfs.MiniDFSCluster

import org.sparkdl.files.LocalFiles

/** A real HDFS of one node on loopback, for as long as `use` runs. */
object MiniHdfs {
  def withRoot[T](use: String => T): T = {
    val folder = Files.createTempDirectory("sparkdl-hdfs-")
    val conf = new Configuration()
    conf.set("hdfs.minidfs.basedir", folder.toString)
    conf.setInt("dfs.replication", 1)
    conf.setBoolean("dfs.permissions.enabled", false)
    val cluster = new MiniDFSCluster.Builder(conf).numDataNodes(1).build()
    try {
      cluster.waitActive()
      use(cluster.getURI.toString)
    } finally {
      cluster.shutdown(true)
      LocalFiles.deleteTree(folder)
    }
  }
}
