// SPDX-License-Identifier: Apache-2.0
#include "engine/api/field_paths.h"
#include "engine/codec/encode.h"
#include "engine/codec/found_values.h"
#include "engine/codec/json_text.h"
#include "operators/builtin_operators.h"
#include "operators/outer_objects.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace streamd {
namespace {

struct ExtractConfig {
  std::vector<std::string> field, fields;
  std::vector<FoundKind> kinds = {FoundKind::ip,     FoundKind::cidr,  FoundKind::url,
                                  FoundKind::domain, FoundKind::email, FoundKind::hash};
  std::string as = "found";
  bool by_kind = false;
  std::uint64_t max = 100;
};

}  // namespace

template <>
struct EnumNames<FoundKind> {
  static constexpr std::array<std::pair<FoundKind, std::string_view>, kFoundKinds> values = {
      {{FoundKind::ip, "ip"},
       {FoundKind::cidr, "cidr"},
       {FoundKind::url, "url"},
       {FoundKind::domain, "domain"},
       {FoundKind::email, "email"},
       {FoundKind::hash, "hash"}}};
};

namespace {

// What is const and shared between workers.
struct ExtractShape {
  std::vector<std::size_t> from;  // columns of the fields that there are
  unsigned kinds = 0;
  std::size_t max = 0;
  std::array<std::size_t, kFoundKinds> to{};  // by kind: the list that it goes to
  std::size_t lists = 0;
  std::vector<std::size_t> columns;  // by list: its column in the output
  std::size_t width = 0;             // columns of the output
  OuterObjects outer;
};

// JSON with its strings as they read: "http:\/\/h\n192.0.2.1" holds a URL and an address. Slices of
// `json` when it has no escapes.
std::string_view without_escapes(std::string_view json, Arena& arena) {
  if (json.find('\\') == std::string_view::npos) return json;
  char* const begin = arena.allocate(json.size());
  char* to = begin;
  for (std::size_t at = 0; at < json.size(); ++at) {
    *to++ = json[at];
    if (json[at] != '"') continue;
    std::size_t end = at + 1;
    while (end < json.size() && json[end] != '"') end += json[end] == '\\' ? 2 : 1;
    if (end >= json.size()) return json;
    std::size_t size = 0;
    if (!unescape_json(json.substr(at + 1, end - at - 1), to, size)) return json;
    to += size;
    *to++ = '"';
    at = end;
  }
  return {begin, static_cast<std::size_t>(to - begin)};
}

class Extract final : public Operator {
 public:
  explicit Extract(const ExtractShape& shape) : shape_(shape), finder_(shape.kinds, shape.max) {}

  Status on_batch(const Batch& in, Emitter& out) override {
    if (in.empty()) return {};
    auto arena = std::make_shared<Arena>();
    std::vector<std::shared_ptr<Column>> made;
    for (std::size_t l = 0; l < shape_.lists; ++l)
      made.push_back(std::make_shared<Column>(in.physical_rows()));
    for (std::size_t i = 0; i < in.size(); ++i) {
      found_.clear();
      for (const std::size_t column : shape_.from) look(in.at(column, i), *arena);
      if (!found_.empty()) put(in.physical(i), made, *arena);
    }
    std::vector<ColumnPtr> columns = in.columns();
    columns.resize(shape_.width);
    for (std::size_t l = 0; l < shape_.lists; ++l) columns[shape_.columns[l]] = std::move(made[l]);
    Batch result = shape_.outer.update(in.with_columns(std::move(columns)), *arena);
    result.keep(std::move(arena));
    out.emit(result);
    return {};
  }

 private:
  void look(const Value& value, Arena& arena) {
    if (value.is(Kind::string)) finder_.find(value.text(), arena, found_);
    if (value.is(Kind::json)) finder_.find(without_escapes(value.text(), arena), arena, found_);
    if (!value.is(Kind::list) && !value.is(Kind::map)) return;
    printed_.clear();
    append_json(value, printed_);
    finder_.find(without_escapes(arena.copy(printed_), arena), arena, found_);
  }

  void put(std::uint32_t row, const std::vector<std::shared_ptr<Column>>& made, Arena& arena) {
    std::array<std::uint32_t, kFoundKinds> counts{};
    for (const FoundValue& value : found_) ++counts[list_of(value)];
    for (std::size_t l = 0; l < shape_.lists; ++l) {
      if (counts[l] == 0) continue;
      Value* const items = arena.values(counts[l]);
      Value* next = items;
      for (const FoundValue& value : found_)
        if (list_of(value) == l) *next++ = Value::string(value.text);
      (*made[l])[row] = Value::list(items, counts[l]);
    }
  }
  std::size_t list_of(const FoundValue& value) const {
    return shape_.to[static_cast<std::size_t>(value.kind)];
  }

