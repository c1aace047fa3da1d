-- a batch sent again after a lost answer is stored once
-- postgres
DELETE FROM sample_raw a USING sample_raw b WHERE a.at = b.at AND a.host_id = b.host_id AND a.ctid > b.ctid;
CREATE UNIQUE INDEX sample_raw_once ON sample_raw(at, host_id);
-- both
CREATE TABLE sample_bucket (
  level BIGINT NOT NULL, host_id BIGINT NOT NULL, bucket BIGINT NOT NULL, n BIGINT NOT NULL,
  cpu_min {f64} NOT NULL, cpu_max {f64} NOT NULL, cpu_avg {f64} NOT NULL, cpu_last {f64} NOT NULL,
  mem_min {f64} NOT NULL, mem_max {f64} NOT NULL, mem_avg {f64} NOT NULL, mem_last {f64} NOT NULL,
  swap_min {f64} NOT NULL, swap_max {f64} NOT NULL, swap_avg {f64} NOT NULL, swap_last {f64} NOT NULL,
  load1_min {f64} NOT NULL, load1_max {f64} NOT NULL, load1_avg {f64} NOT NULL, load1_last {f64} NOT NULL,
  disk_min {f64} NOT NULL, disk_max {f64} NOT NULL, disk_avg {f64} NOT NULL, disk_last {f64} NOT NULL,
  read_bps_min {f64} NOT NULL, read_bps_max {f64} NOT NULL, read_bps_avg {f64} NOT NULL, read_bps_last {f64} NOT NULL,
  write_bps_min {f64} NOT NULL, write_bps_max {f64} NOT NULL, write_bps_avg {f64} NOT NULL, write_bps_last {f64} NOT NULL,
  rx_bps_min {f64} NOT NULL, rx_bps_max {f64} NOT NULL, rx_bps_avg {f64} NOT NULL, rx_bps_last {f64} NOT NULL,
  tx_bps_min {f64} NOT NULL, tx_bps_max {f64} NOT NULL, tx_bps_avg {f64} NOT NULL, tx_bps_last {f64} NOT NULL,
  PRIMARY KEY (level, host_id, bucket)
);
CREATE INDEX sample_bucket_age ON sample_bucket(level, bucket);
-- the older table knew fewer figures: averages stand for what it did not keep
INSERT INTO sample_bucket SELECT level, host_id, bucket, n,
  cpu_avg, cpu_max, cpu_avg, cpu_avg, mem_avg, mem_max, mem_avg, mem_avg, 0, 0, 0, 0,
  load_avg, load_avg, load_avg, load_avg, disk_max, disk_max, disk_max, disk_max,
  io_avg, io_avg, io_avg, io_avg, 0, 0, 0, 0, net_avg, net_avg, net_avg, net_avg, 0, 0, 0, 0 FROM sample_rollup;
DROP TABLE sample_rollup;
-- quarters of an hour that got samples after they were rolled up
CREATE TABLE rollup_late (bucket BIGINT NOT NULL PRIMARY KEY);
-- file systems (value: percent in use, in and out: bytes a second read and written) and interfaces (received, sent)
CREATE TABLE part (
  id {id}, host_id BIGINT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, UNIQUE (host_id, kind, name)
);
CREATE TABLE part_sample (
  part_id BIGINT NOT NULL, at BIGINT NOT NULL, value REAL NOT NULL, come REAL NOT NULL, gone REAL NOT NULL,
  PRIMARY KEY (part_id, at)
);
CREATE INDEX part_sample_age ON part_sample(at);
CREATE TABLE part_hour (
  part_id BIGINT NOT NULL, bucket BIGINT NOT NULL, n BIGINT NOT NULL, value_min {f64} NOT NULL,
  value_max {f64} NOT NULL, value_avg {f64} NOT NULL, value_last {f64} NOT NULL, come_avg {f64} NOT NULL,
  come_max {f64} NOT NULL, gone_avg {f64} NOT NULL, gone_max {f64} NOT NULL, PRIMARY KEY (part_id, bucket)
);
CREATE INDEX part_hour_age ON part_hour(bucket);
CREATE TABLE host_forecast (
  host_id BIGINT NOT NULL, mount TEXT NOT NULL, at BIGINT NOT NULL, full_at BIGINT NOT NULL, early_at BIGINT NOT NULL,
  late_at BIGINT NOT NULL, fast_at BIGINT, PRIMARY KEY (host_id, mount)
);
-- where each threshold of a host stands, and how it came there
CREATE TABLE host_threshold (
  host_id BIGINT NOT NULL, metric TEXT NOT NULL, part TEXT NOT NULL, severity TEXT NOT NULL, phase TEXT NOT NULL,
  since BIGINT NOT NULL, raised_at BIGINT, held_ms BIGINT NOT NULL, at BIGINT NOT NULL, value {f64} NOT NULL,
  PRIMARY KEY (host_id, metric, part, severity)
);
CREATE TABLE host_event (
  id {id}, host_id BIGINT NOT NULL, at BIGINT NOT NULL, metric TEXT NOT NULL, part TEXT NOT NULL,
  severity TEXT NOT NULL, was TEXT NOT NULL, phase TEXT NOT NULL, value {f64} NOT NULL, sample_at BIGINT NOT NULL
);
CREATE INDEX host_event_host ON host_event(host_id, at);
CREATE INDEX host_event_age ON host_event(at);
CREATE TABLE host_silence (
  host_id BIGINT NOT NULL PRIMARY KEY, until BIGINT NOT NULL, reason TEXT NOT NULL, actor TEXT NOT NULL,
  at BIGINT NOT NULL
);
CREATE TABLE host_ticket (
  host_id BIGINT NOT NULL, ticket_id BIGINT NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (host_id, ticket_id)
);
