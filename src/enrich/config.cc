// SPDX-License-Identifier: Apache-2.0
#include "enrich/config.h"

#include "enrich/crowdsec_protocol.h"
#include "enrich/http_protocol.h"

#include <fmt/format.h>

#include <algorithm>

namespace streamd::enrich {
namespace {

constexpr const char* kDetails =
    "`table`: a CSV file with a header line, or JSON objects, one a line; the row (of several, the "
    "last) whose column `key` has the value as text. Cells of CSV are text, empty ones are "
    "missing; JSON values keep their types. `mmdb`: a database in MaxMind's format; the value is "
    "an address.\n\n"
    "`http`: a service that is asked with GET and answers in JSON. What `{{ }}` prints is escaped "
    "and can only stand behind the host. A status of `missing`, an empty answer, `null`, `{}` and "
    "`[]` mean that there is no entry. `crowdsec`: the decisions of CrowdSec's local API on an "
    "address and the networks around it; make a key on its host with `cscli bouncers add "
    "streamd`. It knows `type`, `scenario`, `origin`, `scope`, `value`, `until` and `count`; of "
    "several decisions a ban counts first, then the one that ends last. What is no "
    "address is not asked. For very many addresses the list `crowdsec` with `match` asks less "
    "often.\n\n"
    "`fields` names what is added, and from which column (dotted path in JSON and mmdb, numbers "
    "for elements of lists: "
    "`country.iso_code`, `subdivisions.0.iso_code`). Fields of that name are replaced; where an "
    "entry has no such value the field is missing. A record without an entry, or without the "
    "field, goes on without the added fields, or as `on_missing` says.\n\n"
    "The file of `table` and `mmdb` is looked at every `refresh` and read anew when it has "
    "changed. A new file that can't be read is told in the log, and the old state stays. Replace "
    "an mmdb file by renaming another one to its name: it is mapped, and writing into it would "
    "break the process. Without the file streamd ends with an error when the first record comes."
    "\n\n"
    "Services are asked for the keys of a batch that are not in the cache, each once, and the "
    "batch waits for the answers: with a small `rate` or a slow service everything behind the "
    "same source waits, and so do checkpoints. A service that does not answer (unreachable, 429, "
    "5xx, a web page instead of JSON) is left alone for a time that grows to 30 s; until it "
    "answers again there is one warning, and records that need it go where `on_error` says. A "
    "refused login ends the start with an error; later it is a failure like others.";

// Which kinds have a field; those that are not named here belong to all.
constexpr unsigned bit(EnrichKind kind) { return 1u << static_cast<unsigned>(kind); }
constexpr unsigned kFiles = bit(EnrichKind::table) | bit(EnrichKind::mmdb);
constexpr unsigned kServices = bit(EnrichKind::http) | bit(EnrichKind::crowdsec);
struct Owned {
  std::string_view name;
  unsigned kinds;
};
constexpr Owned kOwned[] = {
    {"field", kFiles | bit(EnrichKind::crowdsec)},
    {"path", kFiles},
    {"refresh", kFiles},
    {"key", bit(EnrichKind::table)},
    {"url", kServices},
    {"api_key", bit(EnrichKind::crowdsec)},
    {"missing", bit(EnrichKind::http)},
    {"basic", bit(EnrichKind::http)},
    {"bearer", bit(EnrichKind::http)},
    {"cache", bit(EnrichKind::mmdb) | kServices},
    {"on_error", kServices},
    {"ttl", kServices},
    {"negative_ttl", kServices},
    {"concurrency", kServices},
    {"rate", kServices},
    {"max_answer", kServices},
    {"headers", kServices},
    {"tls", kServices},
    {"proxy", kServices},
    {"timeout", kServices},
    {"connect_timeout", kServices},
};

std::string names_of(unsigned kinds) {
  std::string names;
  for (const auto& [kind, name] : EnumNames<EnrichKind>::values)
    if ((kinds & bit(kind)) != 0) names += (names.empty() ? "" : " or ") + std::string(name);
  return names;
}

void report_foreign(EnrichKind kind, const ConfigNode& node, Diagnostics& problems) {
  for (const auto& [key, value] : node.entries)
    for (const Owned& owned : kOwned)
      if (owned.name == key.text && (owned.kinds & bit(kind)) == 0)
        problems.error("rule", key.place,
                       fmt::format("\"{}\" is for kind: {}", key.text, names_of(owned.kinds)),
                       fmt::format("remove it, or change the kind, which is {} here",
                                   FieldType<EnrichKind>::show(kind)));
}

// `what` is required for this kind and must not be empty.
void require(const ConfigNode& node, const std::string& what, Diagnostics& problems) {
  const ConfigNode* value = node.find(what);
  if (value == nullptr)
    report_missing(node, what, problems);
  else if (value->shape == ConfigNode::Shape::scalar && value->text.empty())
    problems.error("rule", value->place, fmt::format("{} must not be empty", what));
}

}  // namespace

bool settled(const Config& config, const ConfigNode& node, Diagnostics& problems) {
  // What another kind would say helps nobody when the kind itself can't be read.
  const ConfigNode* kind = node.find("kind");
  if (kind == nullptr || kind->text != FieldType<EnrichKind>::show(config.kind)) return false;
  const std::size_t before = problems.errors();
  report_foreign(config.kind, node, problems);
  if (config.kind != EnrichKind::http) require(node, "field", problems);
  switch (config.kind) {
    case EnrichKind::table:
    case EnrichKind::mmdb: require(node, "path", problems); break;
    case EnrichKind::http: check_http(config, node, problems); break;
    case EnrichKind::crowdsec:
      require(node, "api_key", problems);
      check_crowdsec(config, node, problems);
      break;
  }
  return problems.errors() == before;
}

namespace {

void add_fields_of_services(Spec<Config>& spec) {
  using C = Config;
  spec.field(&C::on_error,
             {.name = "on_error",
              .help = "http, crowdsec: no answer, or none that can be used. The record becomes a "
                      "dead letter with code `no-answer` or `bad-answer`, the added fields become "
                      "null, or it goes on without them."})
      .field(&C::missing, {.name = "missing",
                           .help = "http: statuses that mean that there is no entry.",
                           .examples = {"[404, 410]"}})
      .field(
          &C::ttl,
          {.name = "ttl", .help = "http, crowdsec: how long an answer counts.", .examples = {"1h"}})
      .field(&C::negative_ttl, {.name = "negative_ttl",
                                .help = "http, crowdsec: how long it counts that there is no "
                                        "entry, or none that can be used.",
                                .examples = {"10m"}})
      .field(&C::concurrency, {.name = "concurrency",
                               .help = "http, crowdsec: requests under way at the same time, of "
                                       "all workers together.",
                               .examples = {"16"}})
      .field(&C::rate, {.name = "rate",
                        .help = "http, crowdsec: requests a second at most, of all workers "
                                "together. 0: no limit.",
                        .examples = {"10", "0.5"}})
      .field(&C::max_answer, {.name = "max_answer",
                              .help = "http, crowdsec: a larger answer is not used.",
                              .advanced = true})
      .rule("ttl must be longer than 0", [](const C& c) { return c.ttl > Duration{}; })
      .rule("concurrency must be between 1 and 256",
            [](const C& c) { return c.concurrency >= 1 && c.concurrency <= 256; })
      .rule("rate must not be negative", [](const C& c) { return c.rate >= 0; })
      .rule("missing holds statuses between 400 and 499",
            [](const C& c) {
              return std::all_of(c.missing.begin(), c.missing.end(),
                                 [](std::int64_t s) { return s >= 400 && s <= 499; });
            })
      .rule("max_answer must be between 1KiB and 64MiB",
            [](const C& c) {
              return c.max_answer.bytes >= 1024 && c.max_answer.bytes <= std::uint64_t{64} << 20;
            })
      .rule("api_key must be text without line ends",
            [](const C& c) { return http::is_header_value(c.api_key); });
  http::with_http_fields(spec);
}

void add_examples(Spec<Config>& spec) {
  spec.example("Who owns the host",
               "kind: table\nfield: ip_str\npath: hosts.csv\nkey: address\n"
               "fields: {owner: owner, team: team}\n")
      .example("Country and city",
               "kind: mmdb\nfield: ip_str\npath: GeoLite2-City.mmdb\n"
               "fields: {country: country.iso_code, city: city.names.en}\n")
      .example("An inventory that is asked",
               "kind: http\nurl: https://inventory.example/hosts/{{ client_ip }}\n"
               "bearer: ${INVENTORY_TOKEN}\nfields: {owner: owner.name, site: tags.0}\n"
               "ttl: 1h\non_error: keep\n")
      .example("CrowdSec's cyber threat intelligence, with a quota",
               "kind: http\nurl: https://cti.api.crowdsec.net/v2/smoke/{{ client_ip }}\n"
               "headers: {x-api-key: \"${CTI_KEY}\"}\n"
               "fields: {cti.behavior: behaviors.0.name, cti.as_name: as_name}\n"
               "ttl: 1d\nnegative_ttl: 1d\nrate: 0.1\non_error: keep\n")
      .example("What a CrowdSec on this host has decided",
               "kind: crowdsec\nfield: client_ip\napi_key: ${CROWDSEC_KEY}\n"
               "fields: {crowdsec.type: type, crowdsec.scenario: scenario}\n"
               "on_error: 'null'\n");
}

}  // namespace

Spec<Config> spec() {
  using C = Config;
  Spec<C> spec("enrich");
  spec.summary("Adds what a table, a GeoIP database, a web service or CrowdSec says of a value.")
      .details(kDetails)
      .field(&C::kind, {.name = "kind", .help = "What is asked.", .required = true})
      .field(&C::field, {.name = "field",
                         .help = "table, mmdb, crowdsec: the value that is looked up.",
                         .examples = {"ip_str"}})
      .field(&C::path,
             {.name = "path", .help = "table, mmdb: the file.", .examples = {"hosts.csv"}})
      .field(&C::key, {.name = "key",
                       .help = "table: the column to find it in. Default: the name of `field`.",
                       .examples = {"address"}})
      .field(&C::url, {.name = "url",
                       .help = "http: what is asked for, with {{ expressions }}. crowdsec: the "
                               "local API, without them; default: http://127.0.0.1:8080. It may "
                               "hold a secret and is never shown beyond host and port.",
                       .secret = true,
                       .examples = {"https://inventory.example/hosts/{{ client_ip }}"}})
      .field(&C::api_key, {.name = "api_key",
                           .help = "crowdsec: the bouncer's key.",
                           .secret = true,
                           .examples = {"${CROWDSEC_KEY}"}})
      .field(&C::fields, {.name = "fields",
                          .help = "Where each added field comes from.",
                          .required = true,
                          .examples = {"{geo.country: country.iso_code, geo.city: "
                                       "city.names.en}"}})
      .field(&C::on_missing,
             {.name = "on_missing",
              .help = "No entry: the record goes on, is counted as filtered, or becomes a dead "
                      "letter with code `no-entry`."})
      .field(&C::refresh, {.name = "refresh",
                           .help = "table, mmdb: how often the file is looked at.",
                           .advanced = true})
      .field(&C::cache, {.name = "cache",
                         .help = "mmdb, http, crowdsec: keys remembered by each worker.",
                         .advanced = true})
      .rule("fields must name at least one field", [](const C& c) { return !c.fields.empty(); })
      .rule("refresh must be longer than 0", [](const C& c) { return c.refresh.micros > 0; })
      .rule("cache must be at most 10000000", [](const C& c) { return c.cache <= 10'000'000; });
  add_fields_of_services(spec);
  add_examples(spec);
  return spec;
}

}  // namespace streamd::enrich
