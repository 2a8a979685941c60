// SPDX-License-Identifier: Apache-2.0
// A small database in MaxMind's format (version 2.0, records of 24 bits), made byte by byte.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace streamd::test {

class MmdbBytes {
 public:
  explicit MmdbBytes(unsigned ip_version) : ip_version_(ip_version) { nodes_.push_back({0, 0}); }

  // Data, to be nested.
  static std::string text(const std::string& s) { return head(2, s.size()) + s; }
  static std::string number(std::uint32_t n) {
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8)
      if (n >> shift != 0) bytes.push_back(static_cast<char>(n >> shift));
    return head(6, bytes.size()) + bytes;
  }
  static std::string map(const std::vector<std::pair<std::string, std::string>>& entries) {
    std::string out = head(7, entries.size());
    for (const auto& [key, value] : entries) out += text(key) + value;
    return out;
  }
  static std::string array(const std::vector<std::string>& items) {
    std::string out = head(11, items.size());
    for (const auto& item : items) out += item;
    return out;
  }

  // address: 16 bytes for version 6 (IPv4 below ::/96), 4 for version 4.
  void add(const std::string& address, unsigned prefix, const std::string& data) {
    std::size_t at = 0;
    for (unsigned bit = 0; bit < prefix; ++bit) {
      const unsigned side = (static_cast<unsigned char>(address[bit / 8]) >> (7 - bit % 8)) & 1u;
      if (bit + 1 == prefix) {
        nodes_[at][side] = -static_cast<std::int64_t>(data_.size()) - 1;
        data_ += data;
        return;
      }
      if (nodes_[at][side] <= 0) {
        nodes_[at][side] = static_cast<std::int64_t>(nodes_.size());
        nodes_.push_back({0, 0});
      }
      at = static_cast<std::size_t>(nodes_[at][side]);
    }
  }

  std::string bytes() const {
    const auto count = static_cast<std::int64_t>(nodes_.size());
    std::string out;
    for (const auto& node : nodes_)
      for (const std::int64_t side : node) {
        const std::int64_t record = side == 0 ? count : side > 0 ? side : count + 16 + (-side - 1);
        for (int shift = 16; shift >= 0; shift -= 8)
          out.push_back(static_cast<char>(record >> shift));
      }
    out += std::string(16, '\0') + data_ + "\xAB\xCD\xEFMaxMind.com";
    return out + map({{"node_count", number(static_cast<std::uint32_t>(count))},
                      {"record_size", small(24)},
                      {"ip_version", small(ip_version_)},
                      {"database_type", text("Test")},
                      {"languages", array({text("en")})},
                      {"binary_format_major_version", small(2)},
                      {"binary_format_minor_version", small(0)},
                      {"build_epoch", head(9, 1) + "\1"},
                      {"description", map({{"en", text("test")}})}});
  }

 private:
  static std::string head(unsigned type, std::size_t size) {
    std::string out;
    const unsigned low = size < 29 ? static_cast<unsigned>(size) : 29;
    if (type < 8) {
      out.push_back(static_cast<char>(type << 5 | low));
    } else {
      out.push_back(static_cast<char>(low));
      out.push_back(static_cast<char>(type - 7));
    }
    if (low == 29) out.push_back(static_cast<char>(size - 29));
    return out;
  }
  // An unsigned number of 16 bits.
  static std::string small(unsigned n) { return head(5, 1) + static_cast<char>(n); }

  unsigned ip_version_;
  std::vector<std::array<std::int64_t, 2>> nodes_;  // 0: nothing; above: a node; below: -1 - data
  std::string data_;
};

}  // namespace streamd::test
