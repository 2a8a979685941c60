// SPDX-License-Identifier: Apache-2.0
#include "engine/api/field_paths.h"
#include "engine/codec/encode.h"
#include "engine/lookup/lookup.h"
#include "engine/lookup/lookup_cache.h"
#include "operators/builtin_operators.h"

#include <memory>
#include <utility>

namespace streamd {
namespace {

enum class EnrichKind { table, mmdb };
enum class OnMissing { keep, drop, dead_letter };

struct EnrichConfig {
  EnrichKind kind = EnrichKind::table;
  std::string field;
  std::string path;
  std::string key;
  std::vector<std::pair<std::string, std::string>> fields;
  OnMissing on_missing = OnMissing::keep;
  Duration refresh = Duration::from_seconds(10);
  std::uint64_t cache = 10'000;
};

struct EnrichShape {
  EnrichConfig config;
  std::shared_ptr<LookupFile> file;
  std::optional<std::size_t> from;
  std::vector<std::size_t> to;  // per field
  std::size_t columns = 0;
};

class Enrich final : public Operator {
 public:
  Enrich(const EnrichShape& shape, const OperatorContext& context)
      : shape_(shape),
        context_(context),
        cache_({shape.config.kind == EnrichKind::mmdb
                    ? static_cast<std::uint32_t>(shape.config.cache)
                    : 0,
                {INT64_MAX},
                {INT64_MAX},
                shape.to.size(),
                context.hash_seed}),
        found_(shape.to.size()) {}

  Status on_batch(const Batch& in, Emitter& out) override {
    if (in.empty()) return {};
    STREAMD_TRY(look_at_file());
    auto arena = std::make_shared<Arena>();
    std::vector<std::shared_ptr<Column>> made;
    for (std::size_t f = 0; f < found_.size(); ++f)
      made.push_back(std::make_shared<Column>(in.physical_rows()));
    rows_.clear();
    std::size_t dropped = 0;
    for (std::size_t i = 0; i < in.size(); ++i) {
      const std::uint32_t row = in.physical(i);
      if (find(in, row, *arena)) {
        for (std::size_t f = 0; f < found_.size(); ++f) (*made[f])[row] = found_[f];
      } else if (shape_.config.on_missing == OnMissing::drop) {
        ++dropped;
        continue;
      } else if (shape_.config.on_missing == OnMissing::dead_letter) {
        out.reject(in, i, {"no-entry", "there is no entry for " + shape_.config.field});
        continue;
      }
      rows_.push_back(row);
    }
    if (dropped > 0) out.drop(DropReason::filtered, dropped);
    if (rows_.empty()) return {};
    std::vector<ColumnPtr> columns = in.columns();
    columns.resize(shape_.columns);
    for (std::size_t f = 0; f < made.size(); ++f) columns[shape_.to[f]] = std::move(made[f]);
    Batch result = in.with_columns(std::move(columns));
    result.keep(std::move(arena));
    result.keep(lookup_);
    out.emit(rows_.size() == in.size() ? result : result.select(rows_));
    return {};
  }

 private:
  Status look_at_file() {
    now_ = context_.clock->monotonic();
    auto now = shape_.file->now(now_);
    if (!now) return tl::unexpected(std::move(now).error());
    if (!now->problem.empty() && context_.log)
      context_.log(1, now->problem + "; the entries read before stay in use");
    if (now->lookup == lookup_) return {};
    lookup_ = std::move(now->lookup);
    cache_.clear();
    return {};
  }

  // Fills found_.
  bool find(const Batch& in, std::uint32_t row, Arena& arena) {
    if (!shape_.from) return false;
    const Value& value = (*in.column(*shape_.from))[row];
    if (value.absent()) return false;
    std::string_view key;
    if (value.is(Kind::string)) {
      key = value.text();
    } else {
      key_.clear();
      append_json(value, key_);
      key = key_;
      // Addresses are written as texts are, in quotes.
      if (key.size() >= 2 && key.front() == '"') key = key.substr(1, key.size() - 2);
    }
    switch (cache_.find(key, now_, arena, found_.data())) {
      case LookupCache::Hit::found: return true;
      case LookupCache::Hit::nothing: return false;
      case LookupCache::Hit::unknown: break;
    }
    const bool found = lookup_->find(key, arena, found_.data());
    cache_.put(key, now_, found ? found_.data() : nullptr);
    return found;
  }

  const EnrichShape& shape_;
  const OperatorContext context_;
  LookupCache cache_;
  std::shared_ptr<const Lookup> lookup_;
  Duration now_;
  std::vector<Value> found_;
  std::vector<std::uint32_t> rows_;
  std::string key_;
};

class EnrichPlan final : public OperatorPlan {
 public:
  EnrichPlan(EnrichConfig config, Place place) : place_(place) {
    std::vector<std::string> inside;
    for (const auto& [name, from] : config.fields) inside.push_back(from);
    const std::string key = config.key.empty() ? config.field : config.key;
    OpenLookup open;
    if (config.kind == EnrichKind::table)
      open = [key, inside](const std::string& path) { return open_table(path, key, inside); };
    else
      open = [inside](const std::string& path) { return open_mmdb(path, inside); };
    shape_.file = std::make_shared<LookupFile>(config.path, config.refresh, std::move(open));
    shape_.config = std::move(config);
  }

