// SPDX-License-Identifier: Apache-2.0
#include "sinks/mongodb/config.h"

#include <algorithm>

namespace streamd {
namespace {

constexpr std::int64_t kLongestExpiry = 2'147'483'647;  // seconds

bool is_whole_seconds(const Duration& d) {
  return d.micros >= 0 && d.micros % 1'000'000 == 0 && d.micros / 1'000'000 <= kLongestExpiry;
}

}  // namespace

const Spec<mongodb::IndexConfig>& NestedSpec<mongodb::IndexConfig>::spec() {
  using C = mongodb::IndexConfig;
  static const Spec<C> spec =
      Spec<C>("index")
          .field(&C::keys, {.name = "keys",
                            .help = "Its fields in order: 1, -1, hashed, text or 2dsphere.",
                            .required = true,
                            .examples = {"{ip: 1, seen: -1}"}})
          .field(&C::unique, {.name = "unique",
                              .help = "A record whose values are there already is a dead letter."})
          .field(&C::expire_after,
                 {.name = "expire_after",
                  .help = "The server deletes documents so long after the date in the field.",
                  .examples = {"30d"}})
          .field(&C::name, {.name = "name", .help = "Without one as usual: ip_1_seen_-1."})
          .rule("keys has at least one field", [](const C& c) { return !c.keys.empty(); })
          .rule("expire_after needs an index of one field, which is not _id",
                [](const C& c) {
                  return !c.expire_after || (c.keys.size() == 1 && c.keys[0].first != "_id");
                })
          .rule("expire_after is in whole seconds, up to 68 years",
                [](const C& c) { return !c.expire_after || is_whole_seconds(*c.expire_after); });
  return spec;
}

namespace mongodb {

mongo::Index index_of(const IndexConfig& config) {
  mongo::Index index;
  for (const auto& [field, order] : config.keys)
    index.keys.emplace_back(field, FieldType<Order>::show(order));
  index.unique = config.unique;
  if (config.expire_after)
    index.expire_seconds = static_cast<std::int32_t>(config.expire_after->micros / 1'000'000);
  index.name = config.name;
  return index;
}

bool is_database_name(std::string_view name) {
  return !name.empty() && name.size() <= 63 &&
         name.find_first_of(std::string_view("/\\. \"$*<>:|?\0", 13)) == std::string_view::npos;
}

bool is_collection_name(std::string_view database, std::string_view name) {
  return !name.empty() && database.size() + 1 + name.size() <= 255 && name.front() != '.' &&
         name.back() != '.' && !name.starts_with("system.") &&
         name.find_first_of(std::string_view("$\0", 2)) == std::string_view::npos;
}

Spec<Config> spec() {
  using C = Config;
  Spec<C> spec("mongodb");
  spec.summary("Writes records as documents to MongoDB.")
      .details(
          "Every document has an `_id` that follows from the record's place in its source, so a "
          "record that is sent again, after an outage or a crash, meets itself. A field `_id` of "
          "the record gives way to it; `id: '{{ _id }}'` keeps it. (Time series collections know "
          "no unique `_id`: there a record that is sent again is there twice.)\n\n"
          "Whole numbers are int64, others double; what neither can hold stays text. Timestamps "
          "are BSON dates, which have milliseconds: finer digits are cut, and `time_format: "
          "rfc3339` keeps them. Objects are objects: `{\"$oid\": …}` or `{\"$date\": …}` in a "
          "record means nothing. Of a repeated key the last one counts.\n\n"
          "While the server is away, shutting down or electing, records wait in the outbox; only "
          "those that failed go again. What it refuses for good (validation, another unique "
          "index, more than 16 MiB) becomes a dead letter with its words.\n\n"
          "`%Y %m %d %H` in `collection` stand for the record's event time in UTC. Indexes are "
          "made before the first document of a run goes into a collection; a server that knows "
          "no such index is told in the log, and the records go on." +
          sent_details(kSent))
      .promise("exactly once, by ids")
      .field(&C::uri, {.name = "uri",
                       .help = "Where it is, with its options. Only hosts are ever shown.",
                       .required = true,
                       .secret = true,
                       .examples = {"mongodb://localhost:27017", "${MONGODB_URI}"}})
      .field(&C::database, {.name = "database",
                            .help = "Without it, the one that uri names.",
                            .examples = {"shodan"}})
      .field(&C::collection,
             {.name = "collection",
              .help = "May hold {{ expressions }} and %Y %m %d %H after a plain beginning.",
              .required = true,
              .examples = {"banners-%Y%m"}})
      .field(&C::mode, {.name = "mode",
                        .help = "insert: the first document of an id stays. upsert: the last one "
                                "replaces it."})
      .field(&C::id, {.name = "id",
                      .help = "An id of your own instead of the one from the record's place.",
                      .examples = {"'{{ ip }}-{{ port }}'"}})
      .field(&C::indexes, {.name = "indexes",
                           .help = "Indexes that each collection has.",
                           .examples = {"[{keys: {seen: 1}, expire_after: 30d}]"}})
      .field(&C::write_concern,
             {.name = "write_concern",
              .help = "majority, a number of members or a tag. Without it what uri says, else "
                      "majority.",
              .advanced = true})
      .field(&C::dates, {.name = "dates",
                         .help = "Fields with RFC 3339 text that become dates. Other text there "
                                 "makes the record a dead letter.",
                         .examples = {"[timestamp, ssl.cert.expires]"}})
      .field(&C::bad_keys, {.name = "bad_keys",
                            .help = "Keys with a dot or a leading dollar sign. escape: U+FF0E and "
                                    "U+FF04 stand for them. reject: a dead letter.",
                            .advanced = true})
      .field(&C::time_format, {.name = "time_format",
                               .help = "How timestamps are written: as dates, as RFC 3339 text, "
                                       "or as seconds since 1970."})
      .rule("database is needed where uri names none, and has no / \\ . \" $ * < > : | ? or blank",
            [](const C& c) {
              return is_database_name(c.database.empty() ? c.uri.database : c.database);
            })
      .rule("write_concern 0 would lose records unnoticed",
            [](const C& c) { return c.write_concern != "0" && !c.write_concern.starts_with('-'); })
      .rule("dates holds names of fields",
            [](const C& c) {
              return std::none_of(c.dates.begin(), c.dates.end(),
                                  [](const std::string& d) { return d.empty() || d == "_id"; });
            })
      .example("Banners by month, kept for half a year",
               "uri: ${MONGODB_URI}\ndatabase: shodan\ncollection: banners-%Y%m\n"
               "dates: [timestamp]\nindexes: [{keys: {timestamp: 1}, expire_after: 180d}, "
               "{keys: {ip_str: 1, port: 1}}]")
      .example("The newest state of each host",
               "uri: mongodb://localhost\ndatabase: shodan\ncollection: hosts\nmode: upsert\n"
               "id: '{{ ip_str }}'");
  delivery::add_fields(spec);
  return spec;
}

}  // namespace mongodb
}  // namespace streamd
