// SPDX-License-Identifier: Apache-2.0
// ChangeSet: an ordered list of puts and erases, packed into one buffer but for large values, which
// are kept as they came. What a worker hands to the coordinator for an epoch, and what a backend
// writes in one go. One thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace streamd {

class ChangeSet {
 public:
  enum class Kind : std::uint8_t { put, erase, erase_range };

  void put(std::string_view key, std::string_view value) { add(Kind::put, key, value); }
  // The same without a copy of the value.
  void hand_over(std::string_view key, std::string value) {
    add(Kind::put, key, {});
    ops_.back().large = true;
    ops_.back().second = static_cast<std::uint32_t>(large_.size());
    large_.push_back(std::move(value));
  }
  void erase(std::string_view key) { add(Kind::erase, key, {}); }
  // Every key in [from, to).
  void erase_range(std::string_view from, std::string_view to) { add(Kind::erase_range, from, to); }
  void append(ChangeSet other);

  // f(Kind, key or from, value or to)
  template <class F>
  void each(F f) const {
    for (const auto& op : ops_) f(op.kind, first(op), second(op));
  }
  std::size_t size() const { return ops_.size(); }
  std::size_t bytes() const;
  bool empty() const { return ops_.empty(); }
  void clear() { *this = {}; }

  // One string and back, for an epoch that is written before it counts. False: not such a string.
  std::string encode() const;
  static bool decode(std::string_view bytes, ChangeSet& into);

 private:
  struct Op {
    Kind kind;
    bool large;  // the value is large_[second]
    std::size_t at;
    std::uint32_t first, second;
  };
  std::string_view first(const Op& op) const {
    return std::string_view(bytes_).substr(op.at, op.first);
  }
  std::string_view second(const Op& op) const {
    if (op.large) return large_[op.second];
    return std::string_view(bytes_).substr(op.at + op.first, op.second);
  }
  void add(Kind kind, std::string_view a, std::string_view b) {
    ops_.push_back({kind, false, bytes_.size(), static_cast<std::uint32_t>(a.size()),
                    static_cast<std::uint32_t>(b.size())});
    bytes_.append(a).append(b);
  }
  std::vector<Op> ops_;
  std::string bytes_;
  std::vector<std::string> large_;
};

}  // namespace streamd
