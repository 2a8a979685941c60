// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/encode.h"
#include "engine/io/delivery/delivery_sink.h"
#include "engine/io/delivery/rendering.h"
#include "engine/io/http/client.h"
#include "engine/io/http/config.h"
#include "engine/io/http/echo.h"
#include "sinks/builtin_sinks.h"
#include "sinks/dated_name.h"
#include "sinks/elasticsearch/bulk.h"
#include "sinks/http_answer.h"
#include "sinks/time_style.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace streamd {
namespace elasticsearch {

struct TemplateConfig {
  std::string name;
  std::string file;
};

struct Config : http::HttpConfig, delivery::DeliveryConfig {
  std::vector<http::Url> url;
  TemplateText index;
  Action action = Action::create;
  std::optional<TemplateText> id;
  std::optional<TemplateText> routing;
  std::string pipeline;
  std::string api_key;
  std::optional<TemplateConfig> index_template;
  bool gzip = true;
  TimeStyle time_format = TimeStyle::rfc3339;
};

}  // namespace elasticsearch

template <>
struct EnumNames<elasticsearch::Action> {
  static constexpr std::array<std::pair<elasticsearch::Action, std::string_view>, 2> values = {
      {{elasticsearch::Action::create, "create"}, {elasticsearch::Action::index, "index"}}};
};
template <>
struct NestedSpec<elasticsearch::TemplateConfig> {
  static const Spec<elasticsearch::TemplateConfig>& spec() {
    using C = elasticsearch::TemplateConfig;
    static const Spec<C> spec =
        Spec<C>("index template")
            .field(&C::name, {.name = "name",
                              .help = "Its name at the cluster.",
                              .required = true,
                              .examples = {"nginx-raw"}})
            .field(&C::file, {.name = "file",
                              .help = "A file with the body of PUT _index_template.",
                              .required = true,
                              .examples = {"pipelines/elasticsearch/nginx-raw.json"}});
    return spec;
  }
};

namespace elasticsearch {
namespace {

using delivery::Answer;
using delivery::Item;

constexpr std::size_t kLongestId = 512;
constexpr std::string_view kFilter =
    "errors,items.*.status,items.*.error.type,items.*.error.reason,items.*.error.caused_by.reason";

// What the plan has resolved; shared, const.
struct Shape {
  DatedName index;
  std::optional<expr::BoundTemplate> id, routing;
  std::shared_ptr<const JsonEncoder> json;
};

// Documents of one id follow each other, and the last one counts.
bool replaces(const Config& config) { return config.action == Action::index && config.id; }

class Cluster final : public delivery::Destination {
 public:
  Cluster(const Config& config, std::shared_ptr<const Shape> shape, std::string template_body,
          std::unique_ptr<http::Client> client, std::string pipeline)
      : config_(config),
        shape_(std::move(shape)),
        template_body_(std::move(template_body)),
        client_(std::move(client)),
        ids_(std::move(pipeline)) {}

