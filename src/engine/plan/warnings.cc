// SPDX-License-Identifier: Apache-2.0
#include "engine/plan/warnings.h"

#include "engine/plan/list_use.h"
#include "engine/plan/source_use.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace streamd {
namespace {

bool is_word_sign(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool has_word(const std::string& text, const std::string& word) {
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if ((at == 0 || !is_word_sign(text[at - 1])) &&
        (end == text.size() || !is_word_sign(text[end])))
      return true;
  }
  return false;
}

std::string text_of(const ConfigNode& body, const char* key) {
  const ConfigNode* value = body.find(key);
  return value == nullptr ? std::string() : value->text;
}

bool is_read(const Draft& draft, std::size_t node) {
  return std::any_of(draft.nodes.begin(), draft.nodes.end(), [&](const DraftNode& reader) {
    return std::any_of(reader.inputs.begin(), reader.inputs.end(), [&](const DraftInput& input) {
      return input.node == node && input.port != Port::late;
    });
  });
}

// Names that a node makes: those below compute and set.
void unused_fields(const Draft& draft, std::size_t number, Diagnostics& problems) {
  const DraftNode& node = draft.nodes[number];
  if (!node.wanted[0].whole && node.wanted[0].fields.empty()) return;  // nobody looks at fields
  if (node.node.op == nullptr || node.body == nullptr || !is_read(draft, number)) return;
  if (text_of(*node.body, "emit") == "changed") return;  // what changes makes a row leave
  const std::string having = text_of(*node.body, "having");
  for (const char* section : {"compute", "set"}) {
    const ConfigNode* made = node.body->find(section);
    if (made == nullptr || made->entries.size() < 2) continue;  // one there must be
    for (const auto& [key, value] : made->entries) {
      if (!node.node.ports.out.find(key.text) || is_wanted(key.text, node.wanted[0]) ||
          has_word(having, key.text))
        continue;
      problems.warning("unused-field", key.place,
                       fmt::format("{}: nobody reads \"{}\"", node.label(), key.text),
                       "remove it, or use it in a node that reads this one");
    }
  }
}

void unused_lists(const Draft& draft, Diagnostics& problems) {
  for (const auto& list : draft.lists)
    if (std::none_of(draft.nodes.begin(), draft.nodes.end(), [&](const DraftNode& node) {
          return node.body != nullptr && mentions(*node.body, list.list.name);
        }))
      problems.warning(
          "unused-list", list.list.place, fmt::format("nothing asks {}", list.label()),
          fmt::format("use it in a match, or as x in list(\"{}\"), or remove it", list.list.name));
}

void short_retention(const DraftNode& node, const SourceUse& use, const DraftNode& source,
                     Diagnostics& problems) {
  const auto kept = duration_of(source.body->find("retention"));
  if (!use.span || !kept || *use.span <= *kept) return;
  problems.warning(
      "short-retention", window_length(*node.body)->place,
      fmt::format("{}: its window of {} is longer than {} keeps records ({})", node.label(),
                  format_duration(*use.span), source.label(), format_duration(*kept)),
      fmt::format("keep them longer, or shorten the window: after a pause of more than {}, or "
                  "without its state, it would be incomplete",
                  format_duration(*kept)));
}

std::vector<std::string> texts_of(const ConfigNode* node) {
  std::vector<std::string> texts;
  if (node == nullptr) return texts;
  if (node->shape == ConfigNode::Shape::scalar) texts.push_back(node->text);
  for (const auto& item : node->items) texts.push_back(item.text);
  return texts;
}

void split_keys(const DraftNode& node, const SourceUse& use, const DraftNode& source,
                Diagnostics& problems) {
  const auto parted = texts_of(source.body->find("partitioned_by"));
  if (parted.empty() || !use.keys) return;
  const auto& keys = *use.keys;
  const bool whole = std::all_of(parted.begin(), parted.end(), [&](const std::string& field) {
    return std::find(keys.begin(), keys.end(), field) != keys.end();
  });
  if (whole) return;
  const ConfigNode* by = node.body->find("by");
  problems.warning(
      "split-key", by == nullptr ? node.node.place : by->place,
      fmt::format("{}: with several processes each sees only a part of {}: {} is partitioned by {}",
                  node.label(),
                  keys.empty() ? std::string("the records")
                               : fmt::format("the records of a {}", fmt::join(keys, ", ")),
                  source.label(), fmt::join(parted, ", ")),
      fmt::format(
          "run one process, or write the records to a topic with {} as key and read that",
          keys.empty() ? std::string("one value") : fmt::format("{}", fmt::join(keys, ", "))));
}

// A topic that both read; empty: there is none, or they are not of one group.
std::string shared_topic(const GroupUse& a, const GroupUse& b) {
  if (a.group != b.group || a.brokers != b.brokers) return {};
  for (const auto& topic : a.topics)
    if (std::find(b.topics.begin(), b.topics.end(), topic) != b.topics.end()) return topic;
  return {};
}

}  // namespace

