// SPDX-License-Identifier: Apache-2.0
// `by` of operators that work per key: names of fields and expressions. KeyParts is what the file
// says, KeyColumns the same bound to a schema (const, shared by all workers), KeyReader reads the
// keys of one batch after the other (one per worker). Keys are encoded as in core/key.h.
//
// A text made of letters, digits, `_`, `@` and dots names a field, be it one inside a column that
// some node has made; everything else is CEL. A record without one of the fields, or for which an
// expression fails, has no key.
#pragma once

#include "engine/api/diagnostics.h"
#include "engine/api/emitter.h"
#include "engine/core/arena.h"
#include "engine/core/key.h"
#include "engine/expr/expression.h"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace streamd {

class KeyColumns {
 public:
  struct Part {
    std::string text;
    std::optional<std::size_t> column;     // a field
    std::optional<expr::Program> program;  // neither: a field that no record has
  };
  std::vector<Part> parts;

  // False when the engine cannot send records by their columns alone.
  bool plain() const;
  // hash_key() of each record's key, by physical row; of records without a key, anything.
  void hash(const Batch& in, std::uint64_t seed, std::vector<std::uint64_t>& by_row) const;
};

class KeyParts {
 public:
  // Reports what does not parse and leaves it out.
  static KeyParts parse(const std::vector<ExprText>& by, Diagnostics& problems);

  void fields(std::set<std::string>& into) const;
  // As OperatorPlan::key_fields().
  std::vector<std::string> key_fields() const;
  // Canonical: decides what stored keys mean.
  std::string text() const;
  // Reports unknown fields of a closed schema at their places.
  KeyColumns bind(const Schema& in, Diagnostics& problems) const;

 private:
  struct Part {
    ExprText text;
    std::string field;                           // empty: an expression
    std::optional<expr::Expression> expression;  // a field with dots is one too
  };
  std::vector<Part> parts_;
};

// hash_key() of the key that was read from a physical row; the exchange may have made it already.
inline std::uint64_t key_hash(const Batch& in, std::uint32_t row, std::string_view key,
                              std::uint64_t seed) {
  return in.key_hashes() != nullptr ? (*in.key_hashes())[row] : hash_key(key, seed);
}

class KeyReader {
 public:
  explicit KeyReader(const KeyColumns& key) : key_(key) {}

  // Evaluates the expressions of a batch, which must outlive the calls of append().
  void start(const Batch& in);
  // Appends the key of a physical row of selected ones. False: it has none, and fault() says why.
  bool append(std::uint32_t row, std::string& key);
  Fault fault() const { return {code_, reason_}; }
  // The values of a key of one part, by physical row; null: of several, or of a field that no
  // record has. A text among them is a key that need not be encoded to be found.
  const Value* only() const { return columns_.size() == 1 ? columns_[0] : nullptr; }

 private:
  const KeyColumns& key_;
  Arena arena_;
  std::vector<std::vector<Value>> evaluated_;
  std::vector<const Value*> columns_;  // null: a field that no record has
  std::string_view code_;
  std::string reason_;
};

}  // namespace streamd
