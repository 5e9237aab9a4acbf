package org.sparkdl.application

import org.sparkdl.model.UnfedPlaceholders

/** What the driver can tell from a model's signature and graph about running it. */
private[sparkdl] object ApplicationChecks {

  /** Returns the application; throws SchemaMismatchException if the executors would have to refuse every batch. */
  def checked(application: ModelApplication): ModelApplication = {
    UnfedPlaceholders.check(application.model, application.inputs, application.outputs.map(_.spec))
    RowCounts.check(application)
    application
  }
}
