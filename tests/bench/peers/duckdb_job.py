# SPDX-License-Identifier: Apache-2.0
"""duckdb_job.py INPUT FOLDER: the nginx goals in DuckDB, their rows to FOLDER/goalN.ndjson.

A sliding count is not summed up window by window: a record of second s counts in the windows that
end at s+1 … s+size, so it is one step up and one step down of a running sum, which holds from one
step to the next. Only what passes the threshold is then spread over the seconds.
"""

import sys

import duckdb

SLIDING = """
COPY (
  WITH seconds AS (SELECT {key}, second, count(*) AS n FROM requests WHERE {where} GROUP BY ALL),
  steps AS (SELECT {key}, second + 1 AS moment, n FROM seconds
            UNION ALL SELECT {key}, second + 1 + {size}, -n FROM seconds),
  merged AS (SELECT {key}, moment, sum(n)::BIGINT AS n FROM steps GROUP BY ALL),
  running AS (SELECT {key}, moment, lead(moment) OVER times AS until,
                     (sum(n) OVER times)::BIGINT AS {value}
              FROM merged WINDOW times AS (PARTITION BY {key} ORDER BY moment))
  SELECT {key}, {value}, unnest(range(moment, until)) AS window_end
  FROM running WHERE {value} > {more_than}
) TO '{folder}/{goal}.ndjson' (FORMAT json)"""

TUMBLING = """
COPY (SELECT {key}, {compute}, second - second % 60 + 60 AS window_end
      FROM requests WHERE {where} GROUP BY ALL)
TO '{folder}/{goal}.ndjson' (FORMAT json)"""

READ = """
CREATE TABLE requests AS
SELECT client_ip, host, country, status::SMALLINT AS status, request_time::DOUBLE AS request_time,
       floor("@timestamp"::DOUBLE)::BIGINT AS second
FROM read_ndjson('{path}', columns={{client_ip: 'VARCHAR', host: 'VARCHAR', country: 'VARCHAR',
  status: 'VARCHAR', request_time: 'VARCHAR', '@timestamp': 'VARCHAR'}})"""


def main(path, folder):
    database = duckdb.connect()
    database.execute("SET preserve_insertion_order = false")
    database.execute(READ.format(path=path))

    def run(form, **names):
        database.execute(form.format(folder=folder, **names))

    run(SLIDING, goal="goal1", key="client_ip", value="requests", size=20, more_than=10, where="true")
    run(SLIDING, goal="goal2", key="host", value="errors", size=30, more_than=15,
        where="status BETWEEN 400 AND 499")
    run(TUMBLING, goal="goal3", key="country", compute="count(*) AS requests",
        where="status BETWEEN 200 AND 299")
    run(TUMBLING, goal="goal4", key="host", compute="avg(request_time) AS average", where="true")


main(*sys.argv[1:])
