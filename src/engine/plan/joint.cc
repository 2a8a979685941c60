// SPDX-License-Identifier: Apache-2.0
#include "engine/plan/joint.h"

#include "engine/core/hash.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>

namespace streamd {
namespace {

constexpr std::size_t kLongestJointName = 120;  // it names a folder

bool equal(const ConfigNode& a, const ConfigNode& b) {
  if (a.shape != b.shape || a.text != b.text || a.quoted != b.quoted) return false;
  const auto same = [](const ConfigNode& x, const ConfigNode& y) { return equal(x, y); };
  if (!std::equal(a.items.begin(), a.items.end(), b.items.begin(), b.items.end(), same))
    return false;
  return a.entries.size() == b.entries.size() &&
         std::all_of(a.entries.begin(), a.entries.end(), [&](const ConfigEntry& entry) {
           const ConfigNode* other = b.find(entry.first.text);
           return other != nullptr && equal(entry.second, *other);
         });
}

bool equal_bodies(const DocumentNode& a, const DocumentNode& b) {
  return a.body != nullptr && b.body != nullptr && equal(*a.body, *b.body);
}

const DocumentNode* dead_letter_sink(const Document& document) {
  if (!document.dead_letters) return nullptr;
  for (const auto& node : document.nodes)
    if (node.section == Section::sinks && node.name == *document.dead_letters) return &node;
  return nullptr;
}

bool can_be_one_job(const Document& a, const Document& b) {
  if (a.checkpoint_every.micros != b.checkpoint_every.micros) return false;
  const DocumentNode* of_a = dead_letter_sink(a);
  const DocumentNode* of_b = dead_letter_sink(b);
  if (of_a == nullptr || of_b == nullptr) return of_a == of_b;
  return equal_bodies(*of_a, *of_b);
}

bool share_a_source(const Document& a, const Document& b) {
  for (const auto& one : a.nodes)
    for (const auto& other : b.nodes)
      if (one.section == Section::sources && other.section == Section::sources &&
          equal_bodies(one, other))
        return true;
  return false;
}

std::string joint_name(const std::vector<Document>& documents) {
  std::string name;
  for (const auto& document : documents) name += (name.empty() ? "" : "+") + document.pipeline;
  if (name.size() <= kLongestJointName) return name;
  return fmt::format("{}+{}-more-{:08x}", documents.front().pipeline, documents.size() - 1,
                     static_cast<std::uint32_t>(hash_bytes(name, 0)));
}

class Joiner {
 public:
  explicit Joiner(std::vector<Document> documents) : from_(std::move(documents)) {
    std::sort(from_.begin(), from_.end(),
              [](const auto& a, const auto& b) { return a.pipeline < b.pipeline; });
  }

  JointDocument join() {
    Document& into = joint_.document;
    into.pipeline = joint_name(from_);
    into.place = from_.front().place;
    into.checkpoint_every = from_.front().checkpoint_every;
    for (std::size_t m = 0; m < from_.size(); ++m) {
      into.members.push_back(from_[m].pipeline);
      name_nodes(m);
    }
    for (std::size_t m = 0; m < from_.size(); ++m) add_nodes(m);
    if (from_.front().dead_letters) {
      into.dead_letters = names_[{0, *from_.front().dead_letters}];
      into.dead_letters_place = from_.front().dead_letters_place;
    }
    return std::move(joint_);
  }

 private:
  // A node of an earlier member that does the same.
  const DocumentNode* twin(std::size_t m, const DocumentNode& node) const {
    const bool dead_letters = &node == dead_letter_sink(from_[m]);
    for (std::size_t before = 0; before < m; ++before) {
      if (dead_letters) return dead_letter_sink(from_[before]);
      for (const auto& other : from_[before].nodes) {
        if (other.section != node.section || !equal_bodies(other, node)) continue;
        if (node.section == Section::sources) return &other;
        if (node.section == Section::lists && other.name == node.name) return &other;
      }
    }
    return nullptr;
  }

  std::size_t member_of(const DocumentNode* node) const {
    for (std::size_t m = 0; m < from_.size(); ++m)
      if (node >= from_[m].nodes.data() && node < from_[m].nodes.data() + from_[m].nodes.size())
        return m;
    return 0;
  }

  void name_nodes(std::size_t m) {
    for (const auto& node : from_[m].nodes) {
      const DocumentNode* first = twin(m, node);
      names_[{m, node.name}] = first == nullptr ? from_[m].pipeline + "." + node.name
                                                : names_[{member_of(first), first->name}];
    }
  }

  void add_nodes(std::size_t m) {
    for (const auto& node : from_[m].nodes) {
      const std::string& name = names_[{m, node.name}];
      if (twin(m, node) != nullptr) {
        for (auto& added : joint_.document.nodes)
          if (added.section == node.section && added.name == name) added.members.push_back(m);
        continue;
      }
      DocumentNode renamed = node;
      renamed.name = name;
      renamed.members.assign(1, m);
      if (node.body->find("input") != nullptr) renamed.body = &with_new_inputs(m, *node.body);
      joint_.document.nodes.push_back(std::move(renamed));
    }
  }

  const ConfigNode& with_new_inputs(std::size_t m, const ConfigNode& body) {
    ConfigNode& copy = joint_.bodies.emplace_back(body);
    for (auto& [key, value] : copy.entries) {
      if (key.text != "input") continue;
      if (value.shape == ConfigNode::Shape::scalar) rename(m, value);
      for (auto& item : value.items) rename(m, item);
    }
    return copy;
  }

  void rename(std::size_t m, ConfigNode& input) {
    const std::size_t dot = std::min(input.text.find('.'), input.text.size());
    input.text = names_[{m, input.text.substr(0, dot)}] + input.text.substr(dot);
  }

  std::vector<Document> from_;
  JointDocument joint_;
  std::map<std::pair<std::size_t, std::string>, std::string> names_;  // member and old name to new
};

}  // namespace

std::vector<std::vector<std::size_t>> jobs_of(const std::vector<Document>& documents) {
  std::vector<std::size_t> job(documents.size());
  std::iota(job.begin(), job.end(), std::size_t{0});
  for (std::size_t a = 0; a < documents.size(); ++a)
    for (std::size_t b = a + 1; b < documents.size(); ++b)
      if (job[a] != job[b] && can_be_one_job(documents[a], documents[b]) &&
          share_a_source(documents[a], documents[b]))
        std::replace(job.begin(), job.end(), std::max(job[a], job[b]), std::min(job[a], job[b]));
  std::vector<std::vector<std::size_t>> jobs;
  for (std::size_t first = 0; first < documents.size(); ++first) {
    if (job[first] != first) continue;
    auto& members = jobs.emplace_back();
    for (std::size_t i = first; i < documents.size(); ++i)
      if (job[i] == first) members.push_back(i);
  }
  return jobs;
}

JointDocument join(std::vector<Document> documents) { return Joiner(std::move(documents)).join(); }

std::string own_name(const std::string& node) { return node.substr(node.find('.') + 1); }

}  // namespace streamd
