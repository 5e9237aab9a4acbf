package org.sparkdl;

import static org.sparkdl.tensorframes.dsl.Operations.constant;
import static org.sparkdl.tensorframes.dsl.Operations.placeholder;
import static org.sparkdl.tensorframes.dsl.Operations.reduceSum;
import static org.sparkdl.tensorframes.dsl.Operations.value;

import java.util.List;

import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

import org.sparkdl.tensorframes.Program;
import org.sparkdl.tensorframes.TensorFrames;
import org.sparkdl.tensorframes.dsl.Operation;

/** Programs of operations, written in Java. */
public final class JavaOperations {
  private final Dataset<Row> rows;

  public JavaOperations(Dataset<Row> rows) {
    this.rows = rows;
  }

  public List<Row> mapped() {
    Operation x = TensorFrames.block(rows, "x");
    Operation line = x.times(value(2)).plus(constant(1.0)).named("line");
    Operation large = x.greaterThan(constant(2.0)).named("more");
    return TensorFrames.mapBlocks(rows, Program.of(line, large)).collectAsList();
  }

  public Row reduced() {
    Operation input = placeholder("float64", -1).named("x_input");
    return TensorFrames.reduceBlocks(rows, Program.of(reduceSum(input, 0).named("x")));
  }
}
