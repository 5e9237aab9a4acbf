package org.apache.spark.sql.sparkdl

/** Statements that bring a model into the nodes and commands of Spark. `@e@` is the model on e, `;;` stands between
  * statements, of which the last gives rows. There are the view `numbers` of id, g and x, and tables of two kinds of
  * V2 sources: `mem.ns.groups` replaces groups of rows, `mem.ns.deltas` takes changes of rows.
  */
object NodePrograms {

  /** What gives the same as plain arithmetic. */
  val right: Seq[String] = Seq(
    "SELECT id, @x@ AS y FROM numbers WHERE @x@ > 4 ORDER BY @x@, id",
    "SELECT DISTINCT @x@ AS y FROM (SELECT * FROM numbers UNION ALL SELECT * FROM numbers)",
    "SELECT g, max(@x@), count(DISTINCT @x@), count(DISTINCT g) FROM numbers GROUP BY g HAVING max(@x@) > 2",
    "SELECT @g@, count(*) FROM numbers GROUP BY CUBE(@g@)",
    "SELECT a.id FROM numbers a JOIN numbers b ON @a.x@ = @b.x@ AND a.g = b.g",
    "SELECT id, sum(x) OVER w FROM numbers WINDOW w AS (PARTITION BY @g@ ORDER BY @x@, id)",
    "SELECT id FROM (SELECT *, row_number() OVER (PARTITION BY @g@ ORDER BY @x@, id) r FROM numbers) WHERE r < 3",
    "SELECT explode(array(@x@, 1)) FROM numbers",
    "SELECT * FROM explode(array(@1@, @2@))",
    "SELECT x FROM numbers DISTRIBUTE BY @x@",
    "SELECT /*+ REPARTITION(2, y), BROADCAST(s) */ y FROM (SELECT @x@ AS y FROM numbers) s",
    "SELECT /*+ REPARTITION(2) */ y FROM (SELECT @x@ AS y FROM numbers) s",
    "SELECT /*+ REBALANCE(y) */ y FROM (SELECT @x@ AS y FROM numbers)",
    "SELECT n.id, y FROM numbers n JOIN LATERAL (SELECT @n.x@ AS y) ON @n.x@ > 2",
    "SELECT id, y FROM numbers n, LATERAL (SELECT max(@m.x@) AS y FROM numbers m WHERE m.g = n.g)",
    "SELECT * FROM (SELECT g, x FROM numbers) PIVOT (max(@x@) FOR g IN (0, 1))",
    "SELECT * FROM (SELECT id, @x@ AS a, @g@ AS b FROM numbers) UNPIVOT (v FOR n IN (a, b))",
    "SELECT @x@ FROM numbers EXCEPT SELECT @g@ FROM numbers",
    "SELECT @x@ FROM numbers INTERSECT SELECT @g@ FROM numbers",
    "WITH c AS (SELECT id, @x@ AS y, rand() AS r FROM numbers) SELECT a.y FROM c a JOIN c b ON a.id = b.id",
    "WITH RECURSIVE c(n) AS (SELECT 1F UNION ALL SELECT @n@ FROM c WHERE n < 20) SELECT * FROM c",
    "SELECT a FROM (SELECT @x@ FROM numbers) AS s(a) WHERE @a@ > 3",
    "SELECT q.b FROM numbers, LATERAL explode(array(@x@)) AS q(b)",
    "SELECT y FROM (SELECT @x@ AS y, id FROM numbers ORDER BY id LIMIT 3 OFFSET 2)",
    "SELECT y FROM (SELECT @x@ AS y, id FROM numbers) TABLESAMPLE (50 PERCENT) REPEATABLE (1)",
    "SELECT y FROM (SELECT @x@ AS y FROM numbers) LIMIT ALL",
    "FROM numbers |> EXTEND @x@ AS y |> WHERE @y@ > 4 |> SELECT id, y",
    "SELECT TRANSFORM(id, y) USING 'cat' AS (a, b) FROM (SELECT id, @x@ AS y FROM numbers)",
    // Variables, functions, scripts
    "DECLARE OR REPLACE VARIABLE v DEFAULT @1@ + 1 ;; SELECT v",
    "DECLARE OR REPLACE VARIABLE v FLOAT ;; SET VAR v = (SELECT max(@x@) FROM numbers) ;; SELECT v, @v@ + 1 AS w",
    "DECLARE OR REPLACE VARIABLE v FLOAT ;; SET VAR v = @3@ ;; SELECT v",
    "EXECUTE IMMEDIATE 'SELECT @x@ AS y FROM numbers WHERE id = ?' USING 3",
    "CREATE OR REPLACE TEMPORARY FUNCTION more(a FLOAT) RETURNS FLOAT RETURN @a@ + 1 ;; SELECT more(x) FROM numbers",
    "CREATE OR REPLACE TEMPORARY FUNCTION doubled_rows(a FLOAT) RETURNS TABLE(b FLOAT) RETURN SELECT @a@ ;;" +
      "SELECT b FROM numbers n, LATERAL doubled_rows(n.x) ;; SELECT * FROM doubled_rows(@1@)",
    "BEGIN DECLARE a FLOAT DEFAULT @1@; IF @a@ > 1 THEN SELECT @a@ AS y; ELSE SELECT 0 AS y; END IF; END",
    "BEGIN DECLARE a FLOAT DEFAULT 1; WHILE @a@ < 16 DO SET a = @a@; END WHILE; SELECT a; END",
    "BEGIN DECLARE a FLOAT DEFAULT 1; REPEAT SET a = a + 1; UNTIL @a@ > 8 END REPEAT; SELECT a; END",
    "BEGIN CASE @1@ WHEN 2 THEN SELECT 'two' AS y; ELSE SELECT 'other' AS y; END CASE; END",
    "BEGIN CASE WHEN @1@ > 1 THEN SELECT 'two' AS y; ELSE SELECT 'other' AS y; END CASE; END",
    "BEGIN DECLARE a FLOAT DEFAULT 0; l: LOOP SET a = a + @1@; IF a > 4 THEN LEAVE l; END IF; END LOOP; SELECT a; END",
    "BEGIN DECLARE a FLOAT DEFAULT 0; FOR r AS SELECT @x@ AS y FROM numbers DO SET a = a + r.y; END FOR; SELECT a; END",
    "BEGIN DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN SELECT @3@ AS y; END; SELECT 1 / 0; END",
    // Commands
    "CREATE OR REPLACE TEMP VIEW doubles AS SELECT @x@ AS y FROM numbers ;; SELECT * FROM doubles",
    "ALTER VIEW doubles AS SELECT @g@ AS y FROM numbers ;; SELECT * FROM doubles",
    "CACHE TABLE cached AS SELECT @x@ AS y FROM numbers ;; SELECT max(y) FROM cached ;; UNCACHE TABLE cached ;;" +
      "DROP VIEW cached ;; SELECT 1",
    "DROP TABLE IF EXISTS files ;; CREATE TABLE files USING parquet AS SELECT id, @x@ AS y FROM numbers ;;" +
      "INSERT INTO files SELECT id, @x@ FROM numbers ;; SELECT * FROM files",
    "INSERT OVERWRITE DIRECTORY 'target/test-warehouse/directory' USING parquet SELECT @x@ AS y FROM numbers ;;" +
      "SELECT * FROM parquet.`target/test-warehouse/directory`",
    "DROP TABLE IF EXISTS mem.ns.made ;; CREATE TABLE mem.ns.made AS SELECT @x@ AS y FROM numbers ;;" +
      "SELECT * FROM mem.ns.made ;; REPLACE TABLE mem.ns.made AS SELECT @x@ + 1 AS y FROM numbers ;;" +
      "SELECT * FROM mem.ns.made",
    "INSERT INTO mem.ns.groups SELECT id, g, @x@ FROM numbers ;; SELECT * FROM mem.ns.groups",
    "INSERT INTO mem.ns.groups REPLACE WHERE g = 1 SELECT id, g, @x@ FROM numbers WHERE g = 1 ;;" +
      "SELECT * FROM mem.ns.groups",
    "SET spark.sql.sources.partitionOverwriteMode=dynamic ;;" +
      "INSERT OVERWRITE mem.ns.groups SELECT id, g, @x@ FROM numbers WHERE g = 1 ;;" +
      "RESET spark.sql.sources.partitionOverwriteMode ;; SELECT * FROM mem.ns.groups",
    "DESCRIBE QUERY SELECT @x@ AS y FROM numbers"
  ) ++ Seq("groups", "deltas").flatMap(onRows)

