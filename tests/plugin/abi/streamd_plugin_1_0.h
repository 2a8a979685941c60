/* SPDX-License-Identifier: Apache-2.0
 *
 * The interface between streamd and its plugins, in C99: all that a plugin includes, in whatever
 * language it is written. From C++, streamd/plugin.hpp is the friendlier way to the same.
 *
 * A plugin is a shared library with one exported symbol, streamd_plugin(), which returns a table
 * that lives as long as the process: operators, sources, sinks and functions for expressions. The
 * engine loads it (`plugins:` of a pipeline file, --plugin, $STREAMD_PLUGIN_PATH), never unloads
 * it, and treats what it brings like what is built in: `check`, `list`, `docs` and `schema` know
 * it.
 *
 * Rules that hold everywhere
 * - Versions. Structs begin with `size`, the sizeof() of whoever filled them in. Members are only
 *   ever appended. Who reads a member that was not there in the first release compares `size`
 *   first. A plugin that was compiled with this header loads in every later 1.x.
 *   sd_view, sd_value and sd_row are the exception: they never change.
 * - Memory. Nothing changes hands. What is passed to a call is borrowed for that call. What the
 *   engine returns lives as long as its comment says. Tables and specs are static.
 * - Threads. Calls on one `self` never overlap, but come from one thread or another. Different
 *   `self`s work at the same time. Functions of expressions have no `self` and must not keep any.
 * - `task` is the engine's name for one instance: pass it back unchanged, only from inside a call
 *   that the engine makes on that instance, and on the same thread.
 * - Nothing but a return may leave a function of the plugin: no exception, no longjmp, no exit().
 * - Bad records are no errors: reject() them, and the stream goes on. SD_FAILED ends the run.
 * - Texts are UTF-8, without a terminating zero. Times are microseconds since 1970 (UTC).
 *   Durations are nanoseconds in values and microseconds in arguments that say so.
 */
#ifndef STREAMD_PLUGIN_H
#define STREAMD_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define STREAMD_PLUGIN_ABI 1u

#if defined(__GNUC__)
#define STREAMD_PLUGIN_EXPORT __attribute__((visibility("default")))
#else
#define STREAMD_PLUGIN_EXPORT
#endif

/* --- values --------------------------------------------------------------------------------- */

/* Text or bytes that belong to somebody else. data may be null when size is 0. */
typedef struct sd_view {
  const char* data;
  size_t size;
} sd_view;

/* What a value is; also what a column, a result or an argument is said to be (SD_ANY: only the
 * record can tell). Never renumbered. */
#define SD_MISSING 0u /* the record has no such field */
#define SD_ANY 0u
#define SD_NULL 1u
#define SD_BOOL 2u      /* as.i: 0 or 1 */
#define SD_INT 3u       /* as.i */
#define SD_DOUBLE 4u    /* as.d */
#define SD_STRING 5u    /* as.s, size bytes of UTF-8 */
#define SD_TIMESTAMP 6u /* as.i: microseconds; size: 0 to 999 nanoseconds more */
#define SD_JSON 7u      /* as.s, size: an object or array as it was written */
#define SD_UINT 8u      /* as.u */
#define SD_DURATION 9u  /* as.i: nanoseconds */
#define SD_BYTES 10u    /* as.s, size */
#define SD_IP 11u       /* as.s, size: 4 or 16 bytes in network order */
#define SD_CIDR 12u     /* as.s, size: the address, then one byte with the prefix length */
#define SD_LIST 13u     /* as.items: size values */
#define SD_MAP 14u      /* as.items: size pairs, each a key and a value */
#define SD_ERROR 15u    /* results of functions only; as.s, size: what went wrong */

/* One field of one record. Never owns what it points to. */
typedef struct sd_value {
  uint32_t kind;
  uint32_t size;
  union {
    int64_t i;
    uint64_t u;
    double d;
    const char* s;
    const struct sd_value* items;
  } as;
} sd_value;

/* --- codes ---------------------------------------------------------------------------------- */

typedef int32_t sd_code; /* not an enum, whose width is the compiler's choice */
#define SD_OK 0
#define SD_IDLE 1    /* pull(): nothing now, more may come */
#define SD_END 2     /* pull(): nothing will ever come */
#define SD_NOTHING 3 /* state_get(): the key has no state */
#define SD_FULL 4    /* state_put(), timer_set(): max_keys other keys are held */
#define SD_RETRY                                                                                 \
  -1                  /* sources and sinks: the world outside is not ready. Say why with fail(); \
                       * called again later, open() too */
#define SD_FAILED -2  /* the run cannot go on: say why with fail() */
#define SD_MISUSED -3 /* from the engine: the call makes no sense here; the run ends after it */

