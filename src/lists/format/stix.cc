// SPDX-License-Identifier: Apache-2.0
#include "engine/expr/json_reader.h"
#include "lists/format/json_text.h"
#include "lists/format/read_list.h"
#include "lists/format/stix_pattern.h"

#include <map>
#include <string>

namespace streamd::format {
namespace {

std::string_view text_at(const Value& object, std::string_view key) {
  const Value value = expr::member(object, key);
  return value.is(Kind::string) ? value.text() : std::string_view{};
}

bool is_true(const Value& object, std::string_view key) {
  const Value value = expr::member(object, key);
  return value.is(Kind::boolean) && value.as_bool();
}

// The objects of a bundle that matter: each indicator once, in its newest version.
struct Objects {
  std::map<std::string_view, Value> indicators;        // by id
  std::map<std::string_view, std::string_view> names;  // of identities, by id

  void add(const Value& object) {
    const std::string_view type = text_at(object, "type"), id = text_at(object, "id");
    if (type == "identity") names[id] = text_at(object, "name");
    if (type != "indicator") return;
    const auto [at, is_new] = indicators.try_emplace(id, object);
    // RFC 3339 in UTC, as STIX demands it, sorts as text but for the digits of the fraction.
    if (!is_new && text_at(object, "modified") >= text_at(at->second, "modified"))
      at->second = object;
  }
};

class Indicators {
 public:
  Indicators(const Objects& objects, EntryWriter& to, ListReading& reading)
      : objects_(objects), to_(to), reading_(reading) {}

  void add(const Value& object) {
    const std::size_t number = ++reading_.count;
    if (is_true(object, "revoked")) return;
    const std::string_view language = text_at(object, "pattern_type");
    const std::string_view pattern = text_at(object, "pattern");
    if (!language.empty() && language != "stix") {
      ++reading_.skipped;
      return;
    }
    const auto values = read_stix_pattern(pattern);
    if (!values) {
      ++reading_.skipped;
      return;
    }
    for (const StixValue& value : *values)
      if (const auto why = add_value(object, value); !why.empty())
        reading_.broken.add(number, value.value, why);
  }

 private:
  std::string_view add_value(const Value& object, const StixValue& value) {
    const auto from = read_list_time(text_at(object, "valid_from"), EventTime::min());
    const auto until = read_list_time(text_at(object, "valid_until"), EventTime::max());
    const auto modified = read_list_time(text_at(object, "modified"), EventTime::min());
    if (!from || !until || !modified)
      return "has valid_from, valid_until or modified that is no time";
    const std::string types = text_of_json(expr::member(object, "indicator_types"));
    const std::string labels = text_of_json(expr::member(object, "labels"));
    FoundEntry entry;
    entry.value = value.value;
    entry.kind = value.kind;
    entry.comment = text_at(object, "name");
    if (entry.comment.empty()) entry.comment = text_at(object, "description");
    entry.type = types;
    entry.tags = labels;
    const auto author = objects_.names.find(text_at(object, "created_by_ref"));
    if (author != objects_.names.end()) entry.source = author->second;
    const auto score = read_list_score(text_of_json(expr::member(object, "confidence")));
    entry.score = score.value_or(std::nullopt);
    entry.first_seen = *from;
    entry.last_seen = *modified;
    entry.begins = *from;
    entry.expires = *until;
    return to_.add(entry);
  }

  const Objects& objects_;
  EntryWriter& to_;
  ListReading& reading_;
};

}  // namespace

Status read_stix(const FormatConfig&, std::string_view text, EntryWriter& to,
                 ListReading& reading) {
  reading.broken = BrokenLines("indicators", "indicator");
  reading.skipped_are = "indicators have a pattern that no list can hold";
  Arena arena(1 << 20);
  const auto root = read_json_text(text, arena);
  if (!root) return tl::unexpected(root.error());
  const Value inside = root->is(Kind::list) ? *root : expr::member(*root, "objects");
  const bool empty_bundle = inside.is(Kind::missing) && text_at(*root, "type") == "bundle";
  if (!inside.is(Kind::list) && !empty_bundle)
    return fail_for_now("the document is no STIX bundle: it has no objects");
  Objects objects;
  for (std::uint32_t i = 0; inside.is(Kind::list) && i < inside.size(); ++i)
    objects.add(inside.items()[i]);
  Indicators indicators(objects, to, reading);
  for (const auto& [id, object] : objects.indicators) indicators.add(object);
  return {};
}

}  // namespace streamd::format
