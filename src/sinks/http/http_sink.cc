// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/encode.h"
#include "engine/expr/template.h"
#include "engine/io/delivery/delivery_sink.h"
#include "engine/io/delivery/rendering.h"
#include "engine/io/http/client.h"
#include "engine/io/http/config.h"
#include "engine/io/http/signature.h"
#include "sinks/builtin_sinks.h"
#include "sinks/http_answer.h"
#include "sinks/time_style.h"

#include <fmt/format.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace streamd {
namespace webhook {

enum class Method { post, put, patch };
enum class As { each, array, lines };

struct Sign {
  std::string secret;
  std::string header = "X-Signature-256";
  std::string prefix = "sha256=";
};

struct Config : http::HttpConfig, delivery::DeliveryConfig {
  http::Url url;
  Method method = Method::post;
  std::optional<TemplateText> body;
  As as = As::each;
  std::string content_type;
  std::optional<Sign> sign;
  bool gzip = false;
  std::string id_header;
  TimeStyle time_format = TimeStyle::rfc3339;
};

}  // namespace webhook

template <>
struct EnumNames<webhook::Method> {
  static constexpr std::array<std::pair<webhook::Method, std::string_view>, 3> values = {
      {{webhook::Method::post, "POST"},
       {webhook::Method::put, "PUT"},
       {webhook::Method::patch, "PATCH"}}};
};
template <>
struct EnumNames<webhook::As> {
  static constexpr std::array<std::pair<webhook::As, std::string_view>, 3> values = {
      {{webhook::As::each, "each"}, {webhook::As::array, "array"}, {webhook::As::lines, "lines"}}};
};
template <>
struct NestedSpec<webhook::Sign> {
  static const Spec<webhook::Sign>& spec() {
    using C = webhook::Sign;
    static const Spec<C> spec =
        Spec<C>("signature")
            .field(&C::secret, {.name = "secret",
                                .help = "The key that both sides know.",
                                .required = true,
                                .secret = true,
                                .examples = {"${WEBHOOK_SECRET}"}})
            .field(&C::header, {.name = "header", .help = "The header that carries it."})
            .field(&C::prefix, {.name = "prefix", .help = "Stands before the hexadecimal digits."})
            .rule("secret is not empty", [](const C& c) { return !c.secret.empty(); })
            .rule("prefix must be text without line ends",
                  [](const C& c) { return http::is_header_value(c.prefix); })
            .rule("header is the name of a header",
                  [](const C& c) { return http::is_header_name(c.header); });
    return spec;
  }
};

namespace webhook {
namespace {

using delivery::Answer;
using delivery::Item;

struct Shape {
  std::optional<expr::BoundTemplate> body;
  std::shared_ptr<const JsonEncoder> json;
};

// What is put into JSON between quotes.
void escape_json(std::string_view text, std::string& out) {
  std::string quoted;
  append_json_string(text, quoted);
  out.append(quoted, 1, quoted.size() - 2);
}

std::string content_type_of(const Config& config) {
  if (!config.content_type.empty()) return config.content_type;
  for (const auto& [name, value] : config.headers.fields)
    if (http::same_token(name, "Content-Type")) return value;
  return config.as == As::lines ? "application/x-ndjson" : "application/json";
}

// Headers that the sink writes because of other keys: both can't be sent.
void check_headers(const Config& config, const ConfigNode& node, Diagnostics& problems) {
  const ConfigNode* headers = node.find("headers");
  if (headers == nullptr || headers->shape != ConfigNode::Shape::map) return;
  const auto taken_by = [&config](std::string_view name) -> std::string_view {
    if (config.sign && http::same_token(name, config.sign->header)) return "sign";
    if (!config.id_header.empty() && http::same_token(name, config.id_header)) return "id_header";
    if (config.gzip && http::same_token(name, "Content-Encoding")) return "gzip";
    if (!config.content_type.empty() && http::same_token(name, "Content-Type"))
      return "content_type";
    return {};
  };
  for (const auto& [name, value] : headers->entries)
    if (const std::string_view key = taken_by(name.text); !key.empty())
      problems.error("bad-header", name.place,
                     fmt::format("\"{}\" is written by the sink itself, for {}", name.text, key),
                     fmt::format("remove it, or {}", key));
}

class Endpoint final : public delivery::Destination {
 public:
  Endpoint(const Config& config, std::shared_ptr<const Shape> shape,
           std::unique_ptr<http::Client> client, std::string pipeline)
      : config_(config),
        shape_(std::move(shape)),
        client_(std::move(client)),
        ids_(std::move(pipeline)),
        content_type_(content_type_of(config)) {}

