/* SPDX-License-Identifier: Apache-2.0
 * Plugins that must be refused, each for one reason: compiled once for each WHY_….
 */
#include "streamd_plugin.h"

#define TEXT(t) \
  { t, sizeof(t) - 1 }

static sd_code create(const sd_host* host, void* task, const sd_value* config, void** self) {
  (void)host, (void)task, (void)config;
  *self = 0;
  return SD_OK;
}
static sd_code on_batch(void* self, const sd_batch* batch) {
  (void)self, (void)batch;
  return SD_OK;
}
static void destroy(void* self) { (void)self; }

static const sd_spec spec = {sizeof(sd_spec),       0,
#if defined(WHY_TAKEN)
                             TEXT("filter"),
#else
                             TEXT("fine"),
#endif
                             TEXT("Does nothing."), {0, 0}, {0, 0}, {0, 0}, {0, 0}, 0};

static const sd_operator op = {
#if defined(WHY_LONGER)
    sizeof(sd_operator) + 64,
#elif defined(WHY_SHORT)
    sizeof(sd_operator) - 8,
#else
    sizeof(sd_operator),
#endif
    0,
    &spec,
    0,
    0,
    0,
    0,
    create,
#if defined(WHY_NO_CALL)
    0,
#else
    on_batch,
#endif
    0,
    0,
    destroy};
static const sd_operator* const operators[] = {&op};

static const sd_plugin plugin = {
#if defined(WHY_ABI)
    STREAMD_PLUGIN_ABI + 1,
#else
    STREAMD_PLUGIN_ABI,
#endif
#if defined(WHY_LONGER)
    sizeof(sd_plugin) + 16,
#else
    sizeof(sd_plugin),
#endif
    TEXT("fine"),           TEXT("1.0.0"), TEXT("For tests."), operators, 0, 0, 0, 1, 0, 0, 0};

#if defined(WHY_UNDEFINED)
void streamd_test_symbol_that_nobody_has(void);
#endif

#if defined(WHY_NO_SYMBOL)
STREAMD_PLUGIN_EXPORT const sd_plugin* something_else(void) { return &plugin; }
#else
const sd_plugin* streamd_plugin(void) {
#if defined(WHY_UNDEFINED)
  streamd_test_symbol_that_nobody_has();
#endif
#if defined(WHY_NOTHING)
  (void)plugin;
  return 0;
#else
  return &plugin;
#endif
}
#endif
