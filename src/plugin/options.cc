// SPDX-License-Identifier: Apache-2.0
#include "plugin/options.h"

#include "engine/api/spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace streamd::plugin {
namespace {

constexpr std::int64_t kLongest = INT64_MAX / 1000;
using ColumnMap = std::vector<std::pair<std::string, ExprText>>;
using Strings = std::vector<std::string>;

std::string owned(sd_view text) { return std::string(from_abi(text)); }

Strings choices_of(const sd_field& field) {
  Strings names;
  for (std::uint32_t c = 0; c < field.choice_count; ++c) names.push_back(owned(field.choices[c]));
  return names;
}

template <class T>
void describe(FieldView& view) {
  view.type = FieldType<T>::name();
  view.json_schema = FieldType<T>::json_schema();
}

void describe_choice(const sd_field& field, FieldView& view) {
  std::string quoted;
  for (const std::string& name : choices_of(field)) {
    view.type += (view.type.empty() ? "one of " : ", ") + name;
    quoted += (quoted.empty() ? "" : ",") + json_quote(name);
  }
  view.json_schema = or_variable(R"({"enum":[)" + quoted + "]}");
}

FieldView view_of(const sd_field& field) {
  FieldView view;
  view.name = owned(field.name);
  view.help = owned(field.help);
  view.fallback = owned(field.fallback);
  view.required = (field.flags & SD_FIELD_REQUIRED) != 0;
  view.secret = (field.flags & SD_FIELD_SECRET) != 0;
  view.advanced = (field.flags & SD_FIELD_ADVANCED) != 0;
  if (field.example.size > 0) view.examples = {owned(field.example)};
  switch (field.type) {
    case SD_FIELD_BOOL: describe<bool>(view); break;
    case SD_FIELD_INT: describe<std::int64_t>(view); break;
    case SD_FIELD_DOUBLE: describe<double>(view); break;
    case SD_FIELD_DURATION: describe<Duration>(view); break;
    case SD_FIELD_SIZE: describe<ByteSize>(view); break;
    case SD_FIELD_STRINGS: describe<Strings>(view); break;
    case SD_FIELD_CHOICE: describe_choice(field, view); break;
    case SD_FIELD_COLUMN: describe<ExprText>(view); break;
    case SD_FIELD_COLUMNS: describe<ColumnMap>(view); break;
    default: describe<std::string>(view); break;
  }
  return view;
}

// YAML quotes are no part of a text.
std::string unquoted(const std::string& text) {
  const char quote = text.size() < 2 ? '\0' : text.front();
  if ((quote != '"' && quote != '\'') || text.back() != quote) return text;
  std::string out;
  for (std::size_t i = 1; i + 1 < text.size(); ++i) {
    const bool escape = text[i] == (quote == '"' ? '\\' : '\'') && i + 2 < text.size();
    out += text[escape ? ++i : i];
  }
  return out;
}

// A default as if it stood in the file; nullopt: there is none.
std::optional<ConfigNode> fallback_of(const sd_field& field) {
  std::string text = owned(field.fallback);
  if (text.empty()) return std::nullopt;
  ConfigNode node;
  node.shape = ConfigNode::Shape::scalar;
  if (field.type != SD_FIELD_STRINGS || text.front() != '[') {
    node.quoted = unquoted(text) != text;
    node.text = unquoted(text);
    return node;
  }
  node.shape = ConfigNode::Shape::list;
  std::string_view rest = std::string_view(text).substr(1, text.size() - 2);
  while (!rest.empty()) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    ConfigNode item;
    item.shape = ConfigNode::Shape::scalar;
    const std::string_view part = rest.substr(0, comma);
    const std::size_t first = part.find_first_not_of(' ');
    if (first != std::string_view::npos) item.text = unquoted(std::string(part.substr(first)));
    node.items.push_back(std::move(item));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return node;
}

bool in_range(const sd_field& field, std::int64_t number) {
  return (field.least == 0 && field.most == 0) || (number >= field.least && number <= field.most);
}

// How people write a limit.
std::string shown(const sd_field& field, std::int64_t limit) {
  if (field.type == SD_FIELD_DURATION) return format_duration({limit});
  if (field.type == SD_FIELD_SIZE) return format_size({static_cast<std::uint64_t>(limit)});
  return std::to_string(limit);
}

template <class T>
std::optional<T> read_as(const ConfigNode& node, Diagnostics& problems) {
  T value{};
  if (!FieldType<T>::read(node, value, problems)) return std::nullopt;
  return value;
}

sd_value number(std::uint32_t kind, std::int64_t i) {
  sd_value value{kind, 0, {}};
  value.as.i = i;
  return value;
}

}  // namespace

