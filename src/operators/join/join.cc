// SPDX-License-Identifier: Apache-2.0
#include "engine/api/field_paths.h"
#include "operators/added_columns.h"
#include "operators/builtin_operators.h"
#include "operators/join/join_operator.h"

#include <memory>
#include <utility>

namespace streamd {
namespace join {
namespace {

enum class When { any, before, after };

struct JoinConfig {
  std::vector<ExprText> by;
  std::vector<ExprText> second_by;
  std::optional<Duration> within;
  When when = When::any;
  Pairs pairs = Pairs::each;
  Unmatched unmatched = Unmatched::drop;
  std::vector<std::pair<std::string, std::string>> take;
  std::uint64_t max_keys = 1'000'000;
  std::uint64_t max_records = 1'000;
};

class JoinPlan final : public OperatorPlan {
 public:
  JoinPlan(JoinConfig config, KeyParts first, KeyParts second, Place place)
      : config_(std::move(config)), keys_{std::move(first), std::move(second)}, place_(place) {
    const std::int64_t reach = config_.within->micros;
    shape_.before = config_.when == When::after ? 0 : reach;
    shape_.after = config_.when == When::before ? 0 : reach;
    shape_.pairs = config_.pairs;
    shape_.unmatched = config_.unmatched;
    shape_.max_keys = config_.max_keys;
    shape_.max_records = config_.max_records;
    for (const auto& taken : config_.take) added_.add(taken.first, Type::any);
  }

  std::size_t sides() const override { return 2; }
  Needs needs(const Needs&) const override { return {}; }
  Ports bind(const Schema&, Diagnostics&) override { return {}; }
  Needs side_needs(std::size_t side, const Needs& wanted) const override {
    Needs needs;
    if (side == kFirst) {
      needs = wanted;
      added_.take_from(needs);
    } else {
      for (const auto& taken : config_.take) needs.fields.insert(taken.second);
    }
    keys_[side].fields(needs.fields);
    return needs;
  }

  Ports bind_sides(const std::vector<Schema>& in, Diagnostics& problems) override {
    const std::size_t offset = in[kFirst].fields.size();
    Schema second = in[kSecond];
    second.fields.insert(second.fields.begin(), offset, Field{});
    shape_.keys = {keys_[kFirst].bind(in[kFirst], problems), keys_[kSecond].bind(second, problems)};
    shape_.columns = {};
    shape_.names = {};
    for (std::size_t c = 0; c < offset; ++c) {
      shape_.columns[kFirst].push_back(c);
      shape_.names[kFirst].push_back(in[kFirst].fields[c].name);
    }
    for (const auto& [name, field] : config_.take) {
      require_field(in[kSecond], field, place_, problems);
      shape_.columns[kSecond].push_back(second.find(field));
      shape_.names[kSecond].push_back(name);
    }
    shape_.side_column = second.fields.size();
    shape_.keeps_raw = in[kFirst].open;
    return {added_.bind(in[kFirst], place_, "take", problems), false};
  }

  std::vector<std::string> key_fields() const override { return keys_[kFirst].key_fields(); }
  bool hashes_keys() const override { return true; }
  void hash_keys(const Batch& in, std::uint64_t seed,
                 std::vector<std::uint64_t>& by_row) const override {
    if (!in.empty()) shape_.keys[side_of(shape_, in)].hash(in, seed, by_row);
  }
  bool passes_records() const override { return false; }
  bool stateful() const override { return true; }
  // Times and values are stored under their names, so the rest may change.
  std::string state_signature() const override {
    return "join " + keys_[kFirst].text() + " with " + keys_[kSecond].text();
  }
  std::unique_ptr<Operator> make(const OperatorContext& context) const override {
    return std::make_unique<JoinOperator>(shape_, context);
  }

