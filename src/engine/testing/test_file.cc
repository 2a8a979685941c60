// SPDX-License-Identifier: Apache-2.0
#include "engine/testing/test_file.h"

#include "engine/codec/time_format.h"
#include "engine/match/indicator_list.h"

#include <fmt/format.h>

#include <algorithm>

namespace streamd {

const Spec<testing::Expected>& testing::expected_spec() {
  using C = Expected;
  static const Spec<C> kSpec =
      Spec<C>("what is expected")
          .field(&C::rows,
                 {.name = "rows",
                  .help = "The records that came, each a map. Only the fields that are named are "
                          "compared, unless `exact` is set. `[]`: none came."})
          .field(&C::sent,
                 {.name = "sent",
                  .help = "Sinks: what it would have sent for them, each a map of what the sink's "
                          "page in the reference names (`streamd docs kafka`: topic, key, value). "
                          "JSON in it can be looked into: `embed.title`. `[]`: nothing.",
                  .examples = {"[{topic: alerts, key: 192.0.2.7, value: {requests: 11}}]"}})
          .field(&C::in_order, {.name = "in_order",
                                .help = "Rows, and what is sent, came in this order. Otherwise the "
                                        "order does not count."})
          .field(&C::exact,
                 {.name = "exact",
                  .help = "Rows, and what is sent, have the fields that are named, and no other."})
          .field(&C::count, {.name = "count", .help = "How many records came."})
          .field(&C::in, {.name = "in", .help = "Records that went into the node."})
          .field(&C::out, {.name = "out", .help = "Records that it gave, or that a sink wrote."})
          .field(&C::dropped,
                 {.name = "dropped",
                  .help = "Records that it left out, by reason: filtered, late, duplicate, "
                          "throttled, shed, expired. Reasons that are not named do not count.",
                  .examples = {"{late: 1}"}})
          .field(&C::dead_letters,
                 {.name = "dead_letters", .help = "Records of it that became dead letters."})
          .field(&C::failed, {.name = "failed", .help = "Results of it that became dead letters."})
          .field(&C::clamped,
                 {.name = "clamped",
                  .help = "Sources: times too far ahead of the virtual clock (`max_future`)."});
  return kSpec;
}

namespace {

using Shape = ConfigNode::Shape;
using testing::Expected;

bool read_texts(const ConfigNode& node, testing::GivenList& into) {
  // Each line of a block is a record.
  std::string_view left = node.text;
  while (!left.empty()) {
    const std::size_t end = std::min(left.find('\n'), left.size());
    testing::Given given;
    given.record = node;
    given.record.text = std::string(left.substr(0, end));
    left.remove_prefix(std::min(end + 1, left.size()));
    into.items.push_back(std::move(given));
  }
  return true;
}

bool read_given(const ConfigNode& node, testing::GivenList& into, Diagnostics& problems) {
  testing::Given given;
  if (node.shape == Shape::map && node.find("record") != nullptr) {
    auto read = NestedSpec<testing::Given>::spec().parse(node, problems);
    if (!read) return false;
    given = std::move(*read);
  } else {
    given.record = node;
  }
  if (given.record.shape != Shape::scalar && given.record.shape != Shape::map) {
    report_type(given.record, "a record: a text or a map", problems);
    return false;
  }
  into.items.push_back(std::move(given));
  return true;
}

}  // namespace

bool FieldType<EventTime>::read(const ConfigNode& node, EventTime& into, Diagnostics& problems) {
  if (node.shape == Shape::scalar)
    if (const auto time = parse_rfc3339(node.text)) {
      into = time->time;
      return true;
    }
  report_type(node, name(), problems);
  return false;
}

bool FieldType<testing::Moment>::read(const ConfigNode& node, testing::Moment& into,
                                      Diagnostics& problems) {
  if (node.shape == Shape::scalar) {
    if (const auto since = parse_duration(node.text)) {
      into = {false, *since, {}};
      return true;
    }
    if (const auto time = parse_rfc3339(node.text)) {
      into = {true, {}, time->time};
      return true;
    }
  }
  report_type(node, name(), problems);
  return false;
}
std::string FieldType<testing::Moment>::name() {
  return "a duration since the start (30s) or a time (2024-01-31T12:00:00Z)";
}
std::string FieldType<testing::Moment>::json_schema() { return R"({"type":"string"})"; }

bool FieldType<testing::GivenList>::read(const ConfigNode& node, testing::GivenList& into,
                                         Diagnostics& problems) {
  into.items.clear();
  if (node.shape == Shape::scalar) return read_texts(node, into);
  if (node.shape == Shape::map) return read_given(node, into, problems);
  if (node.shape != Shape::list) {
    report_type(node, name(), problems);
    return false;
  }
  bool good = true;
  for (const auto& item : node.items) good = read_given(item, into, problems) && good;
  return good;
}
std::string FieldType<testing::GivenList>::name() { return "list of records"; }
std::string FieldType<testing::GivenList>::json_schema() {
  return R"({"type":["array","object","string"]})";
}

bool FieldType<Expected>::read(const ConfigNode& node, Expected& into, Diagnostics& problems) {
  const std::size_t before = problems.errors();
  if (node.shape == Shape::list) {
    into.rows = node.items;
  } else if (node.shape == Shape::scalar) {
    std::uint64_t count = 0;
    if (!FieldType<std::uint64_t>::read(node, count, problems)) return false;
    into.count = count;
  } else if (node.shape == Shape::map) {
    auto read = testing::expected_spec().parse(node, problems);
    if (!read) return false;
    into = std::move(*read);
    // A list of one may be written without its brackets; what the file says is what counts here.
    for (const auto& [name, list] : {std::pair("rows", &into.rows), std::pair("sent", &into.sent)})
      if (const ConfigNode* own = node.find(name); own != nullptr && own->shape == Shape::null)
        *list = std::vector<ConfigNode>{};
  } else {
    report_type(node, name(), problems);
  }
  for (const auto* list : {&into.rows, &into.sent})
    if (*list)
      for (const auto& row : **list)
        if (row.shape != Shape::map) report_type(row, "a map of fields", problems);
  into.where = node;
  return problems.errors() == before;
}
std::string FieldType<Expected>::name() {
  return "rows (a list of maps), a count, or a map with rows, sent, count, dropped, …";
}
std::string FieldType<Expected>::json_schema() {
  return R"({"anyOf":[{"type":"array","items":{"type":"object"}},{"type":"integer","minimum":0},)" +
         object_schema(testing::expected_spec().view()) + "]}";
}

bool FieldType<testing::AnswerList>::read(const ConfigNode& node, testing::AnswerList& into,
                                          Diagnostics& problems) {
  into.items.clear();
  bool good = true;
  const bool one = node.shape != Shape::list;
  for (const auto& item : one ? std::vector<ConfigNode>{node} : node.items) {
    auto read = NestedSpec<testing::ServiceAnswer>::spec().parse(item, problems);
    good = good && read;
    if (!read) continue;
    read->place = item.place;
    into.items.push_back(std::move(*read));
  }
  return good;
}
std::string FieldType<testing::AnswerList>::name() { return "list of answers"; }
std::string FieldType<testing::AnswerList>::json_schema() {
  return FieldType<std::vector<testing::ServiceAnswer>>::json_schema();
}

bool FieldType<testing::EntryList>::read(const ConfigNode& node, testing::EntryList& into,
                                         Diagnostics& problems) {
  into.entries.clear();
  if (node.shape != Shape::list) {
    report_type(node, name(), problems);
    return false;
  }
  bool good = true;
  IndicatorListBuilder builder(0);
  for (const auto& item : node.items) {
    testing::Entry entry;
    entry.place = item.place;
    if (item.shape == Shape::scalar)
      entry.value = item.text;
    else if (auto read = NestedSpec<testing::Entry>::spec().parse(item, problems))
      entry = std::move(*read);
    else
      good = false;
    if (const auto why = builder.add({.value = entry.value}); good && !why.empty()) {
      problems.error("bad-indicator", item.place, json_quote(entry.value) + " " + std::string(why));
      good = false;
    }
    into.entries.push_back(std::move(entry));
  }
  return good;
}
std::string FieldType<testing::EntryList>::name() { return "list of entries"; }
std::string FieldType<testing::EntryList>::json_schema() {
  return R"({"type":"array","items":{"anyOf":[{"type":["string","number"]},)" +
         object_schema(NestedSpec<testing::Entry>::spec().view()) + "]}}";
}

const Spec<testing::Given>& NestedSpec<testing::Given>::spec() {
  using C = testing::Given;
  static const Spec<C> kSpec =
      Spec<C>("a record")
          .field(&C::record,
                 {.name = "record",
                  .help = "A text, which is handed out as it is, or a map, which becomes a JSON "
                          "object. In texts `{{ at }}` is the record's time as the source writes "
                          "it, `{{ at %b %e %H:%M:%S }}` in another format, `{{ n }}` the number "
                          "of the repetition.",
                  .required = true})
          .field(
              &C::at,
              {.name = "at",
               .help = "The record's time: since the start of the case, or absolute. A map gets "
                       "it into its time field if it has none; the virtual clock is moved there, "
                       "never back.",
               .examples = {"5s", "2024-01-01T00:00:05Z"}})
          .field(&C::repeat, {.name = "repeat", .help = "So many records.", .examples = {"11"}})
          .field(&C::every, {.name = "every",
                             .help = "Time between two of them; needs `at`.",
                             .examples = {"1s"}})
          .field(&C::partition,
                 {.name = "partition",
                  .help = "The partition of the source that it comes from; each has a clock."})
          .rule("every needs at", [](const C& c) { return c.every == Duration{} || c.at; })
          .rule("repeat is from 1 to 100000",
                [](const C& c) { return c.repeat >= 1 && c.repeat <= 100'000; });
  return kSpec;
}

const Spec<testing::Entry>& NestedSpec<testing::Entry>::spec() {
  using C = testing::Entry;
  static const Spec<C> kSpec =
      Spec<C>("an entry")
          .field(&C::value, {.name = "value",
                             .help = "An address, a network, a domain or a text.",
                             .required = true})
          .field(&C::comment, {.name = "comment", .help = "What else the list may say of it."})
          .field(&C::type, {.name = "type", .help = "As the list's own entries have it."})
          .field(&C::scenario, {.name = "scenario", .help = "As the list's own entries have it."})
          .field(&C::origin, {.name = "origin", .help = "As the list's own entries have it."})
          .field(&C::scope, {.name = "scope", .help = "As the list's own entries have it."})
          .field(&C::source, {.name = "source", .help = "As the list's own entries have it."})
          .field(&C::tags, {.name = "tags", .help = "As the list's own entries have it."})
          .field(&C::score, {.name = "score", .help = "As the list's own entries have it."});
  return kSpec;
}

const Spec<testing::ServiceAnswer>& NestedSpec<testing::ServiceAnswer>::spec() {
  using C = testing::ServiceAnswer;
  static const Spec<C> kSpec =
      Spec<C>("an answer")
          .field(&C::path, {.name = "path",
                            .help = "Path and query of the questions that it answers; a `*` at the "
                                    "end stands for anything. Without it: all of them.",
                            .examples = {"/hosts/192.0.2.7", "/v1/decisions*"}})
          .field(&C::key, {.name = "key",
                           .help = "For kinds table and mmdb: what it is found under.",
                           .examples = {"192.0.2.7"}})
          .field(&C::status, {.name = "status", .help = "HTTP status."})
          .field(&C::headers, {.name = "headers",
                               .help = "Of the answer.",
                               .examples = {"{Link: \"</events?page=2>; rel=next\"}"}})
          .field(&C::json, {.name = "json", .help = "The body, written as YAML."})
          .field(&C::text, {.name = "text", .help = "The body as it is."})
          .field(&C::lines, {.name = "lines",
                             .help = "The body, a line for each: JSON written as YAML, or texts.",
                             .examples = {"[{id: 1}, {id: 2}]"}})
          .field(&C::retry_after,
                 {.name = "retry_after", .help = "How long the service wants to be left alone."})
          .field(&C::unreachable,
                 {.name = "unreachable", .help = "There is no answer: nothing listens there."})
          .field(&C::times,
                 {.name = "times", .help = "So often; then the next answer that fits. 0: always."})
          .rule("json, text and lines exclude each other",
                [](const C& c) {
                  return (c.json ? 1 : 0) + (c.text.empty() ? 0 : 1) + (c.lines.empty() ? 0 : 1) <=
                         1;
                })
          .rule("path and key exclude each other",
                [](const C& c) { return c.path.empty() || c.key.empty(); })
          .rule("status is from 100 to 599",
                [](const C& c) { return c.status >= 100 && c.status <= 599; });
  return kSpec;
}

}  // namespace streamd
