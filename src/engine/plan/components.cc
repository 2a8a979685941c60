// SPDX-License-Identifier: Apache-2.0
#include "engine/plan/draft.h"
#include "engine/plan/joint.h"
#include "engine/plan/remedies.h"
#include "engine/plan/warnings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

namespace streamd {
namespace {

// The node's keys that `view` knows: what is common to a kind of node is read apart from the rest.
ConfigNode only(const ConfigNode& node, const SpecView& view) {
  ConfigNode out;
  out.shape = node.shape;
  out.place = node.place;
  const auto known = view.field_names();
  for (const auto& entry : node.entries)
    if (std::find(known.begin(), known.end(), entry.first.text) != known.end())
      out.entries.push_back(entry);
  return out;
}

template <class Plan>
std::vector<std::string> types_of(const std::vector<Registered<Plan>>& components) {
  std::vector<std::string> types;
  for (const auto& component : components) types.push_back(component.view.type);
  return types;
}

std::string joined(const std::vector<std::string>& names) {
  std::string all;
  for (const auto& name : names) all += (all.empty() ? "" : ", ") + name;
  return all;
}

std::string type_hint(const std::string& type, const std::vector<std::string>& known,
                      const Registry& registry) {
  if (has(types_of(registry.sources()), type)) return "it is a source: put it below sources";
  if (has(types_of(registry.lists()), type)) return "it is a list: put it below lists";
  if (has(types_of(registry.operators()), type)) return "it is an operator: put it below operators";
  if (has(types_of(registry.sinks()), type)) return "it is a sink: put it below sinks";
  if (const std::string guess = closest(type, known); !guess.empty())
    return fmt::format("did you mean \"{}\"?", guess);
  return known.empty() ? "" : "known types: " + joined(known);
}

// The registered component that `type:` names; null after it reported.
template <class Plan>
const Registered<Plan>* find_type(const ConfigNode& body,
                                  const std::vector<Registered<Plan>>& components,
                                  const Registry& registry, Diagnostics& problems) {
  const ConfigNode* type = body.find("type");
  const auto known = types_of(components);
  if (type == nullptr) {
    problems.error("missing-key", body.place, "\"type\" is missing",
                   "known types: " + joined(known));
    return nullptr;
  }
  if (type->shape == ConfigNode::Shape::null) {
    const std::string quotes = null_hint(known);
    problems.error("missing-key", type->place, "\"type\" has no value",
                   quotes + (quotes.empty() ? "" : "; ") + "known types: " + joined(known));
    return nullptr;
  }
  std::string name;
  if (!FieldType<std::string>::read(*type, name, problems)) return nullptr;
  for (const auto& component : components)
    if (component.view.type == name) return &component;
  problems.error(
      "unknown-type", type->place,
      type->substituted ? std::string("unknown type (from a variable)")
                        : "unknown type " + json_quote(name),
      type->substituted ? "known types: " + joined(known) : type_hint(name, known, registry));
  return nullptr;
}

template <class Plan, class Common>
std::unique_ptr<Plan> make_component(const ConfigNode& body, std::string& type, Doubts& doubts,
                                     const Spec<Common>& common_spec,
                                     const std::vector<Registered<Plan>>& components,
                                     const Registry& registry, Diagnostics& problems) {
  doubts.settings = body;
  const auto* component = find_type(body, components, registry, problems);
  if (component == nullptr) return nullptr;
  type = component->view.type;
  const std::vector<const SpecView*> common = {&common_spec.view()};
  Diagnostics found;
  doubts = read_keys(body, {common.front(), &component->view}, found);
  auto made = component->make(doubts.settings, common, found);
  doubt(made.doubtful, component->view, doubts);
  complete_settings(doubts.settings, component->view, found, problems);
  warn_unbounded_keys(doubts.settings, component->view, problems);
  return std::move(made.plan);
}

// What of `time` can be read; its mistakes were reported.
std::optional<TimeConfig> readable_time(const ConfigNode& time) {
  Diagnostics reported;
  const auto reading = NestedSpec<TimeConfig>::spec().read(time, reported);
  if (!reading || has(reading->doubtful, "field")) return std::nullopt;
  return reading->config;
}

// How records are decoded, unless the settings leave that open.
bool settle_decode(DraftNode& draft, const Reading<SourceCommon>& common, Diagnostics& problems) {
  if (has(common.doubtful, "decode")) return false;
  draft.node.common = common.config;
  if (common.node.find("decode") != nullptr) return true;
  if (draft.node.source == nullptr || draft.doubts.any()) return false;
  ConfigNode standard;
  standard.shape = ConfigNode::Shape::scalar;
  standard.place = draft.node.place;
  standard.text = draft.node.source->default_decode();
  return FieldType<DecodeConfig>::read(standard, draft.node.common.decode, problems);
}

void make_source(DraftNode& draft, const Registry& registry, Diagnostics& problems) {
  const auto& spec = source_common_spec();
  draft.node.source = make_component(*draft.body, draft.node.type, draft.doubts, spec,
                                     registry.sources(), registry, problems);
  ConfigNode settings = only(draft.doubts.settings, spec.view());
  const bool no_type = settings.find("type") == nullptr;
  if (no_type) {  // reported already; the other settings are still worth a look
    ConfigNode key, type;
    key.shape = type.shape = ConfigNode::Shape::scalar;
    key.text = "type";
    settings.entries.emplace_back(std::move(key), std::move(type));
  }
  Diagnostics found;
  const auto common = spec.read(settings, found);
  complete_settings(settings, spec.view(), found, problems);
  draft.decodes = common && settle_decode(draft, *common, problems);
  if (!draft.decodes) return;
  const ConfigNode* time = settings.find("time");
  if (time != nullptr && has(common->doubtful, "time"))
    draft.node.common.time = readable_time(*time);
  settle_time(time, draft.node.common, problems);
}

// Places of the single inputs, which NodeCommon's list of names does not keep.
void read_inputs(DraftNode& draft, Diagnostics& problems) {
  const ConfigNode* input = draft.doubts.settings.find("input");
  if (input == nullptr)
    for (const auto& [key, value] : draft.body->entries)  // misspelled, in a node of unknown type
      if (key.text != "type" && !closest(key.text, {"input"}).empty()) input = &value;
  if (input == nullptr) return;
  if (input->shape == ConfigNode::Shape::null) {
    problems.error("type-mismatch", input->place, "\"input\" names no node",
                   "write the name of a source or operator behind it");
    return;
  }
  const auto one = [&](const ConfigNode& item) {
    DraftInput in;
    in.place = item.place;
    if (!FieldType<std::string>::read(item, in.text, problems)) return;
    if (item.substituted)
      problems.error("input", item.place, "an input cannot come from a variable",
                     "write the node's name");
    else
      draft.inputs.push_back(std::move(in));
  };
  if (input->shape != ConfigNode::Shape::list) one(*input);
  for (const auto& item : input->items) one(item);
}

// The scalar at this place if it came from a variable.
const ConfigNode* find_substituted(const ConfigNode& node, const Place& place) {
  if (node.shape == ConfigNode::Shape::scalar) {
    const bool here = node.place.line == place.line && node.place.column == place.column;
    return node.substituted && here ? &node : nullptr;
  }
  for (const auto& item : node.items)
    if (const ConfigNode* found = find_substituted(item, place)) return found;
  for (const auto& [key, value] : node.entries)
    if (const ConfigNode* found = find_substituted(value, place)) return found;
  return nullptr;
}

// Words of URLs that everybody knows tell nothing.
bool is_common(const std::string& word) {
  constexpr std::array<std::string_view, 12> kCommon = {"http",    "https", "www",      "com",
                                                        "org",     "api",   "hook",     "hooks",
                                                        "webhook", "slack", "webhooks", "discord"};
  return std::find(kCommon.begin(), kCommon.end(), word) != kCommon.end();
}

bool has_word(const std::string& text, const std::string& word) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
  };
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if ((at == 0 || !letter(text[at - 1])) && (end == text.size() || !letter(text[end])))
      return true;
  }
  return false;
}