SpecView view_of(const sd_spec& spec, const std::string& kind, const std::string& plugin) {
  SpecView view;
  view.kind = kind;
  view.type = owned(spec.type);
  view.summary = owned(spec.summary);
  view.details = owned(spec.details);
  view.promise = owned(spec.promise);
  view.plugin = plugin;
  for (std::uint32_t f = 0; f < spec.field_count; ++f)
    view.fields.push_back(view_of(*spec.fields[f]));
  if (spec.example.size > 0)
    view.examples.push_back({owned(spec.example_title), owned(spec.example)});
  return view;
}

void Options::read(const sd_spec& spec, const ConfigNode& node, Diagnostics& problems) {
  for (std::uint32_t f = 0; f < spec.field_count; ++f) {
    const sd_field& field = *spec.fields[f];
    const ConfigNode* const written = node.find(from_abi(field.name));
    if (written == nullptr && (field.flags & SD_FIELD_REQUIRED) != 0)
      report_missing(node, owned(field.name), problems);
    values_.push_back(number(SD_NULL, 0));
    const std::size_t columns = columns_.size();
    const std::size_t before = problems.errors();
    if (written != nullptr) read_field(field, written, problems);
    if (written != nullptr && problems.errors() == before) continue;
    columns_.resize(columns);
    Diagnostics of_the_plugin;  // a default that cannot be read counts as none
    if (const auto fallback = fallback_of(field))
      read_field(field, &*fallback, of_the_plugin);
    else if (field.type == SD_FIELD_COLUMN)
      columns_.emplace_back();
  }
}

void Options::read_field(const sd_field& field, const ConfigNode* node, Diagnostics& problems) {
  sd_value& value = values_.back();
  const auto in = [&](std::int64_t got) {
    if (in_range(field, got)) return true;
    problems.error("out-of-range", node->place,
                   fmt::format("{} must be from {} to {}", from_abi(field.name),
                               shown(field, field.least), shown(field, field.most)));
    return false;
  };
  switch (field.type) {
    case SD_FIELD_BOOL:
      if (const auto read = read_as<bool>(*node, problems)) value = number(SD_BOOL, *read ? 1 : 0);
      break;
    case SD_FIELD_INT:
      if (const auto read = read_as<std::int64_t>(*node, problems); read && in(*read))
        value = number(SD_INT, *read);
      break;
    case SD_FIELD_DOUBLE:
      if (const auto read = read_as<double>(*node, problems)) {
        value = {SD_DOUBLE, 0, {}};
        value.as.d = *read;
      }
      break;
    case SD_FIELD_DURATION:
      if (const auto read = read_as<Duration>(*node, problems); read && in(read->micros))
        value = number(SD_DURATION, std::clamp(read->micros, -kLongest, kLongest) * 1000);
      break;
    case SD_FIELD_SIZE:
      if (const auto read = read_as<ByteSize>(*node, problems);
          read && in(static_cast<std::int64_t>(read->bytes)))
        value = number(SD_INT, static_cast<std::int64_t>(read->bytes));
      break;
    case SD_FIELD_STRINGS:
      if (auto read = read_as<Strings>(*node, problems)) {
        std::vector<sd_value> items;
        for (auto& item : *read) items.push_back(text(std::move(item)));
        const std::size_t count = items.size();
        value = list(std::move(items), SD_LIST, count);
      }
      break;
    case SD_FIELD_CHOICE: {
      const Strings known = choices_of(field);
      if (node->shape == ConfigNode::Shape::scalar &&
          std::find(known.begin(), known.end(), node->text) != known.end())
        value = text(node->text);
      else
        report_choice(*node, known, problems);
      break;
    }
    case SD_FIELD_COLUMN:
      if (auto read = read_as<ExprText>(*node, problems)) {
        value = text(read->text);
        columns_.push_back(std::move(*read));
      }
      break;
    case SD_FIELD_COLUMNS:
      if (auto read = read_as<ColumnMap>(*node, problems)) {
        std::vector<sd_value> pairs;
        for (auto& [name, expression] : *read) {
          pairs.push_back(text(name));
          pairs.push_back(text(expression.text));
          columns_.push_back(std::move(expression));
        }
        const std::size_t count = pairs.size() / 2;
        value = list(std::move(pairs), SD_MAP, count);
      }
      break;
    default:
      if (auto read = read_as<std::string>(*node, problems)) value = text(std::move(*read));
      break;
  }
}

sd_value Options::text(std::string content) {
  const std::string& kept = texts_.emplace_back(std::move(content));
  sd_value value{SD_STRING, static_cast<std::uint32_t>(kept.size()), {}};
  value.as.s = kept.data();
  return value;
}

sd_value Options::list(std::vector<sd_value> items, std::uint32_t kind, std::size_t count) {
  const auto& kept = lists_.emplace_back(std::move(items));
  sd_value value{kind, static_cast<std::uint32_t>(count), {}};
  value.as.items = kept.data();
  return value;
}

}  // namespace streamd::plugin
