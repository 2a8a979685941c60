# SPDX-License-Identifier: Apache-2.0
"""spark_job.py BROKERS TOPIC GROUP FOLDER: the nginx goals in Spark Structured Streaming, Kafka to Kafka."""

import sys

from pyspark.sql import SparkSession
from pyspark.sql import functions as f

RECORDS_PER_BATCH = 250_000
FIELDS = "client_ip string, host string, country string, status string, request_time string, `@timestamp` string"


def requests(spark, brokers, topic):
    """The topic, decoded, with event time and its watermark."""
    raw = (spark.readStream.format("kafka").option("kafka.bootstrap.servers", brokers)
           .option("subscribe", topic).option("startingOffsets", "earliest")
           .option("maxOffsetsPerTrigger", RECORDS_PER_BATCH).load())
    record = f.from_json(f.col("value").cast("string"), FIELDS).alias("record")
    return raw.select(record).select(
        "record.client_ip", "record.host", "record.country",
        f.col("record.status").cast("int").alias("status"),
        f.col("record.request_time").cast("double").alias("request_time"),
        f.col("record.@timestamp").cast("double").cast("timestamp").alias("ts"),
    ).withWatermark("ts", "1 second")


def rows(windows, topic, key, value):
    """Results as Kafka records."""
    end = f.unix_timestamp("window.end").alias("window_end")
    return windows.select(f.lit(topic).alias("topic"),
                          f.to_json(f.struct(key, value, end)).alias("value"))


def goals(records, group):
    """The four goals in one query: Spark has one state store for each, but only one batch to plan."""
    count = f.count("*")
    clients = (records.groupBy(f.window("ts", "20 seconds", "1 second"), "client_ip")
               .agg(count.alias("requests")).where("requests > 10"))
    hosts = (records.where("status >= 400 and status < 500")
             .groupBy(f.window("ts", "30 seconds", "1 second"), "host")
             .agg(count.alias("errors")).where("errors > 15"))
    countries = (records.where("status >= 200 and status < 300")
                 .groupBy(f.window("ts", "1 minute"), "country").agg(count.alias("requests")))
    latency = (records.groupBy(f.window("ts", "1 minute"), "host")
               .agg(f.avg("request_time").alias("average")))
    return (rows(clients, f"goal1-{group}", "client_ip", "requests")
            .union(rows(hosts, f"goal2-{group}", "host", "errors"))
            .union(rows(countries, f"goal3-{group}", "country", "requests"))
            .union(rows(latency, f"goal4-{group}", "host", "average")))


def main(brokers, topic, group, folder):
    spark = SparkSession.builder.getOrCreate()
    query = (goals(requests(spark, brokers, topic), group).writeStream.format("kafka")
             .option("kafka.bootstrap.servers", brokers).option("checkpointLocation", folder)
             .outputMode("append").trigger(availableNow=True).start())
    query.awaitTermination()
    spark.stop()


main(*sys.argv[1:])
