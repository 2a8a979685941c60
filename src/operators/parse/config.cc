// SPDX-License-Identifier: Apache-2.0
#include "operators/parse/config.h"

#include "engine/codec/syslog_message.h"
#include "operators/parse/pairs.h"

#include <fmt/format.h>

#include <algorithm>

namespace streamd::parse {
namespace {

constexpr const char* kDetails =
    "The new fields stand beside those of the record, or are called `into.name`; fields of that "
    "name are replaced. A record without the field goes on without the new ones. A text that the "
    "format does not fit is a dead letter with code `parse`, whatever `on_error` says instead.\n\n"
    "| format | gives |\n|---|---|\n"
    "| `json` | the object as `into`, or with `fields` those paths of it, with their types |\n"
    "| `kv` | `key=value` texts: an object as `into`, or with `fields` those keys; values are text "
    "|\n"
    "| `csv` | one row: the `columns`, as text; missing cells are missing |\n"
    "| `regex` | the groups `(?P<name>…)` of an RE2 pattern, as text |\n"
    "| `grok` | `%{NAME:field}` and `%{NAME:field:int}` (or `:double`) |\n"
    "| `cef` | `cef_version`, `vendor`, `product`, `product_version`, `class_id`, `name`, "
    "`severity`, and the object `extension`, or with `fields` those keys of it |\n"
    "| `leef` | `leef_version`, `vendor`, `product`, `product_version`, `event_id`, and the object "
    "`attributes`, or with `fields` those keys of it |\n"
    "| `user_agent` | `browser`, `browser_version`, `os`, `os_version`, `device` (desktop, mobile, "
    "tablet, tv, console, bot, tool, other), `bot` |\n"
    "| `url` | `scheme`, `user`, `host`, `port`, `path`, `query`, `fragment`, and with `params` an "
    "object |\n"
    "| `syslog` | `timestamp`, `facility`, `severity`, their codes, `host`, `app`, `procid`, "
    "`msgid`, `structured_data`, `message`, `sequence`, `format`, `parse_error`, `parse_flags`, as "
    "`decode: syslog` gives them |\n\n"
    "Patterns may match anywhere in the text; `^` and `$` tie them to its ends. They take time in "
    "proportion to the text, so look-around, atomic groups, possessive repetition and back "
    "references do not exist. Grok knows the usual names (COMBINEDAPACHELOG, SYSLOGBASE, "
    "TIMESTAMP_ISO8601, IPORHOST, …), and `patterns` adds to them. Of two captures of one field "
    "the first that takes part counts.\n\n"
    "Of equal keys the last one counts; a text with more than 1000 pairs is refused. Quoted values "
    "of `kv` may hold blanks and `\\\"`; words without a separator are skipped. Text before `CEF:` "
    "or `LEEF:` (a syslog header) is skipped. A URL may be a path with a query alone; its password "
    "is never given. `user_agent` fits every text; it is a table of rules for the usual browsers, "
    "systems, tools and crawlers, and knows neither models of devices nor who lies. `syslog` takes "
    "the year of stamps without one from the record's time, which also stands in where a message "
    "has no stamp; a text without priority and stamp does not fit.";

// Which formats have an option; those that are not named here belong to all.
constexpr unsigned bit(FormatKind format) { return 1u << static_cast<unsigned>(format); }
constexpr unsigned kPatterns = bit(FormatKind::regex) | bit(FormatKind::grok);
constexpr unsigned kKeys =
    bit(FormatKind::json) | bit(FormatKind::kv) | bit(FormatKind::cef) | bit(FormatKind::leef);
struct Owned {
  std::string_view name;
  unsigned formats;
};
constexpr Owned kOwned[] = {
    {"fields", kKeys},
    {"pattern", kPatterns},
    {"patterns", bit(FormatKind::grok)},
    {"columns", bit(FormatKind::csv)},
    {"separator", bit(FormatKind::csv) | bit(FormatKind::kv)},
    {"quote", bit(FormatKind::csv)},
    {"between", bit(FormatKind::kv)},
    {"quotes", bit(FormatKind::kv)},
    {"labels", bit(FormatKind::cef)},
    {"params", bit(FormatKind::url)},
    {"decode", bit(FormatKind::url)},
    {"zone", bit(FormatKind::syslog)},
};

std::string names_of(unsigned formats) {
  std::string names;
  for (const auto& [format, name] : EnumNames<FormatKind>::values)
    if ((formats & bit(format)) != 0) names += (names.empty() ? "" : " or ") + std::string(name);
  return names;
}

void report_foreign(FormatKind format, const ConfigNode& node, Diagnostics& problems) {
  for (const auto& [key, value] : node.entries)
    for (const Owned& owned : kOwned)
      if (owned.name == key.text && (owned.formats & bit(format)) == 0)
        problems.error("rule", key.place,
                       fmt::format("\"{}\" is for format: {}", key.text, names_of(owned.formats)),
                       fmt::format("remove it, or change the format, which is {} here",
                                   FieldType<FormatKind>::show(format)));
}

void require(const ConfigNode& node, const std::string& what, bool filled, Diagnostics& problems) {
  const ConfigNode* value = node.find(what);
  if (value == nullptr)
    report_missing(node, what, problems);
  else if (!filled)
    problems.error("rule", value->place, fmt::format("{} must not be empty", what));
}

void report_value(const ConfigNode& node, const std::string& key, std::string message,
                  Diagnostics& problems) {
  const ConfigNode* value = node.find(key);
  problems.error("rule", value == nullptr ? node.place : value->place, std::move(message));
}

// Names of new fields: each once, none empty.
void check_names(const std::vector<std::string>& names, const ConfigNode& node,
                 const std::string& key, Diagnostics& problems) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    const bool again = std::find(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(i),
                                 names[i]) != names.begin() + static_cast<std::ptrdiff_t>(i);
    if (names[i].empty()) report_value(node, key, key + " must not hold an empty name", problems);
    if (again)
      report_value(node, key, fmt::format("{} names \"{}\" twice", key, names[i]), problems);
  }
}

