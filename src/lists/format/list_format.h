// SPDX-License-Identifier: Apache-2.0
// FormatConfig: the options of every list that comes as a text, declared once. A list's config
// derives from it, and its Spec gets the fields from with_format_fields(spec).
#pragma once

#include "engine/api/spec.h"
#include "lists/list_entries.h"

#include <optional>
#include <string>
#include <vector>

namespace streamd {

enum class ListFormat { lines, csv, hosts, dshield, p2p, adblock, json, stix };

// Where csv and json have what is known of an entry: a column's name or number from 1, or a path
// inside an item. Empty: they do not have it.
struct ListColumns {
  std::string value, comment, type, source, tags, score, first_seen, last_seen, expires;
};

// What entries have that say nothing else.
struct ListDefaults {
  std::string type, source;
  std::vector<std::string> tags;
  std::optional<double> score;
};

struct FormatConfig {
  ListFormat format = ListFormat::lines;
  ListEntries entries = ListEntries::automatic;
  ListColumns columns;
  std::string separator = ",";
  std::optional<bool> header;
  std::string items;
  ListDefaults defaults;
};

// What entries may have beside their value.
IndicatorFields fields_of_format(const FormatConfig& config);
// The character itself, or "tab".
char separator_of(const FormatConfig& config);

// The documentation of one shared field; used by with_format_fields.
FieldDoc format_field_doc(const std::string& name);
bool paths_are_good(const FormatConfig& config);
extern const char* const kFormatDetails;

template <class C>
void with_format_fields(Spec<C>& spec) {
  const auto add = [&spec]<class T>(T FormatConfig::*member, const char* name) {
    spec.field(static_cast<T C::*>(member), format_field_doc(name));
  };
  add(&FormatConfig::format, "format");
  add(&FormatConfig::entries, "entries");
  add(&FormatConfig::columns, "columns");
  add(&FormatConfig::separator, "separator");
  add(&FormatConfig::header, "header");
  add(&FormatConfig::items, "items");
  add(&FormatConfig::defaults, "defaults");
  using F = ListFormat;
  spec.rule("format csv needs columns.value",
            [](const C& c) { return c.format != F::csv || !c.columns.value.empty(); });
  spec.rule("columns is for format csv and json", [](const C& c) {
    return c.format == F::csv || c.format == F::json || c.columns.value.empty();
  });
  spec.rule("columns needs its value", [](const C& c) {
    const ListColumns& k = c.columns;
    return !k.value.empty() || (k.comment + k.type + k.source + k.tags + k.score + k.first_seen +
                                k.last_seen + k.expires)
                                   .empty();
  });
  spec.rule("separator and header are for format csv",
            [](const C& c) { return c.format == F::csv || (c.separator == "," && !c.header); });
  spec.rule("separator must be one character, or tab",
            [](const C& c) { return separator_of(c) != '\0'; });
  spec.rule("items is for format json",
            [](const C& c) { return c.format == F::json || c.items.empty(); });
  spec.rule("entries is for format lines, csv and json", [](const C& c) {
    return c.format == F::lines || c.format == F::csv || c.format == F::json ||
           c.entries == ListEntries::automatic;
  });
  spec.rule("items and columns of format json must be paths, like data.items[].ip",
            [](const C& c) { return c.format != F::json || paths_are_good(c); });
}

template <>
struct EnumNames<ListFormat> {
  static constexpr std::array<std::pair<ListFormat, std::string_view>, 8> values = {
      {{ListFormat::lines, "lines"},
       {ListFormat::csv, "csv"},
       {ListFormat::hosts, "hosts"},
       {ListFormat::dshield, "dshield"},
       {ListFormat::p2p, "p2p"},
       {ListFormat::adblock, "adblock"},
       {ListFormat::json, "json"},
       {ListFormat::stix, "stix"}}};
};
template <>
struct NestedSpec<ListColumns> {
  static const Spec<ListColumns>& spec();
};
template <>
struct NestedSpec<ListDefaults> {
  static const Spec<ListDefaults>& spec();
};

}  // namespace streamd
