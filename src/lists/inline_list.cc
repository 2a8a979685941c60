// SPDX-License-Identifier: Apache-2.0
#include "engine/match/indicator_list.h"
#include "lists/builtin_lists.h"
#include "lists/format/entry_writer.h"
#include "lists/list_entries.h"

#include <fmt/format.h>

#include <utility>

namespace streamd {
namespace {

struct InlineListConfig {
  std::vector<std::string> values;
  ListEntries entries = ListEntries::automatic;
};

// As in a file: a range of addresses is the networks that make it up.
std::string_view add_value(const InlineListConfig& config, std::size_t i, EntryWriter& to) {
  FoundEntry entry;
  entry.value = config.values[i];
  entry.kind = kind_of(config.entries);
  return to.add(entry);
}

class InlineListLoader final : public ListLoader {
 public:
  InlineListLoader(const InlineListConfig& config, std::uint64_t seed)
      : config_(config), seed_(seed) {}

  Result<ListUpdate> load(std::stop_token) override {
    IndicatorListBuilder builder(seed_);
    EntryWriter writer(builder, {}, {});
    for (std::size_t i = 0; i < config_.values.size(); ++i) add_value(config_, i, writer);
    ListUpdate update;
    update.list = builder.build();
    return update;
  }

 private:
  const InlineListConfig config_;
  const std::uint64_t seed_;
};

class InlineListPlan final : public ListPlan {
 public:
  explicit InlineListPlan(InlineListConfig config) : config_(std::move(config)) {}
  std::string describe() const override {
    return fmt::format("{} value{} of the pipeline file", config_.values.size(),
                       config_.values.size() == 1 ? "" : "s");
  }
  IndicatorFields fields() const override { return 0; }
  Duration refresh() const override { return {}; }
  Result<std::unique_ptr<ListLoader>> open(ListContext context) const override {
    return std::make_unique<InlineListLoader>(config_, context.hash_seed);
  }

 private:
  InlineListConfig config_;
};

// A mistake here is one in the pipeline file, so it is told by `check`.
void check_values(const InlineListConfig& config, const ConfigNode& node, Diagnostics& problems) {
  const ConfigNode* values = node.find("values");
  IndicatorListBuilder builder(0);
  EntryWriter writer(builder, {}, {});
  for (std::size_t i = 0; i < config.values.size(); ++i) {
    const auto why = add_value(config, i, writer);
    if (why.empty()) continue;
    const bool many = values->shape == ConfigNode::Shape::list && i < values->items.size();
    problems.error("bad-indicator", many ? values->items[i].place : values->place,
                   json_quote(config.values[i]) + " " + std::string(why),
                   "numbers of an address are at most 255, a prefix is at most /32 or /128; for "
                   "texts of any form set entries: text");
  }
}

}  // namespace

void add_inline_list(Registry& registry) {
  using C = InlineListConfig;
  registry.add_list(
      Spec<C>("inline")
          .summary("Entries written in the pipeline file.")
          .field(&C::values, {.name = "values",
                              .help = "Addresses, networks, ranges of addresses "
                                      "(`192.0.2.1-192.0.2.9`), domains and texts.",
                              .required = true,
                              .examples = {"[192.0.2.7, 198.51.100.0/24, evil.example]"}})
          .field(&C::entries,
                 {.name = "entries", .help = kEntriesHelp, .examples = {"ip", "domain"}})
          .example("Our own networks", "values: [10.0.0.0/8, 2001:db8::/32]"),
      [](C config, const ConfigNode& node, Diagnostics& problems) {
        check_values(config, node, problems);
        return std::make_unique<InlineListPlan>(std::move(config));
      });
}

}  // namespace streamd
