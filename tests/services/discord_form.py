# SPDX-License-Identifier: Apache-2.0
"""What Discord checks of a message before it is stored: the documented limits, and the
error body that names each violation by its path.

Lengths are counted in UTF-16 units, after trimming: what is documented is "characters",
and a message that is small in the larger count is small in every one.
"""

import re

LIMITS = {"content": 2000, "title": 256, "description": 4096, "name": 256, "value": 1024,
          "footer": 2048, "author": 256}
EMBEDS, FIELDS, EMBED_SUM, MENTION_IDS = 10, 25, 6000, 100
MENTION_KINDS = ("roles", "users", "everyone")
URL = re.compile(r"(https?|attachment)://\S+\Z", re.IGNORECASE)
ISO_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?\Z")


def length(text):
    return len(text.strip().encode("utf-16-le", "surrogatepass")) // 2


def counted(embed):
    """The characters of one embed that count towards the sum of a message."""
    texts = [embed.get("title"), embed.get("description"),
             (embed.get("footer") or {}).get("text"), (embed.get("author") or {}).get("name")]
    for field in embed.get("fields") or []:
        texts += [field.get("name"), field.get("value")]
    return sum(length(text) for text in texts if isinstance(text, str))


def is_empty(message):
    """Nothing to show: no content, no embed with something in it, no file, no poll."""
    if str(message.get("content") or "").strip() or message.get("poll") or message.get("files"):
        return False
    shown = ("title", "description", "fields", "footer", "author", "image", "thumbnail", "url")
    return not any(embed.get(part) for embed in message.get("embeds") or [] for part in shown) \
        and not message.get("components")


def violations(message):
    """The `errors` of a 50035 answer, {} for a message that is in order."""
    form = _Form()
    form.text(message, "content", LIMITS["content"])
    form.text(message, "username", 80, least=1)
    form.kind(message, "tts", bool, "BOOLEAN_TYPE_CONVERT", "Must be either true or false.")
    form.kind(message, "flags", int, "NUMBER_TYPE_COERCE", 'Value "%s" is not int.')
    embeds = form.list(message, "embeds", EMBEDS)
    for number, embed in enumerate(embeds):
        if form.is_object(embed, "embeds", number):
            _embed(form, embed, ("embeds", number))
    if not form.errors and sum(map(counted, embeds)) > EMBED_SUM:
        form.add(("embeds",), "MAX_EMBED_SIZE_EXCEEDED",
                 f"Embed size exceeds maximum size of {EMBED_SUM}")
    _allowed_mentions(form, message.get("allowed_mentions"))
    return form.errors


def _embed(form, embed, at):
    form.text(embed, "title", LIMITS["title"], at)
    form.text(embed, "description", LIMITS["description"], at)
    form.url(embed, "url", at)
    form.kind(embed, "color", int, "NUMBER_TYPE_COERCE", 'Value "%s" is not int.', at)
    color = embed.get("color")
    if isinstance(color, int) and not 0 <= color <= 0xFFFFFF:
        kind, bound = ("MAX", "less than or equal to 16777215") if color > 0 else \
            ("MIN", "greater than or equal to 0")
        form.add((*at, "color"), f"NUMBER_TYPE_{kind}", f"int value should be {bound}.")
    stamp = embed.get("timestamp")
    if stamp is not None and not (isinstance(stamp, str) and ISO_TIME.match(stamp)):
        form.add((*at, "timestamp"), "DATE_TIME_TYPE_PARSE",
                 f"Could not parse {stamp}. Should be ISO8601.")
    for part, text, limit, urls in (("footer", "text", LIMITS["footer"], ("icon_url",)),
                                    ("author", "name", LIMITS["author"], ("url", "icon_url")),
                                    ("image", None, 0, ("url",)), ("thumbnail", None, 0, ("url",))):
        inner = embed.get(part)
        if inner is None or not form.is_object(inner, *at, part):
            continue
        if text is not None:
            form.text(inner, text, limit, (*at, part), required=True)
        for url in urls:
            form.url(inner, url, (*at, part))
    for number, field in enumerate(form.list(embed, "fields", FIELDS, at)):
        where = (*at, "fields", number)
        if form.is_object(field, *where):
            form.text(field, "name", LIMITS["name"], where, required=True)
            form.text(field, "value", LIMITS["value"], where, required=True)


def _allowed_mentions(form, allowed):
    if allowed is None or not form.is_object(allowed, "allowed_mentions"):
        return
    at = ("allowed_mentions",)
    parse = form.list(allowed, "parse", len(MENTION_KINDS), at)
    for number, kind in enumerate(parse):
        if kind not in MENTION_KINDS:
            form.add((*at, "parse", number), "BASE_TYPE_CHOICES",
                     f"Value must be one of {MENTION_KINDS}.")
    for kind in ("users", "roles"):
        ids = form.list(allowed, kind, MENTION_IDS, at)
        for number, one in enumerate(ids):
            if not str(one).isdigit():
                form.add((*at, kind, number), "NUMBER_TYPE_COERCE",
                         f'Value "{one}" is not snowflake.')
        if ids and kind in parse:
            form.add(at, "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
                     f'parse:["{kind}"] and {kind}: [ids...] are mutually exclusive.')


class _Form:
    """Gathers violations in the nested shape of the answer."""

    def __init__(self):
        self.errors = {}

    def add(self, path, code, message):
        at = self.errors
        for part in path:
            at = at.setdefault(str(part), {})
        at.setdefault("_errors", []).append({"code": code, "message": message})

    def text(self, holder, name, limit, at=(), required=False, least=0):
        value = holder.get(name)
        if value is None:
            if required:
                self.add((*at, name), "BASE_TYPE_REQUIRED", "This field is required")
            return
        if not isinstance(value, str):
            self.add((*at, name), "STRING_TYPE_CONVERT", "Could not interpret value as string.")
        elif required and length(value) == 0:
            self.add((*at, name), "BASE_TYPE_REQUIRED", "This field is required")
        elif least and not least <= length(value) <= limit:
            self.add((*at, name), "BASE_TYPE_BAD_LENGTH",
                     f"Must be between {least} and {limit} in length.")
        elif length(value) > limit:
            self.add((*at, name), "BASE_TYPE_MAX_LENGTH",
                     f"Must be {limit} or fewer in length.")

    def url(self, holder, name, at):
        value = holder.get(name)
        if value is not None and not (isinstance(value, str) and URL.match(value)):
            self.add((*at, name), "URL_TYPE_INVALID_URL", "Not a well formed URL.")

    def kind(self, holder, name, kind, code, message, at=()):
        value = holder.get(name)
        right = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
        if value is not None and not right:
            self.add((*at, name), code, message % (value,) if "%s" in message else message)

    def list(self, holder, name, limit, at=()):
        value = holder.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            self.add((*at, name), "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
            return []
        if len(value) > limit:
            self.add((*at, name), "BASE_TYPE_MAX_LENGTH", f"Must be {limit} or fewer in length.")
        return value

    def is_object(self, value, *at):
        if isinstance(value, dict):
            return True
        self.add(at, "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType")
        return False
