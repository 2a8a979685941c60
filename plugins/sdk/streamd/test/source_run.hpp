// SPDX-License-Identifier: Apache-2.0
// A source of a plugin at work:
//
//   sd::test::SourceRun run(streamd_plugin(), "counter", {{"count", "3"}});
//   run.pull();
//   sd::test::equal(run.records.at(0).bytes, R"({"number": 0})");
#pragma once

#include "../source.hpp"
#include "host.hpp"

#include <algorithm>

namespace sd::test {

class SourceRun final : public detail::Host {
 public:
  struct Brought {
    std::string bytes;
    std::uint64_t position = 0;
    std::int64_t arrival = 0;
  };

  // position: as an earlier run's checkpoint has it. Throws WrongSettings, sd::Retry, sd::Failed.
  SourceRun(const sd_plugin* plugin, std::string_view type, Settings settings = {},
            std::string position = {})
      : source_(detail::find(plugin->sources, plugin->source_count, type,
                             [](const sd_source& source) { return source.spec->type; })),
        saved_(std::move(position)) {
    config_ = read_settings(*source_.spec, settings);
    check_config(source_.check, *source_.spec);
    open();
  }
  ~SourceRun() { close(); }

  std::vector<Brought> records;

  // Throws sd::Retry when the source says so.
  Pulled pull(std::size_t max_records = 100, Duration max_wait = Duration(0)) {
    room_ = max_records;
    return static_cast<Pulled>(
        enter(detail::During::pull, "pull()", {SD_IDLE, SD_END, SD_RETRY},
              [&] { return source_.pull(self_, max_records, max_wait.count()); }));
  }
  std::string position() {
    told_.reset();
    enter(detail::During::position, "position()", {}, [&] { return source_.position(self_); });
    if (!told_) throw Misuse("position() did not call host->position()");
    return *told_;
  }
  // All that was brought so far is safe.
  void checkpoint() {
    saved_ = position();
    if (source_.acknowledge == nullptr) return;
    Borrowed memory;
    const sd_view saved = memory.text(saved_);
    enter(detail::During::other, "acknowledge()", {SD_RETRY},
          [&] { return source_.acknowledge(self_, saved); });
  }
  // As kill -9: opens at the last checkpoint.
  void crash() {
    close();
    last_.reset();
    open();
  }

 private:
  void open() {
    Borrowed memory;
    const sd_value* values = lend_config(memory);
    const sd_view position = memory.text(saved_);
    enter(detail::During::create, "open()", {SD_RETRY},
          [&] { return source_.open(&table_, task(), values, position, &self_); });
    alive_ = true;
  }
  void close() {
    if (alive_) source_.close(self_);
    alive_ = false;
  }
  sd_code on_record(sd_view data, std::uint64_t position, std::int64_t arrival) override {
    if (!in({detail::During::pull})) return misuse("record() outside of pull()");
    if (room_ == 0) return misuse("pull() brought more than max_records");
    if (last_ && position <= *last_) return misuse("positions of records must ascend");
    --room_;
    last_ = position;
    records.push_back({std::string(sd::text(data)), position, arrival});
    return SD_OK;
  }
  sd_code on_position(sd_view position) override {
    if (!in({detail::During::position})) return misuse("position() outside of position()");
    told_ = sd::text(position);
    return SD_OK;
  }

  const sd_source& source_;
  std::string saved_;
  std::optional<std::string> told_;
  std::optional<std::uint64_t> last_;
  std::size_t room_ = 0;
  void* self_ = nullptr;
  bool alive_ = false;
};

}  // namespace sd::test