/* Why records that are no dead letters go no further. */
#define SD_DROP_FILTERED 0u
#define SD_DROP_LATE 1u
#define SD_DROP_DUPLICATE 2u
#define SD_DROP_THROTTLED 3u
#define SD_DROP_SHED 4u /* there was no room for its key */
#define SD_DROP_EXPIRED 5u

#define SD_LOG_INFO 0
#define SD_LOG_WARNING 1
#define SD_LOG_ERROR 2

/* --- configuration -------------------------------------------------------------------------- */

/* What the YAML of a field may be, and which value create() gets for it. A field that is not set
 * has the value of `fallback`, or SD_NULL without one. */
#define SD_FIELD_STRING 1u   /* SD_STRING */
#define SD_FIELD_BOOL 2u     /* SD_BOOL */
#define SD_FIELD_INT 3u      /* SD_INT */
#define SD_FIELD_DOUBLE 4u   /* SD_DOUBLE */
#define SD_FIELD_DURATION 5u /* 30s, 5m: SD_DURATION */
#define SD_FIELD_SIZE 6u     /* 16MiB: SD_INT, bytes */
#define SD_FIELD_STRINGS 7u  /* one text or a list: SD_LIST of SD_STRING */
#define SD_FIELD_CHOICE 8u   /* one of `choices`: SD_STRING */
/* Operators and sinks: a field of the record or a CEL expression. The engine evaluates it and hands
 * the values over as columns of each batch: SD_MISSING where the record has no such field or the
 * expression fails. The config value is the text. */
#define SD_FIELD_COLUMN 9u /* one: SD_STRING */
/* A map of names to expressions: SD_MAP; one column each, in order. */
#define SD_FIELD_COLUMNS 10u

#define SD_FIELD_REQUIRED 1u
#define SD_FIELD_SECRET 2u   /* printed as *** everywhere */
#define SD_FIELD_ADVANCED 4u /* last in the docs */

typedef struct sd_field {
  uint32_t size;
  uint32_t type;  /* SD_FIELD_… */
  uint32_t flags; /* SD_FIELD_REQUIRED | … */
  uint32_t choice_count;
  sd_view name;     /* snake_case */
  sd_view help;     /* one sentence */
  sd_view fallback; /* the default as YAML; empty: none */
  sd_view example;  /* as YAML; may be empty */
  const sd_view* choices;
  /* Smallest and largest value of numbers, bytes, and microseconds of durations; both 0: any. */
  int64_t least, most;
} sd_field;

/* What users read of a component, and what its YAML looks like. */
typedef struct sd_spec {
  uint32_t size;
  uint32_t field_count;
  sd_view type;    /* its name in YAML: snake_case, not that of anything else */
  sd_view summary; /* one sentence */
  sd_view details; /* Markdown; may be empty */
  sd_view promise; /* delivery in words: "at least once"; may be empty */
  sd_view example_title;
  sd_view example; /* the YAML of a node's body, as lines; may be empty */
  const sd_field* const* fields;
} sd_spec;

/* A field of the records that an operator makes or adds. */
typedef struct sd_output {
  uint32_t size;
  uint32_t kind;      /* SD_ANY or what it always is */
  sd_view name;       /* unless name_field gives it */
  int32_t name_field; /* index of a field of the spec whose text is the name; -1: `name` is */
  uint32_t reserved;  /* 0 */
} sd_output;

/* --- batches -------------------------------------------------------------------------------- */

/* Some records, as columns. Records are counted from 0 to rows - 1; record i is entry index[i] of
 * each column, or entry i when index is null. What is in entries of no record is undefined. */
typedef struct sd_batch {
  uint32_t size;
  uint32_t column_count; /* one per SD_FIELD_COLUMN and per entry of SD_FIELD_COLUMNS, in order */
  size_t rows;
  size_t entries;                 /* of each column */
  const uint32_t* index;          /* rows numbers, ascending; or null */
  const sd_value* const* columns; /* null: the option of this column is not set */
  const int64_t* times;           /* by entry: event time */
  const uint64_t* positions;      /* by entry: the number of the record in its partition */
  const sd_view* keys;            /* keyed operators, by record: its key (bytes, no text) */
  sd_view origin;                 /* the node that read or made these records */
  sd_view partition;              /* of the source; empty for results */
  const void* engine;             /* for the engine */
} sd_batch;

/* A record that an operator makes. */
typedef struct sd_row {
  int64_t time; /* event time */
  uint64_t id;  /* stable over restarts, so that sinks write it once; 0: made of time and values */
  const sd_value* values; /* one per output of the operator */
  sd_view key; /* keyed operators: the record begins with the fields of `by`, as in this key */
} sd_row;

/* --- what the engine offers ----------------------------------------------------------------- */

