package org.sparkdl;

import static org.apache.spark.sql.functions.col;

import java.util.List;
import java.util.Map;

import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

import org.sparkdl.errors.SchemaMismatchException;
import org.sparkdl.tensorframes.BlockOptions;
import org.sparkdl.tensorframes.Program;
import org.sparkdl.tensorframes.TensorFrames;

/** What a program in Java does with TensorFrames. */
public final class JavaTensorFrames {
  private final Dataset<Row> rows;

  public JavaTensorFrames(Dataset<Row> rows) {
    this.rows = rows;
  }

  /** The outputs of a program on blocks of four rows, rows with nulls left out. */
  public List<Row> blocks(String graph) {
    Program doubled = Program.fromFile(graph, "z").feed("x", "price");
    BlockOptions options = BlockOptions.defaults().withBlockRows(4).withHandleInvalid("skip");
    return TensorFrames.mapBlocks(rows, doubled, options).select("z").collectAsList();
  }

  /** Two to the power of each price, by a graph with a placeholder for the base. */
  public List<Row> powers(byte[] graph) {
    Program power = Program.fromBytes(graph, "z").feed("x", "price").withConstants(Map.of("base", 2.0));
    return TensorFrames.mapBlocks(rows, power).select("z").collectAsList();
  }

  /** All prices merged, and those of each group. */
  public List<Row> sums(byte[] graph) {
    Program sum = Program.fromBytes(graph, "price");
    Row all = TensorFrames.reduceBlocks(rows, sum);
    return TensorFrames.aggregate(rows.groupBy(col("k")), sum)
        .filter(col("price").$less(all.getDouble(0)))
        .orderBy("k")
        .collectAsList();
  }

  /** What is known of the columns. */
  public String shapes() {
    return TensorFrames.explainTensors(
        TensorFrames.appendShape(TensorFrames.analyze(rows), "price", new int[] {-1}));
  }

  /** The message of an error that can be caught by its type. */
  public String refused(String graph) {
    try {
      TensorFrames.mapBlocks(rows, Program.fromFile(graph, "z"));
      return "";
    } catch (SchemaMismatchException e) {
      return e.getMessage();
    }
  }
}
