// SPDX-License-Identifier: Apache-2.0
// A small registry for tests of the planner: components that have a configuration and schemas but
// never run.
#pragma once

#include "engine/api/registry.h"
#include "engine/expr/expression.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace streamd::fake {

struct LinesConfig {
  std::string path;
  bool follow = false;
  std::string standard = "json";
};

class LinesPlan final : public SourcePlan {
 public:
  explicit LinesPlan(LinesConfig config) : config_(std::move(config)) {}
  bool bounded() const override { return !config_.follow; }
  std::string describe() const override { return config_.path; }
  std::string default_decode() const override { return config_.standard; }
  Result<std::unique_ptr<Source>> open(SourceContext) const override {
    return fail(ErrorKind::internal, "a fake source is not opened");
  }

 private:
  LinesConfig config_;
};

class FakeOperatorPlan : public OperatorPlan {
 public:
  std::unique_ptr<Operator> make(const OperatorContext&) const override { return nullptr; }
};

struct FilterConfig {
  ExprText where;
};

class FilterPlan final : public FakeOperatorPlan {
 public:
  explicit FilterPlan(expr::Expression where) : where_(std::move(where)) {}
  Needs needs(const Needs& wanted) const override {
    Needs needs = wanted;
    where_.fields(needs.fields);
    return needs;
  }
  Ports bind(const Schema& in, Diagnostics& problems) override {
    where_.bind(in, problems);
    return {in, false};
  }

 private:
  expr::Expression where_;
};

inline std::unique_ptr<OperatorPlan> make_filter(FilterConfig config, const ConfigNode&,
                                                 Diagnostics& problems) {
  auto where = expr::Expression::parse(config.where, problems);
  if (!where) return nullptr;
  return std::make_unique<FilterPlan>(std::move(*where));
}

inline void check_fields(const std::vector<std::string>& fields, const Schema& in,
                         const ConfigNode& node, const char* key, Diagnostics& problems) {
  for (const auto& field : fields)
    if (!in.open && !in.find(field))
      problems.error("unknown-field", node.find(key)->place, "unknown field \"" + field + "\"");
}

struct CountConfig {
  std::vector<std::string> by;
  Duration size{};
};

// Closed results, port late, keys: what a window looks like to the planner.
class CountPlan final : public FakeOperatorPlan {
 public:
  CountPlan(CountConfig config, ConfigNode node)
      : config_(std::move(config)), node_(std::move(node)) {}
  Needs needs(const Needs&) const override {
    Needs needs;
    needs.fields.insert(config_.by.begin(), config_.by.end());
    return needs;
  }
  Ports bind(const Schema& in, Diagnostics& problems) override {
    check_fields(config_.by, in, node_, "by", problems);
    Ports ports;
    for (const auto& field : config_.by) ports.out.fields.push_back({field, Type::any});
    ports.out.fields.push_back({"count", Type::int64, true});
    ports.has_late = true;
    return ports;
  }
  std::vector<std::string> key_fields() const override { return config_.by; }
  bool stateful() const override { return true; }

 private:
  CountConfig config_;
  ConfigNode node_;
};

struct FieldConfig {
  std::string field;
};

class SetPlan final : public FakeOperatorPlan {
 public:
  explicit SetPlan(std::string field) : field_(std::move(field)) {}
  Needs needs(const Needs& wanted) const override {
    Needs needs = wanted;
    needs.fields.erase(field_);
    return needs;
  }
  Ports bind(const Schema& in, Diagnostics&) override {
    Schema out = in;
    if (const auto column = out.find(field_))
      out.fields[*column] = {field_, Type::int64, true};
    else
      out.fields.push_back({field_, Type::int64, true});
    return {out, false};
  }

 private:
  std::string field_;
};

class RemovePlan final : public FakeOperatorPlan {
 public:
  explicit RemovePlan(std::string field) : field_(std::move(field)) {}
  Needs needs(const Needs& wanted) const override { return wanted; }
  Ports bind(const Schema& in, Diagnostics&) override {
    Schema out = in;
    std::erase_if(out.fields, [&](const Field& f) { return f.name == field_; });
    if (out.open) out.hidden.push_back(field_);
    return {out, false};
  }

 private:
  std::string field_;
};

struct SplitConfig {
  std::vector<std::string> names;
};

// Named outputs.
class SplitPlan final : public FakeOperatorPlan {
 public:
  explicit SplitPlan(SplitConfig config) : config_(std::move(config)) {}
  std::vector<std::string> routes() const override { return config_.names; }
  Needs needs(const Needs& wanted) const override { return wanted; }
  Ports bind(const Schema& in, Diagnostics&) override { return {in, false}; }

 private:
  SplitConfig config_;
};

