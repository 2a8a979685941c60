// SPDX-License-Identifier: Apache-2.0
#include "engine/io/mongo/library.h"

#include <mongoc/mongoc.h>

#include <sys/mman.h>
#include <unistd.h>
#include <utility>

namespace streamd::mongo {
namespace {

// When it is loaded, libmongoc puts counters into shared memory under the process's number, and
// takes them away at the end. A process that is killed leaves them, and the next one with its
// number complains on standard error. Nobody reads them. The name goes before the library is set
// up, when a namesake may have left it, and at once when it is: of functions that run this early
// nothing else is ready, sanitizers least of all.
__attribute__((no_sanitize("address", "thread", "undefined"))) void forget_name(int, char**,
                                                                                char**) {
  char name[] = "/mongoc-0000000000";
  char digits[10];
  int count = 0;
  for (auto left = static_cast<unsigned>(::getpid()); left > 0; left /= 10)
    digits[count++] = static_cast<char>('0' + left % 10);
  char* at = name + sizeof "/mongoc-" - 1;
  while (count > 0) *at++ = digits[--count];
  *at = 0;
  ::shm_unlink(name);
}
__attribute__((section(".preinit_array"), used)) void (*before_libraries)(int, char**,
                                                                          char**) = forget_name;
[[maybe_unused]] const int kNoName = (forget_name(0, nullptr, nullptr), 0);

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
