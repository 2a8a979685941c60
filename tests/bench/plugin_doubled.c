/* SPDX-License-Identifier: Apache-2.0
 * The plugin of bench_plugin_cost: adds twice the value of a column.
 */
#include "streamd_plugin.h"

#include <stdlib.h>

#define TEXT(t) \
  { t, sizeof(t) - 1 }

struct instance {
  const sd_host* host;
  void* task;
};

static sd_code create(const sd_host* host, void* task, const sd_value* config, void** self) {
  struct instance* me = malloc(sizeof *me);
  (void)config;
  if (me == NULL) return SD_FAILED;
  me->host = host;
  me->task = task;
  *self = me;
  return SD_OK;
}

static sd_code on_batch(void* self, const sd_batch* batch) {
  const struct instance* me = self;
  sd_value* out = me->host->column(me->task, 0);
  const sd_value* x = batch->columns[0];
  size_t i;
  for (i = 0; i < batch->rows; ++i) {
    const size_t entry = batch->index != NULL ? batch->index[i] : i;
    if (x[entry].kind != SD_INT) continue;
    out[entry].kind = SD_INT;
    out[entry].as.i = 2 * x[entry].as.i;
  }
  return me->host->pass(me->task, NULL, 0);
}

static void destroy(void* self) { free(self); }

static const sd_field x_field = {sizeof(sd_field),
                                 SD_FIELD_COLUMN,
                                 SD_FIELD_REQUIRED,
                                 0,
                                 TEXT("x"),
                                 TEXT("The number."),
                                 {0, 0},
                                 {0, 0},
                                 0,
                                 0,
                                 0};
static const sd_field* const fields[] = {&x_field};
static const sd_spec spec = {sizeof(sd_spec), 1,      TEXT("doubled"), TEXT("Doubles a number."),
                             {0, 0},          {0, 0}, {0, 0},          {0, 0},
                             fields};
static const sd_output output = {sizeof(sd_output), SD_INT, TEXT("y"), -1, 0};
static const sd_output* const outputs[] = {&output};
static const sd_operator op = {
    sizeof(sd_operator), 0, &spec, outputs, 1, 0, 0, create, on_batch, 0, 0, destroy};
static const sd_operator* const operators[] = {&op};
static const sd_plugin plugin = {STREAMD_PLUGIN_ABI,
                                 sizeof(sd_plugin),
                                 TEXT("doubled"),
                                 TEXT("1.0.0"),
                                 TEXT("Doubles a number."),
                                 operators,
                                 0,
                                 0,
                                 0,
                                 1,
                                 0,
                                 0,
                                 0};

const sd_plugin* streamd_plugin(void) { return &plugin; }
