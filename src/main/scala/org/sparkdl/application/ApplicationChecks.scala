package org.sparkdl.application

import org.sparkdl.model.UnfedPlaceholders

/** What the signature and the graph of a model tell on the driver about running it. */
private[sparkdl] object ApplicationChecks {

  /** The application itself; throws SchemaMismatchException when the executors would have to refuse every batch. */
  def checked(application: ModelApplication): ModelApplication = {
    UnfedPlaceholders.check(application.model, application.inputs, application.outputs.map(_.spec))
    RowCounts.check(application)
    application
  }
}
