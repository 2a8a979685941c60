// SPDX-License-Identifier: Apache-2.0
// A .test.yaml as it is written: cases of one pipeline, each a run on a virtual clock. The Specs in
// test_file.cc are its parser, its reference page and its JSON schema.
#pragma once

#include "engine/core/time.h"
#include "engine/testing/named.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace streamd::testing {

// A point in time: so long after the start of the case, or a time of its own.
struct Moment {
  bool absolute = false;
  Duration since{};
  EventTime time{};
  EventTime from(EventTime start) const { return absolute ? time : start + since; }
};

// What a source hands out: one record, or several that differ in their time and number.
struct Given {
  ConfigNode record;  // a scalar: the bytes themselves; a map: a JSON object
  std::optional<Moment> at;
  std::uint64_t repeat = 1;
  Duration every{};
  std::string partition = "0";
};
struct GivenList {
  std::vector<Given> items;
};

// What one place (a node, one of its ports, or a sink) is expected to have got since it was looked
// at last.
struct Expected {
  ConfigNode where;                             // the value as it stands in the file, for --update
  std::optional<std::vector<ConfigNode>> rows;  // maps
  std::optional<std::vector<ConfigNode>> sent;  // maps of what its Rendering names
  bool in_order = false;
  bool exact = false;
  std::optional<std::uint64_t> count, in, out, dead_letters, failed, clamped;
  std::optional<NamedList<std::uint64_t>> dropped;

  bool books() const {
    return in || out || dead_letters || failed || clamped || dropped.has_value();
  }
  bool looks_at_records() const { return rows || sent || count; }
};

struct Entry {  // of a list
  std::string value, comment, type, scenario, origin, scope, source, tags;
  std::optional<double> score;
  Place place;
};
struct EntryList {
  std::vector<Entry> entries;
};

struct ServiceAnswer {
  std::string path;  // path and query; a * at the end stands for anything; empty: any
  std::string key;   // of a table or a GeoIP database
  std::int64_t status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::optional<ConfigNode> json;
  std::string text;
  std::vector<ConfigNode> lines;  // each a JSON value, or a text
  std::optional<Duration> retry_after;
  bool unreachable = false;
  std::uint64_t times = 0;  // then the next one that fits; 0: always
  Place place;
};
struct AnswerList {
  std::vector<ServiceAnswer> items;
};

// In this order.
struct Step {
  bool restart = false;
  NamedList<AnswerList> answers;
  NamedList<EntryList> lists;
  NamedList<std::uint64_t> fails;
  NamedList<GivenList> in;
  Duration after{};
  bool end = false;
  NamedList<Expected> expect;
};

// Its own keys as a step are the last one.
struct Case : Step {
  std::string name;
  std::optional<EventTime> start;
  std::vector<Step> steps;
  ConfigNode where;
};

struct TestFile {
  std::string pipeline;  // empty: NAME.yaml beside NAME.test.yaml
  NamedList<std::string> env;
  std::optional<EventTime> start;
  NamedList<EntryList> lists;
  NamedList<AnswerList> answers;
  std::vector<Case> cases;
};

// 2024-01-01T00:00:00Z
inline constexpr EventTime kDefaultStart{1'704'067'200'000'000};

const Spec<TestFile>& test_file_spec();
const Spec<Case>& case_spec();
const Spec<Step>& step_spec();
const Spec<Expected>& expected_spec();  // the long form

// Reports every mistake; what is wrong is left out of the result.
std::optional<TestFile> read_test_file(const ConfigNode& root, Diagnostics& problems);

}  // namespace streamd::testing

namespace streamd {

#define STREAMD_TEST_FIELD(T)                                            \
  template <>                                                            \
  struct FieldType<testing::T> {                                         \
    static bool read(const ConfigNode&, testing::T& into, Diagnostics&); \
    static std::string name();                                           \
    static std::string json_schema();                                    \
    static std::string show(const testing::T&) { return ""; }            \
  }
STREAMD_TEST_FIELD(AnswerList);
STREAMD_TEST_FIELD(Moment);
STREAMD_TEST_FIELD(GivenList);
STREAMD_TEST_FIELD(Expected);
STREAMD_TEST_FIELD(EntryList);
#undef STREAMD_TEST_FIELD

template <>
struct FieldType<EventTime> {
  static bool read(const ConfigNode& node, EventTime& into, Diagnostics& problems);
  static std::string name() { return "a time as in 2024-01-31T12:00:00Z"; }
  static std::string json_schema() { return R"({"type":"string"})"; }
  static std::string show(const EventTime&) { return ""; }
};

template <>
struct NestedSpec<testing::Given> {
  static const Spec<testing::Given>& spec();
};
template <>
struct NestedSpec<testing::Entry> {
  static const Spec<testing::Entry>& spec();
};
template <>
struct NestedSpec<testing::ServiceAnswer> {
  static const Spec<testing::ServiceAnswer>& spec();
};
template <>
struct NestedSpec<testing::Step> {
  static const Spec<testing::Step>& spec() { return testing::step_spec(); }
};
template <>
struct NestedSpec<testing::Case> {
  static const Spec<testing::Case>& spec() { return testing::case_spec(); }
};

}  // namespace streamd
