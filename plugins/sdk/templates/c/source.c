/* SPDX-License-Identifier: Apache-2.0 */
#include <streamd_plugin.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT(literal) \
  { literal, sizeof(literal) - 1 }

/* The options of the source in YAML, in the order of `options`. */
enum { COUNT, OPTION_COUNT };

static const sd_field count_option = {
    .size = sizeof(sd_field),
    .type = SD_FIELD_INT,
    .name = TEXT("count"),
    .help = TEXT("How many records."),
    .fallback = TEXT("10"),
    .least = 1,
    .most = INT64_MAX,
};
static const sd_field* const options[OPTION_COUNT] = {&count_option};
static const sd_spec spec = {
    .size = sizeof(sd_spec),
    .field_count = OPTION_COUNT,
    .type = TEXT("plugin_name"),
    .summary = TEXT("Counts: records with the numbers from 0 on."),
    .promise = TEXT("exactly once, as far as the sink goes"),
    .example_title = TEXT("Three records"),
    .example = TEXT("count: 3"),
    .fields = options,
};

typedef struct instance {
  const sd_host* host;
  void* task;
  uint64_t next, count;
} instance;

/* position: what position() said at the last checkpoint of an earlier run, or empty. */
static sd_code open_source(const sd_host* host, void* task, const sd_value* config,
                           sd_view position, void** self) {
  instance* made = malloc(sizeof *made);
  char digits[32] = "";
  if (made == NULL) {
    const sd_view message = TEXT("out of memory"), hint = TEXT("");
    host->fail(task, message, hint);
    return SD_FAILED;
  }
  if (position.size > 0 && position.size < sizeof digits)
    memcpy(digits, position.data, position.size);
  made->host = host;
  made->task = task;
  made->next = strtoull(digits, NULL, 10);
  made->count = (uint64_t)config[COUNT].as.i;
  *self = made;
  return SD_OK;
}

static void close_source(void* self) { free(self); }

static sd_code pull(void* self, size_t max_records, int64_t max_wait) {
  instance* me = self;
  char text[48];
  (void)max_wait;
  for (; max_records > 0 && me->next < me->count; --max_records, ++me->next) {
    sd_view record = {text, 0};
    record.size = (size_t)sprintf(text, "{\"number\": %llu}", (unsigned long long)me->next);
    if (me->host->record(me->task, record, me->next, 0) < 0) return SD_FAILED;
  }
  return me->next < me->count ? SD_OK : SD_END;
}

static sd_code position(void* self) {
  const instance* me = self;
  char text[32];
  sd_view where = {text, 0};
  where.size = (size_t)sprintf(text, "%llu", (unsigned long long)me->next);
  return me->host->position(me->task, where) < 0 ? SD_FAILED : SD_OK;
}

static const sd_source counting_source = {
    .size = sizeof(sd_source),
    .flags = SD_SOURCE_BOUNDED,
    .spec = &spec,
    .open = open_source,
    .pull = pull,
    .position = position,
    .close = close_source,
};
static const sd_source* const sources[] = {&counting_source};
static const sd_plugin plugin = {
    .abi = STREAMD_PLUGIN_ABI,
    .size = sizeof(sd_plugin),
    .name = TEXT("plugin_name"),
    .version = TEXT("0.1.0"),
    .summary = TEXT("Counts."),
    .sources = sources,
    .source_count = 1,
};

const sd_plugin* streamd_plugin(void) { return &plugin; }
