// SPDX-License-Identifier: Apache-2.0
#include "sources/http_config.h"

namespace streamd {

const Spec<PageConfig>& NestedSpec<PageConfig>::spec() {
  using C = PageConfig;
  static const Spec<C> spec =
      Spec<C>("page number")
          .field(&C::param, {.name = "param", .help = "The query's key for the number."})
          .field(&C::start, {.name = "start", .help = "The number of the first page."})
          .field(&C::size, {.name = "size",
                            .help = "Records of a full page: one with fewer is the last. 0: the "
                                    "last is the first empty one."})
          .rule("param must not be empty", [](const C& c) { return !c.param.empty(); });
  return spec;
}

const Spec<CursorConfig>& NestedSpec<CursorConfig>::spec() {
  using C = CursorConfig;
  static const Spec<C> spec =
      Spec<C>("cursor")
          .field(&C::path, {.name = "path",
                            .help = "Where in the answer the next cursor is. None, null or an "
                                    "empty text: this was the last page.",
                            .required = true,
                            .examples = {"meta.next"}})
          .field(&C::param, {.name = "param",
                             .help = "The query's key for it.",
                             .required = true,
                             .examples = {"cursor"}})
          .rule("path and param must not be empty",
                [](const C& c) { return !c.path.empty() && !c.param.empty(); });
  return spec;
}

const Spec<PaginationConfig>& NestedSpec<PaginationConfig>::spec() {
  using C = PaginationConfig;
  static const Spec<C> spec =
      Spec<C>("pagination")
          .field(&C::link, {.name = "link",
                            .help = "The next page is the Link header's rel=next. It must be on "
                                    "the same host."})
          .field(&C::page, {.name = "page", .help = "Pages are numbered."})
          .field(&C::cursor, {.name = "cursor", .help = "Each answer names the next page."})
          .rule("only one of link, page and cursor", [](const C& c) {
            return (c.link ? 1 : 0) + (c.page ? 1 : 0) + (c.cursor ? 1 : 0) <= 1;
          });
  return spec;
}

namespace {

using C = HttpSourceConfig;

void describe(Spec<C>& spec) {
  spec.summary("Asks a URL again and again, or once, and reads the records of its answers.")
      .details(
          "A server that gives an ETag or Last-Modified is asked for changes only; an answer that "
          "did not change has no records (not with `pagination`, where later pages may change "
          "alone). Otherwise all records come with each poll. A page "
          "and its place are part of the checkpoint, so a restart goes on with the next page.\n\n"
          "`json`: the records are the items of the array at `path`, or the object there. "
          "`ndjson`: a JSON object a line. `csv`: the first row names the fields; records are JSON "
          "objects whose values are texts. `lines`: each line is a text, `decode: text` unless "
          "said otherwise. An answer 204 has no records.\n\n"
          "Errors that may heal (no answer, 408, 425, 429, 5xx, HTML where JSON should be) are "
          "retried with back-off and Retry-After; any other status ends the pipeline. Ids at "
          "sinks come from the poll, the page and what the record holds, so a page that is "
          "fetched again after a crash gives the same ids.")
      .promise("exactly once into the pipeline's state as long as the far side gives a page again")
      .example("An API's events each minute",
               "url: https://api.example.com/v1/events\npath: data.items\nevery: 1m\n"
               "pagination: {cursor: {path: meta.next, param: cursor}}")
      .example("A list, once", "url: https://example.com/list.csv\nformat: csv\nonce: true");
}

void add_fields(Spec<C>& spec) {
  spec.field(&C::url, {.name = "url",
                       .help = "What to ask.",
                       .required = true,
                       .secret = true,
                       .examples = {"https://api.example.com/v1/events"}})
      .field(&C::method, {.name = "method", .help = "GET or POST.", .advanced = true})
      .field(&C::body, {.name = "body",
                        .help = "What a POST sends.",
                        .secret = true,
                        .advanced = true,
                        .examples = {"'{\"query\": \"*\"}'"}})
      .field(&C::format, {.name = "format", .help = "What answers are made of."})
      .field(&C::path, {.name = "path",
                        .help = "json: where the records are, as keys with dots between them.",
                        .examples = {"data.items"}})
      .field(&C::separator, {.name = "separator",
                             .help = "csv: what stands between fields.",
                             .advanced = true,
                             .examples = {"';'"}})
      .field(&C::pagination, {.name = "pagination",
                              .help = "How an answer of several pages goes on.",
                              .examples = {"{link: true}", "{page: {param: p, start: 0}}",
                                           "{cursor: {path: meta.next, param: cursor}}"}})
      .field(&C::max_pages,
             {.name = "max_pages", .help = "More pages than that are an error.", .advanced = true})
      .field(&C::every, {.name = "every", .help = "How often to ask.", .examples = {"5m"}})
      .field(&C::once, {.name = "once", .help = "Ask once, and end."})
      .field(&C::max_response, {.name = "max_response",
                                .help = "The largest answer, decompressed, that is taken.",
                                .advanced = true});
}

void add_rules(Spec<C>& spec) {
  spec.rule("method is GET or POST",
            [](const C& c) { return c.method == "GET" || c.method == "POST"; })
      .rule("body needs method: POST",
            [](const C& c) { return c.body.empty() || c.method == "POST"; })
      .rule("path is for format: json",
            [](const C& c) { return c.path.empty() || c.format == HttpFormat::json; })
      .rule("a cursor needs format: json",
            [](const C& c) { return !c.pagination.cursor || c.format == HttpFormat::json; })
      .rule("separator is one character, no quote and no line end",
            [](const C& c) {
              return c.separator.size() == 1 &&
                     c.separator.find_first_of("\"\r\n") == std::string::npos;
            })
      .rule("every must be at least 10ms and at most 365d",
            [](const C& c) {
              return c.every >= Duration::from_millis(10) &&
                     c.every <= Duration::from_seconds(365 * 86'400);
            })
      .rule("max_pages and max_response must be at least 1",
            [](const C& c) { return c.max_pages >= 1 && c.max_response.bytes >= 1; });
}

}  // namespace

Spec<HttpSourceConfig> http_source_spec() {
  Spec<C> spec("http");
  describe(spec);
  add_fields(spec);
  http::with_http_fields(spec);
  add_rules(spec);
  return spec;
}

}  // namespace streamd
