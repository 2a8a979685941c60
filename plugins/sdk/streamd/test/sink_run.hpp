// SPDX-License-Identifier: Apache-2.0
// A sink of a plugin at work:
//
//   sd::test::SinkRun run(streamd_plugin(), "sqlite", {{"path", file}, …});
//   run.write({{sd::test::at(0s), {{"user", "ann"}}}});
//   run.flush();
//
// A record has the id of its time and fields, so writing an equal one again is a repetition.
#pragma once

#include "../sink.hpp"
#include "host.hpp"
#include "lent_batch.hpp"

#include <algorithm>

namespace sd::test {

class SinkRun final : public detail::Host {
 public:
  // Throws WrongSettings, sd::Retry, sd::Failed.
  SinkRun(const sd_plugin* plugin, std::string_view type, Settings settings = {})
      : sink_(detail::find(plugin->sinks, plugin->sink_count, type,
                           [](const sd_sink& sink) { return sink.spec->type; })) {
    config_ = read_settings(*sink_.spec, settings);
    check_config(sink_.check, *sink_.spec);
    open();
  }
  ~SinkRun() { close(); }

  std::vector<Rejected> rejected;

  // One batch. Throws sd::Retry, sd::Failed. What is rejected in a batch that is not taken does not
  // count.
  void write(const std::vector<Input>& records) {
    const detail::LentBatch batch(records, config_, batches_++ % 2 == 1, 0);
    input_ = &records;
    letters_.clear();
    enter(detail::During::batch, "write()", {SD_RETRY},
          [&] { return sink_.write(self_, batch.raw()); });
    for (auto& [record, letter] : letters_) rejected.push_back(std::move(letter));
    input_ = nullptr;
  }
  void flush() {
    enter(detail::During::other, "flush()", {SD_RETRY}, [&] { return sink_.flush(self_); });
  }
  // As kill -9 and a new start: what was not flushed, write() again.
  void crash() {
    close();
    open();
  }

 private:
  void open() {
    Borrowed memory;
    const sd_value* values = lend_config(memory);
    enter(detail::During::create, "open()", {SD_RETRY},
          [&] { return sink_.open(&table_, task(), values, &self_); });
    alive_ = true;
  }
  void close() {
    if (alive_) sink_.close(self_);
    alive_ = false;
  }
  bool has(std::size_t record, const char* what) {
    if (!in({detail::During::batch}))
      return misuse(std::string(what) + " outside of write()"), false;
    if (record >= input_->size())
      return misuse(std::string(what) + " of a record that there is not"), false;
    return true;
  }
  std::string json_of(const Input& record) const {
    std::string json;
    for (const auto& [name, value] : record.fields)
      json += (json.empty() ? "{" : ",") + Field(name).show() + ":" + value.show();
    return json.empty() ? "{}" : json + "}";
  }
  sd_code on_reject(std::size_t record, sd_view code, sd_view reason) override {
    if (!has(record, "reject()")) return SD_MISUSED;
    letters_.try_emplace(record, Rejected{(*input_)[record].fields, std::string(sd::text(code)),
                                          std::string(sd::text(reason))});
    return SD_OK;
  }
  sd_code on_json(std::size_t record, void (*take)(void*, sd_view), void* arg) override {
    if (!has(record, "record_json()")) return SD_MISUSED;
    if ((sink_.flags & SD_SINK_WHOLE) == 0) return misuse("record_json() without SD_SINK_WHOLE");
    Borrowed memory;
    take(arg, memory.text(json_of((*input_)[record])));
    return SD_OK;
  }
  sd_code on_id(std::size_t record, char* digits) override {
    if (!has(record, "record_id()")) return SD_MISUSED;
    const Input& one = (*input_)[record];
    const std::string json = json_of(one);
    char text[33];
    std::snprintf(text, sizeof text, "%016llx%016llx",
                  static_cast<unsigned long long>(one.time.time_since_epoch().count()),
                  static_cast<unsigned long long>(std::hash<std::string>()(json)));
    std::memcpy(digits, text, 32);
    return SD_OK;
  }

  const sd_sink& sink_;
  const std::vector<Input>* input_ = nullptr;
  std::map<std::size_t, Rejected> letters_;
  std::uint64_t batches_ = 0;
  void* self_ = nullptr;
  bool alive_ = false;
};

}  // namespace sd::test
