/* SPDX-License-Identifier: Apache-2.0 */
#include <streamd_plugin.h>

#include <stdlib.h>

#define TEXT(literal) \
  { literal, sizeof(literal) - 1 }

/* The options of the operator in YAML, in the order of `options`. */
enum { FIELD, AS, OPTION_COUNT };

static const sd_field field_option = {
    .size = sizeof(sd_field),
    .type = SD_FIELD_COLUMN,
    .flags = SD_FIELD_REQUIRED,
    .name = TEXT("field"),
    .help = TEXT("The text."),
    .example = TEXT("message"),
};
static const sd_field as_option = {
    .size = sizeof(sd_field),
    .type = SD_FIELD_STRING,
    .name = TEXT("as"),
    .help = TEXT("The field that gets the length."),
    .fallback = TEXT("length"),
};
static const sd_field* const options[OPTION_COUNT] = {&field_option, &as_option};
static const sd_spec spec = {
    .size = sizeof(sd_spec),
    .field_count = OPTION_COUNT,
    .type = TEXT("plugin_name"),
    .summary = TEXT("Adds the length of a text."),
    .example_title = TEXT("How long a line is"),
    .example = TEXT("field: message"),
    .fields = options,
};
static const sd_output length_output = {
    .size = sizeof(sd_output), .kind = SD_INT, .name_field = AS};
static const sd_output* const outputs[] = {&length_output};

/* One for each worker. */
typedef struct instance {
  const sd_host* host;
  void* task;
} instance;

static sd_code create(const sd_host* host, void* task, const sd_value* config, void** self) {
  instance* made = malloc(sizeof *made);
  (void)config;
  if (made == NULL) {
    const sd_view message = TEXT("out of memory"), hint = TEXT("");
    host->fail(task, message, hint);
    return SD_FAILED;
  }
  made->host = host;
  made->task = task;
  *self = made;
  return SD_OK;
}

static void destroy(void* self) { free(self); }

/* Each batch of records: those that are passed go on. */
static sd_code on_batch(void* self, const sd_batch* batch) {
  const instance* me = self;
  const sd_view code = TEXT("no-text"), reason = TEXT("the field is no text");
  const sd_value* texts = batch->columns[0];
  sd_value* lengths = me->host->column(me->task, 0);
  uint32_t* passed = me->host->memory(me->task, batch->rows * sizeof *passed);
  size_t count = 0, record;
  if (lengths == NULL || passed == NULL) return SD_FAILED;
  for (record = 0; record < batch->rows; ++record) {
    const size_t entry = batch->index == NULL ? record : batch->index[record];
    if (texts == NULL || texts[entry].kind != SD_STRING) {
      if (me->host->reject(me->task, record, code, reason) < 0) return SD_FAILED;
      continue;
    }
    lengths[entry].kind = SD_INT;
    lengths[entry].as.i = texts[entry].size;
    passed[count++] = (uint32_t)record;
  }
  return me->host->pass(me->task, passed, count) < 0 ? SD_FAILED : SD_OK;
}

static const sd_operator length_operator = {
    .size = sizeof(sd_operator),
    .spec = &spec,
    .outputs = outputs,
    .output_count = 1,
    .create = create,
    .on_batch = on_batch,
    .destroy = destroy,
};
static const sd_operator* const operators[] = {&length_operator};
static const sd_plugin plugin = {
    .abi = STREAMD_PLUGIN_ABI,
    .size = sizeof(sd_plugin),
    .name = TEXT("plugin_name"),
    .version = TEXT("0.1.0"),
    .summary = TEXT("Adds the length of a text."),
    .operators = operators,
    .operator_count = 1,
};

const sd_plugin* streamd_plugin(void) { return &plugin; }
