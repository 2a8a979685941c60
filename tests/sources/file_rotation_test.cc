// SPDX-License-Identifier: Apache-2.0
// Random rotations of all kinds, with looks at the files between any two of their steps, and
// restarts: each line arrives once.
#include "tests/sources/gzip.h"
#include "tests/sources/tail.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <random>

using namespace streamd;
using namespace streamd::test;
namespace fs = std::filesystem;

namespace {

constexpr int kKept = 4;  // rotated files, log.1 to log.4

std::string text_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// What writes the log, what rotates it, and what follows it.
class Rotations {
 public:
  Rotations(unsigned seed, bool pattern)
      : random_(seed), pattern_(pattern), tail_(path(pattern ? "log*" : "log")) {}

  void step() {
    switch (below(pattern_ ? 5 : 4)) {
      case 0: rename(); break;
      case 1: copy_and_cut(); break;
      case 4: compress(); break;
      default: write(path("log"), below(6));
    }
    look();
  }

  // Until all is read, and what was rotated away has ended.
  void settle() {
    for (int second = 0; second < 45; ++second) {
      read();
      tail_.clock.advance(Duration::from_seconds(1));
    }
  }

  // The lines that did not arrive once: how often each did. Empty: all is well.
  std::string wrong() const {
    std::map<std::string, int> times;
    for (const auto& line : written_) times[line] = 0;
    std::string wrong;
    for (const auto& line : arrived_)
      if (times.contains(line))
        ++times[line];
      else
        wrong += "\"" + line.substr(0, 20) + "\" was never written; ";
    for (const auto& [line, count] : times)
      if (count != 1)
        wrong += line.substr(0, line.find(' ', 5)) + ": " + std::to_string(count) + " times; ";
    return wrong;
  }
  const std::string& story() const { return story_; }

 private:
  std::string path(const std::string& name) const { return dir_.file(name); }
  std::string rotated(int number, bool packed = false) const {
    return path("log." + std::to_string(number) + (packed ? ".gz" : ""));
  }
  int below(int limit) { return static_cast<int>(random_() % static_cast<unsigned>(limit)); }

  void read() {
    for (auto& record : drain(*tail_.reader)) arrived_.push_back(std::move(record.data));
  }
  // What streamd may do between two steps of anybody else.
  void look() {
    const int what = below(10);
    // To a start that knows nothing of a plain path what was rotated is old.
    if (what == 0 && !stays_up_ && (pattern_ || !positions_of(*tail_.reader).empty())) {
      story_ += "restart, ";
      tail_.restart();
    }
    if (what > 6) tail_.clock.advance(Duration::from_seconds(1));
    if (what > 2) {
      story_ += what > 6 ? "scan and read " : "read ";
      const std::size_t before = arrived_.size();
      read();
      story_ += std::to_string(arrived_.size() - before) + ", ";
    }
  }

  void append(const std::string& to, const std::string& text) {
    const bool packed = to.ends_with(".gz");
    story_ += fs::path(to).filename().string() + " + " + (packed ? "" : text.substr(0, 8)) + " " +
              std::to_string(text.size()) + ", ";
    std::ofstream(to, std::ios::binary | std::ios::app) << text;
    // The clock of files ticks too slowly to tell these writes apart.
    fs::last_write_time(to, start_ + std::chrono::seconds(++writes_));
  }
  void write(const std::string& to, int lines) {
    for (; lines > 0; --lines) {
      std::string line = "line " + std::to_string(written_.size()) + " ";
      line.append(static_cast<std::size_t>(below(below(8) == 0 ? 900 : 30)), '.');
      written_.push_back(line);
      line += '\n';
      const auto half = static_cast<std::size_t>(below(static_cast<int>(line.size())));
      if (below(4) > 0) {
        append(to, line);
      } else {
        append(to, line.substr(0, half));
        look();
        append(to, line.substr(half));
      }
    }
  }

  // Makes room for log.1.
  void shift() {
    for (const bool packed : {false, true})
      if (fs::exists(rotated(kKept, packed))) {
        settle();
        fs::remove(rotated(kKept, packed));
      }
    for (int number = kKept - 1; number > 0; --number)
      for (const bool packed : {false, true})
        if (fs::exists(rotated(number, packed)))
          renumber(rotated(number, packed), rotated(number + 1, packed));
  }
  // A folder that is read meanwhile may show neither name. Copies are looked for more thoroughly.
  void renumber(const std::string& from, const std::string& to) {
    if (pattern_ && below(4) == 0) {
      story_ += "unseen, ";
      tail_.clock.advance(Duration::from_seconds(1));
      read();
      fs::rename(from, path("unseen"));
      stays_up_ = true;
      look();
      stays_up_ = false;
      fs::rename(path("unseen"), to);
    } else {
      fs::rename(from, to);
    }
    if (below(4) == 0) look();
  }
  void rename() {
    if (!fs::exists(path("log"))) return;
    story_ += "\nrename: ";
    // What a plain path does not find: an empty log that is renamed and written to around a
    // restart.
    stays_up_ = !pattern_ && fs::file_size(path("log")) == 0;
    shift();
    fs::rename(path("log"), rotated(1));
    look();
    write(rotated(1), below(3));
    look();
    append(path("log"), "");
    write(path("log"), below(4));
    stays_up_ = false;
  }
  void copy_and_cut() {
    if (!fs::exists(path("log"))) return;
    story_ += "\ncopy: ";
    // Under a plain path a log that was cut is looked at before it is renamed.
    if (!pattern_) settle();
    shift();
    const std::string text = text_of(path("log"));
    std::size_t copied = 0;
    append(rotated(1), "");
    while (copied < text.size()) {
      look();
      const std::size_t piece = 1 + random_() % text.size();
      append(rotated(1), text.substr(copied, piece));
      copied += piece;
    }
    look();
    fs::resize_file(path("log"), 0);
    story_ += "cut, ";
    if (below(2) == 0) look();
    write(path("log"), 1 + below(8));
    if (!pattern_) settle();
  }
  void compress() {
    const int number = 1 + below(kKept);
    if (!fs::exists(rotated(number)) || fs::exists(rotated(number, true))) return;
    story_ += "\ncompress " + std::to_string(number) + ": ";
    const std::string text = gzip(text_of(rotated(number)));
    const std::size_t half = random_() % text.size();
    append(rotated(number, true), text.substr(0, half));
    look();
    append(rotated(number, true), text.substr(half));
    look();
    fs::remove(rotated(number));
  }

  std::mt19937 random_;
  bool pattern_;
  bool stays_up_ = false;
  fs::file_time_type start_ = fs::file_time_type::clock::now() - std::chrono::hours(1);
  int writes_ = 0;
  TempDir dir_;
  Tail tail_;
  std::vector<std::string> written_, arrived_;
  std::string story_;
};

}  // namespace

TEST_CASE("Each line arrives once over random rotations and restarts") {
  const bool pattern = GENERATE(true, false);
  for (unsigned seed = 1; seed <= 60; ++seed) {
    Rotations rotations(seed, pattern);
    for (int step = 0; step < 12; ++step) rotations.step();
    rotations.settle();
    INFO("seed " << seed << (pattern ? ", log*" : ", log") << rotations.story());
    REQUIRE(rotations.wrong() == "");
  }
}
