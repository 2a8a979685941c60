// SPDX-License-Identifier: Apache-2.0
// JsonShape: what the records of one writer have in common, learnt from a record that the complete
// decoder accepted. A record that repeats the learnt text between its values, and whose strings are
// plain ASCII without escapes, is valid by that and needs no tokens; about any other record a shape
// says nothing. Flat objects only. Private to codec/; one thread.
#pragma once

#include "engine/api/source.h"
#include "engine/codec/json_fields.h"
#include "engine/core/value.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace streamd {

class JsonShape {
 public:
  // Bytes behind a record that may be read when it is matched.
  static constexpr std::size_t kPadding = 64;

  // A literal, then a value. The last step has the literal that ends the record and no value.
  struct alignas(64) Step {
    enum class Value : std::uint8_t { string, scalar, none };
    std::array<char, 32> literal{};  // its first bytes
    std::uint32_t mask = 0;          // a bit for each byte of `literal` that counts
    std::uint32_t size = 0;          // of the whole literal
    const char* text = nullptr;      // the whole literal
    std::int64_t slot = -1;          // column of the value, if any wants it
    Value value = Value::none;
    bool usual = false;  // a string behind a short literal
  };
  using Steps = std::vector<Step>;

  JsonShape() = default;
  // A record of the complete decoder with its tokens (JsonIndex). Without steps when it is not
  // flat.
  JsonShape(std::string_view record, const std::uint32_t* tokens, std::uint32_t count,
            JsonFields& fields);
  JsonShape(JsonShape&&) = default;
  JsonShape& operator=(JsonShape&&) = default;

  bool empty() const { return steps_.empty(); }
  bool operator==(const JsonShape& other) const;
  const Steps& steps() const { return steps_; }

 private:
  Steps steps_;
  std::vector<char> text_;  // of all literals
};

// The two shapes that came last, and whether it pays to try them.
class JsonShapes {
 public:
  // How bytes are looked at; what a CPU does not have must not be asked for.
  enum class Look : std::uint8_t { bytes, sse2, avx2 };
  static Look best_look();

  explicit JsonShapes(Look look = best_look());
  // How many records from `from` on are valid ones of these shapes; their wanted values are then in
  // cells[column], from `row` on. About the record behind them ask the complete decoder. cells have
  // room for all records; what is not found there stays missing.
  std::size_t match(const RawBatch& in, std::size_t from, std::span<Value* const> cells,
                    std::size_t row);
  // The complete decoder accepted the record at which match() stopped.
  void missed(std::string_view record, const std::uint32_t* tokens, std::uint32_t count,
              JsonFields& fields);

 private:
  std::size_t copy(const RawRecord* records, std::size_t count);
  std::size_t match_some(const RawRecord* records, std::size_t count, const char* copies,
                         std::span<Value* const> cells, std::size_t row);
  bool worth_learning();

  Look look_;
  std::array<JsonShape, 2> shapes_;
  std::size_t newest_ = 0;      // the one that matched last
  std::string copy_;            // of records without padding
  std::uint32_t hits_ = 0;      // since the last miss
  std::uint32_t misses_ = 0;    // since a shape was learnt last
  std::uint32_t patience_ = 1;  // misses before another one is learnt
  int credit_ = 0;              // falls with every miss; below 0 the shapes rest
  std::uint32_t rest_ = 0;      // records that go straight to the complete decoder
};

}  // namespace streamd
