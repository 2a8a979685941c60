// SPDX-License-Identifier: Apache-2.0
// An operator that goes wrong as its option `how` says, for the real binary to tell about.
#include "streamd_plugin.h"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <string_view>
#include <thread>

namespace {

constexpr sd_view text(std::string_view t) { return {t.data(), t.size()}; }

struct Instance {
  const sd_host* host;
  void* task;
  std::string_view how;
};

// Never ends, and the compiler does not see it.
int dive(volatile int depth) {
  volatile char room[4096];
  room[0] = static_cast<char>(depth);
  return dive(depth + 1) + room[0];
}

sd_code create(const sd_host* host, void* task, const sd_value* config, void** self) {
  *self = new Instance{host, task, {config[0].as.s, config[0].size}};
  return SD_OK;
}
void destroy(void* self) { delete static_cast<Instance*>(self); }

sd_code on_batch(void* self, const sd_batch*) {
  const Instance& me = *static_cast<Instance*>(self);
  if (me.how == "segv") *static_cast<volatile int*>(nullptr) = 1;
  if (me.how == "abort") std::abort();
  if (me.how == "divide") std::raise(SIGFPE);
  if (me.how == "dive") return dive(0) == 0 ? SD_OK : SD_FAILED;
  if (me.how == "throw") throw std::runtime_error("it broke");
  if (me.how == "block")
    while (me.host->stopping(me.task) == 0)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
  return me.host->pass(me.task, nullptr, 0);
}

constexpr sd_field kHow = {sizeof(sd_field),
                           SD_FIELD_STRING,
                           SD_FIELD_REQUIRED,
                           0,
                           text("how"),
                           text("What goes wrong."),
                           {},
                           {},
                           nullptr,
                           0,
                           0};
constexpr const sd_field* kFields[] = {&kHow};
constexpr sd_spec kSpec = {sizeof(sd_spec), 1, text("trouble"), text("Goes wrong."), {}, {}, {}, {},
                           kFields};
constexpr sd_operator kOperator = {sizeof(sd_operator),
                                   0,
                                   &kSpec,
                                   nullptr,
                                   0,
                                   0,
                                   nullptr,
                                   create,
                                   on_batch,
                                   nullptr,
                                   nullptr,
                                   destroy};
constexpr const sd_operator* kOperators[] = {&kOperator};
constexpr sd_plugin kPlugin = {STREAMD_PLUGIN_ABI,
                               sizeof(sd_plugin),
                               text("trouble"),
                               text("1.0.0"),
                               text("For tests."),
                               kOperators,
                               nullptr,
                               nullptr,
                               nullptr,
                               1,
                               0,
                               0,
                               0};

}  // namespace

extern "C" const sd_plugin* streamd_plugin(void) { return &kPlugin; }