  std::optional<Fault> encode(const Batch& batch, std::size_t i, Item& item) override {
    name_.clear();
    if (!shape_->index.render(batch, i, name_, &why_)) return Fault{"template", why_};
    std::transform(name_.begin(), name_.end(), name_.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    if (!is_index_name(name_)) {
      why_ = fmt::format("\"{}\" can't be the name of an index", excerpt(name_));
      return Fault{"index-name", why_};
    }
    routing_.clear();
    if (shape_->routing && !shape_->routing->render(batch, i, routing_, &why_))
      return Fault{"template", why_};
    route_.clear();
    append_route({name_, routing_}, route_);
    item.route = route_;
    if (!shape_->id) {
      item.id = ids_.of(batch, i);
    } else {
      id_.clear();
      if (!shape_->id->render(batch, i, id_, &why_)) return Fault{"template", why_};
      if (id_.empty() || id_.size() > kLongestId) {
        why_ = fmt::format("an id has 1 to {} bytes, this one {}", kLongestId, id_.size());
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
    if (!template_there_)
      if (auto trouble = put_template(stop)) return *trouble;
    const http::Url& node = config_.url[turn_ % config_.url.size()];
    http::Request request;
    request.method = "POST";
    http::QueryItems query{{"filter_path", std::string(kFilter)}};
    if (!config_.pipeline.empty()) query.emplace_back("pipeline", config_.pipeline);
    request.url = node.below(http::with_query("_bulk", query));
    request.headers.set("Content-Type", "application/x-ndjson");
    request.body = request_body(items, config_.action);
    request.gzip_body = config_.gzip;
    request.idempotent = true;
    sign(request);
    auto response = client_->send(request, stop);
    if (!response) {
      ++turn_;
      return no_response(response.error());
    }
    http::hide_echo(request, nullptr, response->body);
    if (response->status == 200)
      return read_answer(response->body, items.size(), config_.action, replaces(config_));
    const std::string words = error_text(response->body);
    if (auto answer = usual_answer(*response, words)) {
      if (answer->kind == Answer::Kind::again) ++turn_;
      return *answer;
    }
    if (response->status == 404 || response->status == 405) return wrong_place(words);
    // One document may have spoilt the request for all.
    if (items.size() == 1) return refuse_each(1, fmt::format("status-{}", response->status), words);
    Answer answer;
    answer.kind = Answer::Kind::split;
    return answer;
  }

 private:
  void sign(http::Request& request) const {
    if (!config_.api_key.empty()) request.headers.set("Authorization", "ApiKey " + config_.api_key);
    http::authorize(config_, request);
  }

  static Answer wrong_place(const std::string& words) {
    Answer answer;
    answer.kind = Answer::Kind::blocked;
    answer.message = fmt::format("there is no _bulk at this url: {}", words);
    answer.hint = "Check that url is that of Elasticsearch or OpenSearch itself";
    return answer;
  }

  // nullopt: it is there.
  std::optional<Answer> put_template(std::stop_token stop) {
    if (config_.index_template) {
      http::Request request;
      request.method = "PUT";
      request.url = config_.url[turn_ % config_.url.size()].below(
          "_index_template/" + http::percent_encode(config_.index_template->name));
      request.headers.set("Content-Type", "application/json");
      request.body = template_body_;
      sign(request);
      const auto response = client_->send(request, stop);
      if (!response) {
        ++turn_;
        return no_response(response.error());
      }
      if (!response->ok()) {
        const std::string words = error_text(response->body);
        if (auto answer = usual_answer(*response, words)) return answer;
        Answer answer;
        answer.kind = Answer::Kind::blocked;
        answer.message = fmt::format("index template \"{}\" is refused with {}: {}",
                                     config_.index_template->name, response->status, words);
        answer.hint = fmt::format("Correct \"{}\" and start again", config_.index_template->file);
        return answer;
      }
    }
    template_there_ = true;
    return std::nullopt;
  }

  const Config& config_;
  const std::shared_ptr<const Shape> shape_;
  const std::string template_body_;
  const std::unique_ptr<http::Client> client_;
  std::atomic<bool> template_there_{false};
  std::atomic<std::size_t> turn_{0};  // which node is asked; the next one after a failure
  // Worker thread, of the record at hand.
  delivery::RecordIds ids_;
  std::string name_, routing_, route_, id_, document_, why_;
};

constexpr std::array<SentField, 4> kSent = {{{"index", "where the document goes"},
                                             {"id", "where the pipeline says how it is made"},
                                             {"routing", "where there is one"},
                                             {"document", "as JSON"}}};

class Plan final : public SinkPlan, public Renders {
 public:
  Plan(Config config, DatedName index, std::optional<expr::Template> id,
       std::optional<expr::Template> routing)
      : config_(std::move(config)),
        index_(std::move(index)),
        id_(std::move(id)),
        routing_(std::move(routing)) {}

  Needs needs() const override {
    Needs needs;
    needs.whole = true;
    index_.fields(needs.fields);
    if (id_) id_->fields(needs.fields);
    if (routing_) routing_->fields(needs.fields);
    return needs;
  }
  void bind(const Schema& in, Diagnostics& problems) override {
    auto shape = std::make_shared<Shape>(Shape{index_, {}, {}, {}});
    shape->index.bind(in, problems);
    if (id_) shape->id = id_->bind(in, problems);
    if (routing_) shape->routing = routing_->bind(in, problems);
    shape->json = std::make_shared<const JsonEncoder>(in, config_.time_format);
    shape_ = std::move(shape);
  }
  Promise promise() const override { return Promise::exactly_once; }
  Placement placement() const override { return Placement::one; }
  std::string describe() const override {
    return fmt::format("index {} at {}, outbox of {}", config_.index.text,
                       config_.url.front().host_port(), format_size(config_.outbox.size));
  }
  Result<std::unique_ptr<Sink>> open(SinkContext context) const override {
    std::string body;
    if (config_.index_template) {
      std::ifstream file(config_.index_template->file, std::ios::binary);
      if (!file)
        return fail(
            ErrorKind::config,
            fmt::format("cannot read the index template \"{}\"", config_.index_template->file),
            "Its path counts from where streamd is started.");
      body.assign(std::istreambuf_iterator<char>(file), {});
    }
    auto client = http::Client::make(http::options_of(config_), *context.clock);
    if (!client) return tl::unexpected(std::move(client).error());
    delivery::DeliveryOptions options;
    options.when = delivery::When::early;
    options.batch_records = 2000;
    options.batch_bytes = 5 << 20;
    options.linger = Duration::from_millis(500);
    // Two requests at once could bring two versions of a document in the wrong order.
    options.concurrency = replaces(config_) ? 1 : 2;
    auto cluster = std::make_unique<Cluster>(config_, shape_, std::move(body), std::move(*client),
                                             context.pipeline);
    return delivery::open_sink(std::move(context), config_, options, std::move(cluster));
  }
  std::span<const SentField> sent_fields() const override { return kSent; }
  std::unique_ptr<Rendering> rendering(const SinkContext& context) const override {
    return std::make_unique<delivery::ItemRendering>(
        std::make_unique<Cluster>(config_, shape_, "", nullptr, context.pipeline),
        [own_id = id_.has_value()](const Item& item, Sent& sent) {
          const Route route = read_route(item.route);
          sent.text("index", route.index);
          if (own_id) sent.text("id", item.id);
          if (!route.routing.empty()) sent.text("routing", route.routing);
          sent.json("document", item.document);
        });
  }

 private:
  Config config_;
  DatedName index_;
  std::optional<expr::Template> id_, routing_;
  std::shared_ptr<const Shape> shape_;
};

// The plain beginning must be allowed in a name as far as it goes.
void check_index(const DatedName& index, const Place& place, Diagnostics& problems) {
  if (!is_index_name(index.beginning()))
    problems.error(
        "bad-index", place, "this can't be the name of an index",
        "names are in lower case, have none of \\ / * ? \" < > | , # : and no blanks, and "
        "do not begin with - _ or +");
}

std::unique_ptr<SinkPlan> make(Config config, const ConfigNode& node, Diagnostics& problems) {
  auto index = DatedName::parse(config.index, "an index", problems);
  if (index) check_index(*index, node.find("index")->place, problems);
  std::optional<expr::Template> id, routing;
  if (config.id) id = expr::Template::parse(*config.id, problems);
  if (config.routing) routing = expr::Template::parse(*config.routing, problems);
  if (!index) return nullptr;
  return std::make_unique<Plan>(std::move(config), std::move(*index), std::move(id),
                                std::move(routing));
}

}  // namespace
}  // namespace elasticsearch

void add_elasticsearch_sink(Registry& registry) {
  using C = elasticsearch::Config;
  auto spec =
      Spec<C>("elasticsearch")
          .summary("Writes records as documents to Elasticsearch or OpenSearch.")
          .details(
              "Every document has an id that follows from the record's place in its source, so a "
              "record that is sent again, after an outage or a crash, replaces or meets itself. "
              "Ids "
              "are unique within one index only: behind an alias or a data stream that rolls over, "
              "a "
              "record that is sent again after the roll-over is there twice.\n\n"
              "While the cluster is away, busy (429) or failing (5xx), records wait in the outbox; "
              "only those that failed go again (all of a request, in their order, where documents "
              "replace each other: `action: index` with an `id`). What the cluster refuses for "
              "good "
              "(a mapping "
              "conflict, a missing index) becomes a dead letter with its words. A request that is "
              "too "
              "large is halved.\n\n"
              "`%Y %m %d %H` in `index` stand for the record's event time in UTC. Capital letters "
              "of "
              "fields become small ones there; a record whose index would have another forbidden "
              "character is a dead letter." +
              sent_details(elasticsearch::kSent))
          .promise("exactly once, by ids")
          .field(&C::url, {.name = "url",
                           .help = "One node or several; another one is asked when one fails.",
                           .required = true,
                           .examples = {"https://localhost:9200"}})
          .field(&C::index,
                 {.name = "index",
                  .help = "The index, alias or data stream. May hold {{ expressions }} and "
                          "%Y %m %d %H after a plain beginning.",
                  .required = true,
                  .examples = {"nginx-raw-%Y.%m.%d"}})
          .field(&C::action,
                 {.name = "action",
                  .help = "create: the first document of an id stays (data streams need "
                          "this). index: the last one replaces it."})
          .field(&C::id, {.name = "id",
                          .help = "An id of your own instead of the one from the record's place.",
                          .examples = {"'{{ ip }}-{{ port }}'"}})
          .field(&C::routing, {.name = "routing",
                               .help = "What decides the shard, instead of the id.",
                               .advanced = true})
          .field(
              &C::pipeline,
              {.name = "pipeline", .help = "An ingest pipeline of the cluster.", .advanced = true})
          .field(&C::api_key, {.name = "api_key",
                               .help = "An API key, in the encoded form that the cluster gives.",
                               .secret = true,
                               .examples = {"${ES_API_KEY}"}})
          .field(&C::index_template,
                 {.name = "index_template",
                  .help = "An index template that is put there before the first document.",
                  .examples = {"{name: nginx-raw, file: pipelines/elasticsearch/nginx-raw.json}"}})
          .field(&C::gzip, {.name = "gzip", .help = "Compress requests.", .advanced = true})
          .field(&C::time_format,
                 {.name = "time_format",
                  .help = "How timestamps are written: RFC 3339 text, or seconds since 1970."})
          .rule("url must name at least one node", [](const C& c) { return !c.url.empty(); })
          .rule("api_key must be text without line ends",
                [](const C& c) { return http::is_header_value(c.api_key); })
          .rule("api_key excludes basic and bearer",
                [](const C& c) { return c.api_key.empty() || (!c.basic && c.bearer.empty()); })
          .example("Raw records by day", "url: http://localhost:9200\nindex: nginx-raw-%Y.%m.%d")
          .example("A cluster with TLS and an API key",
                   "url: https://es.example.com:9200\nindex: alerts\napi_key: ${ES_API_KEY}\n"
                   "tls: {ca: /etc/streamd/ca.pem}");
  http::with_http_fields(spec);
  delivery::add_fields(spec);
  registry.add_sink(std::move(spec), elasticsearch::make);
}

}  // namespace streamd
