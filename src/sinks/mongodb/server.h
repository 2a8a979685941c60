// SPDX-License-Identifier: Apache-2.0
// Server: the mongodb sink's far side. Records become JSON in the outbox and BSON when they go, so
// that a dead letter shows what a person can read.
#pragma once

#include "engine/codec/encode.h"
#include "engine/io/delivery/delivery_sink.h"
#include "engine/io/mongo/client.h"
#include "engine/io/mongo/document.h"
#include "sinks/dated_name.h"
#include "sinks/mongodb/config.h"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace streamd::mongodb {

// What the plan has resolved; shared, const.
struct Shape {
  DatedName collection;  // bound
  std::optional<expr::BoundTemplate> id;
  std::shared_ptr<const JsonEncoder> json;
  mongo::DocumentRules rules;
  Mode mode = Mode::insert;
  std::string database;
  std::vector<mongo::Index> indexes;
};

class Server final : public delivery::Destination {
 public:
  // Any thread; level as in SinkContext.
  using Log = std::function<void(int level, const std::string& text)>;

  Server(std::shared_ptr<const Shape> shape, std::unique_ptr<mongo::Client> client,
         std::string pipeline, Log log)
      : shape_(std::move(shape)),
        client_(std::move(client)),
        log_(std::move(log)),
        ids_(std::move(pipeline)) {}

  std::optional<Fault> encode(const Batch& batch, std::size_t i, delivery::Item& item) override;
  delivery::Answer send(std::span<const delivery::Item> items, std::stop_token stop) override;

 private:
  // The documents of one request that go to one collection.
  struct Group {
    std::vector<std::size_t> items;  // of each document, the item
    std::vector<mongo::Document> documents;
  };
  using Groups = std::map<std::string_view, Group>;
  using Same = std::vector<std::pair<std::size_t, std::size_t>>;

  std::pair<Same, Groups> convert(std::span<const delivery::Item> items, std::string& bytes,
                                  std::vector<delivery::Verdict>& verdicts) const;
  std::optional<delivery::Answer> forgive_repeats(std::string_view name, const Group& group,
                                                  mongo::Outcome& outcome,
                                                  const std::stop_token& stop);
  std::optional<delivery::Answer> make_indexes(std::string_view name, const std::stop_token& stop);
  std::string shown(std::size_t index) const;
  void warn_once(std::size_t index, const mongo::Failure& failure);

  const std::shared_ptr<const Shape> shape_;
  const std::unique_ptr<mongo::Client> client_;
  const Log log_;
  std::mutex mutex_;                          // guards the next two
  std::set<std::string, std::less<>> ready_;  // collections whose indexes are there
  std::set<std::size_t> unsupported_;         // indexes that were told
  // Worker thread, of the record at hand.
  delivery::RecordIds ids_;
  std::string name_, id_, document_, why_;
};

}  // namespace streamd::mongodb
