# SPDX-License-Identifier: Apache-2.0
"""chdb_job.py INPUT FOLDER: the nginx goals in ClickHouse, their rows to FOLDER/goalN.ndjson.

The same plan as duckdb_job.py: steps up and down, a running sum, and only what passes the threshold
is spread over the seconds.
"""

import sys

from chdb import session

SLIDING = """
INSERT INTO FUNCTION file('{folder}/{goal}.ndjson', 'JSONEachRow')
WITH seconds AS (SELECT {key}, second, toInt64(count()) AS n FROM requests WHERE {where}
                 GROUP BY {key}, second),
steps AS (SELECT {key}, second + 1 AS moment, n FROM seconds
          UNION ALL SELECT {key}, second + 1 + {size}, -n FROM seconds),
merged AS (SELECT {key}, moment, sum(n) AS n FROM steps GROUP BY {key}, moment),
running AS (SELECT {key}, moment,
    leadInFrame(moment) OVER (PARTITION BY {key} ORDER BY moment
                              ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS until,
    sum(n) OVER (PARTITION BY {key} ORDER BY moment
                 ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS {value}
  FROM merged)
SELECT {key}, {value}, arrayJoin(range(moment, until)) AS window_end
FROM running WHERE {value} > {more_than}"""

TUMBLING = """
INSERT INTO FUNCTION file('{folder}/{goal}.ndjson', 'JSONEachRow')
SELECT {key}, {compute}, second - second % 60 + 60 AS window_end
FROM requests WHERE {where} GROUP BY {key}, window_end"""

READ = """
CREATE TABLE requests ENGINE = Memory AS
SELECT client_ip, host, country, toUInt16(status) AS status, toFloat64(request_time) AS request_time,
       toUInt32(splitByChar('.', `@timestamp`)[1]) AS second
FROM file('{path}', 'JSONEachRow', 'client_ip String, host String, country String,
  status String, request_time String, `@timestamp` String')"""


def main(path, folder):
    database = session.Session()
    database.query("CREATE DATABASE bench")
    database.query("USE bench")
    database.query(READ.format(path=path))

    def run(form, **names):
        database.query(form.format(folder=folder, **names))

    run(SLIDING, goal="goal1", key="client_ip", value="requests", size=20, more_than=10, where="true")
    run(SLIDING, goal="goal2", key="host", value="errors", size=30, more_than=15,
        where="status BETWEEN 400 AND 499")
    run(TUMBLING, goal="goal3", key="country", compute="count() AS requests",
        where="status BETWEEN 200 AND 299")
    run(TUMBLING, goal="goal4", key="host", compute="avg(request_time) AS average", where="true")


main(*sys.argv[1:])
