// SPDX-License-Identifier: Apache-2.0
// Any bytes as the rows that operators with a state per key have stored. The first byte says how
// many workers read them first and how many then; the rest are rows: group, number, length of the
// value (2 bytes), value. What can be restored must go on working, and other numbers of workers
// must find in the next checkpoint's rows what was remembered.
#include "engine/core/check.h"
#include "operators/key_states.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace {

using namespace streamd;

constexpr std::uint64_t kSeed = 42;

struct Counted {
  std::uint64_t n = 0;
  void encode(std::string& out) const { window::put_varint(out, n); }
  bool decode(std::string_view in) { return window::take_varint(in, n) && in.empty(); }
  bool gone() const { return n % 8 == 7; }
};

using States = KeyStates<Counted>;
using Rows = std::map<std::pair<unsigned, std::string>, std::string>;
using Known = std::map<std::string, std::uint64_t>;

class Reader final : public StateReader {
 public:
  explicit Reader(const Rows& rows) : rows_(rows) {}
  Status scan(const Visit& visit) override {
    for (const auto& [at, value] : rows_) STREAMD_TRY(visit(at.first, at.second, value));
    return {};
  }

 private:
  const Rows& rows_;
};

class Writer final : public StateWriter {
 public:
  explicit Writer(Rows& rows) : rows_(rows) {}
  void put(unsigned group, std::string_view sub_key, std::string_view value) override {
    rows_.insert_or_assign({group, std::string(sub_key)}, std::string(value));
  }
  void erase(unsigned group, std::string_view sub_key) override {
    rows_.erase({group, std::string(sub_key)});
  }
  void erase_range(unsigned, std::string_view, std::string_view) override {}

 private:
  Rows& rows_;
};

Rows rows_of(std::string_view in) {
  Rows rows;
  while (in.size() >= 4) {
    const unsigned group = static_cast<unsigned char>(in[0]);
    const auto number = static_cast<unsigned char>(in[1]);
    const std::size_t size = static_cast<std::size_t>(static_cast<unsigned char>(in[2])) * 256 +
                             static_cast<unsigned char>(in[3]);
    const std::string_view value = in.substr(4, size);
    in.remove_prefix(4 + value.size());
    rows.insert_or_assign({group, window::key_row_key(number)}, std::string(value));
  }
  return rows;
}

// Several workers and what is on disk.
class Process {
 public:
  // Null: the rows are damaged.
  static std::unique_ptr<Process> start(Rows rows, unsigned workers) {
    std::unique_ptr<Process> made(new Process(std::move(rows), workers));
    for (auto& states : made->workers_) {
      Reader reader(made->rows_);
      if (!states.restore(reader)) return nullptr;
    }
    return made;
  }
  void change(const std::string& key) {
    const std::uint64_t hash = hash_key(key, kSeed);
    const unsigned owner = owner_of(key_group(hash), static_cast<unsigned>(workers_.size()));
    if (Counted* state = workers_[owner].change(key, hash, 5)) ++state->n;
  }
  const Rows& checkpoint() {
    for (auto& states : workers_) {
      Writer writer(rows_);
      states.checkpoint(writer);
    }
    return rows_;
  }
  Known known() {
    Known all;
    for (auto& states : workers_)
      states.each([&](std::string_view key, const Counted& state) {
        STREAMD_CHECK(all.emplace(key, state.n).second, "a key belongs to one worker");
      });
    return all;
  }

 private:
  Process(Rows rows, unsigned workers) : rows_(std::move(rows)) {
    const States::Limits limits{.keep = std::numeric_limits<std::int64_t>::max() / 2,
                                .max_keys = 1000};
    for (unsigned w = 0; w < workers; ++w)
      workers_.emplace_back(window::Share{w, workers}, kSeed, limits);
  }

  Rows rows_;
  std::deque<States> workers_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const unsigned first = 1 + data[0] % 3, then = 1 + data[0] / 3 % 3;
  const auto process =
      Process::start(rows_of({reinterpret_cast<const char*>(data) + 1, size - 1}), first);
  if (!process) return 0;
  for (const char* key : {"new", "a", "new"}) process->change(key);
  for (int checkpoints = 0; checkpoints < 2; ++checkpoints) {
    const Rows rows = process->checkpoint();
    const Known known = process->known();
    const auto again = Process::start(rows, then);
    STREAMD_CHECK(again && again->known() == known, "another start remembers the same");
    // Who finds rows of another number of workers looks at all keys, and forgets those that are
    // gone.
    const auto third = Process::start(again->checkpoint(), first);
    STREAMD_CHECK(third && third->known() == again->known(), "and so does the next one");
    process->change("later");
  }
  return 0;
}