  std::optional<Fault> encode(const Batch& batch, std::size_t i, Item& item) override {
    document_.clear();
    if (!shape_->body) {
      shape_->json->append(batch, i, document_);
    } else {
      const bool json = content_type_.find("json") != std::string_view::npos;
      if (!shape_->body->render(batch, i, document_, &why_, json ? escape_json : nullptr))
        return Fault{"template", why_};
    }
    item.id = ids_.of(batch, i);
    item.document = document_;
    if (batch.raw(i) != document_) item.raw = batch.raw(i);
    return std::nullopt;
  }

  Answer send(std::span<const Item> items, std::stop_token stop) override {
    http::Request request;
    request.method = FieldType<Method>::show(config_.method);
    request.url = config_.url;
    request.shown_as = "webhook";
    request.headers.set("Content-Type", content_type_);
    if (!config_.id_header.empty() && items.size() == 1)
      request.headers.set(config_.id_header, std::string(items.front().id));
    request.body = body_of(items);
    if (config_.gzip) http::compress_body(request);
    request.idempotent = config_.method == Method::put;
    // What it leads to would be asked with a GET, and nobody would have taken the record.
    request.follow_redirects = false;
    if (config_.sign)
      request.headers.set(
          config_.sign->header,
          config_.sign->prefix + http::hmac_sha256(config_.sign->secret, request.body));
    http::authorize(config_, request);
    const auto response = client_->send(request, stop);
    if (!response) return no_response(response.error());
    if (response->ok()) {
      Answer answer;
      answer.items.resize(items.size());
      return answer;
    }
    const std::string words = excerpt(response->body);
    if (auto answer = usual_answer(*response, words)) return *answer;
    if (items.size() > 1) {
      // One record may have spoilt it for all.
      Answer answer;
      answer.kind = Answer::Kind::split;
      return answer;
    }
    return refuse_each(1, fmt::format("status-{}", response->status),
                       fmt::format("it answers {}: {}", response->status, words));
  }

 private:
  std::string body_of(std::span<const Item> items) const {
    if (config_.as == As::each) return std::string(items.front().document);
    std::string body;
    for (const auto& item : items) {
      if (config_.as == As::array) body += body.empty() ? '[' : ',';
      body += item.document;
      if (config_.as == As::lines) body += '\n';
    }
    if (config_.as == As::array) body += ']';
    return body;
  }

  const Config& config_;
  const std::shared_ptr<const Shape> shape_;
  const std::unique_ptr<http::Client> client_;
  delivery::RecordIds ids_;
  const std::string content_type_;
  std::string document_, why_;
};

constexpr std::array<SentField, 1> kSent = {
    {{"body", "of the request, or the record's part of it; as JSON, where it is"}}};

class Plan final : public SinkPlan, public Renders {
 public:
  Plan(Config config, std::optional<expr::Template> body)
      : config_(std::move(config)), body_(std::move(body)) {}

  Needs needs() const override {
    Needs needs;
    needs.whole = !body_;
    if (body_) body_->fields(needs.fields);
    return needs;
  }
  void bind(const Schema& in, Diagnostics& problems) override {
    auto shape = std::make_shared<Shape>();
    if (body_)
      shape->body = body_->bind(in, problems);
    else
      shape->json = std::make_shared<const JsonEncoder>(in, config_.time_format);
    shape_ = std::move(shape);
  }
  Promise promise() const override { return Promise::at_least_once; }
  Placement placement() const override { return Placement::one; }
  std::string describe() const override {
    return fmt::format("{} to {}, outbox of {}", FieldType<Method>::show(config_.method),
                       config_.url.host_port(), format_size(config_.outbox.size));
  }
  Result<std::unique_ptr<Sink>> open(SinkContext context) const override {
    auto client = http::Client::make(http::options_of(config_), *context.clock);
    if (!client) return tl::unexpected(std::move(client).error());
    delivery::DeliveryOptions options;
    options.when = delivery::When::committed;
    options.batch_records = config_.as == As::each ? 1 : 500;
    options.batch_bytes = 1 << 20;
    options.linger = config_.as == As::each ? Duration{} : Duration::from_seconds(1);
    options.outbox.sync_sent = true;
    auto endpoint =
        std::make_unique<Endpoint>(config_, shape_, std::move(*client), context.pipeline);
    return delivery::open_sink(std::move(context), config_, options, std::move(endpoint));
  }
  std::span<const SentField> sent_fields() const override { return kSent; }
  std::unique_ptr<Rendering> rendering(const SinkContext& context) const override {
    return std::make_unique<delivery::ItemRendering>(
        std::make_unique<Endpoint>(config_, shape_, nullptr, context.pipeline),
        [](const Item& item, Sent& sent) { sent.json("body", item.document); });
  }