  const ExtractShape& shape_;
  ValueFinder finder_;
  std::vector<FoundValue> found_;
  std::string printed_;
};

class ExtractPlan final : public OperatorPlan {
 public:
  ExtractPlan(const ExtractConfig& config, const ConfigNode& node)
      : fields_(config.fields.empty() ? config.field : config.fields) {
    const ConfigNode* where = node.find(config.fields.empty() ? "field" : "fields");
    place_ = where == nullptr ? node.place : where->place;
    shape_.max = config.max;
    for (const FoundKind kind : config.kinds) {
      shape_.kinds |= found_bit(kind);
      shape_.to[static_cast<std::size_t>(kind)] = config.by_kind ? names_.size() : 0;
      if (config.by_kind)
        names_.push_back(fmt::format("{}.{}", config.as, FieldType<FoundKind>::show(kind)));
    }
    if (!config.by_kind) names_.push_back(config.as);
    shape_.lists = names_.size();
  }

  Needs needs(const Needs& wanted) const override {
    Needs needs = wanted;
    for (const std::string& name : names_)
      std::erase_if(needs.fields, [&](const auto& field) { return covers(name, field); });
    needs.fields.insert(fields_.begin(), fields_.end());
    return needs;
  }

  Ports bind(const Schema& in, Diagnostics& problems) override {
    shape_.from.clear();
    shape_.columns.clear();
    for (const std::string& field : fields_) {
      require_field(in, field, place_, problems);
      if (const auto column = in.find(field)) shape_.from.push_back(*column);
    }
    Ports ports{in, false};
    for (const std::string& name : names_) {
      const std::size_t to = ports.out.find(name).value_or(ports.out.fields.size());
      if (to == ports.out.fields.size()) ports.out.fields.emplace_back();
      ports.out.fields[to] = {name, Type::list, true};
      std::erase(ports.out.hidden, name);
      shape_.columns.push_back(to);
    }
    shape_.width = ports.out.fields.size();
    shape_.outer.bind(ports.out, names_);
    return ports;
  }

  std::unique_ptr<Operator> make(const OperatorContext&) const override {
    return std::make_unique<Extract>(shape_);
  }

 private:
  const std::vector<std::string> fields_;
  Place place_;
  std::vector<std::string> names_;  // of the lists
  ExtractShape shape_;
};

Spec<ExtractConfig> extract_spec() {
  using C = ExtractConfig;
  return Spec<C>("extract")
      .summary(
          "Finds addresses, networks, URLs, domains, e-mail addresses and hashes in free text.")
      .details(
          "It adds a list of what it finds, each value once, in the order of the text: `explode` "
          "makes a record of each, `match` looks all of them up. With `by_kind` there is a list "
          "for each kind: `found.ip`, `found.domain` and so on. A record in which nothing is found "
          "goes on without it.\n\n"
          "Also what was written so that nobody clicks on it: `hxxp://`, `evil[.]example`, "
          "`1(.)2(.)3(.)4`, `[dot]`, `[at]`, `[:]`. Values come in their normal form, in small "
          "letters where case does not matter, host bits of networks cleared.\n\n"
          "A domain ends in a known top-level domain (those of countries, the generic ones in wide "
          "use, and of internal use; in defanged text any word), is written in ASCII (`xn--` "
          "too), is not part of a path and no usual name of a file (`run.sh`). The host of a URL "
          "is found as address or domain too. Hashes are MD5, SHA-1, SHA-256 and SHA-512 in hex. "
          "IPv6 needs a digit, and `Name/1.2.3.4` is a version. A network is not found as an "
          "address, unless `kinds` leaves out `cidr`. Texts, objects and lists are looked through; "
          "other values hold nothing.")
      .field(&C::field, {.name = "field",
                         .help = "The text that is looked through; several are allowed.",
                         .examples = {"message"}})
      .field(&C::fields, {.name = "fields",
                          .help = "The same for several fields; what both hold is found once.",
                          .examples = {"[subject, body]"}})
      .field(&C::kinds,
             {.name = "kinds", .help = "What is looked for.", .examples = {"[ip, domain]"}})
      .field(&C::as, {.name = "as", .help = "What the list is called; it replaces such a field."})
      .field(&C::by_kind, {.name = "by_kind", .help = "Whether each kind has a list of its own."})
      .field(&C::max, {.name = "max",
                       .help = "Values found in one record at most; the first ones count.",
                       .advanced = true})
      .rule("extract needs either field or fields",
            [](const C& c) { return c.field.empty() != c.fields.empty(); })
      .rule("kinds must name at least one kind", [](const C& c) { return !c.kinds.empty(); })
      .rule("kinds must name each kind once",
            [](const C& c) {
              auto kinds = c.kinds;
              std::sort(kinds.begin(), kinds.end());
              return std::adjacent_find(kinds.begin(), kinds.end()) == kinds.end();
            })
      .rule("as must name a field", [](const C& c) { return !c.as.empty(); })
      .rule("max must be between 1 and 1000",
            [](const C& c) { return c.max >= 1 && c.max <= 1000; })
      .example("Everything that may be on a list", "field: message")
      .example("Addresses and domains of a mail, apart",
               "fields: [subject, body]\nkinds: [ip, domain, url]\nby_kind: true\nas: seen");
}

}  // namespace

void add_extract_operator(Registry& registry) {
  registry.add_operator(extract_spec(),
                        [](const ExtractConfig& config, const ConfigNode& node,
                           Diagnostics&) -> std::unique_ptr<OperatorPlan> {
                          return std::make_unique<ExtractPlan>(config, node);
                        });
}

}  // namespace streamd