bool is_ascii_char(const std::string& text) {
  return text.size() == 1 && static_cast<unsigned char>(text[0]) < 0x80 && text[0] != '\n';
}

void check_csv(const Config& config, const ConfigNode& node, Diagnostics& problems) {
  require(node, "columns", !config.columns.empty(), problems);
  check_names(config.columns, node, "columns", problems);
  if (!config.separator.empty() && !is_ascii_char(config.separator))
    report_value(node, "separator", "separator of csv must be one ASCII character", problems);
  if (!config.quote.empty() && !is_ascii_char(config.quote))
    report_value(node, "quote", "quote must be one ASCII character, or empty", problems);
  if (!config.quote.empty() && config.quote == (config.separator.empty() ? "," : config.separator))
    report_value(node, "quote", "quote and separator must differ", problems);
}

void check_kv(const Config& config, const ConfigNode& node, Diagnostics& problems) {
  const std::string separator = config.separator.empty() ? "=" : config.separator;
  if (config.between.empty())
    report_value(node, "between", "between must hold at least one character", problems);
  if (separator.find_first_of(config.between) != std::string::npos)
    report_value(node, node.find("between") == nullptr ? "separator" : "between",
                 "between and separator must have no character in common", problems);
  if (config.quotes.find_first_of(config.between + separator + "\\") != std::string::npos)
    report_value(node, "quotes", "quotes must differ from between, separator and \\", problems);
}

// The header has such a field already.
void check_header(const Config& config, const ConfigNode& node, Diagnostics& problems) {
  const ConfigNode* const fields = node.find("fields");
  for (const std::string& name : config.fields) {
    const auto parts = header_parts(config.format);
    if (fields == nullptr || std::find(parts.begin(), parts.end(), name) == parts.end()) continue;
    const char* const object = config.format == FormatKind::cef ? "extension" : "attributes";
    problems.error(
        "rule", fields->place,
        fmt::format("fields names \"{}\", which is what a part of the header is called", name),
        fmt::format("leave fields away: then the pair is {}.{}", object, name));
  }
}

}  // namespace

bool settled(const Config& config, const ConfigNode& node, Diagnostics& problems) {
  // What another format would say helps nobody when the format itself can't be read.
  const ConfigNode* format = node.find("format");
  if (format == nullptr || format->text != FieldType<FormatKind>::show(config.format)) return false;
  const std::size_t before = problems.errors();
  report_foreign(config.format, node, problems);
  check_names(config.fields, node, "fields", problems);
  const bool alone = config.into.empty() && config.fields.empty();
  switch (config.format) {
    case FormatKind::kv: check_kv(config, node, problems); [[fallthrough]];
    case FormatKind::json:
      if (alone)
        problems.error("rule", format->place, fmt::format("{} needs into or fields", format->text),
                       "Write into: name for the whole object, or fields: [a, b] for parts of it.");
      break;
    case FormatKind::csv: check_csv(config, node, problems); break;
    case FormatKind::regex:
    case FormatKind::grok: require(node, "pattern", !config.pattern.empty(), problems); break;
    case FormatKind::cef:
    case FormatKind::leef: check_header(config, node, problems); break;
    case FormatKind::user_agent:
    case FormatKind::url: break;
    case FormatKind::syslog:
      if (!SyslogParser::is_zone(config.zone))
        report_value(node, "zone", "zone must be UTC, an IANA name or an offset such as +02:00",
                     problems);
      break;
  }
  return problems.errors() == before;
}

