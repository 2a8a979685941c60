// SPDX-License-Identifier: Apache-2.0
#include "engine/io/mongo/library.h"

#include <mongoc/mongoc.h>

#include <utility>

namespace streamd::mongo {
namespace {

thread_local unsigned warnings = 0;

void count(mongoc_log_level_t level, const char*, const char*, void*) {
  if (level <= MONGOC_LOG_LEVEL_WARNING) ++warnings;
}

struct Library {
  Library() {
    mongoc_log_set_handler(count, nullptr);
    mongoc_init();
  }
  ~Library() { mongoc_cleanup(); }
};

}  // namespace

void use_library() { static const Library library; }

unsigned take_warnings() { return std::exchange(warnings, 0); }

}  // namespace streamd::mongo
