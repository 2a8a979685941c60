// SPDX-License-Identifier: Apache-2.0
// JSON to a BSON document: what comes out is BSON as libbson understands it, has each key once and
// no key that means something to a server; the JSON decoder's opinion of what is JSON is kept to.
#include "engine/core/arena.h"
#include "engine/core/check.h"
#include "engine/expr/json_reader.h"
#include "engine/io/mongo/document.h"

#include <bson/bson.h>

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

namespace {

using streamd::mongo::BadKeys;

constexpr auto kFlags =
    static_cast<bson_validate_flags_t>(BSON_VALIDATE_UTF8 | BSON_VALIDATE_UTF8_ALLOW_NULL);

void look_at(const bson_iter_t& at, bool list) {
  bson_iter_t member = at;
  std::set<std::string> keys;
  while (bson_iter_next(&member)) {
    const std::string key = bson_iter_key(&member);
    STREAMD_CHECK(keys.insert(key).second, "a key comes once");
    STREAMD_CHECK(list || (key.find('.') == std::string::npos && !key.starts_with('$')),
                  "a key has no dot and no dollar sign");
    const bool array = BSON_ITER_HOLDS_ARRAY(&member);
    bson_iter_t inside;
    if (array || BSON_ITER_HOLDS_DOCUMENT(&member)) {
      STREAMD_CHECK(bson_iter_recurse(&member, &inside), "what is inside can be read");
      look_at(inside, array);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const streamd::mongo::DocumentRules lenient{BadKeys::escape, {{"a", false}, {"b.c", false}}};
  const streamd::mongo::DocumentRules strict{BadKeys::reject, {{"a", true}, {"b.c", true}}};
  std::string bytes, again;
  const auto fault = streamd::mongo::append_document(text, "id", lenient, bytes);
  const auto strict_fault = streamd::mongo::append_document(text, "id", strict, again);
  STREAMD_CHECK(!fault || strict_fault, "strict rules refuse more");
  if (fault) return 0;
  STREAMD_CHECK(strict_fault || bytes == again, "rules that do not apply change nothing");
  bson_t document;
  STREAMD_CHECK(bson_init_static(&document, reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                 bytes.size()),
                "it is a BSON document");
  STREAMD_CHECK(bson_validate(&document, kFlags, nullptr), "all of it");
  bson_iter_t members;
  STREAMD_CHECK(bson_iter_init(&members, &document), "it can be read");
  look_at(members, false);
  streamd::Arena arena;
  const streamd::Value value = streamd::expr::read_json(text, arena);
  // Lone surrogates and numbers beyond double are no JSON to the other reader.
  STREAMD_CHECK(value.is(streamd::Kind::map) || value.is(streamd::Kind::error), "it is an object");
  return 0;
}
