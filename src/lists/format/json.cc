// SPDX-License-Identifier: Apache-2.0
#include "lists/format/json_path.h"
#include "lists/format/json_text.h"
#include "lists/format/read_list.h"

#include <optional>
#include <string>

namespace streamd::format {
namespace {

// The paths of one list, read once.
class Paths {
 public:
  explicit Paths(const FormatConfig& config)
      : items_(path(whole_list(config.items))),
        value_(path(config.columns.value)),
        comment_(config.columns.comment),
        type_(config.columns.type),
        source_(config.columns.source),
        tags_(config.columns.tags),
        score_(config.columns.score),
        first_seen_(config.columns.first_seen),
        last_seen_(config.columns.last_seen),
        expires_(config.columns.expires),
        kind_(kind_of(config.entries)) {}

  const JsonPath& items() const { return items_; }
  void add(const Value& item, EntryWriter& to, ListReading& reading) const {
    const std::size_t number = ++reading.count;
    bool any = false;
    value_.each(item, [&](const Value& value) {
      any = true;
      const std::string text = value.is(Kind::list) ? std::string() : text_of_json(value);
      const auto why = text.empty() ? "is no text or number" : add_one(text, item, to);
      if (!why.empty()) reading.broken.add(number, text, why);
    });
    if (!any) reading.broken.add(number, "", "has no value at the path of columns.value");
  }

 private:
  // What a column has, all of it: tags are several.
  class Text {
   public:
    explicit Text(const std::string& text) : given_(!text.empty()), path_(path(text)) {}
    std::string of(const Value& item) const {
      std::string out;
      if (!given_) return out;
      path_.each(item, [&](const Value& value) {
        const std::string one = text_of_json(value);
        if (!one.empty()) out += (out.empty() ? "" : ",") + one;
      });
      return out;
    }

   private:
    bool given_;
    JsonPath path_;
  };

  static JsonPath path(std::string_view text) { return JsonPath::parse(text).value_or(JsonPath()); }
  // Without the last [], so that an empty list differs from none.
  static std::string_view whole_list(std::string_view items) {
    if (items.ends_with("[]")) items.remove_suffix(2);
    return items.ends_with('.') ? items.substr(0, items.size() - 1) : items;
  }

  std::string_view add_one(const std::string& value, const Value& item, EntryWriter& to) const {
    const std::string comment = comment_.of(item), type = type_.of(item), source = source_.of(item),
                      tags = tags_.of(item);
    const auto score = read_list_score(score_.of(item));
    if (!score) return "has a score that is no number";
    const auto first = read_list_time(first_seen_.of(item), EventTime::min());
    if (!first) return "has a first_seen that is no time";
    const auto last = read_list_time(last_seen_.of(item), EventTime::min());
    if (!last) return "has a last_seen that is no time";
    const auto expires = read_list_time(expires_.of(item), EventTime::max());
    if (!expires) return "has an expires that is no time";
    FoundEntry entry;
    entry.value = value;
    entry.kind = kind_;
    entry.comment = comment;
    entry.type = type;
    entry.source = source;
    entry.tags = tags;
    entry.score = *score;
    entry.first_seen = *first;
    entry.last_seen = *last;
    entry.expires = *expires;
    return to.add(entry);
  }

  JsonPath items_, value_;
  Text comment_, type_, source_, tags_, score_, first_seen_, last_seen_, expires_;
  IndicatorKind kind_;
};

}  // namespace

Status read_json(const FormatConfig& config, std::string_view text, EntryWriter& to,
                 ListReading& reading) {
  reading.broken = BrokenLines("items", "item");
  Arena arena(1 << 20);
  const auto root = read_json_text(text, arena);
  if (!root) return tl::unexpected(root.error());
  const Paths paths(config);
  bool found = false;
  paths.items().each(*root, [&](const Value& item) {
    found = true;
    if (!item.is(Kind::list)) return paths.add(item, to, reading);
    for (std::uint32_t i = 0; i < item.size(); ++i) paths.add(item.items()[i], to, reading);
  });
  // What is there and empty has no entries; a document without the place is another document.
  if (!found && !paths.items().meets_empty(*root))
    return fail_for_now("the document has nothing at the path of items", "set items");
  return {};
}

}  // namespace streamd::format
