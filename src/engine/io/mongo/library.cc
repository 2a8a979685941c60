// SPDX-License-Identifier: Apache-2.0
#include "engine/io/mongo/library.h"

#include <mongoc/mongoc.h>

#include <string>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>

namespace streamd::mongo {
namespace {

// When it is loaded, libmongoc puts counters into shared memory under the process's number, and
// takes them away at the end. A process that is killed would leave them, and the next one with its
// number would complain on standard error. Nobody reads them: the name goes at once.
[[maybe_unused]] const int kNoName =
    ::shm_unlink(("/mongoc-" + std::to_string(::getpid())).c_str());

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
