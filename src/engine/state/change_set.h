// SPDX-License-Identifier: Apache-2.0
// ChangeSet: an ordered list of puts and erases, packed into one buffer. What a worker hands to the
// coordinator for an epoch, and what a backend writes in one go. One thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace streamd {

class ChangeSet {
 public:
  enum class Kind : std::uint8_t { put, erase, erase_range };

  void put(std::string_view key, std::string_view value) { add(Kind::put, key, value); }
  void erase(std::string_view key) { add(Kind::erase, key, {}); }
  // Every key in [from, to).
  void erase_range(std::string_view from, std::string_view to) { add(Kind::erase_range, from, to); }
  void append(const ChangeSet& other) {
    other.each([this](Kind kind, std::string_view a, std::string_view b) { add(kind, a, b); });
  }

  // f(Kind, key or from, value or to)
  template <class F>
  void each(F f) const {
    for (const auto& op : ops_) {
      const std::string_view bytes = bytes_;
      f(op.kind, bytes.substr(op.at, op.first), bytes.substr(op.at + op.first, op.second));
    }
  }
  std::size_t size() const { return ops_.size(); }
  std::size_t bytes() const { return bytes_.size(); }
  bool empty() const { return ops_.empty(); }
  void clear() {
    ops_.clear();
    bytes_.clear();
  }

  // One string and back, for an epoch that is written before it counts. False: not such a string.
  std::string encode() const;
  static bool decode(std::string_view bytes, ChangeSet& into);

 private:
  struct Op {
    Kind kind;
    std::size_t at;
    std::uint32_t first, second;
  };
  void add(Kind kind, std::string_view a, std::string_view b) {
    ops_.push_back({kind, bytes_.size(), static_cast<std::uint32_t>(a.size()),
                    static_cast<std::uint32_t>(b.size())});
    bytes_.append(a).append(b);
  }
  std::vector<Op> ops_;
  std::string bytes_;
};

}  // namespace streamd
