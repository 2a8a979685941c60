/* SPDX-License-Identifier: Apache-2.0 */
#include <streamd_plugin.h>

#include <string.h>

#define TEXT(literal) \
  { literal, sizeof(literal) - 1 }

/* What an expression calls. It keeps nothing in mind: any thread calls it, in any order. */
static sd_code vowels(const sd_host* host, void* task, const sd_value* args, size_t count,
                      sd_value* result) {
  uint32_t i;
  (void)host, (void)task, (void)count;
  result->kind = SD_INT;
  result->as.i = 0;
  for (i = 0; i < args[0].size; ++i)
    if (memchr("aeiouAEIOU", args[0].as.s[i], 10) != NULL) ++result->as.i;
  return SD_OK;
}

static const uint32_t accepts[] = {1u << SD_STRING};
static const sd_function vowels_function = {
    .size = sizeof(sd_function),
    .name = TEXT("plugin_name"),
    .summary = TEXT("plugin_name(text): how many vowels a text has."),
    .result = SD_INT,
    .min_args = 1,
    .max_args = 1,
    .accepts_count = 1,
    .accepts = accepts,
    .call = vowels,
};
static const sd_function* const functions[] = {&vowels_function};
static const sd_plugin plugin = {
    .abi = STREAMD_PLUGIN_ABI,
    .size = sizeof(sd_plugin),
    .name = TEXT("plugin_name"),
    .version = TEXT("0.1.0"),
    .summary = TEXT("Counts vowels."),
    .functions = functions,
    .function_count = 1,
};

const sd_plugin* streamd_plugin(void) { return &plugin; }
