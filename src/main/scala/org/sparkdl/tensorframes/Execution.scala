package org.sparkdl.tensorframes

import org.sparkdl.plan.BlockSize

/** What operations take when their options do not say it. */
private[tensorframes] object Execution {

  def blockSize(options: BlockOptions): BlockSize = options.blockSize.getOrElse(BlockSize.Memory(64L << 20))
}
