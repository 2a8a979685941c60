/* SPDX-License-Identifier: Apache-2.0
 *
 * A plugin of the first release: compiled against the frozen header, loaded by today's engine.
 * frozen_count counts the records of each key; frozen_twice(x) doubles a whole number. */
#include "abi/streamd_plugin_1_0.h"

#include <stdlib.h>
#include <string.h>

#define TEXT(literal) \
  { literal, sizeof(literal) - 1 }

typedef struct counter {
  const sd_host* host;
  void* task;
} counter;

static sd_code create(const sd_host* host, void* task, const sd_value* config, void** self) {
  counter* made = calloc(1, sizeof *made);
  (void)config;
  if (made == NULL) return SD_FAILED;
  made->host = host;
  made->task = task;
  *self = made;
  return SD_OK;
}

static void destroy(void* self) { free(self); }

static sd_code on_batch(void* self, const sd_batch* batch) {
  const counter* me = self;
  sd_value* counts = me->host->column(me->task, 0);
  size_t record;
  if (counts == NULL) return SD_FAILED;
  for (record = 0; record < batch->rows; ++record) {
    const size_t entry = batch->index == NULL ? record : batch->index[record];
    int64_t count = 0;
    sd_view stored = {NULL, 0};
    sd_code code = me->host->state_get(me->task, batch->keys[record], &stored);
    if (code < 0) return SD_FAILED;
    if (code == SD_OK && stored.size == sizeof count) memcpy(&count, stored.data, sizeof count);
    ++count;
    stored.data = (const char*)&count;
    stored.size = sizeof count;
    code = me->host->state_put(me->task, batch->keys[record], stored);
    if (code < 0) return SD_FAILED;
    counts[entry].kind = SD_INT;
    counts[entry].as.i = count;
  }
  return me->host->pass(me->task, NULL, 0) < 0 ? SD_FAILED : SD_OK;
}

static sd_code on_timer(void* self, sd_view key, uint32_t timer, int64_t at) {
  (void)self, (void)key, (void)timer, (void)at;
  return SD_OK;
}

static const sd_spec spec = {
    .size = sizeof(sd_spec),
    .type = TEXT("frozen_count"),
    .summary = TEXT("Counts the records of each key."),
};
static const sd_output count_output = {
    .size = sizeof(sd_output), .kind = SD_INT, .name = TEXT("count"), .name_field = -1};
static const sd_output* const outputs[] = {&count_output};
static const sd_operator count_operator = {
    .size = sizeof(sd_operator),
    .flags = SD_OPERATOR_KEYED,
    .spec = &spec,
    .outputs = outputs,
    .output_count = 1,
    .state_version = 1,
    .create = create,
    .on_batch = on_batch,
    .on_timer = on_timer,
    .destroy = destroy,
};
static const sd_operator* const operators[] = {&count_operator};

static sd_code twice(const sd_host* host, void* task, const sd_value* args, size_t count,
                     sd_value* result) {
  (void)host, (void)task, (void)count;
  result->kind = SD_INT;
  result->as.i = args[0].as.i * 2;
  return SD_OK;
}

static const uint32_t accepts[] = {1u << SD_INT};
static const sd_function twice_function = {
    .size = sizeof(sd_function),
    .name = TEXT("frozen_twice"),
    .summary = TEXT("frozen_twice(x): twice a whole number."),
    .result = SD_INT,
    .min_args = 1,
    .max_args = 1,
    .accepts_count = 1,
    .accepts = accepts,
    .call = twice,
};
static const sd_function* const functions[] = {&twice_function};

static const sd_plugin plugin = {
    .abi = STREAMD_PLUGIN_ABI,
    .size = sizeof(sd_plugin),
    .name = TEXT("frozen"),
    .version = TEXT("1.0.0"),
    .summary = TEXT("Of the first release of the interface."),
    .operators = operators,
    .functions = functions,
    .operator_count = 1,
    .function_count = 1,
};

const sd_plugin* streamd_plugin(void) { return &plugin; }
