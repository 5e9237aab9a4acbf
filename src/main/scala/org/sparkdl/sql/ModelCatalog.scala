package org.sparkdl.sql

import java.util.concurrent.ConcurrentHashMap

import scala.util.Try

import org.apache.hadoop.fs.{FileStatus, Path}
import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.catalyst.analysis.{NoSuchFunctionException, NoSuchNamespaceException}
import org.apache.spark.sql.connector.catalog.{FunctionCatalog, Identifier}
import org.apache.spark.sql.connector.catalog.functions.UnboundFunction
import org.apache.spark.sql.util.CaseInsensitiveStringMap

import org.sparkdl.Model
import org.sparkdl.errors.{ModelNotFoundException, SettingsException}
import org.sparkdl.files.Place
import org.sparkdl.model.Bundle

/** A folder of bundles as a catalog of SQL functions, for those who only write SQL, and for permanent views, which
  * may not use the functions of a session.
  *
  * {{{
  * spark.sql.catalog.models=org.sparkdl.sql.ModelCatalog
  * spark.sql.catalog.models.path=/models
  * }}}
  *
  * `models.price(...)` is the bundle `/models/price`, on any file system that Hadoop reads. Other options:
  * `handleInvalid`, "error" (default) or "keep"; `seed`, for models that draw random numbers. A bundle that was
  * replaced is read again.
  */
final class ModelCatalog extends FunctionCatalog {
  private var catalog: String = _
  private var folder: String = _
  private var handleInvalid = "error"
  private var seed: Option[Long] = None

  /** By path: when the bundle was written, and what it holds. */
  private val cache = new ConcurrentHashMap[Path, (Long, Model)]

  override def name(): String = catalog

  override def initialize(name: String, options: CaseInsensitiveStringMap): Unit = {
    catalog = name
    val prefix = s"spark.sql.catalog.$name"
    val path = Option(options.get("path")).filter(_.nonEmpty).getOrElse {
      throw new SettingsException(s"Setting $prefix.path is missing: the folder of the bundles, any Hadoop path.")
    }
    folder = path
    handleInvalid = options.getOrDefault("handleInvalid", handleInvalid)
    seed = Option(options.get("seed")).map { text =>
      Try(text.trim.toLong).getOrElse(
        throw new SettingsException(s"Setting $prefix.seed = '$text': expected a whole number.")
      )
    }
  }

  override def listFunctions(namespace: Array[String]): Array[Identifier] = {
    if (namespace.nonEmpty) throw new NoSuchNamespaceException(catalog +: namespace)
    bundles.map(b => Identifier.of(Array.empty, b.getPath.getParent.getName)).toArray
  }

  override def loadFunction(ident: Identifier): UnboundFunction = {
    val byFunction = bundles.map(b => b -> b.getPath.getParent.getName)
    val bundle = byFunction
      .find(_._2 == ident.name)
      .orElse(Some(byFunction.filter(_._2.equalsIgnoreCase(ident.name))).filter(_.size == 1).map(_.head))
      .filter(_ => ident.namespace.isEmpty)
    bundle.fold(throw new NoSuchFunctionException(ident)) { case (manifest, function) =>
      new CatalogModel(function, modelOf(manifest))
    }
  }

  /** The manifests of the bundles. */
  private def bundles: Seq[FileStatus] = {
    val hadoop = SparkSession.active.sparkContext.hadoopConfiguration
    val place = Place.of(folder)
    val directory = place.source(hadoop)
    place.attempt {
      val fs = directory.getFileSystem(hadoop)
      if (!fs.exists(directory))
        throw new ModelNotFoundException(
          s"There is no folder '$folder', which setting spark.sql.catalog.$catalog.path names."
        )
      fs.listStatus(directory)
        .toSeq
        .map(s => new Path(s.getPath, Bundle.Manifest))
        .filter(fs.exists)
        .map(fs.getFileStatus)
    }
  }

  private def modelOf(manifest: FileStatus): Model = {
    val modified = manifest.getModificationTime
    val (_, model) = cache.compute(
      manifest.getPath.getParent,
      (path, old) =>
        if (old != null && old._1 == modified) old
        else modified -> configured(Model.load(path.toUri.toString))
    )
    model
  }

  private def configured(model: Model): Model =
    seed.foldLeft(model.withHandleInvalid(handleInvalid))(_ withSeed _)
}