/* One table for all. Valid as long as the process. Lines say where a call makes sense. */
typedef struct sd_host {
  uint32_t size;
  uint32_t abi; /* STREAMD_PLUGIN_ABI of the engine */

  /* Everywhere but in functions of expressions. */
  /* A line in the engine's log: for changes of state, never per record. */
  void (*log)(void* task, int32_t level, sd_view text);
  /* Why the call is about to return SD_RETRY or SD_FAILED: one fact in lower case, and one sentence
   * that says what to do (may be empty). */
  void (*fail)(void* task, sd_view message, sd_view hint);
  sd_view (*node)(void* task);       /* the node's name in the pipeline */
  uint32_t (*worker)(void* task);    /* which of the workers this instance belongs to */
  int64_t (*wall_clock)(void* task); /* microseconds; tests inject it: use no other clock */
  int32_t (*stopping)(void* task);   /* 1: the run ends; calls that wait return soon */

  /* check(): reports that config field number `field` is wrong, at its place in the file. */
  void (*problem)(void* task, uint32_t field, sd_view message, sd_view hint);

  /* Operators and functions: memory that lives as long as the batch in hand and what is made of it:
   * texts of new values go there. Aligned for any type, not zeroed. Null: too much was asked. */
  void* (*memory)(void* task, size_t bytes);

  /* Operators that add fields, in on_batch(). */
  /* Output `output` of the batch in hand: `entries` values, missing until written. */
  sd_value* (*column)(void* task, uint32_t output);
  /* These records go on (ascending numbers; null: all of them). At most once per on_batch(). What
   * was neither passed, dropped nor rejected by its end counts as filtered. */
  sd_code (*pass)(void* task, const uint32_t* records, size_t count);

  /* Operators, in on_batch(). */
  sd_code (*drop)(void* task, uint32_t reason, size_t count); /* SD_DROP_… */
  /* Record `record` of the batch becomes a dead letter. code: kebab-case, for machines. */
  sd_code (*reject)(void* task, size_t record, sd_view code, sd_view reason);

  /* Operators that make records (SD_OPERATOR_RESULTS), in any call: copies them, texts too. */
  sd_code (*emit)(void* task, const sd_row* rows, size_t count);

  /* Keyed operators. State is bytes per key, in the same checkpoint as the positions of the
   * sources: after a crash it is what it was for the records that are read again. Keys that had no
   * record for the time of the option `keep` are forgotten, timers too. */
  /* *value is valid until the next state_ or timer_ call. SD_NOTHING: the key has none. */
  sd_code (*state_get)(void* task, sd_view key, sd_view* value);
  sd_code (*state_put)(void* task, sd_view key, sd_view value);
  sd_code (*state_erase)(void* task, sd_view key); /* with its timers */
  /* on_timer() is called when event time has reached `at`, and for every timer that is left when
   * the input ends. A key has one timer of each number; setting it again moves it. */
  sd_code (*timer_set)(void* task, sd_view key, uint32_t timer, int64_t at);
  sd_code (*timer_clear)(void* task, sd_view key, uint32_t timer);

  /* Sources. */
  /* pull(): one more record; the bytes are copied. position: its number in the source, ascending,
   * the same one if it is ever read again. arrival: when it came, or 0. */
  sd_code (*record)(void* task, sd_view data, uint64_t position, int64_t arrival);
  /* position(): the text from which a later open() goes on. Copied. */
  sd_code (*position)(void* task, sd_view position);

  /* Sinks. */
  /* The record as one JSON object, all its fields (with SD_SINK_WHOLE): handed to take() during the
   * call. */
  sd_code (*record_json)(void* task, const sd_batch* batch, size_t record,
                         void (*take)(void* arg, sd_view json), void* arg);
  /* 32 hexadecimal digits that name the record, the same ones when it is written again. */
  sd_code (*record_id)(void* task, const sd_batch* batch, size_t record, char digits[32]);
} sd_host;

/* --- what a plugin brings ------------------------------------------------------------------- */

/* A rule across config fields, for all components: values as for create(), in the order of the
 * spec's fields; reports with host->problem(). May be null. Also called when a field is wrong in
 * itself and has its default. Returns SD_OK. */
typedef sd_code (*sd_check)(const sd_host* host, void* task, const sd_value* config);

/* Has state and timers per key. The YAML of the node has three fields more: `by` (required),
 * `keep` and `max_keys`. Records of one key meet in one instance. With SD_OPERATOR_RESULTS the
 * records that it makes begin with the fields of `by`. */
#define SD_OPERATOR_KEYED 1u
/* Records that leave are new ones, made of `outputs` alone. Without it, records that came leave
 * with `outputs` as further fields. */
#define SD_OPERATOR_RESULTS 2u

