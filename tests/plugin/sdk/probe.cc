// SPDX-License-Identifier: Apache-2.0
// Components that do what a test tells them to, right and wrong.
#include "probe.h"

#include <streamd/plugin.hpp>
#include <streamd/text.hpp>

namespace probe {

std::function<void(const sd::Batch&, sd::Out&)> on_add;
std::function<void(KeyedProbe&, const sd::Batch&, sd::Out&)> on_keyed;
std::function<void(KeyedProbe&, std::string_view, unsigned, sd::Time, sd::Emitter&)> on_timer;
std::function<void(sd::Time)> on_watermark;
std::function<void()> on_flush;
AllOptions seen;

namespace {

class Add : public sd::Operator<AllOptions> {
 public:
  static sd::Spec<AllOptions> spec() {
    using C = AllOptions;
    return sd::Spec<C>("add")
        .summary("Adds.")
        .field(&C::flag, {.name = "flag", .help = "A flag."})
        .field(&C::count, {.name = "count", .help = "A count.", .least = -5, .most = 5})
        .field(&C::port, {.name = "port", .help = "A small number."})
        .field(&C::share, {.name = "share", .help = "A share."})
        .field(&C::text, {.name = "text", .help = "A text."})
        .field(&C::mode, {.name = "mode", .help = "A choice.", .choices = {"fast", "safe"}})
        .field(&C::wait, {.name = "wait", .help = "A time.", .most = 60'000'000})
        .field(&C::size, {.name = "size", .help = "A size."})
        .field(&C::names, {.name = "names", .help = "Names."})
        .field(&C::perhaps, {.name = "perhaps", .help = "Maybe."})
        .field(&C::first, {.name = "first", .help = "A column."})
        .field(&C::more, {.name = "more", .help = "Columns."})
        .field(&C::last, {.name = "last", .help = "A column."})
        .field(&C::as, {.name = "as", .help = "A name."})
        .rule(&C::share, "share must not be above 1", "write less",
              [](const C& c) { return c.share <= 1; })
        .adds<double>("number")
        .adds<std::string_view>(&C::as);
  }
  void open() { seen = config(); }
  void process(const sd::Batch& batch, sd::Out& out) {
    if (on_add) return on_add(batch, out);
    auto number = out.added<double>(0);
    auto text = out.added<std::string_view>(1);
    for (const sd::Record record : batch) {
      if (const auto value = record[config().first].number()) number.set(record, *value);
      std::string all;
      for (std::size_t i = 0; i < config().more.size(); ++i)
        sd::append_text(all, record[config().more.at(i)]);
      sd::append_text(all, record[config().last]);
      text.set(record, std::move(all));
      out.pass(record);
    }
  }
};

class Sink : public sd::Sink<Nothing> {
 public:
  static sd::Spec<Nothing> spec() { return sd::Spec<Nothing>("probe").summary("Flushes."); }
  void open() {}
  void write(const sd::Batch&, sd::Letters&) {}
  void flush() { on_flush(); }
};

std::int64_t plus(std::int64_t a, std::optional<std::int64_t> b) { return a + b.value_or(1); }
std::string shout(std::string_view text) noexcept { return std::string(text) + "!"; }
std::optional<double> root(double x) {
  if (x < 0) throw std::domain_error("no root of what is below 0");
  return x == 0 ? std::nullopt : std::optional(x / 2);
}
std::string show(sd::Value value) {
  std::string text;
  sd::append_text(text, value);
  return text;
}

}  // namespace

sd::Spec<Nothing> KeyedProbe::spec() {
  return sd::Spec<Nothing>("keyed")
      .summary("Counts.")
      .makes(&Row::what, "what")
      .makes(&Row::at, "at");
}
void KeyedProbe::process(const sd::Batch& batch, sd::Out& out) { on_keyed(*this, batch, out); }
void KeyedProbe::on_timer(std::string_view key, unsigned number, sd::Time at, sd::Emitter& out) {
  probe::on_timer(*this, key, number, at, out);
}
void KeyedProbe::on_watermark(sd::Time time, sd::Emitter&) {
  if (probe::on_watermark) probe::on_watermark(time);
}

}  // namespace probe

using namespace probe;
STREAMD_PLUGIN(sd::plugin("probe", "1.0.0", "For tests.")
                   .add<Add>()
                   .add<KeyedProbe>()
                   .add<Sink>()
                   .function<&plus>("plus", "plus(a, b): the sum.")
                   .function<&shout>("shout", "shout(text): louder.")
                   .function<&root>("root", "root(x): of numbers.")
                   .function<&show>("show", "show(x): as text.", true))
