// SPDX-License-Identifier: Apache-2.0
// A shape only saves work: whatever it accepts, a decoder that never learnt one gives the same.
#include "engine/codec/json_shape.h"

#include "engine/codec/json_index.h"
#include "tests/engine/codec/support.h"
#include "tests/support/catch.h"

#include <algorithm>
#include <random>

using namespace streamd;
using namespace streamd::test;
using namespace std::string_literals;

namespace {

const std::vector<std::string> kFields = {"a", "status", "x.y", "@timestamp", "a", "none"};
const std::string kRecord =
    R"({"a":"s_v3","status":201,"x.y":"0.36","long":"0123456789012345678901234567890123456789",)"
    R"( "flag" : true,"a_name_that_is_longer_than_a_vector_of_32":null,"n":-1.5e3,"a":"last",)"
    R"("@timestamp":"1704067199.345590"})";

// Records with `padding` bytes behind each that look like more of the record.
struct Padded {
  RawBatch in;
  std::vector<std::unique_ptr<char[]>> bytes;
  Padded(const std::vector<std::string>& records, std::size_t padding) {
    in.padding = padding;
    for (const std::string& record : records) {
      auto copy = std::make_unique<char[]>(record.size() + padding);
      std::copy(record.begin(), record.end(), copy.get());
      for (std::size_t i = 0; i < padding; ++i) copy[record.size() + i] = "\",:}x"[i % 5];
      in.records.push_back({{copy.get(), record.size()}});
      bytes.push_back(std::move(copy));
    }
  }
};

std::string shown(const Value& v) {
  std::string text(kind_name(v.kind()));
  if (v.absent()) return text;
  text += ':';
  if (v.is(Kind::string) || v.is(Kind::json)) return text.append(v.text());
  append_json(v, text);
  return text;
}

std::string shown(const Decoded& out, std::size_t row) {
  std::string text;
  for (const auto& column : out.columns) text += shown((*column)[row]) + "|";
  return text;
}

// What a decoder says that sees the record first of all.
std::string complete(const DecodeConfig& config, const std::string& record) {
  const One one = decode_one(*make_decoder(config, kFields), record);
  if (!one.good()) return one.code() + ": " + one.reason();
  return shown(one.out, 0) + (one.out.repaired.empty() ? "" : "repaired");
}

// All records through one decoder that has seen kRecord.
void check_same(const std::vector<std::string>& records, std::size_t padding,
                const DecodeConfig& config = {}) {
  const auto decoder = make_decoder(config, kFields);
  Decoded out;
  const Padded known({kRecord, kRecord, kRecord}, padding);
  decoder->decode(known.in, out);
  REQUIRE(out.records.size() == 3);
  const Padded all(records, padding);
  decoder->decode(all.in, out);
  REQUIRE(out.records.size() + out.bad.size() == records.size());
  std::vector<std::string> got(records.size());
  for (std::size_t row = 0; row < out.records.size(); ++row) {
    got[out.records[row]] = shown(out, row);
    for (const auto& [repaired, text] : out.repaired) {
      if (repaired == row) got[out.records[row]] += "repaired";
    }
  }
  for (const auto& bad : out.bad) got[bad.record] = std::string(bad.code) + ": " + bad.reason;
  for (std::size_t i = 0; i < records.size(); ++i) {
    INFO("record " << records[i]);
    REQUIRE(got[i] == complete(config, records[i]));
  }
}

// Each record between two good ones, so that shapes are neither forgotten nor given up.
std::vector<std::string> between_good_ones(const std::vector<std::string>& records) {
  std::vector<std::string> all;
  for (const std::string& record : records) {
    for (int i = 0; i < 3; ++i) all.push_back(kRecord);
    all.push_back(record);
  }
  return all;
}

std::vector<JsonShapes::Look> looks() {
  std::vector<JsonShapes::Look> all = {JsonShapes::Look::bytes};
  if (JsonShapes::best_look() != JsonShapes::Look::bytes) all.push_back(JsonShapes::Look::sse2);
  if (JsonShapes::best_look() == JsonShapes::Look::avx2) all.push_back(JsonShapes::Look::avx2);
  return all;
}

// Shapes on their own, with their columns.
struct Alone {
  explicit Alone(JsonShapes::Look look) : shapes(look) {}
  JsonFields fields{kFields};
  JsonIndex index;
  JsonShapes shapes;
  std::vector<Column> columns{kFields.size(), Column(64)};