  private def onRows(table: String): Seq[String] = Seq(
    s"UPDATE mem.ns.$table SET x = @x@ WHERE @x@ > 3 ;; SELECT * FROM mem.ns.$table",
    s"DELETE FROM mem.ns.$table WHERE @x@ > 3 ;; SELECT * FROM mem.ns.$table",
    s"MERGE INTO mem.ns.$table t USING (SELECT id + 30 AS id, g, @x@ AS x FROM numbers) s ON t.pk = s.id " +
      "WHEN MATCHED AND @t.x@ > 4 THEN UPDATE SET x = @s.x@ " +
      "WHEN NOT MATCHED AND @s.x@ > 20 THEN INSERT (pk, g, x) VALUES (s.id, s.g, @s.x@) " +
      s"WHEN NOT MATCHED BY SOURCE AND @t.x@ > 8 THEN DELETE ;; SELECT * FROM mem.ns.$table"
  )

  private val constantsOnly = "LIMIT_LIKE_EXPRESSION"
  private val cannotStand = "cannot stand in"
  private val defaults = "INVALID_DEFAULT_VALUE"

  /** What is refused when it is analysed, and words of the refusal. */
  val refused: Seq[(String, String)] = Seq(
    "SELECT x FROM numbers LIMIT cast(@1@ AS int)" -> constantsOnly,
    "SELECT x FROM numbers LIMIT 2 OFFSET cast(@1@ AS int)" -> constantsOnly,
    "SELECT * FROM numbers TABLESAMPLE (cast(@1@ AS int) ROWS)" -> constantsOnly,
    "VALUES (@1@), (@2@)" -> "Cannot evaluate the expression",
    "INSERT INTO mem.ns.groups VALUES (1, 1, @1@)" -> "Cannot evaluate the expression",
    "SELECT * FROM range(cast(@1@ AS bigint))" -> "to be a foldable expression",
    "SELECT * FROM IDENTIFIER(CASE WHEN @1@ > 1 THEN 'numbers' END)" -> "NOT_A_CONSTANT_STRING",
    "EXECUTE IMMEDIATE 'SELECT ? + 1' USING @1@" -> "UNSUPPORTED_EXPR_FOR_PARAMETER",
    "SELECT * FROM mem.ns.groups TIMESTAMP AS OF timestamp_seconds(@1@)" -> "INVALID_TIME_TRAVEL_TIMESTAMP_EXPR",
    "SELECT /*+ REPARTITION(2, @x@) */ x FROM numbers" -> "Hint parameters should include",
    "SELECT transform(array(x), e -> @e@) FROM numbers" -> "explode the array into rows",
    "SELECT a.id FROM numbers a FULL JOIN numbers b ON @a.x + b.x@ = 2" -> "join first",
    "DECLARE OR REPLACE VARIABLE v FLOAT DEFAULT (SELECT @1@)" -> defaults,
    "DECLARE OR REPLACE VARIABLE v FLOAT DEFAULT @1@ ;; SET VAR v = DEFAULT" -> defaults,
    "CREATE TABLE mem.ns.refused (id int, a float DEFAULT @1@)" -> cannotStand,
    "CREATE TABLE mem.ns.refused (id int, x float, CONSTRAINT c CHECK (@x@ > 0))" -> cannotStand,
    "CREATE TABLE mem.ns.refused (id int, x float CHECK (@x@ > 0))" -> cannotStand,
    "CREATE TABLE mem.ns.refused (x float) TBLPROPERTIES ('delta.constraints.c' = '@x@ > 0')" -> cannotStand,
    "REPLACE TABLE mem.ns.groups (id int, a float DEFAULT @1@)" -> cannotStand,
    "REPLACE TABLE mem.ns.groups (id int, a float, CHECK (@a@ > 0))" -> cannotStand,
    "ALTER TABLE mem.ns.groups ADD CONSTRAINT c CHECK (@x@ > 0)" -> cannotStand,
    "ALTER TABLE mem.ns.groups ADD COLUMNS (z float DEFAULT @1@)" -> defaults,
    "ALTER TABLE mem.ns.groups ALTER COLUMN x SET DEFAULT @1@" -> defaults,
    "CREATE TABLE refused (id int, a float DEFAULT @1@) USING parquet" -> defaults,
    "CREATE TABLE mem.ns.refused (id int) OPTIONS (a = @1@)" -> "only constant expressions are supported",
    "CREATE TABLE mem.ns.refused (id int, x float) PARTITIONED BY (twice(x))" -> "not a supported transform",
    "CALL mem.ns.takes_number(cast(@1@ AS int))" -> cannotStand,
    "DELETE FROM simple.ns.rows WHERE @x@ > 3" -> "cannot translate expression to source filter",
    "INSERT INTO simple.ns.rows REPLACE WHERE @x@ = 1 SELECT id, g, x FROM numbers" ->
      "cannot translate expression to source filter",
    "CREATE FUNCTION kept(a FLOAT) RETURNS FLOAT RETURN @a@" -> "make the temporary object `twice` persistent",
    "CREATE VIEW kept AS SELECT @y@ AS z FROM files" -> "make the temporary object `twice` persistent",
    "CREATE MATERIALIZED VIEW kept AS SELECT @x@ AS y FROM numbers" -> "CREATE_PIPELINE_DATASET_QUERY_EXECUTION",
    "CREATE STREAMING TABLE kept AS SELECT @id@ AS y FROM STREAM ticks" -> "CREATE_PIPELINE_DATASET",
    "CREATE STREAMING TABLE kept (y float DEFAULT @1@)" -> "cannot stand in",
    "CREATE FLOW kept AS INSERT INTO files BY NAME SELECT id, @x@ AS y FROM numbers" -> "CREATE_FLOW_QUERY_EXECUTION"
  )
}
