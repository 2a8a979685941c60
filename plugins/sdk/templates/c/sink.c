/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include <streamd_plugin.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT(literal) \
  { literal, sizeof(literal) - 1 }

/* The options of the sink in YAML, in the order of `options`. */
enum { PATH, OPTION_COUNT };

static const sd_field path_option = {
    .size = sizeof(sd_field),
    .type = SD_FIELD_STRING,
    .flags = SD_FIELD_REQUIRED,
    .name = TEXT("path"),
    .help = TEXT("The file."),
    .example = TEXT("output.ndjson"),
};
static const sd_field* const options[OPTION_COUNT] = {&path_option};
static const sd_spec spec = {
    .size = sizeof(sd_spec),
    .field_count = OPTION_COUNT,
    .type = TEXT("plugin_name"),
    .summary = TEXT("Appends records to a file, as lines of JSON."),
    .promise = TEXT("at least once"),
    .example_title = TEXT("Into a file"),
    .example = TEXT("path: output.ndjson"),
    .fields = options,
};

typedef struct instance {
  const sd_host* host;
  void* task;
  FILE* file;
} instance;

/* Says why, with the file and what the system says. */
static sd_code failed(const sd_host* host, void* task, const char* path, sd_code code) {
  const sd_view hint = TEXT("is its folder there, and room on the disk?");
  char text[512];
  sd_view message = {text, 0};
  snprintf(text, sizeof text, "%s: %s", path, strerror(errno));
  message.size = strlen(text);
  host->fail(task, message, hint);
  return code;
}

static sd_code open_sink(const sd_host* host, void* task, const sd_value* config, void** self) {
  char path[4096] = "";
  instance* made = malloc(sizeof *made);
  if (made == NULL || config[PATH].size >= sizeof path) {
    free(made);
    errno = ENAMETOOLONG;
    return failed(host, task, "path", SD_FAILED);
  }
  if (config[PATH].size > 0) memcpy(path, config[PATH].as.s, config[PATH].size);
  made->host = host;
  made->task = task;
  made->file = fopen(path, "ab");
  if (made->file == NULL) {
    free(made);
    return failed(host, task, path, SD_FAILED);
  }
  *self = made;
  return SD_OK;
}

static void close_sink(void* self) {
  instance* me = self;
  fclose(me->file);
  free(me);
}

static void take(void* file, sd_view json) {
  fwrite(json.data, 1, json.size, file);
  fputc('\n', file);
}

static sd_code write_batch(void* self, const sd_batch* batch) {
  const instance* me = self;
  size_t record;
  for (record = 0; record < batch->rows; ++record)
    if (me->host->record_json(me->task, batch, record, take, me->file) < 0) return SD_FAILED;
  return ferror(me->file) ? failed(me->host, me->task, "write", SD_FAILED) : SD_OK;
}

/* What was written is on disk when this returns SD_OK. */
static sd_code flush(void* self) {
  const instance* me = self;
  if (fflush(me->file) != 0 || fsync(fileno(me->file)) != 0)
    return failed(me->host, me->task, "flush", SD_FAILED);
  return SD_OK;
}

static const sd_sink file_sink = {
    .size = sizeof(sd_sink),
    .flags = SD_SINK_WHOLE,
    .spec = &spec,
    .open = open_sink,
    .write = write_batch,
    .flush = flush,
    .close = close_sink,
};
static const sd_sink* const sinks[] = {&file_sink};
static const sd_plugin plugin = {
    .abi = STREAMD_PLUGIN_ABI,
    .size = sizeof(sd_plugin),
    .name = TEXT("plugin_name"),
    .version = TEXT("0.1.0"),
    .summary = TEXT("Lines of JSON."),
    .sinks = sinks,
    .sink_count = 1,
};

const sd_plugin* streamd_plugin(void) { return &plugin; }
