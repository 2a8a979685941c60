// SPDX-License-Identifier: Apache-2.0
// Oracle: what a window node must emit, by brute force over plain records and without any of the
// operator's code. Every record is kept for ever; every window is computed from its records.
#pragma once

#include <cmath>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace streamd::test {

enum class Emits { close, threshold, changed };

struct OracleRules {
  std::int64_t size = 0, every = 0;  // tumbling and sliding
  std::int64_t gap = 0, max = 0;     // sessions when gap > 0
  Emits emits = Emits::close;
  // having: `n > more_than`, `d > different`, `mx > above`, several of them, or none.
  std::optional<std::int64_t> more_than, different;
  std::optional<double> above;
};

// x: nothing = the field is missing or null; halves only, so that every sum is exact.
struct OracleRecord {
  std::string key;
  std::int64_t time = 0;
  std::int64_t floor = INT64_MIN;
  std::optional<double> x;
  bool whole = false;  // x is an int
};

// Rounded to where two ways to compute a logarithm agree.
inline double nanos(double value) { return std::round(value * 1e9) / 1e9; }

struct OracleRow {
  std::string exact;  // key, window, time and every value but the quantile, as text
  std::optional<double> quantile;
  bool operator<(const OracleRow& other) const { return exact < other.exact; }
};

class Oracle {
 public:
  explicit Oracle(OracleRules rules) : rules_(rules) {}
  void record(const OracleRecord& record);
  void watermark(std::int64_t w);

  std::vector<OracleRow> rows;
  std::size_t late = 0;

 private:
  struct Kept : OracleRecord {
    std::int64_t after = 0;          // counts in windows that end after this
    std::int64_t waits = INT64_MIN;  // for this boundary; then it counts
    bool inserted = true;
  };
  struct Session {
    std::int64_t start, last;
    bool fired = false;
    std::vector<Kept> records;
  };
  struct Key {
    std::vector<Kept> records;
    // emit threshold: where the runs of passing windows that were told begin; of closed ones, one.
    std::set<std::int64_t> told;
    std::optional<std::string> emitted;  // values of the previous boundary's row
    std::int64_t emitted_at = INT64_MIN;
    std::vector<Session> sessions;
  };

  std::vector<Kept> content(const Key& key, std::int64_t end) const;
  bool passes(const std::vector<Kept>& records) const;
  OracleRow row(const std::string& key, const std::vector<Kept>& records, std::int64_t start,
                std::int64_t end, std::int64_t time, std::string* values = nullptr) const;
  void check(const std::string& name, Key& key, const Kept& record);
  bool is_told(Key& key, std::int64_t end, std::int64_t first) const;
  void boundary(std::int64_t end);
  void threshold_boundary(const std::string& name, Key& key, std::int64_t end);
  void session_record(const OracleRecord& record);
  void session_watermark(std::int64_t w);
  std::int64_t end_of(const Session& s) const;

  OracleRules rules_;
  // Length first, then bytes: the order of encoded text keys shorter than 256 bytes.
  struct ByEncoding {
    bool operator()(const std::string& a, const std::string& b) const {
      return a.size() != b.size() ? a.size() < b.size() : a < b;
    }
  };
  std::map<std::string, Key, ByEncoding> keys_;
  std::int64_t w_ = INT64_MIN / 2;
};

std::string show(double value);  // as many digits as it takes

}  // namespace streamd::test
