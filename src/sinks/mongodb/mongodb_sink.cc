// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/encode.h"
#include "engine/codec/utf8.h"
#include "sinks/builtin_sinks.h"
#include "sinks/dated_name.h"
#include "sinks/http_answer.h"
#include "sinks/mongodb/answer.h"
#include "sinks/mongodb/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

namespace streamd {
namespace mongodb {
namespace {

using delivery::Answer;
using delivery::Item;
using delivery::Verdict;
using Log = std::function<void(int level, const std::string& text)>;

constexpr std::size_t kLongestId = 1024;

// What the plan has resolved; shared, const.
struct Shape {
  DatedName collection;
  std::optional<expr::BoundTemplate> id;
  std::shared_ptr<const JsonEncoder> json;
  mongo::DocumentRules rules;
  std::string database;
  std::vector<mongo::Index> indexes;
};

// The documents of one request that go to one collection.
struct Group {
  std::vector<std::size_t> items;  // of each document, the item
  std::vector<mongo::Document> documents;
};

class Server final : public delivery::Destination {
 public:
  Server(const Config& config, std::shared_ptr<const Shape> shape,
         std::unique_ptr<mongo::Client> client, std::string pipeline, Log log)
      : config_(config),
        shape_(std::move(shape)),
        client_(std::move(client)),
        log_(std::move(log)),
        ids_(std::move(pipeline)) {}