  Needs needs(const Needs& wanted) const override {
    Needs needs = wanted;
    for (const auto& [name, from] : shape_.config.fields)
      std::erase_if(needs.fields, [&](const std::string& field) { return covers(name, field); });
    needs.fields.insert(shape_.config.field);
    return needs;
  }
  Ports bind(const Schema& in, Diagnostics& problems) override {
    Ports ports{in, false};
    shape_.to.clear();
    shape_.from = in.find(shape_.config.field);
    require_field(in, shape_.config.field, place_, problems);
    for (const auto& [name, from] : shape_.config.fields) {
      auto to = ports.out.find(name);
      if (!to) {
        to = ports.out.fields.size();
        ports.out.fields.push_back({name, Type::any, true});
      }
      std::erase(ports.out.hidden, name);
      ports.out.fields[*to] = {name, Type::any, true};
      shape_.to.push_back(*to);
    }
    shape_.columns = ports.out.fields.size();
    return ports;
  }
  std::unique_ptr<Operator> make(const OperatorContext& context) const override {
    return std::make_unique<Enrich>(shape_, context);
  }

 private:
  Place place_;
  EnrichShape shape_;
};

}  // namespace

template <>
struct EnumNames<EnrichKind> {
  static constexpr std::array<std::pair<EnrichKind, std::string_view>, 2> values = {
      {{EnrichKind::table, "table"}, {EnrichKind::mmdb, "mmdb"}}};
};
template <>
struct EnumNames<OnMissing> {
  static constexpr std::array<std::pair<OnMissing, std::string_view>, 3> values = {
      {{OnMissing::keep, "keep"},
       {OnMissing::drop, "drop"},
       {OnMissing::dead_letter, "dead_letter"}}};
};

void add_enrich_operator(Registry& registry) {
  using C = EnrichConfig;
  registry.add_operator(
      Spec<C>("enrich")
          .summary("Adds what a table or a GeoIP database says of a field's value.")
          .details(
              "`table`: a CSV file with a header line, or JSON objects, one a line; the row (of "
              "several, the last) whose column `key` has the value as text. Cells of CSV are text, "
              "empty ones are missing; JSON values keep their types. `mmdb`: a database in "
              "MaxMind's format; the value is an address.\n\n"
              "`fields` names what is added, and from which column (dotted path in JSON and mmdb: "
              "`country.iso_code`, `subdivisions.0.iso_code`). Fields of that name are replaced; "
              "where an entry has no such value the field is missing. A record without an entry, "
              "or without the field, goes on without the added fields, or as `on_missing` says.\n\n"
              "The file is looked at every `refresh` and read anew when it has changed. A new file "
              "that can't be read is told in the log, and the old state stays. Replace an mmdb "
              "file by renaming another one to its name: it is mapped, and writing into it would "
              "break the process. Without the file at the start streamd ends with an error.")
          .field(&C::kind, {.name = "kind", .help = "What is looked into.", .required = true})
          .field(&C::field, {.name = "field",
                             .help = "The value that is looked up.",
                             .required = true,
                             .examples = {"ip_str"}})
          .field(&C::path,
                 {.name = "path", .help = "The file.", .required = true, .examples = {"hosts.csv"}})
          .field(&C::key, {.name = "key",
                           .help = "table: the column to find it in. Default: the name of `field`.",
                           .examples = {"address"}})
          .field(&C::fields, {.name = "fields",
                              .help = "Where each added field comes from.",
                              .required = true,
                              .examples = {"{geo.country: country.iso_code, geo.city: "
                                           "city.names.en}"}})
          .field(&C::on_missing,
                 {.name = "on_missing",
                  .help = "No entry: the record goes on, is counted as filtered, or becomes a dead "
                          "letter with code `no-entry`."})
          .field(&C::refresh,
                 {.name = "refresh", .help = "How often the file is looked at.", .advanced = true})
          .field(&C::cache, {.name = "cache",
                             .help = "mmdb: addresses remembered by each worker.",
                             .advanced = true})
          .rule("fields must name at least one field", [](const C& c) { return !c.fields.empty(); })
          .rule("path must name a file", [](const C& c) { return !c.path.empty(); })
          .rule("key is for kind: table",
                [](const C& c) { return c.kind == EnrichKind::table || c.key.empty(); })
          .rule("refresh must be longer than 0", [](const C& c) { return c.refresh.micros > 0; })
          .rule("cache must be at most 10000000", [](const C& c) { return c.cache <= 10'000'000; })
          .example("Who owns the host",
                   "kind: table\nfield: ip_str\npath: hosts.csv\nkey: address\n"
                   "fields: {owner: owner, team: team}\n")
          .example("Country and city",
                   "kind: mmdb\nfield: ip_str\npath: GeoLite2-City.mmdb\n"
                   "fields: {country: country.iso_code, city: city.names.en}\n"),
      [](C config, const ConfigNode& node, Diagnostics&) -> std::unique_ptr<OperatorPlan> {
        const ConfigNode* field = node.find("field");
        return std::make_unique<EnrichPlan>(std::move(config),
                                            field == nullptr ? node.place : field->place);
      });
}

}  // namespace streamd
