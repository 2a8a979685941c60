// SPDX-License-Identifier: Apache-2.0
#include "engine/testing/given.h"

#include "engine/codec/time_format.h"
#include "engine/testing/json_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

namespace streamd::testing {
namespace {

using Shape = ConfigNode::Shape;

constexpr std::int64_t kMicros = 1'000'000;

std::string scaled(std::int64_t micros, std::int64_t unit, int digits) {
  const std::int64_t whole = micros / unit, rest = micros % unit;
  return rest == 0 ? fmt::format("{}", whole) : fmt::format("{}.{:0{}}", whole, rest, digits);
}

std::string write_pattern(EventTime time, std::string_view pattern) {
  std::int64_t fraction = time.micros % kMicros;
  if (fraction < 0) fraction += kMicros;
  const std::time_t seconds = (time.micros - fraction) / kMicros;
  std::tm civil{};
  gmtime_r(&seconds, &civil);
  std::string out;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%' || i + 1 == pattern.size()) {
      out += pattern[i];
      continue;
    }
    const char conversion = pattern[++i];
    switch (conversion) {
      case 'f': out += fmt::format("{:06}", fraction); break;
      case 's': out += fmt::format("{}", seconds); break;
      case 'z': out += "+0000"; break;
      case 'Z': out += "UTC"; break;
      default: {
        const char format[3] = {'%', conversion, '\0'};
        char text[64];
        out.append(text, std::strftime(text, sizeof text, format, &civil));
      }
    }
  }
  return out;
}

struct Hole {
  std::size_t begin, end;
  bool is_time = false;
  std::string_view format;  // of a time; empty: the source's own
};

// The next {{ at }}, {{ at FORMAT }} or {{ n }}; other braces are text.
std::optional<Hole> next_hole(std::string_view text, std::size_t from) {
  for (;;) {
    const std::size_t begin = text.find("{{", from);
    if (begin == std::string_view::npos) return std::nullopt;
    const std::size_t close = text.find("}}", begin);
    if (close == std::string_view::npos) return std::nullopt;
    std::string_view inside = text.substr(begin + 2, close - begin - 2);
    const std::size_t first = inside.find_first_not_of(' ');
    const std::size_t last = inside.find_last_not_of(' ');
    inside = first == std::string_view::npos ? "" : inside.substr(first, last - first + 1);
    if (inside == "n") return Hole{begin, close + 2, false, {}};
    if (inside == "at") return Hole{begin, close + 2, true, {}};
    if (inside.starts_with("at ")) return Hole{begin, close + 2, true, inside.substr(3)};
    from = begin + 2;
  }
}

struct Filling {
  std::optional<EventTime> at;
  std::uint64_t number;
  const std::string& format;
};

std::string fill(std::string_view text, const Filling& with) {
  std::string out;
  std::size_t from = 0;
  while (const auto hole = next_hole(text, from)) {
    out += text.substr(from, hole->begin - from);
    if (!hole->is_time)
      out += fmt::format("{}", with.number);
    else if (with.at)
      out += write_time(*with.at, hole->format.empty() ? with.format : hole->format);
    from = hole->end;
  }
  out += text.substr(from);
  return out;
}

void fill(ConfigNode& node, const Filling& with) {
  if (node.shape == Shape::scalar && node.text.find("{{") != std::string::npos)
    node.text = fill(node.text, with);
  for (auto& item : node.items) fill(item, with);
  for (auto& entry : node.entries) fill(entry.second, with);
}

ConfigNode scalar(std::string text, bool quoted) {
  ConfigNode node;
  node.shape = Shape::scalar;
  node.text = std::move(text);
  node.quoted = quoted;
  return node;
}

// Puts the time where the source will look for it: at a whole key, or inside objects.
void put_time(ConfigNode& record, std::string_view path, EventTime at, const std::string& format) {
  for (const auto& entry : record.entries)
    if (entry.first.text == path) return;
  const std::size_t dot = path.find('.');
  if (dot != std::string_view::npos)
    for (auto& [key, value] : record.entries)
      if (key.text == path.substr(0, dot) && value.shape == Shape::map)
        return put_time(value, path.substr(dot + 1), at, format);
  const bool number = format.starts_with("unix");
  record.entries.emplace_back(scalar(std::string(path), true),
                              scalar(write_time(at, format), !number));
}

