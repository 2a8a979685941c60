// SPDX-License-Identifier: Apache-2.0
#include "engine/api/field_paths.h"
#include "engine/expr/template.h"
#include "enrich/builtin_enrich.h"
#include "enrich/config.h"
#include "enrich/crowdsec_protocol.h"
#include "enrich/enrich_operator.h"
#include "enrich/file_answers.h"
#include "enrich/http_protocol.h"
#include "enrich/service_answers.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace streamd {
namespace enrich {
namespace {

// The column of a field, or the one that it lies in.
std::optional<std::size_t> column_of(const Schema& in, std::string_view field) {
  while (true) {
    if (const auto column = in.find(field)) return column;
    const auto dot = field.rfind('.');
    if (dot == std::string_view::npos) return std::nullopt;
    field = field.substr(0, dot);
  }
}

class Plan final : public OperatorPlan {
 public:
  Plan(Config config, Place field_place, std::optional<expr::Template> url)
      : config_(std::move(config)), field_place_(field_place), url_(std::move(url)) {
    if (url_)
      url_->fields(read_);
    else
      read_.insert(config_.field);
    if (is_file()) file_ = open_file(config_);
    shape_.key.of_template = url_.has_value();
    shape_.what = url_ ? "what url asks for" : config_.field;
    shape_.on_missing = config_.on_missing;
    shape_.on_error = config_.on_error;
    // A table is as fast as the cache is.
    shape_.cache =
        config_.kind == EnrichKind::table ? 0 : static_cast<std::uint32_t>(config_.cache);
    shape_.ttl = is_file() ? Duration{INT64_MAX} : config_.ttl;
    shape_.negative_ttl = is_file() ? Duration{INT64_MAX} : config_.negative_ttl;
  }

  Needs needs(const Needs& wanted) const override {
    Needs needs = wanted;
    for (const auto& added : config_.fields)
      std::erase_if(needs.fields, [&](const auto& field) { return covers(added.first, field); });
    needs.fields.insert(read_.begin(), read_.end());
    return needs;
  }

  Ports bind(const Schema& in, Diagnostics& problems) override {
    shape_.key.columns.clear();
    for (const auto& field : read_)
      shape_.key.columns.push_back(url_ ? column_of(in, field) : in.find(field));
    if (url_)
      bind_url(in, problems);
    else
      require_field(in, config_.field, field_place_, problems);
    if (config_.kind == EnrichKind::crowdsec) protocol_ = make_crowdsec_protocol(config_);
    return add_columns(in);
  }

  std::unique_ptr<Operator> make(const OperatorContext& context) const override {
    std::unique_ptr<Answerer> answers;
    if (is_file())
      answers = make_file_answers(file_for(context), context.log);
    else
      answers = make_service_answers(service_of(config_, protocol_->far_side(), context), protocol_,
                                     context.stop);
    return make_enrich(shape_, context, std::move(answers));
  }

 private:
  bool is_file() const {
    return config_.kind == EnrichKind::table || config_.kind == EnrichKind::mmdb;
  }

  std::shared_ptr<LookupFile> file_for(const OperatorContext& context) const {
    const auto stand_in = StandIn::of(context.shared);
    auto content = stand_in ? stand_in->file(context.node) : std::nullopt;
    return content ? stand_in_file(config_, std::move(*content)) : file_;
  }

  void bind_url(const Schema& in, Diagnostics& problems) {
    auto url = url_->bind(in, problems);
    if (url) protocol_ = make_http_protocol(config_, std::move(*url));
  }

  Ports add_columns(const Schema& in) {
    Ports ports{in, false};
    shape_.to.clear();
    for (const auto& [name, from] : config_.fields) {
      const std::size_t to = ports.out.find(name).value_or(ports.out.fields.size());
      if (to == ports.out.fields.size()) ports.out.fields.emplace_back();
      ports.out.fields[to] = {name, Type::any, true};
      std::erase(ports.out.hidden, name);
      shape_.to.push_back(to);
    }
    shape_.columns = ports.out.fields.size();
    return ports;
  }

  const Config config_;
  const Place field_place_;
  const std::optional<expr::Template> url_;   // kind http
  std::set<std::string> read_;                // fields
  std::shared_ptr<LookupFile> file_;          // table, mmdb
  std::shared_ptr<const Protocol> protocol_;  // http, crowdsec
  Shape shape_;
};

std::unique_ptr<OperatorPlan> make_plan(Config config, const ConfigNode& node,
                                        Diagnostics& problems) {
  const bool good = settled(config, node, problems);
  std::optional<expr::Template> url;
  if (config.kind == EnrichKind::http && config.url) {
    url = expr::Template::parse(*config.url, problems);
    if (!url) return nullptr;
  }
  if (!good) return nullptr;
  const ConfigNode* field = node.find("field");
  const Place place = field == nullptr ? node.place : field->place;
  return std::make_unique<Plan>(std::move(config), place, std::move(url));
}

}  // namespace
}  // namespace enrich

void add_enrich_operator(Registry& registry) {
  registry.add_operator(enrich::spec(), enrich::make_plan);
}

}  // namespace streamd
