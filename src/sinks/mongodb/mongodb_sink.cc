// SPDX-License-Identifier: Apache-2.0
#include "engine/io/delivery/rendering.h"
#include "sinks/builtin_sinks.h"
#include "sinks/mongodb/server.h"

#include <fmt/format.h>

#include <memory>
#include <string>
#include <utility>

namespace streamd {
namespace mongodb {
namespace {

class Plan final : public SinkPlan, public Renders {
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
    auto shape =
        std::make_shared<Shape>(Shape{collection_, {}, {}, {}, config_.mode, config_.database, {}});
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
    auto server =
        std::make_unique<Server>(shape_, std::move(*client), context.pipeline, context.log);
    return delivery::open_sink(std::move(context), config_, options, std::move(server));
  }
  std::span<const SentField> sent_fields() const override { return kSent; }
  std::unique_ptr<Rendering> rendering(const SinkContext& context) const override {
    return std::make_unique<delivery::ItemRendering>(
        std::make_unique<Server>(shape_, nullptr, context.pipeline, context.log),
        [own_id = id_.has_value()](const delivery::Item& item, Sent& sent) {
          sent.text("collection", item.route);
          if (own_id) sent.text("id", item.id);
          sent.json("document", item.document);
        });
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
  auto collection = DatedName::parse(config.collection, "a collection", problems);
  if (collection) check_collection(config, *collection, node.find("collection")->place, problems);
  std::optional<expr::Template> id;
  if (config.id) id = expr::Template::parse(*config.id, problems);
  if (!collection) return nullptr;
  return std::make_unique<Plan>(std::move(config), std::move(*collection), std::move(id));
}

}  // namespace
}  // namespace mongodb

void add_mongodb_sink(Registry& registry) { registry.add_sink(mongodb::spec(), mongodb::make); }

}  // namespace streamd
