// SPDX-License-Identifier: Apache-2.0
// Any bytes as an answer to `enrich`, of a service with JSON or of CrowdSec's local API. Whatever
// is found can be kept: no lists, no maps, no errors, and texts that are UTF-8.
#include "engine/codec/utf8.h"
#include "engine/core/check.h"
#include "enrich/crowdsec_protocol.h"
#include "enrich/http_protocol.h"

#include <cstdint>
#include <string_view>

using namespace streamd;
using namespace streamd::enrich;

namespace {

void check(const Question& question) {
  STREAMD_CHECK(question.verdict != Verdict::refused || !question.reason.empty(),
                "a refusal has a reason");
  if (question.verdict != Verdict::found) return;
  for (const Value& value : question.values) {
    STREAMD_CHECK(!value.is(Kind::list) && !value.is(Kind::map) && !value.is(Kind::error),
                  "a value that can be kept");
    if (value.is(Kind::string) || value.is(Kind::json))
      STREAMD_CHECK(is_utf8(value.text()), "a text is UTF-8");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  http::Response answer;
  answer.body.assign(reinterpret_cast<const char*>(data), size);
  static const std::vector<std::string> paths = {"a", "b.0", "c.d", "0", ""};
  Question json("key", 0, paths.size());
  read_json_answer(answer, paths, json);
  check(json);
  static const std::vector<Decision> wanted = {
      Decision::type,  Decision::scenario, Decision::origin, Decision::scope,
      Decision::value, Decision::until,    Decision::count};
  Question decisions("key", 0, wanted.size());
  const Status status = read_decisions(answer, {1'700'000'000'000'000}, wanted, decisions);
  STREAMD_CHECK(status || !status.error().message.empty(), "a failure says why");
  if (status) check(decisions);
  return 0;
}