 private:
  JoinConfig config_;
  std::array<KeyParts, 2> keys_;
  Place place_;
  AddedColumns added_;
  JoinShape shape_;
};

}  // namespace
}  // namespace join

template <>
struct EnumNames<join::When> {
  static constexpr std::array<std::pair<join::When, std::string_view>, 3> values = {
      {{join::When::any, "any"}, {join::When::before, "before"}, {join::When::after, "after"}}};
};
template <>
struct EnumNames<join::Pairs> {
  static constexpr std::array<std::pair<join::Pairs, std::string_view>, 2> values = {
      {{join::Pairs::each, "each"}, {join::Pairs::newest, "newest"}}};
};
template <>
struct EnumNames<join::Unmatched> {
  static constexpr std::array<std::pair<join::Unmatched, std::string_view>, 2> values = {
      {{join::Unmatched::drop, "drop"}, {join::Unmatched::keep, "keep"}}};
};

namespace join {
namespace {

Spec<JoinConfig> join_spec() {
  using C = JoinConfig;
  return Spec<C>("join")
      .summary(
          "Brings records of two streams together that have a key in common and are near in time.")
      .details(
          "`input` names two streams: `input: [requests, logins]`. Each record of the first leaves "
          "with the fields that `take` "
          "names of a record of the second that has the same key and whose event time is at most "
          "`within` away; `when` says on which side. It does not matter which of the two arrives "
          "first.\n\n"
          "`pairs: each`: one result for each such record, at once, with the time of the later "
          "one. `pairs: newest`: one result with the newest of them, when no other can come any "
          "more: event time has passed it by `within`, or has just passed it with `when: before`. "
          "A "
          "record of the first stream for which there is none leaves alone then with "
          "`unmatched: keep`; otherwise it ends here.\n\n"
          "Keys are equal when values and types are: convert texts before you compare them with "
          "numbers or addresses. A record that is late (older than its stream's event time) is "
          "counted as `late`. Both streams share event time: a silent one holds the other back "
          "for as long as `idle_after` of its source says.")
      .promise("exact, also after a crash")
      .field(&C::by, {.name = "by",
                      .help = "Fields or CEL expressions that make the key.",
                      .required = true,
                      .examples = {"[client_ip]"}})
      .field(&C::second_by, {.name = "second_by",
                             .help = "The same for the second stream. Default: as `by`.",
                             .examples = {"[ip]"}})
      .field(&C::within, {.name = "within",
                          .help = "How far apart the two may be in event time.",
                          .required = true,
                          .examples = {"5m"}})
      .field(&C::when, {.name = "when",
                        .help = "Where the record of the second stream lies: before the other (or "
                                "at the same time), after it, or either."})
      .field(&C::pairs, {.name = "pairs", .help = "A result for each, or with the newest."})
      .field(&C::unmatched, {.name = "unmatched",
                             .help = "What becomes of records of the first stream without one."})
      .field(&C::take, {.name = "take",
                        .help = "Fields of the second stream, by the name they get in the result.",
                        .examples = {"{user: login.user}"}})
      .field(&C::max_keys, {.name = "max_keys",
                            .help = "Keys held at once, over all workers; records of further ones "
                                    "are counted as shed.",
                            .advanced = true})
      .field(&C::max_records, {.name = "max_records",
                               .help = "Records held of one key and stream; further ones are "
                                       "counted as shed.",
                               .advanced = true})
      .rule("by must name at least one field", [](const C& c) { return !c.by.empty(); })
      .rule("second_by must have as many parts as by",
            [](const C& c) { return c.second_by.empty() || c.second_by.size() == c.by.size(); })
      .rule("within must not be negative",
            [](const C& c) { return !c.within || c.within->micros >= 0; })
      .rule("max_keys must be at least 1", [](const C& c) { return c.max_keys > 0; })
      .rule("max_records must be at least 1", [](const C& c) { return c.max_records > 0; })
      .example("Requests with the user who had logged in last from their address",
               "by: [client_ip]\nwithin: 12h\nwhen: before\npairs: newest\nunmatched: keep\n"
               "take: {user: user}\n");
}

}  // namespace
}  // namespace join

void add_join_operator(Registry& registry) {
  registry.add_operator(join::join_spec(),
                        [](join::JoinConfig config, const ConfigNode& node,
                           Diagnostics& problems) -> std::unique_ptr<OperatorPlan> {
                          auto first = KeyParts::parse(config.by, problems);
                          auto second = KeyParts::parse(
                              config.second_by.empty() ? config.by : config.second_by, problems);
                          return std::make_unique<join::JoinPlan>(
                              std::move(config), std::move(first), std::move(second), node.place);
                        });
}

}  // namespace streamd