  std::optional<Fault> encode(const Batch& batch, std::size_t i, Item& item) override {
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

  Answer send(std::span<const Item> items, std::stop_token stop) override {
    Answer answer;
    answer.items.resize(items.size());
    std::string bytes;
    const auto [same, groups] = convert(items, bytes, answer.items);
    for (const auto& [name, group] : groups) {
      if (const auto trouble = make_indexes(name, stop)) return *trouble;
      const std::string space = fmt::format("{}.{}", shape_->database, name);
      const auto how = config_.mode == Mode::insert ? mongo::Write::insert : mongo::Write::replace;
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

 private:
  using Groups = std::map<std::string_view, Group>;
  using Same = std::vector<std::pair<std::size_t, std::size_t>>;

  // Those that can't be documents get their verdicts. Of those that replace each other only the
  // newest goes; `same` says which one stands for which.
  std::pair<Same, Groups> convert(std::span<const Item> items, std::string& bytes,
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
      if (config_.mode == Mode::upsert) {
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
  std::optional<Answer> forgive_repeats(std::string_view name, const Group& group,
                                        mongo::Outcome& outcome, const std::stop_token& stop) {
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
    if (!found) return answer_of(found.error(), 1);
    for (auto& error : outcome.errors)
      if (unclear(error) && found->contains(group.documents[error.index].id))
        error.key_pattern = "_id";
    return std::nullopt;
  }

  // nullopt: they are there.
  std::optional<Answer> make_indexes(std::string_view name, const std::stop_token& stop) {
    if (shape_->indexes.empty()) return std::nullopt;
    {
      const std::lock_guard lock(mutex_);
      if (ready_.contains(name)) return std::nullopt;
    }
    for (std::size_t i = 0; i < shape_->indexes.size(); ++i) {
      const auto failure =
          client_->create_index({shape_->database, name}, shape_->indexes[i], stop);
      if (!failure) continue;
      if (is_unsupported(*failure)) {
        warn_once(i, *failure);
        continue;
      }
      Answer answer = answer_of(*failure, 1);
      if (answer.kind != Answer::Kind::each) return answer;
      answer = {};
      answer.kind = Answer::Kind::blocked;
      answer.message = fmt::format("index {} of collection {} is refused: {}", shown(i),
                                   excerpt(name), excerpt(failure->message));
      answer.hint = "Drop the index that is in its way, or correct indexes and start again";
      return answer;
    }
    const std::lock_guard lock(mutex_);
    ready_.emplace(name);
    return std::nullopt;
  }

  std::string shown(std::size_t index) const {
    std::string keys;
    for (const auto& [field, order] : shape_->indexes[index].keys)
      keys += fmt::format("{}{}: {}", keys.empty() ? "" : ", ", field, order);
    return fmt::format("{{{}}}", keys);
  }

  void warn_once(std::size_t index, const mongo::Failure& failure) {
    {
      const std::lock_guard lock(mutex_);
      if (!unsupported_.insert(index).second) return;
    }
    const bool expires = shape_->indexes[index].expire_seconds.has_value();
    log_(1, fmt::format("the server has no index like {}: {}; going on without it{}", shown(index),
                        excerpt(failure.message),
                        expires ? ", so nothing is deleted after a time" : ""));
  }

  const Config& config_;
  const std::shared_ptr<const Shape> shape_;
  const std::unique_ptr<mongo::Client> client_;
  const Log log_;
  std::mutex mutex_;
  std::set<std::string, std::less<>> ready_;  // collections whose indexes are there
  std::set<std::size_t> unsupported_;         // indexes that were told
  // Worker thread, of the record at hand.
  delivery::RecordIds ids_;
  std::string name_, id_, document_, why_;
};

class Plan final : public SinkPlan {
 public:
  Plan(Config config, DatedName collection, std::optional<expr::Template> id)
      : config_(std::move(config)), collection_(std::move(collection)), id_(std::move(id)) {
    if (config_.database.empty()) config_.database = config_.uri.database;
  }

  Needs needs() const override {
    Needs needs;
    needs.whole = true;
    collection_.fields(needs.fields);
    if (id_) id_->fields(needs.fields);
    return needs;
  }
  void bind(const Schema& in, Diagnostics& problems) override {
    auto shape = std::make_shared<Shape>(Shape{collection_, {}, {}, {}, config_.database, {}});
    shape->collection.bind(in, problems);
    if (id_) shape->id = id_->bind(in, problems);
    const bool unix = config_.time_format == Times::unix;
    shape->json =
        std::make_shared<const JsonEncoder>(in, unix ? TimeStyle::unix : TimeStyle::rfc3339);
    shape->rules.bad_keys = config_.bad_keys;
    for (const auto& path : config_.dates) shape->rules.dates.push_back({path, true});
    if (config_.time_format == Times::date)
      for (const auto& field : in.fields)
        if (field.type == Type::timestamp && (field.derived || !in.open))
          shape->rules.dates.push_back({field.name, false});
    for (const auto& index : config_.indexes) shape->indexes.push_back(index_of(index));
    shape_ = std::move(shape);
  }
  Promise promise() const override { return Promise::exactly_once; }
  Placement placement() const override { return Placement::one; }
  std::string describe() const override {
    return fmt::format("{} into {}.{} at {}, outbox of {}", FieldType<Mode>::show(config_.mode),
                       config_.database, config_.collection.text, config_.uri.hosts,
                       format_size(config_.outbox.size));
  }
  Result<std::unique_ptr<Sink>> open(SinkContext context) const override {
    auto client = mongo::Client::make(config_.uri, config_.write_concern);
    if (!client) return tl::unexpected(std::move(client).error());
    delivery::DeliveryOptions options;
    options.when = delivery::When::early;
    options.batch_records = 2000;
    options.batch_bytes = 8 << 20;
    options.linger = Duration::from_millis(200);
    // Two requests at once could bring two versions of a document in the wrong order.
    options.concurrency = config_.mode == Mode::insert ? 2 : 1;
    auto server = std::make_unique<Server>(config_, shape_, std::move(*client), context.pipeline,
                                           context.log);
    return delivery::open_sink(std::move(context), config_, options, std::move(server));
  }

 private:
  Config config_;
  DatedName collection_;
  std::optional<expr::Template> id_;
  std::shared_ptr<const Shape> shape_;
};

// The plain beginning must be allowed in a name as far as it goes.
void check_collection(const Config& config, const DatedName& name, const Place& place,
                      Diagnostics& problems) {
  const std::string_view database = config.database.empty() ? config.uri.database : config.database;
  const std::string begin = name.beginning() + (name.fixed() ? "" : "x");
  if (!is_collection_name(database, begin))
    problems.error("bad-collection", place, "this can't be the name of a collection",
                   "names have no $, do not begin with system. or a dot, and have with the "
                   "database's at most 255 bytes");
}

std::unique_ptr<SinkPlan> make(Config config, const ConfigNode& node, Diagnostics& problems) {
  const std::size_t before = problems.errors();
  auto collection = DatedName::parse(config.collection, "a collection", problems);
  if (collection) check_collection(config, *collection, node.find("collection")->place, problems);
  std::optional<expr::Template> id;
  if (config.id) id = expr::Template::parse(*config.id, problems);
  if (problems.errors() > before) return nullptr;
  return std::make_unique<Plan>(std::move(config), std::move(*collection), std::move(id));
}

}  // namespace
}  // namespace mongodb

void add_mongodb_sink(Registry& registry) { registry.add_sink(mongodb::spec(), mongodb::make); }

}  // namespace streamd