// True when a word of the secret, of three letters or more, stands in the message. What a URL
// begins with tells nothing.
bool reveals(const std::string& message, const std::string& secret) {
  std::string word;
  for (std::size_t i = 0; i <= secret.size(); ++i) {
    const auto c = static_cast<unsigned char>(i < secret.size() ? secret[i] : ' ');
    const bool part = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                      c == '_' || c >= 0x80;
    if (part) {
      word += static_cast<char>(c);
      continue;
    }
    const bool scheme = secret.compare(i, 3, "://") == 0;
    if (word.size() >= 3 && !scheme && !is_common(word) && has_word(message, word)) return true;
    word.clear();
  }
  return false;
}

// What came from a variable may be a secret: a problem in it is told without citing it.
std::string without_secret(const std::string& message, const std::string& secret) {
  const std::size_t first = message.find('"');
  const std::size_t last = message.rfind('"');
  const std::string told =
      first == last ? message : message.substr(0, first) + "***" + message.substr(last + 1);
  return reveals(told, secret) ? "a mistake in a value that is not shown" : told;
}

void check_claims(const Draft& draft, Diagnostics& problems) {
  std::map<std::string, const DraftNode*> owners;
  for (const auto& node : draft.nodes) {
    if (node.node.sink == nullptr || node.doubts.required) continue;
    for (const Claim& claim : node.node.sink->claims()) {
      const auto [owner, is_new] = owners.emplace(claim.target, &node);
      if (is_new) continue;
      problems.error("duplicate-target", node.node.place,
                     fmt::format("{} writes to the same {} as {}", node.label(), claim.kind,
                                 owner->second->label()),
                     "give each sink a target of its own, or give one sink both inputs");
      break;
    }
  }
}

}  // namespace

