package org.sparkdl

import org.apache.spark.SparkConf
import org.apache.spark.sql.SparkSession

import org.sparkdl.errors.SparkDLException

/** The Spark session to use where none is named, and the settings of sessions. */
private[sparkdl] object Sessions {

  /** The session of this thread, or the application's. */
  def current: SparkSession = existing.getOrElse(
    throw new SparkDLException("There is no Spark session: create one with SparkSession.builder.getOrCreate().")
  )

  def settingsOf(session: SparkSession): Settings.Reader = new Settings.Reader(session.conf.getOption)

  /** The settings of the current session; where there is none yet, those that the application will start with. */
  def settings: Settings.Reader = existing.fold(new Settings.Reader(new SparkConf().getOption))(settingsOf)

  private def existing: Option[SparkSession] = SparkSession.getActiveSession.orElse(SparkSession.getDefaultSession)
}
