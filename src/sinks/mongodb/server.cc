// SPDX-License-Identifier: Apache-2.0
#include "sinks/mongodb/server.h"

#include "engine/codec/utf8.h"
#include "sinks/http_answer.h"
#include "sinks/mongodb/answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace streamd::mongodb {
namespace {

using delivery::Answer;
using delivery::Item;
using delivery::Verdict;

constexpr std::size_t kLongestId = 1024;

// About a call that is not about documents: what is no verdict stays, a verdict becomes the words
// for a person.
Answer until_healed(Answer answer, std::string message, std::string hint = {}) {
  if (answer.kind != Answer::Kind::each) return answer;
  Answer blocked;
  blocked.kind = Answer::Kind::blocked;
  blocked.message = std::move(message);
  blocked.hint = std::move(hint);
  return blocked;
}

}  // namespace

std::optional<Fault> Server::encode(const Batch& batch, std::size_t i, Item& item) {
  name_.clear();
  if (!shape_->collection.render(batch, i, name_, &why_)) return Fault{"template", why_};
  if (!is_collection_name(shape_->database, name_) || !is_utf8(name_)) {
    why_ = fmt::format("\"{}\" can't be the name of a collection", excerpt(name_));
    return Fault{"collection-name", why_};
  }
  item.route = name_;
  if (!shape_->id) {
    item.id = ids_.of(batch, i);
  } else {
    id_.clear();
    if (!shape_->id->render(batch, i, id_, &why_)) return Fault{"template", why_};
    if (id_.empty() || id_.size() > kLongestId || !is_utf8(id_)) {
      why_ = fmt::format("an id has 1 to {} bytes of UTF-8, this one {}", kLongestId, id_.size());
      return Fault{"bad-id", why_};
    }
    item.id = id_;
  }
  document_.clear();
  shape_->json->append(batch, i, document_);
  item.document = document_;
  if (batch.raw(i) != document_) item.raw = batch.raw(i);
  return std::nullopt;
}

Answer Server::send(std::span<const Item> items, std::stop_token stop) {
  Answer answer;
  answer.items.resize(items.size());
  std::string bytes;
  const auto [same, groups] = convert(items, bytes, answer.items);
  for (const auto& [name, group] : groups) {
    if (const auto trouble = make_indexes(name, stop)) return *trouble;
    const std::string space = fmt::format("{}.{}", shape_->database, name);
    const auto how = shape_->mode == Mode::insert ? mongo::Write::insert : mongo::Write::replace;
    auto outcome = client_->write({shape_->database, name}, how, group.documents, stop);
    if (how == mongo::Write::insert)
      if (const auto trouble = forgive_repeats(name, group, outcome, stop)) return *trouble;
    Answer part = answer_of(outcome, group.documents.size(), how, space);
    // All goes again, or is halved: what is there already has its id.
    if (part.kind != Answer::Kind::each) return part;
    for (std::size_t k = 0; k < group.items.size(); ++k)
      answer.items[group.items[k]] = std::move(part.items[k]);
  }
  for (const auto& [older, newest] : same) answer.items[older] = answer.items[newest];
  return answer;
}

// Those that can't be documents get their verdicts. Of those that replace each other only the
// newest goes; `same` says which one stands for which.
std::pair<Server::Same, Server::Groups> Server::convert(std::span<const Item> items,
                                                        std::string& bytes,
                                                        std::vector<Verdict>& verdicts) const {
  std::vector<std::pair<std::size_t, std::size_t>> range(items.size());
  std::map<std::pair<std::string_view, std::string_view>, std::size_t> newest;
  Same same;
  Groups groups;
  for (std::size_t i = items.size(); i-- > 0;) {
    range[i].first = bytes.size();
    if (const auto fault =
            mongo::append_document(items[i].document, items[i].id, shape_->rules, bytes)) {
      bytes.resize(range[i].first);
      verdicts[i] = {Verdict::Kind::refused, fault->code, fault->reason};
      continue;
    }
    range[i].second = bytes.size();
  }
  for (std::size_t i = items.size(); i-- > 0;) {
    if (range[i].second == 0) continue;
    if (shape_->mode == Mode::upsert) {
      const auto [at, first] = newest.try_emplace({items[i].route, items[i].id}, i);
      if (!first) {
        same.emplace_back(i, at->second);
        continue;
      }
    }
    groups[items[i].route].items.push_back(i);
  }
  for (auto& [name, group] : groups) {
    std::reverse(group.items.begin(), group.items.end());
    for (const std::size_t i : group.items)
      group.documents.push_back(
          {items[i].id,
           std::string_view(bytes).substr(range[i].first, range[i].second - range[i].first)});
  }
  return {std::move(same), std::move(groups)};
}

// Not every server tells which index a duplicate is of, and one that is there already may offend
// another index first; so where it is not plain, the ids are looked for. nullopt: all is known.
std::optional<Answer> Server::forgive_repeats(std::string_view name, const Group& group,
                                              mongo::Outcome& outcome,
                                              const std::stop_token& stop) {
  const std::string space = fmt::format("{}.{}", shape_->database, name);
  const auto unclear = [&](const mongo::WriteError& error) {
    return error.code == kDuplicateKey && error.index < group.documents.size() &&
           !is_about_id(error, space);
  };
  std::vector<std::string_view> ids;
  for (const auto& error : outcome.errors)
    if (unclear(error)) ids.push_back(group.documents[error.index].id);
  if (ids.empty() || outcome.failure) return std::nullopt;
  const auto found = client_->present({shape_->database, name}, ids, stop);
  if (!found) return until_healed(answer_of(found.error(), 1), "looking for ids is refused");
  for (auto& error : outcome.errors)
    if (unclear(error) && found->contains(group.documents[error.index].id))
      error.key_pattern = "_id";
  return std::nullopt;
}

// nullopt: they are there.
std::optional<Answer> Server::make_indexes(std::string_view name, const std::stop_token& stop) {
  if (shape_->indexes.empty()) return std::nullopt;
  {
    const std::lock_guard lock(mutex_);
    if (ready_.contains(name)) return std::nullopt;
  }
  for (std::size_t i = 0; i < shape_->indexes.size(); ++i) {
    const auto failure = client_->create_index({shape_->database, name}, shape_->indexes[i], stop);
    if (!failure) continue;
    if (is_unsupported(*failure)) {
      warn_once(i, *failure);
      continue;
    }
    return until_healed(answer_of(*failure, 1),
                        fmt::format("index {} of collection {} is refused: {}", shown(i),
                                    excerpt(name), excerpt(failure->message)),
                        "Drop the index that is in its way, or correct indexes and start again");
  }
  const std::lock_guard lock(mutex_);
  ready_.emplace(name);
  return std::nullopt;
}

std::string Server::shown(std::size_t index) const {
  std::string keys;
  for (const auto& [field, order] : shape_->indexes[index].keys)
    keys += fmt::format("{}{}: {}", keys.empty() ? "" : ", ", field, order);
  return fmt::format("{{{}}}", keys);
}

void Server::warn_once(std::size_t index, const mongo::Failure& failure) {
  {
    const std::lock_guard lock(mutex_);
    if (!unsupported_.insert(index).second) return;
  }
  const bool expires = shape_->indexes[index].expire_seconds.has_value();
  log_(1, fmt::format("the server has no index like {}: {}; going on without it{}", shown(index),
                      excerpt(failure.message),
                      expires ? ", so nothing is deleted after a time" : ""));
}

}  // namespace streamd::mongodb
