// SPDX-License-Identifier: Apache-2.0
// An operator of a plugin at work:
//
//   sd::test::OperatorRun run(streamd_plugin(), "sessions", {{"by", "user"}, {"gap", "30m"}});
//   run.push(sd::test::at(0s), {{"user", "ann"}});
//   run.advance(sd::test::at(31min));
//   sd::test::equal(run.made.at(0).fields.at("clicks"), 1);
//
// Columns are names of fields; the engine's expressions are not evaluated here.
#pragma once

#include "../out.hpp"
#include "host.hpp"
#include "keys.hpp"
#include "lent_batch.hpp"

#include <algorithm>

namespace sd::test {

// A record that an operator has made.
struct Made {
  Time time{};
  std::uint64_t id = 0;
  Fields fields;  // those of `by` too
};

class OperatorRun final : public detail::Host {
 public:
  // Settings are the options of the node, also `by`, `keep` and `max_keys`. Throws WrongSettings.
  OperatorRun(const sd_plugin* plugin, std::string_view type, Settings settings = {})
      : op_(detail::find(plugin->operators, plugin->operator_count, type,
                         [](const sd_operator& op) { return op.spec->type; })) {
    const std::vector<std::string> engine =
        keyed() ? std::vector<std::string>{"by", "keep", "max_keys"} : std::vector<std::string>{};
    config_ = read_settings(*op_.spec, settings, engine);
    if (keyed()) read_keys(settings);
    for (std::uint32_t i = 0; i < op_.output_count; ++i) name_output(*op_.outputs[i]);
    check_config(op_.check, *op_.spec);
    create();
  }
  ~OperatorRun() { destroy(); }

  std::vector<Input> passed;  // records that went on, with the fields that were added
  std::vector<Made> made;
  std::vector<Rejected> rejected;
  std::size_t dropped(Drop reason) const {
    const auto found = dropped_.find(static_cast<std::uint32_t>(reason));
    return found == dropped_.end() ? 0 : found->second;
  }
  std::size_t keys() const { return keys_.size(); }
  std::size_t timers() const { return keys_.timers(); }

  // One batch of one record.
  void push(Time time, Fields fields) { push({{time, std::move(fields)}}); }
  // One batch.
  void push(std::vector<Input> records);
  // Event time has reached `time`: timers, then on_watermark().
  void advance(Time time) { advance_to(time.time_since_epoch().count()); }
  // The input has ended.
  void end() { advance_to(INT64_MAX); }

  void checkpoint() { saved_ = {keys_, now_}; }
  // As kill -9: what was kept since the last checkpoint is gone.
  void crash() {
    destroy();
    keys_ = saved_.keys;
    now_ = saved_.now;
    create();
  }
  // In order: nothing is lost.
  void restart() {
    checkpoint();
    crash();
  }

 private:
  bool keyed() const { return (op_.flags & SD_OPERATOR_KEYED) != 0; }
  bool results() const { return (op_.flags & SD_OPERATOR_RESULTS) != 0; }
  bool running() const {
    return in({detail::During::batch, detail::During::timer, detail::During::watermark});
  }

  void read_keys(const Settings& settings) {
    const auto by = settings.find("by");
    if (by == settings.end()) throw WrongSettings("by is required");
    for (const auto& part : detail::parts(by->second, '[', ']'))
      by_.push_back(detail::scalar(part));
    if (const auto keep = settings.find("keep"); keep != settings.end())
      keys_.keep = detail::quantity(keep->second, detail::kTimes, "keep", "duration");
    if (const auto most = settings.find("max_keys"); most != settings.end())
      keys_.max_keys = detail::number<std::size_t>(most->second, "max_keys", "number");
    saved_ = {keys_, now_};
  }
  void name_output(const sd_output& output) {
    if (output.name_field < 0) return outputs_.emplace_back(sd::text(output.name)), void();
    outputs_.emplace_back(config_.values.at(static_cast<std::size_t>(output.name_field)).text());
  }
  void create() {
    Borrowed memory;
    const sd_value* values = lend_config(memory);
    enter(detail::During::create, "create()", {},
          [&] { return op_.create(&table_, task(), values, &self_); });
    alive_ = true;
  }
  void destroy() {
    if (alive_) op_.destroy(self_);
    alive_ = false;
  }
  std::string key_of(const Input& record);
  Fields fields_of_key(const std::string& key) { return named_keys_.at(key); }
  void collect(const std::vector<Input>& records);
  void advance_to(std::int64_t time);

  sd_value* on_column(std::uint32_t output) override;
  sd_code on_pass(const std::uint32_t* records, std::size_t count) override;
  sd_code on_drop(std::uint32_t reason, std::size_t count) override;
  sd_code on_reject(std::size_t record, sd_view code, sd_view reason) override;
  sd_code on_emit(const sd_row* rows, std::size_t count) override;
  sd_code on_state_get(std::string_view key, sd_view* value) override;
  sd_code on_state_put(std::string_view key, sd_view value) override;
  sd_code on_state_erase(std::string_view key) override;
  sd_code on_timer_set(std::string_view key, std::uint32_t timer, std::int64_t at) override;
  sd_code on_timer_clear(std::string_view key, std::uint32_t timer) override;
  bool may_use(std::string_view key, const char* what);

  struct Saved {
    detail::Keys keys;
    std::int64_t now = INT64_MIN;
  };
  // What on_batch() says about its batch.
  struct Answer {
    std::map<std::uint32_t, sd_value*> columns;
    bool passed = false, all = false;
    std::vector<std::uint32_t> records;
    std::map<std::size_t, Rejected> rejected;
    std::size_t dropped = 0;
  };

  const sd_operator& op_;
  std::vector<std::string> by_, outputs_;
  detail::Keys keys_;
  Saved saved_;
  std::map<std::string, Fields> named_keys_;
  std::map<std::uint32_t, std::size_t> dropped_;
  std::int64_t now_ = INT64_MIN, seen_ = INT64_MIN;
  std::uint64_t batches_ = 0, records_ = 0;
  const detail::LentBatch* batch_ = nullptr;
  const std::vector<Input>* input_ = nullptr;
  Answer answer_;
  Borrowed state_memory_;
  void* self_ = nullptr;
  bool alive_ = false;
};

}  // namespace sd::test

#include "operator_calls.hpp"