typedef struct sd_operator {
  uint32_t size;
  uint32_t flags;
  const sd_spec* spec;
  const sd_output* const* outputs;
  uint32_t output_count;
  uint32_t state_version; /* keyed: another one when stored bytes get another meaning */
  sd_check check;
  /* One instance per worker. config: one value per field of the spec. */
  sd_code (*create)(const sd_host* host, void* task, const sd_value* config, void** self);
  sd_code (*on_batch)(void* self, const sd_batch* batch);
  /* Keyed. Timers that are due, earliest first. `at`: what was set. */
  sd_code (*on_timer)(void* self, sd_view key, uint32_t timer, int64_t at);
  /* May be null. Event time has reached `watermark`: no record before it will come, but those that
   * are late. INT64_MAX: the input has ended. The timers that are due were called before. */
  sd_code (*on_watermark)(void* self, int64_t watermark);
  void (*destroy)(void* self);
} sd_operator;

#define SD_SOURCE_BOUNDED 1u /* ends by itself */

/* Brings raw records in; decoding, event time and dead letters are the engine's. One instance. */
typedef struct sd_source {
  uint32_t size;
  uint32_t flags;
  const sd_spec* spec;
  sd_view decode; /* how records are decoded unless the node says so: json (or empty), text */
  sd_check check;
  /* position: what position() said at the last checkpoint of an earlier run, or empty. */
  sd_code (*open)(const sd_host* host, void* task, const sd_value* config, sd_view position,
                  void** self);
  /* Hands at most max_records to host->record(), waits at most max_wait microseconds for the first.
   * SD_OK, SD_IDLE, SD_END, SD_RETRY or SD_FAILED. */
  sd_code (*pull)(void* self, size_t max_records, int64_t max_wait);
  /* Calls host->position() with where it stands: just behind the last record handed over. */
  sd_code (*position)(void* self);
  /* May be null. Everything before `position` is safe now: tell the far side. */
  sd_code (*acknowledge)(void* self, sd_view position);
  void (*close)(void* self);
} sd_source;

#define SD_SINK_WHOLE 1u       /* needs every field of the record: host->record_json() works */
#define SD_SINK_EACH_WORKER 2u /* one instance per worker instead of one for all */

/* Sends records out, at least once: after a crash, records since the last flush() come again, with
 * the same record_id(). */
typedef struct sd_sink {
  uint32_t size;
  uint32_t flags;
  const sd_spec* spec;
  sd_check check;
  sd_code (*open)(const sd_host* host, void* task, const sd_value* config, void** self);
  /* May buffer. SD_RETRY: nothing of this batch was taken, it comes again. Records that can never
   * be written are rejected with host->reject(). */
  sd_code (*write)(void* self, const sd_batch* batch);
  /* Everything that was written is durable at the far side when this returns SD_OK. */
  sd_code (*flush)(void* self);
  void (*close)(void* self);
} sd_sink;

#define SD_FUNCTION_MEMBER 1u /* x.name(y) instead of name(x, y); x is the first argument */

/* A function for expressions. It gives the same result for the same arguments and remembers
 * nothing: the engine calls it on any thread, in any order, as often as it likes. */
typedef struct sd_function {
  uint32_t size;
  uint32_t flags;
  sd_view name;    /* lower case; not that of a function that is there */
  sd_view summary; /* one sentence, beginning with an example: "dga_score(name): how likely …" */
  uint32_t result; /* SD_ANY or what it gives */
  uint32_t min_args, max_args;
  uint32_t accepts_count;  /* entries of accepts; arguments after the last are as the last */
  const uint32_t* accepts; /* per argument the kinds it takes: 1u << SD_STRING | …; 0: any */
  /* args: none is missing or an error. *result: SD_NULL at first; texts from host->memory(), or
   * parts of an argument. SD_OK; a failure is a result of kind SD_ERROR. */
  sd_code (*call)(const sd_host* host, void* task, const sd_value* args, size_t count,
                  sd_value* result);
} sd_function;

typedef struct sd_plugin {
  uint32_t abi; /* STREAMD_PLUGIN_ABI of the header it was compiled with: first for ever */
  uint32_t size;
  sd_view name;    /* snake_case */
  sd_view version; /* 1.2.3 */
  sd_view summary; /* one sentence */
  const sd_operator* const* operators;
  const sd_source* const* sources;
  const sd_sink* const* sinks;
  const sd_function* const* functions;
  uint32_t operator_count, source_count, sink_count, function_count;
} sd_plugin;

/* The one symbol that a plugin exports. Called once, before anything else of the plugin. */
STREAMD_PLUGIN_EXPORT const sd_plugin* streamd_plugin(void);

#ifdef __cplusplus
}
#endif

#endif /* STREAMD_PLUGIN_H */
