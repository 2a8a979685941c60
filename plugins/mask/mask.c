/* SPDX-License-Identifier: Apache-2.0
 * An operator in plain C99, from streamd_plugin.h alone: hides the parts of addresses, e-mails and
 * other texts that name a person. Shows all that an operator needs, and nothing else. */
#include <streamd_plugin.h>

#include <stdlib.h>
#include <string.h>

#define TEXT(literal) \
  { literal, sizeof(literal) - 1 }

/* --- what users see ------------------------------------------------------------------------- */

enum { FIELD, AS, KEEP, FIELD_COUNT };

static const sd_field field_option = {
    .size = sizeof(sd_field),
    .type = SD_FIELD_COLUMN,
    .flags = SD_FIELD_REQUIRED,
    .name = TEXT("field"),
    .help = TEXT("What is masked: an address, an e-mail or any other text."),
    .example = TEXT("client_ip"),
};
static const sd_field as_option = {
    .size = sizeof(sd_field),
    .type = SD_FIELD_STRING,
    .name = TEXT("as"),
    .help = TEXT("The field with what is left."),
    .fallback = TEXT("masked"),
};
static const sd_field keep_option = {
    .size = sizeof(sd_field),
    .type = SD_FIELD_INT,
    .name = TEXT("keep"),
    .help = TEXT("How many characters of other texts, and of names in e-mails, stay."),
    .fallback = TEXT("1"),
    .least = 0,
    .most = 1000,
};
static const sd_field* const options[FIELD_COUNT] = {&field_option, &as_option, &keep_option};

static const sd_spec spec = {
    .size = sizeof(sd_spec),
    .field_count = FIELD_COUNT,
    .type = TEXT("mask"),
    .summary = TEXT("Adds a field in which the telling part of an address or e-mail is hidden."),
    .details = TEXT("`192.0.2.77` becomes `192.0.2.*`, `2001:db8:1:2::7` becomes `2001:db8:1:*`, "
                    "`ann@example.org` becomes `a***@example.org`, and `secret` becomes `s*****`."),
    .example_title = TEXT("For a chat that others read"),
    .example = TEXT("field: client_ip\nas: client"),
    .fields = options,
};

static const sd_output masked_output = {
    .size = sizeof(sd_output), .kind = SD_STRING, .name_field = AS};
static const sd_output* const outputs[] = {&masked_output};

/* --- one instance --------------------------------------------------------------------------- */

typedef struct mask {
  const sd_host* host;
  void* task;
  size_t keep;
} mask;

static sd_code create(const sd_host* host, void* task, const sd_value* config, void** self) {
  mask* made = malloc(sizeof *made);
  if (made == NULL) {
    const sd_view message = TEXT("out of memory"), hint = TEXT("");
    host->fail(task, message, hint);
    return SD_FAILED;
  }
  made->host = host;
  made->task = task;
  made->keep = (size_t)config[KEEP].as.i;
  *self = made;
  return SD_OK;
}

static void destroy(void* self) { free(self); }

static int is_digit(char c) { return c >= '0' && c <= '9'; }
static int is_hex(char c) { return is_digit(c) || ((c | 32) >= 'a' && (c | 32) <= 'f'); }

/* Where the last part of an IPv4 address in text begins; 0: it is none. */
static size_t last_octet(const char* text, size_t size) {
  size_t dots = 0, digits = 0, begin = 0, i;
  for (i = 0; i < size; ++i) {
    if (text[i] == '.' && digits > 0) {
      ++dots;
      digits = 0;
      begin = i + 1;
    } else if (!is_digit(text[i]) || ++digits > 3) {
      return 0;
    }
  }
  return dots == 3 && digits > 0 ? begin : 0;
}

/* Where the first 48 bits of an IPv6 address in text end; 0: it is none. */
static size_t site_end(const char* text, size_t size) {
  size_t colons = 0, end = 0, i;
  for (i = 0; i < size; ++i) {
    if (text[i] == ':') {
      const int shortened = i > 0 && text[i - 1] == ':';
      ++colons;
      if (end == 0 && (colons == 3 || shortened)) end = i + 1;
    } else if (!is_hex(text[i]) && text[i] != '.') {
      return 0;
    }
  }
  return colons >= 2 ? end : 0;
}

