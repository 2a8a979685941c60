/* SPDX-License-Identifier: Apache-2.0
 *
 * Where everything in streamd_plugin.h is, on machines with 64 bits: plugins that were compiled
 * with it rely on these numbers. Members are appended, and no number here ever changes. This file
 * is compiled and nothing more. */
#include <streamd_plugin.h>

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
/* C99 has no static_assert: an array of -1 entries is the error. */
#define HOLDS(what) typedef char JOIN(holds_in_line_, __LINE__)[(what) ? 1 : -1]
#define SIZE(type, bytes) HOLDS(sizeof(type) == (bytes))
#define AT(type, member, offset) HOLDS(offsetof(type, member) == (offset))

SIZE(sd_view, 16);
AT(sd_view, data, 0);
AT(sd_view, size, 8);

SIZE(sd_value, 16);
AT(sd_value, kind, 0);
AT(sd_value, size, 4);
AT(sd_value, as, 8);

SIZE(sd_field, 104);
AT(sd_field, size, 0);
AT(sd_field, type, 4);
AT(sd_field, flags, 8);
AT(sd_field, choice_count, 12);
AT(sd_field, name, 16);
AT(sd_field, help, 32);
AT(sd_field, fallback, 48);
AT(sd_field, example, 64);
AT(sd_field, choices, 80);
AT(sd_field, least, 88);
AT(sd_field, most, 96);

SIZE(sd_spec, 112);
AT(sd_spec, size, 0);
AT(sd_spec, field_count, 4);
AT(sd_spec, type, 8);
AT(sd_spec, summary, 24);
AT(sd_spec, details, 40);
AT(sd_spec, promise, 56);
AT(sd_spec, example_title, 72);
AT(sd_spec, example, 88);
AT(sd_spec, fields, 104);

SIZE(sd_output, 32);
AT(sd_output, size, 0);
AT(sd_output, kind, 4);
AT(sd_output, name, 8);
AT(sd_output, name_field, 24);
AT(sd_output, reserved, 28);

SIZE(sd_batch, 104);
AT(sd_batch, size, 0);
AT(sd_batch, column_count, 4);
AT(sd_batch, rows, 8);
AT(sd_batch, entries, 16);
AT(sd_batch, index, 24);
AT(sd_batch, columns, 32);
AT(sd_batch, times, 40);
AT(sd_batch, positions, 48);
AT(sd_batch, keys, 56);
AT(sd_batch, origin, 64);
AT(sd_batch, partition, 80);
AT(sd_batch, engine, 96);

SIZE(sd_row, 40);
AT(sd_row, time, 0);
AT(sd_row, id, 8);
AT(sd_row, values, 16);
AT(sd_row, key, 24);

SIZE(sd_host, 184);
AT(sd_host, size, 0);
AT(sd_host, abi, 4);
AT(sd_host, log, 8);
AT(sd_host, fail, 16);
AT(sd_host, node, 24);
AT(sd_host, worker, 32);
AT(sd_host, wall_clock, 40);
AT(sd_host, stopping, 48);
AT(sd_host, problem, 56);
AT(sd_host, memory, 64);
AT(sd_host, column, 72);
AT(sd_host, pass, 80);
AT(sd_host, drop, 88);
AT(sd_host, reject, 96);
AT(sd_host, emit, 104);
AT(sd_host, state_get, 112);
AT(sd_host, state_put, 120);
AT(sd_host, state_erase, 128);
AT(sd_host, timer_set, 136);
AT(sd_host, timer_clear, 144);
AT(sd_host, record, 152);
AT(sd_host, position, 160);
AT(sd_host, record_json, 168);
AT(sd_host, record_id, 176);

SIZE(sd_operator, 80);
AT(sd_operator, size, 0);
AT(sd_operator, flags, 4);
AT(sd_operator, spec, 8);
AT(sd_operator, outputs, 16);
AT(sd_operator, output_count, 24);
AT(sd_operator, state_version, 28);
AT(sd_operator, check, 32);
AT(sd_operator, create, 40);
AT(sd_operator, on_batch, 48);
AT(sd_operator, on_timer, 56);
AT(sd_operator, on_watermark, 64);
AT(sd_operator, destroy, 72);

SIZE(sd_source, 80);
AT(sd_source, size, 0);
AT(sd_source, flags, 4);
AT(sd_source, spec, 8);
AT(sd_source, decode, 16);
AT(sd_source, check, 32);
AT(sd_source, open, 40);
AT(sd_source, pull, 48);
AT(sd_source, position, 56);
AT(sd_source, acknowledge, 64);
AT(sd_source, close, 72);

SIZE(sd_sink, 56);
AT(sd_sink, size, 0);
AT(sd_sink, flags, 4);
AT(sd_sink, spec, 8);
AT(sd_sink, check, 16);
AT(sd_sink, open, 24);
AT(sd_sink, write, 32);
AT(sd_sink, flush, 40);
AT(sd_sink, close, 48);

SIZE(sd_function, 72);
AT(sd_function, size, 0);
AT(sd_function, flags, 4);
AT(sd_function, name, 8);
AT(sd_function, summary, 24);
AT(sd_function, result, 40);
AT(sd_function, min_args, 44);
AT(sd_function, max_args, 48);
AT(sd_function, accepts_count, 52);
AT(sd_function, accepts, 56);
AT(sd_function, call, 64);

SIZE(sd_plugin, 104);
AT(sd_plugin, abi, 0);
AT(sd_plugin, size, 4);
AT(sd_plugin, name, 8);
AT(sd_plugin, version, 24);
AT(sd_plugin, summary, 40);
AT(sd_plugin, operators, 56);
AT(sd_plugin, sources, 64);
AT(sd_plugin, sinks, 72);
AT(sd_plugin, functions, 80);
AT(sd_plugin, operator_count, 88);
AT(sd_plugin, source_count, 92);
AT(sd_plugin, sink_count, 96);
AT(sd_plugin, function_count, 100);

HOLDS(sizeof(sd_code) == 4);