std::string DraftNode::label() const {
  switch (node.kind) {
    case PlanNode::Kind::source: return fmt::format("source \"{}\"", node.name);
    case PlanNode::Kind::op: return fmt::format("operator \"{}\"", node.name);
    case PlanNode::Kind::sink: return fmt::format("sink \"{}\"", node.name);
  }
  return node.name;
}

std::string DraftList::label() const { return fmt::format("list \"{}\"", list.name); }

void report_for(const std::string& label, const ConfigNode* body, const Diagnostics& own,
                Diagnostics& problems) {
  for (const auto& p : own.all()) {
    std::string message = p.message, hint = p.hint;
    const ConfigNode* secret = body == nullptr ? nullptr : find_substituted(*body, p.place);
    if (secret != nullptr) {
      message = without_secret(message, secret->text);
      if (reveals(hint, secret->text)) {
        const ConfigNode* type = body->find("type");
        const bool told = type != nullptr && !type->substituted;
        hint = fmt::format("see streamd docs {} for what this key may be", told ? type->text : "");
      }
    }
    add({p.severity, p.code, p.place, label + ": " + message, hint}, problems);
  }
}

namespace {

void make_list(const DocumentNode& from, Draft& draft, const Registry& registry,
               Diagnostics& problems) {
  DraftList list;
  list.body = from.body;
  list.list.name = from.name;
  list.list.place = from.place;
  Diagnostics own;
  Doubts doubts;
  if (list.body != nullptr)
    list.list.plan = make_component(*list.body, list.list.type, doubts, list_common_spec(),
                                    registry.lists(), registry, own);
  report_for(list.label(), list.body, own, problems);
  // One with mistakes may have anything, so that what uses it is checked too.
  const bool good = list.list.plan != nullptr && own.errors() == 0;
  const auto fields = good ? list.list.plan->fields() : ~IndicatorFields{0};
  list.list.slot = std::make_shared<ListSlot>(own_name(from.name), fields);
  for (const std::size_t member : from.members) draft.scopes[member]->add(list.list.slot);
  draft.lists.push_back(std::move(list));
}

}  // namespace

void make_components(Draft& draft, const Registry& registry, Diagnostics& problems) {
  const std::size_t members = std::max<std::size_t>(draft.document.members.size(), 1);
  for (std::size_t m = 0; m < members; ++m) draft.scopes.push_back(std::make_shared<ListScope>());
  draft.functions = registry.functions();
  for (const auto& from : draft.document.nodes) {
    if (from.section == Section::lists) {
      make_list(from, draft, registry, problems);
      continue;
    }
    DraftNode node;
    node.body = from.body;
    node.member = from.members.front();
    node.node.name = from.name;
    node.node.place = from.place;
    Diagnostics own;
    switch (from.section) {
      case Section::lists: break;
      case Section::sources:
        node.node.kind = PlanNode::Kind::source;
        if (node.body != nullptr) make_source(node, registry, own);
        break;
      case Section::operators:
        node.node.kind = PlanNode::Kind::op;
        if (node.body == nullptr) break;
        node.node.op = make_component(*node.body, node.node.type, node.doubts, node_common_spec(),
                                      registry.operators(), registry, own);
        read_inputs(node, own);
        break;
      case Section::sinks:
        node.node.kind = PlanNode::Kind::sink;
        if (node.body == nullptr) break;
        node.node.sink = make_component(*node.body, node.node.type, node.doubts, node_common_spec(),
                                        registry.sinks(), registry, own);
        read_inputs(node, own);
        break;
    }
    report_for(node.label(), node.body, own, problems);
    draft.nodes.push_back(std::move(node));
  }
  check_claims(draft, problems);
}

}  // namespace streamd
