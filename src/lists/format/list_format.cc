// SPDX-License-Identifier: Apache-2.0
#include "lists/format/list_format.h"

#include "engine/core/check.h"
#include "lists/format/json_path.h"

#include <map>

namespace streamd {

const char* const kFormatDetails =
    "What the formats are:\n\n"
    "- `lines`: a line is `value` or `value,comment`; what follows `#` or `;` at its beginning or "
    "after white space is a comment too.\n"
    "- `csv`: rows of cells, quoted where needed; rows that begin with `#` are comments. `columns` "
    "says what is where, by number or by the names of the first row (or of the last comment before "
    "it).\n"
    "- `hosts`: `0.0.0.0 evil.example`. Each name stands for all names below it, too.\n"
    "- `dshield`: the block list of DShield: begin, end, size, attacks (as the score), name, "
    "country.\n"
    "- `p2p`: `name:1.2.3.4-1.2.3.9` of PeerGuardian, or `1.2.3.4 - 1.2.3.9 , 100 , name` of "
    "eMule.\n"
    "- `adblock`: the rules that block a whole domain (`||evil.example^`), and exceptions from "
    "them (`@@||good.example^`). All other rules are left out.\n"
    "- `json`: a document, or one a line. `items` is the path to the entries, `columns` are paths "
    "inside an entry: `a.b` goes down, `a[]` takes each element of an array, `*` each value of an "
    "object.\n"
    "- `stix`: a STIX 2.1 bundle. Of its indicators those count that compare an address, domain, "
    "URL, e-mail address or file hash with a value; a hash is written in small letters. Revoked "
    "ones and those that have ended are left out.\n\n"
    "In all but the last three, `1.2.3.4-1.2.3.9` is a range of addresses. A text packed with gzip "
    "is unpacked. Entries that can't be used are counted, and the first of them are named in the "
    "log; the others count.";

namespace {

constexpr const char* kColumnHelp = "A column's number or name; for `json` a path.";

FieldDoc column(const char* name, bool required, const char* help, const char* example) {
  return {.name = name, .help = help, .required = required, .examples = {example}};
}

}  // namespace

const Spec<ListColumns>& NestedSpec<ListColumns>::spec() {
  using C = ListColumns;
  static const Spec<C> kSpec =
      Spec<C>("columns")
          .field(&C::value, column("value", false, "The address, network, domain or text.", "3"))
          .field(&C::comment, column("comment", false, "What people should read.", "reason"))
          .field(&C::type, column("type", false, "What it is: `botnet`, `phishing`.", "threat"))
          .field(&C::source, column("source", false, "Who says so.", "reporter"))
          .field(&C::tags, column("tags", false, "Words, or an array of them.", "tags[]"))
          .field(&C::score, column("score", false, "A number.", "confidence"))
          .field(&C::first_seen,
                 column("first_seen", false,
                        "A time: RFC 3339, `2024-01-02 03:04:05` in UTC, a date, or seconds since "
                        "1970.",
                        "1"))
          .field(&C::last_seen, column("last_seen", false, "A time.", "last_online"))
          .field(&C::expires, column("expires", false, "A time; the entry ends then.", "until"));
  return kSpec;
}

const Spec<ListDefaults>& NestedSpec<ListDefaults>::spec() {
  using C = ListDefaults;
  static const Spec<C> kSpec =
      Spec<C>("defaults")
          .field(&C::type, column("type", false, "As in `columns`.", "botnet"))
          .field(&C::source, column("source", false, "As in `columns`.", "Spamhaus DROP"))
          .field(&C::tags, column("tags", false, "As in `columns`.", "[c2, high]"))
          .field(&C::score, column("score", false, "As in `columns`.", "80"));
  return kSpec;
}

FieldDoc format_field_doc(const std::string& name) {
  static const std::map<std::string, FieldDoc> kDocs = {
      {"format",
       {.name = "format",
        .help = "How the text is written; see above.",
        .examples = {"csv", "stix"}}},
      {"entries", {.name = "entries", .help = kEntriesHelp, .examples = {"ip", "domain"}}},
      {"columns",
       {.name = "columns",
        .help = std::string("Where what is. ") + kColumnHelp,
        .examples = {"{value: 3, comment: 6, first_seen: 1}",
                     "{value: indicator.value, tags: \"tags[].name\"}"}}},
      {"separator",
       {.name = "separator",
        .help = "What stands between the cells: one character, or `tab`.",
        .advanced = true,
        .examples = {";", "tab"}}},
      {"header",
       {.name = "header",
        .help = "Whether the first row holds names. Default: when `columns` has names.",
        .advanced = true,
        .examples = {"true"}}},
      {"items",
       {.name = "items",
        .help = "The path to the entries. Default: the document, or each element of it "
                "when it is an array.",
        .examples = {"data.list[]", "*[]"}}},
      {"defaults",
       {.name = "defaults",
        .help = "What entries have that say nothing else.",
        .advanced = true,
        .examples = {"{source: Spamhaus DROP, score: 80}"}}}};
  const auto at = kDocs.find(name);
  STREAMD_CHECK(at != kDocs.end(), "a field of lists is documented");
  return at->second;
}

char separator_of(const FormatConfig& config) {
  const std::string& text = config.separator;
  if (text == "tab" || text == "\\t") return '\t';
  const bool good = text.size() == 1 && text != "\"" && text != "\n" && text != "\r";
  return good ? text[0] : '\0';
}

bool paths_are_good(const FormatConfig& config) {
  const ListColumns& c = config.columns;
  for (const auto* path : {&config.items, &c.value, &c.comment, &c.type, &c.source, &c.tags,
                           &c.score, &c.first_seen, &c.last_seen, &c.expires})
    if (!JsonPath::parse(*path)) return false;
  return true;
}

IndicatorFields fields_of_format(const FormatConfig& config) {
  using F = IndicatorField;
  IndicatorFields fields = 0;
  switch (config.format) {
    case ListFormat::lines:
    case ListFormat::hosts:
    case ListFormat::p2p: fields = fields_of(F::comment); break;
    case ListFormat::dshield: fields = fields_of(F::comment, F::score); break;
    case ListFormat::adblock: break;
    case ListFormat::stix:
      fields = fields_of(F::comment, F::type, F::source, F::tags, F::score, F::first_seen,
                         F::last_seen, F::expires);
      break;
    case ListFormat::csv:
    case ListFormat::json: {
      const ListColumns& c = config.columns;
      const auto add = [&](const std::string& column, F field) {
        if (!column.empty()) fields |= fields_of(field);
      };
      add(c.comment, F::comment);
      add(c.type, F::type);
      add(c.source, F::source);
      add(c.tags, F::tags);
      add(c.score, F::score);
      add(c.first_seen, F::first_seen);
      add(c.last_seen, F::last_seen);
      add(c.expires, F::expires);
    }
  }
  const ListDefaults& d = config.defaults;
  if (!d.type.empty()) fields |= fields_of(F::type);
  if (!d.source.empty()) fields |= fields_of(F::source);
  if (!d.tags.empty()) fields |= fields_of(F::tags);
  if (d.score) fields |= fields_of(F::score);
  return fields;
}

}  // namespace streamd
