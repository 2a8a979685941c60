// SPDX-License-Identifier: Apache-2.0
// What tests tell the components of probe.cc to do.
#pragma once

#include <streamd/plugin.hpp>

#include <functional>

namespace probe {

struct Nothing {};

struct AllOptions {
  bool flag = true;
  std::int64_t count = 3;
  std::uint16_t port = 80;
  double share = 0.25;
  std::string text = "a \"b\"";
  std::string mode = "fast";
  sd::Duration wait = std::chrono::seconds(90) / 2;
  sd::Bytes size = {4096};
  std::vector<std::string> names = {"x", "y, z"};
  std::optional<std::int32_t> perhaps;
  sd::Column first;
  sd::Columns more;
  sd::Column last;
  std::string as = "all";
};

struct Row {
  std::string what;
  sd::Time at;
};
struct OtherRow {
  int x = 0;
};

// A state that writes itself.
struct Words {
  std::string text;
  void encode(std::string& into) const { into += text; }
  static Words decode(std::string_view bytes) { return {std::string(bytes)}; }
};

class KeyedProbe : public sd::KeyedOperator<Nothing, Words> {
 public:
  static sd::Spec<Nothing> spec();
  void process(const sd::Batch& batch, sd::Out& out);
  void on_timer(std::string_view key, unsigned number, sd::Time at, sd::Emitter& out);
  void on_watermark(sd::Time time, sd::Emitter& out);
  using KeyedOperator::state;
  using KeyedOperator::timers;
};

extern std::function<void(const sd::Batch&, sd::Out&)> on_add;
extern std::function<void(KeyedProbe&, const sd::Batch&, sd::Out&)> on_keyed;
extern std::function<void(KeyedProbe&, std::string_view, unsigned, sd::Time, sd::Emitter&)>
    on_timer;
extern std::function<void(sd::Time)> on_watermark;
extern std::function<void()> on_flush;
extern AllOptions seen;

}  // namespace probe