struct NamesConfig {
  std::string path;
  std::string token;
};

class NamesPlan final : public ListPlan {
 public:
  explicit NamesPlan(NamesConfig config) : config_(std::move(config)) {}
  std::string describe() const override { return config_.path; }
  IndicatorFields fields() const override {
    return fields_of(IndicatorField::comment, IndicatorField::expires);
  }
  Duration refresh() const override { return {}; }
  Result<std::unique_ptr<ListLoader>> open(ListContext) const override {
    return fail(ErrorKind::internal, "a fake list is not opened");
  }

 private:
  NamesConfig config_;
};

struct OutConfig {
  std::string path;
  std::vector<std::string> fields;
};

class OutPlan final : public SinkPlan {
 public:
  OutPlan(OutConfig config, ConfigNode node) : config_(std::move(config)), node_(std::move(node)) {}
  Needs needs() const override {
    Needs needs;
    needs.fields.insert(config_.fields.begin(), config_.fields.end());
    needs.whole = config_.fields.empty();
    return needs;
  }
  void bind(const Schema& in, Diagnostics& problems) override {
    check_fields(config_.fields, in, node_, "fields", problems);
  }
  Promise promise() const override { return Promise::exactly_once; }
  Placement placement() const override { return Placement::one; }
  std::string describe() const override { return config_.path.empty() ? "nowhere" : config_.path; }
  std::vector<Claim> claims() const override {
    if (config_.path.empty()) return {};
    return {{"file:" + config_.path}};
  }
  Result<std::unique_ptr<Sink>> open(SinkContext) const override {
    return fail(ErrorKind::internal, "a fake sink is not opened");
  }

 private:
  OutConfig config_;
  ConfigNode node_;
};

inline Registry registry() {
  Registry out;
  out.add_source(
      Spec<LinesConfig>("lines")
          .summary("Lines of a file.")
          .field(&LinesConfig::path, {.name = "path", .help = "The file.", .required = true})
          .field(&LinesConfig::follow, {.name = "follow", .help = "Never end."})
          .field(&LinesConfig::standard, {.name = "standard", .help = "Decoding by default."}),
      [](LinesConfig config, const ConfigNode&, Diagnostics&) {
        return std::make_unique<LinesPlan>(std::move(config));
      });
  out.add_list(
      Spec<NamesConfig>("names")
          .summary("Names of a file.")
          .field(&NamesConfig::path, {.name = "path", .help = "The file.", .required = true})
          .field(&NamesConfig::token, {.name = "token", .help = "A key.", .secret = true}),
      [](NamesConfig config, const ConfigNode&, Diagnostics&) {
        return std::make_unique<NamesPlan>(std::move(config));
      });
  out.add_operator(
      Spec<FilterConfig>("filter")
          .summary("Passes some.")
          .field(&FilterConfig::where, {.name = "where", .help = "Condition.", .required = true}),
      make_filter);
  out.add_operator(
      Spec<CountConfig>("count")
          .summary("Counts.")
          .field(&CountConfig::by, {.name = "by", .help = "Keys.", .required = true})
          .field(&CountConfig::size, {.name = "size", .help = "Window.", .required = true})
          .rule("size must be positive", [](const CountConfig& c) { return c.size > Duration{}; }),
      [](CountConfig config, const ConfigNode& node, Diagnostics&) {
        return std::make_unique<CountPlan>(std::move(config), node);
      });
  const auto field_spec = [](const char* type) {
    return Spec<FieldConfig>(type)
        .summary("Changes a field.")
        .field(&FieldConfig::field, {.name = "field", .help = "Which.", .required = true});
  };
  out.add_operator(field_spec("set"), [](FieldConfig config, const ConfigNode&, Diagnostics&) {
    return std::make_unique<SetPlan>(std::move(config.field));
  });
  out.add_operator(field_spec("remove"), [](FieldConfig config, const ConfigNode&, Diagnostics&) {
    return std::make_unique<RemovePlan>(std::move(config.field));
  });
  out.add_operator(
      Spec<SplitConfig>("split").summary("Splits.").field(
          &SplitConfig::names, {.name = "names", .help = "Outputs.", .required = true}),
      [](SplitConfig config, const ConfigNode&, Diagnostics&) {
        return std::make_unique<SplitPlan>(std::move(config));
      });
  out.add_sink(Spec<OutConfig>("out")
                   .summary("Writes.")
                   .field(&OutConfig::path, {.name = "path", .help = "The file."})
                   .field(&OutConfig::fields, {.name = "fields", .help = "Only these."}),
               [](OutConfig config, const ConfigNode& node, Diagnostics&) {
                 return std::make_unique<OutPlan>(std::move(config), node);
               });
  return out;
}

}  // namespace streamd::fake
