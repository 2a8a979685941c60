// SPDX-License-Identifier: Apache-2.0
#include "sinks/elasticsearch/bulk.h"

#include "tests/support/catch.h"

#include <string>
#include <vector>

namespace streamd::elasticsearch {
namespace {

using delivery::Answer;
using delivery::Verdict;

Answer answer(const std::string& items, std::size_t count, Action action = Action::create) {
  return read_answer(R"({"took":3,"errors":true,"items":[)" + items + "]}", count, action);
}

TEST_CASE("A request is an action line and a document for each record") {
  std::string route, plain;
  append_route({"logs-1", "eu"}, route);
  append_route({"logs-2", ""}, plain);
  std::vector<delivery::Item> items(2);
  items[0].id = "a\"b";
  items[0].route = route;
  items[0].document = R"({"n":1})";
  items[1].route = plain;
  items[1].document = "{}";
  CHECK(request_body(items, Action::create) ==
        "{\"create\":{\"_index\":\"logs-1\",\"_id\":\"a\\\"b\",\"routing\":\"eu\"}}\n{\"n\":1}\n"
        "{\"create\":{\"_index\":\"logs-2\"}}\n{}\n");
  CHECK(request_body({items.data(), 1}, Action::index).starts_with("{\"index\":{"));
}

TEST_CASE("Each item has its own verdict") {
  const Answer got = answer(
      R"({"create":{"status":201}},)"
      R"({"create":{"status":409,"error":{"type":"version_conflict_engine_exception"}}},)"
      R"({"create":{"status":400,"error":{"type":"mapper_parsing_exception","reason":"failed to parse field [n]","caused_by":{"reason":"For input string: \"x\""}}}},)"
      R"({"create":{"status":429,"error":{"type":"es_rejected_execution_exception","reason":"queue full"}}},)"
      R"({"create":{"status":503,"error":{"type":"unavailable_shards_exception"}}},)"
      R"({"create":{"status":403,"error":{"type":"cluster_block_exception","reason":"read-only"}}},)"
      R"({"create":{"status":404,"error":{"type":"index_not_found_exception","reason":"no such index [x]"}}})",
      7);
  REQUIRE(got.kind == Answer::Kind::each);
  using Kind = Verdict::Kind;
  const std::vector<Kind> kinds{Kind::done,  Kind::done,  Kind::refused, Kind::again,
                                Kind::again, Kind::again, Kind::refused};
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    INFO("item " << i);
    CHECK(got.items[i].kind == kinds[i]);
  }
  CHECK(got.items[2].code == "mapper-parsing-exception");
  CHECK(got.items[2].reason ==
        "mapper_parsing_exception: failed to parse field [n] (For input string: \"x\")");
}

TEST_CASE("A conflict is success only where the same id means the same document") {
  const std::string conflict =
      R"({"index":{"status":409,"error":{"type":"version_conflict_engine_exception"}}})";
  CHECK(answer(conflict, 1, Action::create).items[0].kind == Verdict::Kind::done);
  CHECK(answer(conflict, 1, Action::index).items[0].kind == Verdict::Kind::refused);
}

const std::string kStored = R"({"index":{"status":201}})";
const std::string kBusy =
    R"({"index":{"status":429,"error":{"type":"es_rejected_execution_exception","reason":"queue full"}}})";

TEST_CASE("Where later documents replace earlier ones, all go again with one of them") {
  const std::string body = R"({"errors":true,"items":[)" + kBusy + "," + kStored + "]}";
  const Answer alone = read_answer(body, 2, Action::index);
  REQUIRE(alone.kind == Answer::Kind::each);
  CHECK(alone.items[0].kind == Verdict::Kind::again);
  CHECK(alone.items[1].kind == Verdict::Kind::done);
  CHECK(alone.message.empty());
  const Answer all = read_answer(body, 2, Action::index, true);
  CHECK(all.kind == Answer::Kind::again);
  CHECK(all.message.find("queue full") != std::string::npos);
  const std::string good = R"({"errors":false,"items":[)" + kStored + "]}";
  CHECK(read_answer(good, 1, Action::index, true).kind == Answer::Kind::each);
}

TEST_CASE("When no document is taken people hear why") {
  const Answer busy = answer(kBusy + "," + kBusy, 2);
  REQUIRE(busy.kind == Answer::Kind::each);
  CHECK(busy.message ==
        "it does not take the documents now: es_rejected_execution_exception: queue full");
  CHECK(answer(kBusy + "," + kStored, 2).message.empty());
  CHECK(answer(kStored, 1).message.empty());
}

TEST_CASE("What is no answer to this request says nothing about the records") {
  CHECK(answer(R"({"create":{"status":201}})", 2).kind == Answer::Kind::again);
  CHECK(answer(R"({"create":{"status":"201"}})", 1).kind == Answer::Kind::again);
  CHECK(answer(R"({"create":7})", 1).kind == Answer::Kind::again);
  CHECK(answer("{}", 1).kind == Answer::Kind::again);
  CHECK(answer("3", 1).kind == Answer::Kind::again);
  for (const char* body :
       {"", "null", "[]", "{\"items\":[]}", "{\"errors\":false}", "{\"errors\":tr"})
    CHECK(read_answer(body, 1, Action::create).kind == Answer::Kind::again);
  const Answer page =
      read_answer("<html><head><title>Welcome to nginx!</title></head></html>", 1, Action::create);
  CHECK(page.kind == Answer::Kind::again);
  CHECK(page.message.find("a web page Welcome to nginx!") != std::string::npos);
  CHECK(page.hint.find("url") != std::string::npos);
}

TEST_CASE("Names of indices are what the cluster allows") {
  for (const char* good : {"a", "nginx-raw-2026.11.21", "größe", ".hidden", "a+b_c"})
    CHECK(is_index_name(good));
  for (const char* bad : {"",   ".",  "..",  "-a", "_a", "+a", "A",   "a b", "a/b", "a\\b",
                          "a*", "a?", "a\"", "a<", "a>", "a|", "a,b", "a#",  "a:b", "a\nb"}) {
    INFO(bad);
    CHECK_FALSE(is_index_name(bad));
  }
  CHECK_FALSE(is_index_name(std::string(256, 'a')));
}

TEST_CASE("An error is told in the cluster's own words") {
  CHECK(error_text(R"({"error":{"type":"security_exception","reason":"no"},"status":403})") ==
        "security_exception: no");
  CHECK(error_text(R"({"error":"Content-Type header [x] is not supported","status":406})") ==
        "Content-Type header [x] is not supported");
  CHECK(error_text("upstream is down") == "upstream is down");
}

}  // namespace
}  // namespace streamd::elasticsearch
