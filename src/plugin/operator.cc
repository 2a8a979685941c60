// SPDX-License-Identifier: Apache-2.0
#include "engine/api/spec.h"
#include "plugin/adapters.h"
#include "plugin/operator_task.h"

#include <utility>

namespace streamd::plugin {
namespace {

// What every keyed operator has besides its own options.
struct KeyedOptions {
  std::vector<ExprText> by;
  Duration keep = Duration::from_seconds(std::int64_t{24} * 3600);
  std::uint64_t max_keys = 1'000'000;
};

const Spec<KeyedOptions>& keyed_spec() {
  using C = KeyedOptions;
  static const Spec<C> kSpec =
      Spec<C>("keyed")
          .field(&C::by, {.name = "by",
                          .help = "Fields or CEL expressions that make the key.",
                          .required = true,
                          .examples = {"[client_ip]"}})
          .field(&C::keep, {.name = "keep",
                            .help = "How long a quiet key is remembered, in event time.",
                            .examples = {"1h"}})
          .field(&C::max_keys, {.name = "max_keys",
                                .help = "Keys held at once, over all workers.",
                                .advanced = true})
          .rule("by must name at least one field", [](const C& c) { return !c.by.empty(); })
          .rule("keep must be longer than 0", [](const C& c) { return c.keep.micros > 0; })
          .rule("max_keys must be at least 1", [](const C& c) { return c.max_keys > 0; });
  return kSpec;
}

std::vector<Field> outputs_of(const sd_operator& op, const Options& options) {
  std::vector<Field> fields;
  for (std::uint32_t o = 0; o < op.output_count; ++o) {
    const sd_output& output = *op.outputs[o];
    sd_view name = output.name;
    if (output.name_field >= 0) {
      const sd_value& chosen = options.value(static_cast<std::size_t>(output.name_field));
      if (chosen.kind == SD_STRING) name = {chosen.as.s, chosen.size};
    }
    fields.push_back({std::string(from_abi(name)), type_of(static_cast<Kind>(output.kind)), true});
  }
  return fields;
}

class PluginOperatorPlan final : public OperatorPlan {
 public:
  explicit PluginOperatorPlan(OperatorShape shape) : shape_(std::move(shape)) {}

  Needs needs(const Needs& wanted) const override {
    Needs needs;
    if (!shape_.makes_records()) {
      needs = wanted;
      shape_.added.take_from(needs);
    }
    shape_.columns.fields(needs.fields);
    if (shape_.key) shape_.key->fields(needs.fields);
    return needs;
  }
  Ports bind(const Schema& in, Diagnostics& problems) override {
    shape_.columns.bind(in, problems);
    if (shape_.key) shape_.keys = shape_.key->bind(in, problems);
    if (!shape_.makes_records())
      return {shape_.added.bind(in, shape_.settings->place, "an option of the plugin", problems),
              false};
    Schema out;
    for (const auto& part : shape_.keys.parts)
      out.fields.push_back(
          {part.text, part.column ? in.fields[*part.column].type : Type::any, true});
    for (const Field& field : shape_.outputs) {
      if (out.find(field.name))
        problems.error("duplicate-name", shape_.settings->place,
                       "\"" + field.name + "\" is a field of the result and cannot be one of by",
                       "Rename it before, with a map.");
      out.fields.push_back(field);
    }
    return {out, false};
  }
  std::vector<std::string> key_fields() const override {
    return shape_.key ? shape_.key->key_fields() : std::vector<std::string>{};
  }
  bool hashes_keys() const override { return shape_.key && !shape_.keys.plain(); }
  void hash_keys(const Batch& in, std::uint64_t seed,
                 std::vector<std::uint64_t>& by_row) const override {
    shape_.keys.hash(in, seed, by_row);
  }
  bool passes_records() const override { return !shape_.makes_records(); }
  bool stateful() const override { return shape_.keyed(); }
  std::string state_signature() const override {
    if (!shape_.key) return {};
    return "plugin " + shape_.settings->type + " " + std::to_string(shape_.op->state_version) +
           " " + shape_.key->text();
  }
  std::unique_ptr<Operator> make(const OperatorContext& context) const override {
    return std::make_unique<OperatorTask>(shape_, context);
  }

 private:
  OperatorShape shape_;
};

// settings: null where something is wrong, and so is the plan then.
std::unique_ptr<OperatorPlan> make_plan(const sd_operator& op,
                                        const std::shared_ptr<const Settings>& settings,
                                        const KeyedOptions* keyed, Diagnostics& problems) {
  OperatorShape shape;
  shape.op = &op;
  if (keyed != nullptr) {
    shape.key = KeyParts::parse(keyed->by, problems);
    shape.keep = keyed->keep;
    shape.max_keys = keyed->max_keys;
  }
  if (!settings) return nullptr;
  shape.columns = settings->columns;
  shape.outputs = outputs_of(op, settings->options);
  if (!shape.makes_records())
    for (const Field& output : shape.outputs) shape.added.add(output.name, output.type);
  shape.settings = settings;
  return std::make_unique<PluginOperatorPlan>(std::move(shape));
}

}  // namespace

void add_operator(const Library& library, const sd_operator& op, Registry& registry) {
  Registered<OperatorPlan> added;
  added.view = view_of(*op.spec, "operator", library.name());
  const SpecView own = added.view;
  const bool keyed = (op.flags & SD_OPERATOR_KEYED) != 0;
  if (keyed) {
    const auto& fields = keyed_spec().view().fields;
    added.view.fields.insert(added.view.fields.begin(), fields.begin(), fields.end());
  }
  added.make = [library, &op, own, keyed](const ConfigNode& node, std::vector<const SpecView*> also,
                                          Diagnostics& problems) -> Made<OperatorPlan> {
    if (!keyed)
      return {make_plan(op, read_node(library, *op.spec, op.check, own, node, also, problems),
                        nullptr, problems)};
    also.push_back(&own);
    const std::size_t before = problems.errors();
    const auto read = keyed_spec().read(node, problems, also);
    if (!read) return {nullptr};
    auto plan = make_plan(op, read_settings(library, *op.spec, op.check, read->node, problems),
                          &read->config, problems);
    return {problems.errors() == before ? std::move(plan) : nullptr};
  };
  registry.add(std::move(added));
}

}  // namespace streamd::plugin