  void learn(const std::string& record) {
    REQUIRE(index.build(record));
    shapes.missed(record, index.tokens(), index.count(), fields);
  }
  std::size_t match(const RawBatch& in) {
    std::vector<Value*> cells;
    for (Column& column : columns) cells.push_back(column.data());
    return shapes.match(in, 0, cells, 0);
  }
};

}  // namespace

TEST_CASE("Records of one shape are matched without the complete decoder") {
  for (const auto look : looks()) {
    for (const std::size_t padding : {std::size_t{0}, std::size_t{63}, JsonShape::kPadding}) {
      Alone alone(look);
      std::vector<std::string> records(37, kRecord);
      for (std::size_t i = 0; i < records.size(); ++i) {
        records[i].replace(records[i].find("last"), 4, std::string(i, 'v'));
        records[i].replace(records[i].find("201"), 3, std::to_string(i));
      }
      const Padded all(records, padding);
      CHECK(alone.match(all.in) == 0);
      alone.learn(kRecord);
      REQUIRE(alone.match(all.in) == records.size());
      for (std::size_t i = 0; i < records.size(); ++i) {
        CHECK(alone.columns[4][i].text() == std::string(i, 'v'));
        CHECK(alone.columns[4][i].text().data() > all.in.records[i].data.data());
        CHECK(alone.columns[1][i].as_int() == static_cast<std::int64_t>(i));
        CHECK(alone.columns[2][i].text() == "0.36");
      }
    }
  }
}

TEST_CASE("Matching ends before the record that differs, wherever it stands") {
  std::string other = kRecord;
  other.replace(other.find("@timestamp"), 10, "@timestomp");
  for (const auto look : looks()) {
    for (const std::size_t padding : {std::size_t{0}, JsonShape::kPadding}) {
      for (std::size_t at = 0; at < 10; ++at) {
        Alone alone(look);
        alone.learn(kRecord);
        std::vector<std::string> records(10, kRecord);
        records[at] = other;
        const Padded all(records, padding);
        REQUIRE(alone.match(all.in) == at);
        for (std::size_t i = 0; i < records.size(); ++i) {
          CHECK(alone.columns[2][i].is(i < at ? Kind::string : Kind::missing));
          CHECK(alone.columns[4][i].is(i < at ? Kind::string : Kind::missing));
        }
      }
    }
  }
}

TEST_CASE("No way of looking at bytes accepts what JSON refuses") {
  const std::string record = R"({"a":"0123456789012345678901234567890123","status":1,"n":"x"})";
  for (const auto look : looks()) {
    Alone alone(look);
    alone.learn(record);
    for (std::size_t at = 0; at < record.size(); ++at) {
      for (int c = 0; c < 256; ++c) {
        std::string changed = record;
        changed[at] = static_cast<char>(c);
        const Padded one({changed}, JsonShape::kPadding);
        if (alone.match(one.in) == 0) continue;
        INFO("record " << changed);
        REQUIRE(decode_one(*make_decoder({}, {}), changed).good());
        std::string plain = changed;
        REQUIRE(std::none_of(plain.begin(), plain.end(), [](char b) {
          return b == '\\' || static_cast<signed char>(b) < 0x20;
        }));
      }
      const Padded cut({record.substr(0, at)}, JsonShape::kPadding);
      REQUIRE(alone.match(cut.in) == 0);
    }
  }
}

