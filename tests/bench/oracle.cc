// SPDX-License-Identifier: Apache-2.0
// bench_oracle [--whole-seconds] MAX_DELAY_US FILE…: the answers of the nginx job by brute force,
// written without the engine's code. Each file is one partition. Prints, tab-separated and one row
// for each window:
//   goal  key  end (unix seconds)  records  sum of request_time in hundredths of a second
//
// Which windows a record counts in: [end - size, end) holds its time, and end lies after its floor,
// the greatest time seen before it in its file minus MAX_DELAY_US.
// --whole-seconds drops the fraction of each time, as an access log does.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <limits>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace {

constexpr std::int64_t kSecond = 1'000'000;

struct Record {
  std::int64_t time = 0, floor = 0;  // microseconds
  std::uint32_t client = 0, host = 0, country = 0;
  int status = 0, hundredths = 0;
};

class Names {
 public:
  std::uint32_t id(std::string_view name) {
    const auto [it, fresh] = ids_.emplace(name, static_cast<std::uint32_t>(names_.size()));
    if (fresh) names_.emplace_back(name);
    return it->second;
  }
  const std::string& name(std::uint32_t id) const { return names_[id]; }
  std::size_t size() const { return names_.size(); }

 private:
  std::unordered_map<std::string, std::uint32_t> ids_;
  std::vector<std::string> names_;
};

[[noreturn]] void refuse(const std::string& line) {
  std::cerr << "not a record of the generator: " << line << '\n';
  std::exit(1);
}

std::string_view field(const std::string& line, std::string_view name) {
  const std::string mark = '"' + std::string(name) + "\":\"";
  const auto at = line.find(mark);
  if (at == std::string::npos) refuse(line);
  const auto from = at + mark.size();
  return std::string_view(line).substr(from, line.find('"', from) - from);
}

// "12.34" with so many digits after the point, as an integer of the smallest unit.
std::int64_t fixed(std::string_view text, std::size_t digits, const std::string& line) {
  const auto point = text.find('.');
  if (point == std::string_view::npos || text.size() - point - 1 != digits) refuse(line);
  std::int64_t value = 0;
  for (const char c : text)
    if (c != '.') value = value * 10 + (c - '0');
  return value;
}

struct Input {
  Names clients, hosts, countries;
  std::vector<Record> records;

  void read(const char* path, std::int64_t max_delay, bool whole_seconds) {
    std::ifstream file(path);
    if (!file) refuse(path);
    std::int64_t newest = std::numeric_limits<std::int64_t>::min();
    for (std::string line; std::getline(file, line);) {
      Record r;
      r.time = fixed(field(line, "@timestamp"), 6, line);
      if (whole_seconds) r.time -= r.time % kSecond;
      r.floor = newest < 0 ? newest : newest - max_delay;
      newest = std::max(newest, r.time);
      r.client = clients.id(field(line, "client_ip"));
      r.host = hosts.id(field(line, "host"));
      r.country = countries.id(field(line, "country"));
      r.status = std::atoi(std::string(field(line, "status")).c_str());
      r.hundredths = static_cast<int>(fixed(field(line, "request_time"), 2, line));
      records.push_back(r);
    }
  }
};

struct Goal {
  const char* name;
  std::int64_t size, every;  // seconds
  std::int64_t more_than;    // records
  const Names* names;
  std::uint32_t Record::*key;
  int status_from, status_to;
};

// All records of second s, for every s from the first to the last.
using Seconds = std::vector<std::vector<const Record*>>;

void answer(const Goal& goal, const Seconds& seconds, std::int64_t first) {
  std::vector<std::int64_t> count(goal.names->size()), sum(goal.names->size());
  const std::int64_t last = first + static_cast<std::int64_t>(seconds.size());
  for (std::int64_t end = first - first % goal.every; end < last + goal.size; end += goal.every) {
    std::fill(count.begin(), count.end(), 0);
    std::fill(sum.begin(), sum.end(), 0);
    for (std::int64_t s = std::max(first, end - goal.size); s < std::min(end, last); ++s)
      for (const Record* r : seconds[static_cast<std::size_t>(s - first)]) {
        if (r->status < goal.status_from || r->status >= goal.status_to) continue;
        if (end * kSecond <= r->floor) continue;
        ++count[r->*goal.key];
        sum[r->*goal.key] += r->hundredths;
      }
    for (std::uint32_t key = 0; key < count.size(); ++key)
      if (count[key] > goal.more_than)
        std::printf("%s\t%s\t%ld\t%ld\t%ld\n", goal.name, goal.names->name(key).c_str(), end,
                    count[key], sum[key]);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const bool whole_seconds = argc > 1 && std::strcmp(argv[1], "--whole-seconds") == 0;
  const int at = whole_seconds ? 2 : 1;
  if (argc < at + 2) {
    std::cerr << "usage: bench_oracle [--whole-seconds] MAX_DELAY_US FILE...\n";
    return 2;
  }
  Input input;
  for (int i = at + 1; i < argc; ++i) input.read(argv[i], std::atol(argv[at]), whole_seconds);
  if (input.records.empty()) return 0;
  std::int64_t first = std::numeric_limits<std::int64_t>::max(), last = 0;
  for (const Record& r : input.records) {
    first = std::min(first, r.time / kSecond);
    last = std::max(last, r.time / kSecond);
  }
  Seconds seconds(static_cast<std::size_t>(last - first + 1));
  for (const Record& r : input.records)
    seconds[static_cast<std::size_t>(r.time / kSecond - first)].push_back(&r);
  const Goal goals[] = {
      {"goal1", 20, 1, 10, &input.clients, &Record::client, 0, 1000},
      {"goal2", 30, 1, 15, &input.hosts, &Record::host, 400, 500},
      {"goal3", 60, 60, 0, &input.countries, &Record::country, 200, 300},
      {"goal4", 60, 60, 0, &input.hosts, &Record::host, 0, 1000},
  };
  for (const Goal& goal : goals) answer(goal, seconds, first);
  return 0;
}