void warn_shared_groups(const Document& job, std::vector<GroupUse>& seen, Diagnostics& problems) {
  for (const DocumentNode& node : job.nodes) {
    if (node.section != Section::sources || node.body == nullptr ||
        text_of(*node.body, "type") != "kafka" || text_of(*node.body, "group").empty())
      continue;
    GroupUse use{fmt::format("source \"{}\" of pipeline {}", node.name, job.pipeline),
                 text_of(*node.body, "group"), texts_of(node.body->find("brokers")),
                 texts_of(node.body->find("topics"))};
    std::sort(use.brokers.begin(), use.brokers.end());
    for (const GroupUse& other : seen) {
      const std::string topic = shared_topic(use, other);
      if (topic.empty()) continue;
      problems.warning(
          "shared-group", node.body->find("group")->place,
          fmt::format("source \"{}\": it is in one group with {}, so each of them gets "
                      "only some of the partitions of topic \"{}\"",
                      node.name, other.label, topic),
          "give each a group of its own");
      break;
    }
    seen.push_back(std::move(use));
  }
}

void warn_about(const Draft& draft, Diagnostics& problems) {
  unused_lists(draft, problems);
  for (std::size_t i = 0; i < draft.document.nodes.size() && i < draft.nodes.size(); ++i)
    unused_fields(draft, i, problems);
  for (const NodeUse& found : uses_of_sources(draft)) {
    const DraftNode& source = draft.nodes[found.source];
    if (source.body == nullptr) continue;
    short_retention(draft.nodes[found.node], found.use, source, problems);
    split_keys(draft.nodes[found.node], found.use, source, problems);
  }
}

void warn_unbounded_keys(const ConfigNode& body, const SpecView& view, Diagnostics& problems) {
  constexpr Duration kLong = Duration::from_seconds(7 * 24 * 3600);
  const ConfigNode* by = body.find("by");
  if (by == nullptr || body.find("max_keys") != nullptr) return;
  const auto field = [&](std::string_view name) {
    return std::find_if(view.fields.begin(), view.fields.end(),
                        [&](const FieldView& f) { return f.name == name; });
  };
  const auto limit = field("max_keys");
  if (limit == view.fields.end()) return;
  std::optional<Duration> held = duration_of(window_length(body));
  for (const char* name : {"forget", "keep", "within", "remember"}) {
    const auto known = field(name);
    if (held || known == view.fields.end()) continue;
    const ConfigNode* given = body.find(name);
    held = given != nullptr ? duration_of(given) : parse_duration(known->fallback);
  }
  if (!held || *held <= kLong) return;
  problems.warning("no-max-keys", by->place,
                   fmt::format("keys are held for {}, and nothing says how many there may be",
                               format_duration(*held)),
                   fmt::format("set max_keys (default {}) to what there can be and memory allows",
                               limit->fallback));
}

}  // namespace streamd