std::string data_of(const Given& given, const PlanNode& source, const Filling& with) {
  ConfigNode record = given.record;
  fill(record, with);
  if (record.shape == Shape::scalar) return record.text;
  const auto& time = source.common.time;
  if (with.at && time && !time->field.empty()) put_time(record, time->field, *with.at, with.format);
  return json_of(record);
}

bool has_time_hole(const ConfigNode& node) {
  if (node.shape == Shape::scalar) {
    std::size_t from = 0;
    while (const auto hole = next_hole(node.text, from)) {
      if (hole->is_time) return true;
      from = hole->end;
    }
  }
  const auto inside = [](const auto& child) { return has_time_hole(child); };
  return std::any_of(node.items.begin(), node.items.end(), inside) ||
         std::any_of(node.entries.begin(), node.entries.end(),
                     [&](const ConfigEntry& entry) { return inside(entry.second); });
}

void check_formats(const ConfigNode& node, Diagnostics& problems) {
  if (node.shape == Shape::scalar) {
    std::size_t from = 0;
    while (const auto hole = next_hole(node.text, from)) {
      from = hole->end;
      if (hole->format.empty() || TimeFormat::parse(hole->format)) continue;
      problems.error("time-format", node.place,
                     fmt::format("\"{}\" is no time format", hole->format),
                     TimeFormat::parse(hole->format).error().hint);
    }
  }
  for (const auto& item : node.items) check_formats(item, problems);
  for (const auto& entry : node.entries) check_formats(entry.second, problems);
}

}  // namespace

std::string write_time(EventTime time, std::string_view format) {
  std::string out;
  if (format == "unix") {
    format_unix(time, 0, out);
    return out;
  }
  if (format == "unix_ms") return scaled(time.micros, 1000, 3);
  if (format == "unix_us") return fmt::format("{}", time.micros);
  if (format == "unix_ns") return fmt::format("{}000", time.micros);
  if (format == "clf") return write_pattern(time, "%d/%b/%Y:%H:%M:%S %z");
  if (format != "rfc3339") return write_pattern(time, format);
  format_rfc3339(time, 0, out);
  return out;
}

std::string time_format_of(const PlanNode& source) {
  const auto& common = source.common;
  const bool named = common.decode.kind == DecodeConfig::Kind::access_log &&
                     common.decode.format != "json" && common.time;
  if (named && common.time->field == "time_local") return "clf";
  if (named && common.time->field == "msec") return "unix";
  if (named || common.decode.kind == DecodeConfig::Kind::syslog || !common.time) return "rfc3339";
  return common.time->format;
}

std::vector<GivenRecord> records_of(const NamedList<GivenList>& in, const Plan& plan,
                                    EventTime start) {
  struct Timed {
    EventTime order;
    GivenRecord record;
  };
  std::vector<Timed> all;
  for (const auto& [name, place, list] : in) {
    const auto node =
        std::find_if(plan.nodes.begin(), plan.nodes.end(),
                     [&, &source = name](const PlanNode& n) { return n.name == source; });
    if (node == plan.nodes.end()) continue;
    const std::string format = time_format_of(*node);
    EventTime last = EventTime::min();
    for (const auto& given : list.items)
      for (std::uint64_t n = 0; n < given.repeat; ++n) {
        std::optional<EventTime> at;
        if (given.at)
          at = given.at->from(start) + Duration{given.every.micros * static_cast<std::int64_t>(n)};
        if (at) last = std::max(last, *at);
        all.push_back(
            {last, {name, given.partition, data_of(given, *node, {at, n + 1, format}), at}});
      }
  }
  // Of several sources: by time. Within one, a record that is out of order stays so.
  if (in.size() > 1)
    std::stable_sort(all.begin(), all.end(),
                     [](const Timed& a, const Timed& b) { return a.order < b.order; });
  std::vector<GivenRecord> records;
  for (auto& timed : all) records.push_back(std::move(timed.record));
  return records;
}

void check_given(const GivenList& given, Diagnostics& problems) {
  for (const auto& item : given.items) {
    check_formats(item.record, problems);
    if (!item.at && has_time_hole(item.record))
      problems.error("rule", item.record.place, "{{ at }} has no time to write",
                     "write the record as {record: …, at: 5s}");
  }
}

}  // namespace streamd::testing