 private:
  Config config_;
  std::optional<expr::Template> body_;
  std::shared_ptr<const Shape> shape_;
};

std::unique_ptr<SinkPlan> make(Config config, const ConfigNode& node, Diagnostics& problems) {
  check_headers(config, node, problems);
  std::optional<expr::Template> body;
  if (config.body) body = expr::Template::parse(*config.body, problems);
  return std::make_unique<Plan>(std::move(config), std::move(body));
}

}  // namespace
}  // namespace webhook

void add_http_sink(Registry& registry) {
  using C = webhook::Config;
  auto spec =
      Spec<C>("http")
          .summary("Sends records to an HTTP endpoint: webhooks of any kind.")
          .details(
              "Every answer 2xx counts as taken. 408, 425, 429 and 5xx go again, after "
              "`Retry-After` "
              "where it is given; 401 and 403 wait for a person; 413 is halved; every other "
              "answer, "
              "a redirect too, makes the record a dead letter with the endpoint's words.\n\n"
              "Records go out when their checkpoint is done, and only what was on its way during a "
              "crash can arrive twice; when the outbox is full before that, it is sent sooner, and "
              "what it held can arrive twice. With `id_header` an endpoint can tell: a record "
              "keeps its "
              "id.\n\n"
              "In a `body` of a JSON content type what expressions print is escaped, so they may "
              "stand between quotes." +
              sent_details(webhook::kSent))
          .promise("at least once")
          .field(&C::url,
                 {.name = "url",
                  .help = "Where records are sent. It may hold a secret and is never shown "
                          "beyond host and port.",
                  .required = true,
                  .secret = true,
                  .examples = {"https://hooks.example.com/alerts"}})
          .field(&C::method, {.name = "method", .help = "How it is asked."})
          .field(&C::body, {.name = "body",
                            .help = "Text with {{ expressions }} instead of the record as JSON.",
                            .examples = {"'{\"text\": \"{{ client_ip }}\"}'"}})
          .field(&C::as, {.name = "as",
                          .help = "each: a request for every record. array, lines: several in one, "
                                  "as a JSON array or by line."})
          .field(&C::content_type, {.name = "content_type",
                                    .help = "Without it, and without a Content-Type in `headers`, "
                                            "application/json, or application/x-ndjson for lines."})
          .field(&C::sign,
                 {.name = "sign",
                  .help = "Signs the body with HMAC-SHA256, as it is sent: compressed with `gzip`.",
                  .examples = {"{secret: ${WEBHOOK_SECRET}, header: X-Hub-Signature-256}"}})
          .field(&C::gzip, {.name = "gzip", .help = "Compress requests.", .advanced = true})
          .field(&C::id_header, {.name = "id_header",
                                 .help = "A header that carries the record's id, with as: each.",
                                 .advanced = true,
                                 .examples = {"Idempotency-Key"}})
          .field(&C::time_format,
                 {.name = "time_format",
                  .help = "How timestamps are written: RFC 3339 text, or seconds since 1970."})
          .rule("batch.records needs as: array or lines",
                [](const C& c) {
                  return c.as != webhook::As::each || c.batch.records.value_or(1) == 1;
                })
          .rule("content_type must be text without line ends",
                [](const C& c) { return http::is_header_value(c.content_type); })
          .rule("id_header is the name of a header and needs as: each",
                [](const C& c) {
                  return c.id_header.empty() ||
                         (c.as == webhook::As::each && http::is_header_name(c.id_header));
                })
          .example("A signed webhook",
                   "url: https://hooks.example.com/alerts\nsign: {secret: ${WEBHOOK_SECRET}}")
          .example("Slack",
                   "url: ${SLACK_WEBHOOK}\nbody: '{\"text\": \"{{ client_ip }}: {{ requests }}\"}'")
          .example("Microsoft Teams",
                   "url: ${TEAMS_WEBHOOK}\nbody: '{\"type\": \"message\", \"attachments\": "
                   "[{\"contentType\": \"application/vnd.microsoft.card.adaptive\", \"content\": "
                   "{\"type\": \"AdaptiveCard\", \"version\": \"1.4\", \"body\": [{\"type\": "
                   "\"TextBlock\", \"text\": \"{{ client_ip }}: {{ requests }}\"}]}}]}'");
  http::with_http_fields(spec);
  delivery::add_fields(spec);
  registry.add_sink(std::move(spec), webhook::make);
}

}  // namespace streamd
