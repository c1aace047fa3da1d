CREATE TABLE host (
  id {id},
  name TEXT NOT NULL UNIQUE,
  first_seen BIGINT NOT NULL,
  at BIGINT NOT NULL,
  interval_ms BIGINT NOT NULL,
  current TEXT NOT NULL
);
-- sqlite
CREATE TABLE sample_raw (
  at BIGINT NOT NULL, host_id BIGINT NOT NULL, cpu REAL NOT NULL, mem REAL NOT NULL, swap REAL NOT NULL,
  load1 REAL NOT NULL, disk REAL NOT NULL, read_bps REAL NOT NULL, write_bps REAL NOT NULL, rx_bps REAL NOT NULL,
  tx_bps REAL NOT NULL, PRIMARY KEY (at, host_id)
) WITHOUT ROWID;
-- postgres
CREATE TABLE sample_raw (
  at BIGINT NOT NULL, host_id BIGINT NOT NULL, cpu REAL NOT NULL, mem REAL NOT NULL, swap REAL NOT NULL,
  load1 REAL NOT NULL, disk REAL NOT NULL, read_bps REAL NOT NULL, write_bps REAL NOT NULL, rx_bps REAL NOT NULL,
  tx_bps REAL NOT NULL
);
CREATE INDEX sample_raw_at ON sample_raw USING brin (at) WITH (pages_per_range = 32, autosummarize = on);
-- both
CREATE TABLE sample_rollup (
  level BIGINT NOT NULL, host_id BIGINT NOT NULL, bucket BIGINT NOT NULL, n BIGINT NOT NULL,
  cpu_avg {f64} NOT NULL, cpu_max {f64} NOT NULL, mem_avg {f64} NOT NULL, mem_max {f64} NOT NULL,
  load_avg {f64} NOT NULL, disk_max {f64} NOT NULL, io_avg {f64} NOT NULL, net_avg {f64} NOT NULL,
  PRIMARY KEY (level, host_id, bucket)
);
CREATE INDEX sample_rollup_bucket ON sample_rollup(level, bucket);
CREATE TABLE rollup_mark (level BIGINT NOT NULL PRIMARY KEY, upto BIGINT NOT NULL);