namespace {

void add_options(Spec<Config>& spec) {
  using C = Config;
  spec.field(&C::fields, {.name = "fields",
                          .help = "json, kv, cef, leef: what becomes a field of its own, instead "
                                  "of one object. json: dotted paths.",
                          .examples = {"[user, src]"}})
      .field(&C::pattern, {.name = "pattern",
                           .help = "grok, regex: the pattern.",
                           .examples = {"'%{IP:client} %{WORD:verb} %{NUMBER:took:double}'",
                                        "'user=(?P<user>\\w+)'"}})
      .field(&C::patterns, {.name = "patterns",
                            .help = "grok: patterns of one's own; they come before the known ones.",
                            .examples = {"{ORDER: 'A-[0-9]{6}'}"}})
      .field(&C::columns, {.name = "columns",
                           .help = "csv: names of the cells; a row with more is refused.",
                           .examples = {"[time, host, status]"}})
      .field(&C::separator, {.name = "separator",
                             .help = "csv: the character between cells; default \",\". kv: the "
                                     "text between key and value; default \"=\".",
                             .examples = {"\"\\t\"", "\": \""}})
      .field(&C::quote, {.name = "quote",
                         .help = "csv: the character around cells that may hold separators. "
                                 "Empty: none.",
                         .advanced = true})
      .field(&C::between, {.name = "between",
                           .help = "kv: each of these characters ends a pair.",
                           .examples = {"\";,\""}})
      .field(&C::quotes, {.name = "quotes",
                          .help = "kv: characters around values that may hold what is between "
                                  "pairs.",
                          .advanced = true})
      .field(&C::labels,
             {.name = "labels", .help = "cef: `cs1=x cs1Label=Rule` gives `Rule` instead of both."})
      .field(&C::params, {.name = "params",
                          .help = "url: the parameters of the query, decoded, as one object."})
      .field(&C::decode,
             {.name = "decode", .help = "url: `%41` in user, path and fragment becomes `A`."})
      .field(&C::zone, {.name = "zone",
                        .help = "syslog: the zone of stamps that name none.",
                        .examples = {"Europe/Berlin"}});
}

void add_examples(Spec<Config>& spec) {
  spec.example("Lines of a program, with a pattern of one's own",
               "field: message\nformat: grok\n"
               "pattern: '^%{TIMESTAMP_ISO8601:at} %{LOGLEVEL:level} order %{ORDER:order} took "
               "%{NUMBER:took:double} ms'\n"
               "patterns: {ORDER: 'A-[0-9]{6}'}\n")
      .example("What is inside a text of JSON",
               "field: body\nformat: json\nfields: [user.id, ok]\n")
      .example("logfmt", "field: message\nformat: kv\ninto: kv\n")
      .example("Events of a firewall, the syslog header before them skipped",
               "field: message\nformat: cef\ninto: cef\nfields: [src, dst, act]\nlabels: true\n")
      .example("Host and parameters of what was asked for",
               "field: request_uri\nformat: url\ninto: url\nparams: true\non_error: keep\n")
      .example("Semicolons instead of commas",
               "field: message\nformat: csv\ncolumns: [host, user, note]\nseparator: ;\n");
}

}  // namespace

Spec<Config> spec() {
  using C = Config;
  Spec<C> spec("parse");
  spec.summary(
          "Reads a text field as JSON, key=value, CSV, CEF, LEEF, a URL or a user agent, or by "
          "a pattern.")
      .details(kDetails)
      .field(&C::field,
             {.name = "field", .help = "The text.", .required = true, .examples = {"message"}})
      .field(&C::format, {.name = "format", .help = "How it is read.", .required = true})
      .field(&C::into, {.name = "into",
                        .help = "What the names of new fields begin with, or for whole objects "
                                "(json, kv) the name itself.",
                        .examples = {"event"}});
  add_options(spec);
  spec.field(&C::on_error,
             {.name = "on_error",
              .help = "The text does not fit: the record becomes a dead letter, the new fields "
                      "become null, or it goes on as it came."})
      .field(&C::keep_field,
             {.name = "keep_field",
              .help = "Whether the text stays in the record. With `on_error: keep` it always does "
                      "where it does not fit."})
      .rule("field must name a field", [](const C& c) { return !c.field.empty(); })
      .rule("into must not begin or end with a dot",
            [](const C& c) { return !c.into.starts_with('.') && !c.into.ends_with('.'); });
  add_examples(spec);
  return spec;
}

}  // namespace streamd::parse