TEST_CASE("A changed byte gives what the complete decoder gives") {
  std::vector<std::string> records;
  for (std::size_t at = 0; at < kRecord.size(); ++at) {
    for (const char c : "\"\\{}[]:, \t\n0-.eEx\x01\x7F\x80\xC3\xFF"s) {
      if ((at + static_cast<unsigned char>(c)) % 3 != 0) continue;
      records.push_back(kRecord);
      records.back()[at] = c;
    }
  }
  check_same(between_good_ones(records), GENERATE(std::size_t{0}, JsonShape::kPadding));
}

TEST_CASE("A byte less or more gives what the complete decoder gives") {
  std::vector<std::string> records;
  for (std::size_t at = 0; at <= kRecord.size(); ++at) {
    records.push_back(kRecord.substr(0, at));
    records.push_back(kRecord.substr(at));
    for (const char c : "\" }1"s) {
      records.push_back(kRecord);
      records.back().insert(at, 1, c);
    }
    if (at < kRecord.size()) records.push_back(std::string(kRecord).erase(at, 1));
  }
  check_same(between_good_ones(records), GENERATE(std::size_t{0}, JsonShape::kPadding));
}

TEST_CASE("Values of every kind and records of other shapes give what the complete decoder gives") {
  const std::vector<std::string> values = {"\"\"",
                                           "\"plain\"",
                                           "\"caf\u00e9\"",
                                           "\"\\u00e9\\n\"",
                                           "\"\\q\"",
                                           "\"\xE9\"",
                                           "\"a\tb\"",
                                           "\"01234567890123456789012345678901\"",
                                           "\"012345678901234567890123456789012345678901234\"",
                                           "0",
                                           "-0",
                                           "01",
                                           "12",
                                           "-12",
                                           "1.5",
                                           "1.",
                                           ".5",
                                           "1e3",
                                           "1E+400",
                                           "18446744073709551615",
                                           "123456789012345678901234567890",
                                           "true",
                                           "false",
                                           "null",
                                           "tru",
                                           "nul",
                                           "nulll",
                                           "{}",
                                           "{\"y\":1}",
                                           "[1,\"}\"]",
                                           "[",
                                           "",
                                           " 1 ",
                                           " \"x\" "};
  const std::vector<std::string> keys = {"a", "status", "x.y", "x", "@timestamp", "\\u0061", "k"};
  std::mt19937 random(7);
  std::vector<std::string> records;
  for (int i = 0; i < 1500; ++i) {
    std::string record = "{";
    const std::size_t members = random() % 5;
    for (std::size_t m = 0; m < members; ++m) {
      if (m > 0) record += random() % 8 == 0 ? " , " : ",";
      record += "\"" + keys[random() % keys.size()] + "\":" + values[random() % values.size()];
    }
    records.push_back(record + (random() % 16 == 0 ? "} " : "}"));
    for (std::size_t again = random() % 3; again > 0; --again) records.push_back(records.back());
  }
  const DecodeConfig repairing{DecodeConfig::Kind::access_log, "json"};
  check_same(records, GENERATE(std::size_t{0}, JsonShape::kPadding),
             GENERATE_COPY(DecodeConfig{}, repairing));
}

TEST_CASE("Two shapes in turn are both matched, many shapes are given up") {
  Alone alone(JsonShapes::best_look());
  const std::string one = R"({"a":"1"})", two = R"({"b":2,"a":"1"})";
  alone.learn(one);
  alone.learn(two);
  alone.learn(two);
  const Padded both({one, two, two, one, two, one, one}, 0);
  CHECK(alone.match(both.in) == 7);
  for (int i = 0; i < 20; ++i) {
    const std::string other = "{\"k" + std::to_string(i) + "\":0}";
    const Padded in({other}, 0);
    CHECK(alone.match(in.in) == 0);
    alone.learn(other);
  }
  CHECK(alone.match(both.in) == 0);
  for (int i = 0; i < 1020; ++i) alone.learn(one);
  CHECK(alone.match(both.in) >= 1);
}