/* The length of the first `count` characters, which may be of several bytes. */
static size_t characters(const char* text, size_t size, size_t count) {
  size_t i = 0;
  while (i < size && count > 0) {
    ++i;
    while (i < size && ((unsigned char)text[i] & 0xC0) == 0x80) ++i;
    --count;
  }
  return i;
}

/* A text in the engine's memory: `head`, stars, `tail`. */
static sd_value joined(const mask* self, sd_view head, size_t stars, sd_view tail) {
  sd_value value = {SD_NULL, 0, {0}};
  const size_t size = head.size + stars + tail.size;
  char* to = size > UINT32_MAX ? NULL : self->host->memory(self->task, size);
  if (to == NULL) return value;
  if (head.size > 0) memcpy(to, head.data, head.size);
  memset(to + head.size, '*', stars);
  if (tail.size > 0) memcpy(to + head.size + stars, tail.data, tail.size);
  value.kind = SD_STRING;
  value.size = (uint32_t)size;
  value.as.s = to;
  return value;
}

static sd_value masked_text(const mask* self, const char* text, size_t size) {
  const sd_view nothing = {NULL, 0};
  const char* at = size > 0 ? memchr(text, '@', size) : NULL;
  sd_view head, tail;
  head.data = text;
  head.size = last_octet(text, size);
  if (head.size == 0) head.size = site_end(text, size);
  if (head.size > 0) return joined(self, head, 1, nothing);
  if (at != NULL) {
    head.size = characters(text, (size_t)(at - text), self->keep);
    tail.data = at;
    tail.size = size - (size_t)(at - text);
    return joined(self, head, 3, tail);
  }
  head.size = characters(text, size, self->keep);
  return joined(self, head, size - head.size, nothing);
}

static size_t number(char* to, unsigned value) {
  size_t digits = value > 99 ? 3 : value > 9 ? 2 : 1, i;
  for (i = digits; i > 0; --i, value /= 10) to[i - 1] = (char)('0' + value % 10);
  return digits;
}

/* Addresses that the engine has already read: 4 or 16 bytes. */
static sd_value masked_ip(const mask* self, const char* bytes, size_t size) {
  const unsigned char* byte = (const unsigned char*)bytes;
  const sd_view nothing = {NULL, 0};
  char text[24];
  sd_view head = {text, 0};
  size_t i;
  if (size == 4) {
    for (i = 0; i < 3; ++i) {
      head.size += number(text + head.size, byte[i]);
      text[head.size++] = '.';
    }
  } else {
    for (i = 0; i < 6; i += 2) {
      const unsigned group = (unsigned)byte[i] << 8 | byte[i + 1];
      int shift = group > 0xFFF ? 12 : group > 0xFF ? 8 : group > 0xF ? 4 : 0;
      for (; shift >= 0; shift -= 4) text[head.size++] = "0123456789abcdef"[group >> shift & 15];
      text[head.size++] = ':';
    }
  }
  return joined(self, head, 1, nothing);
}

static sd_code on_batch(void* instance, const sd_batch* batch) {
  const mask* self = instance;
  const sd_value* from = batch->columns[0];
  sd_value* to = self->host->column(self->task, 0);
  size_t record;
  if (to == NULL) return SD_FAILED;
  for (record = 0; from != NULL && record < batch->rows; ++record) {
    const size_t entry = batch->index == NULL ? record : batch->index[record];
    const sd_value* value = &from[entry];
    if (value->kind == SD_STRING)
      to[entry] = masked_text(self, value->as.s, value->size);
    else if (value->kind == SD_IP)
      to[entry] = masked_ip(self, value->as.s, value->size);
  }
  return self->host->pass(self->task, NULL, 0) == SD_OK ? SD_OK : SD_FAILED;
}

/* --- the plugin ----------------------------------------------------------------------------- */

static const sd_operator mask_operator = {
    .size = sizeof(sd_operator),
    .spec = &spec,
    .outputs = outputs,
    .output_count = 1,
    .create = create,
    .on_batch = on_batch,
    .destroy = destroy,
};
static const sd_operator* const operators[] = {&mask_operator};

static const sd_plugin plugin = {
    .abi = STREAMD_PLUGIN_ABI,
    .size = sizeof(sd_plugin),
    .name = TEXT("mask"),
    .version = TEXT("1.0.0"),
    .summary = TEXT("Hides the telling part of addresses and e-mails."),
    .operators = operators,
    .operator_count = 1,
};

const sd_plugin* streamd_plugin(void) { return &plugin; }
