-- SPDX-License-Identifier: Apache-2.0
-- The nginx goals in Flink SQL. One read of the topic serves all four; FlinkJob.java fills in ${…}.
CREATE TABLE requests (
  client_ip STRING,
  host STRING,
  country STRING,
  status INT,
  request_time DOUBLE,
  `@timestamp` DOUBLE,
  ts AS TO_TIMESTAMP_LTZ(CAST(`@timestamp` * 1000 AS BIGINT), 3),
  WATERMARK FOR ts AS ts - INTERVAL '1' SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = '${TOPIC}',
  'properties.bootstrap.servers' = '${BROKERS}',
  'properties.group.id' = '${GROUP}',
  'scan.startup.mode' = 'earliest-offset',
  'scan.bounded.mode' = 'latest-offset',
  'format' = 'json'
);

CREATE TABLE goal1 (client_ip STRING, requests BIGINT, window_end BIGINT) WITH (
  'connector' = 'kafka', 'topic' = 'goal1-${GROUP}', 'format' = 'json',
  'properties.bootstrap.servers' = '${BROKERS}');
CREATE TABLE goal2 (host STRING, errors BIGINT, window_end BIGINT) WITH (
  'connector' = 'kafka', 'topic' = 'goal2-${GROUP}', 'format' = 'json',
  'properties.bootstrap.servers' = '${BROKERS}');
CREATE TABLE goal3 (country STRING, requests BIGINT, window_end BIGINT) WITH (
  'connector' = 'kafka', 'topic' = 'goal3-${GROUP}', 'format' = 'json',
  'properties.bootstrap.servers' = '${BROKERS}');
CREATE TABLE goal4 (host STRING, average DOUBLE, window_end BIGINT) WITH (
  'connector' = 'kafka', 'topic' = 'goal4-${GROUP}', 'format' = 'json',
  'properties.bootstrap.servers' = '${BROKERS}');

INSERT INTO goal1
SELECT client_ip, requests, UNIX_TIMESTAMP(CAST(window_end AS STRING)) FROM (
  SELECT client_ip, window_end, COUNT(*) AS requests
  FROM HOP(DATA => TABLE requests, TIMECOL => DESCRIPTOR(ts), SLIDE => INTERVAL '1' SECOND,
           SIZE => INTERVAL '20' SECOND)
  GROUP BY client_ip, window_start, window_end)
WHERE requests > 10;

INSERT INTO goal2
SELECT host, errors, UNIX_TIMESTAMP(CAST(window_end AS STRING)) FROM (
  SELECT host, window_end, COUNT(*) AS errors
  FROM HOP(DATA => (SELECT * FROM requests WHERE status >= 400 AND status < 500),
           TIMECOL => DESCRIPTOR(ts), SLIDE => INTERVAL '1' SECOND, SIZE => INTERVAL '30' SECOND)
  GROUP BY host, window_start, window_end)
WHERE errors > 15;

INSERT INTO goal3
SELECT country, COUNT(*), UNIX_TIMESTAMP(CAST(window_end AS STRING))
FROM TUMBLE(DATA => (SELECT * FROM requests WHERE status >= 200 AND status < 300),
            TIMECOL => DESCRIPTOR(ts), SIZE => INTERVAL '1' MINUTE)
GROUP BY country, window_start, window_end;

INSERT INTO goal4
SELECT host, AVG(request_time), UNIX_TIMESTAMP(CAST(window_end AS STRING))
FROM TUMBLE(DATA => TABLE requests, TIMECOL => DESCRIPTOR(ts), SIZE => INTERVAL '1' MINUTE)
GROUP BY host, window_start, window_end;
