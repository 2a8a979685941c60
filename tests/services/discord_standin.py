# SPDX-License-Identifier: Apache-2.0
"""Discord's webhooks, as far as they are documented, in the test's process.

What is stored is kept in `messages`; limits, buckets and bodies of errors follow the
documentation, down to the milliseconds of the deprecated API that an URL without a
version gets. The official client runs against it in discord_test.py.
"""

import argparse
import email.parser
import email.policy
import json
import re
import signal
import threading
import time
import uuid
from collections import Counter
from datetime import datetime, timezone
from pathlib import Path

from discord_form import is_empty, violations
from discord_limits import InvalidRequests, Window
from discord_text import render
from downloads import npm
from http_standin import Answer, Standin

# The referee: what it cannot read, the stand-in says wrongly.
OFFICIAL_CLIENT = "discord.js@14.28.1"
CLOUDFLARE_429 = ("<!DOCTYPE html>\n<html><head><title>Access denied | discord.com used "
                  "Cloudflare to restrict access</title></head><body><h1>Error 1015</h1>"
                  "<p>You are being rate limited</p></body></html>\n")
BODY_LIMIT = 10 * 1024 * 1024
PATH = re.compile(r"/api(?:/v(\d+))?/webhooks/(\d+)(?:/([\w-]+))?(?:/messages/(\d+|@original))?\Z")
EPOCH = 1_420_070_400_000  # Discord's ids count milliseconds from here.


def discord_js():
    """The folder of node_modules with the official client."""
    return npm(OFFICIAL_CLIENT) / "node_modules"


class Webhook:
    """One webhook of one channel. forum: its channel wants a thread for each message."""

    def __init__(self, number, token, channel, name, forum):
        self.id, self.token, self.channel, self.name = str(number), token, str(channel), name
        self.forum = forum
        self.threads = set()
        self.deleted = False
        self.bucket = Window(5, 2.0)


class Discord(Standin):
    """messages         what was stored and not deleted, oldest first
    calls_to_deleted  webhook id -> requests since it was deleted: each one is a fault
    invalid           what counts towards the ban of an address
    """

    name = "discord"

    def __init__(self, port=None, clock=time.time, directory=None):
        super().__init__(port, clock)
        self.messages = []
        self.calls_to_deleted = Counter()
        self.invalid = InvalidRequests()
        self._directory = Path(directory) if directory else None
        self._webhooks = {}
        self._channels = {}  # id -> Window of messages.
        self._global = Window(50, 1.0)
        self._banned_until = 0.0
        self._lost = 0
        self._last_id = 0

    # --- what a test does -------------------------------------------------------

    def webhook(self, channel=None, name="streamd", forum=False, token=None, number=None):
        """A new webhook; its token is the secret. Webhooks may share a channel."""
        with self.lock:
            token = token or uuid.uuid4().hex + uuid.uuid4().hex[:4]
            hook = Webhook(number or self._new_id(), token, channel or self._new_id(), name, forum)
            self._webhooks[hook.id] = hook
            self._channels.setdefault(hook.channel, Window(30, 60.0))
            return hook

    def webhook_url(self, hook, version=10):
        """The URL to post to; version=None is the one that Discord's own page hands out."""
        return f"{self.url}/api{'' if version is None else f'/v{version}'}/webhooks/" \
               f"{hook.id}/{hook.token}"

    def delete_webhook(self, hook):
        """As somebody does in the channel's settings: 404 from now on."""
        hook.deleted = True

    def add_thread(self, hook):
        """The id of a new thread in the webhook's channel."""
        thread = str(self._new_id())
        hook.threads.add(thread)
        return thread

    def lose(self, times=1):
        """The next messages are not stored: no error without wait=true, 500 with it."""
        self._lost = times

    def ban(self, seconds):
        """Cloudflare blocks the address: HTML, no JSON and no rate-limit headers."""
        self._banned_until = self.clock() + seconds

    def text(self):
        """Every message as text."""
        with self.lock:
            return "".join(render(message) for message in self.messages)

    # --- answers ----------------------------------------------------------------

    def _answer(self, request):
        now = self.clock()
        found = PATH.match(request.path)
        version = int(found.group(1) or 6) if found else 10
        answer = self._banned(now) or self._limited_globally(now, version) or \
            self._routed(request, found, version, now)
        if answer.status in (401, 403, 429) and answer.headers.get("X-RateLimit-Scope") != "shared":
            if self.invalid.note(now):
                self.ban(600)
        return answer

    def _banned(self, now):
        if now >= self._banned_until:
            return None
        wait = int(self._banned_until - now) + 1
        return Answer(429, CLOUDFLARE_429, {"Retry-After": str(wait), "Server": "cloudflare"})

    def _limited_globally(self, now, version):
        wait = self._global.take(now)
        return too_many(wait, version, {"X-RateLimit-Scope": "global",
                                         "X-RateLimit-Global": "true"}) if wait else None

    def _routed(self, request, found, version, now):
        if not request.headers.get("User-Agent"):
            return _error(403, 40333, "Cloudflare is blocking your request. This can often be "
                                      "resolved by setting a proper User Agent")
        if found is None:
            return Answer(404, {"message": "404: Not Found", "code": 0})
        if not 6 <= version <= 10:
            return _error(400, 50041, "Invalid API version provided")
        hook = self._webhooks.get(found.group(2))
        if hook is None:
            return _error(404, 10015, "Unknown Webhook")
        if hook.deleted:
            self.calls_to_deleted[hook.id] += 1
            return _error(404, 10015, "Unknown Webhook")
        if found.group(3) != hook.token:
            return _error(401, 50027, "Invalid Webhook Token")
        wait = hook.bucket.take(now)
        headers = self._bucket_headers(hook, now)
        if wait:
            return too_many(wait, version, {**headers, "X-RateLimit-Scope": "user"})
        answer = self._called(request, hook, found.group(4), version, now)
        answer.headers = {**headers, **answer.headers}
        return answer

    def _bucket_headers(self, hook, now):
        bucket = hook.bucket
        return {"X-RateLimit-Limit": str(bucket.limit),
                "X-RateLimit-Remaining": str(bucket.limit - bucket.used),
                "X-RateLimit-Reset": f"{bucket.ends:.3f}",
                "X-RateLimit-Reset-After": f"{bucket.ends - now:.3f}",
                "X-RateLimit-Bucket": "c33f9a9c3a4d4f4e8a2b7d5e6f708192"}

    def _called(self, request, hook, message_id, version, now):
        if message_id is not None:
            return self._about_message(request, hook, message_id)
        match request.method:
            case "GET":
                return Answer(body=_public(hook))
            case "DELETE":
                hook.deleted = True
                return Answer(204)
            case "POST":
                return self._execute(request, hook, version, now)
        return Answer(405, {"message": "405: Method Not Allowed", "code": 0})

    def _execute(self, request, hook, version, now):
        body = _parsed(request)
        if isinstance(body, Answer):
            return body
        refused = self._refused(body) or self._place(request, body, hook)
        if refused is not None:
            return refused
        wait = self._channels[hook.channel].take(now)
        if wait:
            # Not told by any header before it happens.
            return too_many(wait, version, {"X-RateLimit-Scope": "shared"})
        waits = request.query.get("wait", "false").lower() in ("true", "1")
        if self._lost:
            self._lost -= 1
            return _error(500, 0, "500: Internal Server Error") if waits else Answer(204)
        message = self._store(request, body, hook)
        return Answer(200, message) if waits else Answer(204)

    @staticmethod
    def _refused(body):
        errors = violations(body)
        if errors:
            return _error(400, 50035, "Invalid Form Body", errors)
        if is_empty(body):
            return _error(400, 50006, "Cannot send an empty message")
        return None

    @staticmethod
    def _place(request, body, hook):
        """An answer if the message has no right place: forum and thread rules."""
        thread, name = request.query.get("thread_id"), body.get("thread_name")
        if hook.forum and not thread and not name:
            return _error(400, 220001, "Webhooks posted to forum channels must have a thread_name "
                                       "or thread_id")
        if thread and name:
            return _error(400, 220002, "Webhooks posted to forum channels cannot have both a "
                                       "thread_name and thread_id")
        if name and not hook.forum:
            return _error(400, 220003, "Webhooks can only create threads in forum channels")
        if thread and thread not in hook.threads:
            return _error(404, 10003, "Unknown Channel")
        return None

    def _store(self, request, body, hook):
        thread = request.query.get("thread_id") or ""
        if body.get("thread_name"):
            thread = self.add_thread(hook)
        message = {
            "id": str(self._new_id()), "type": 0, "channel_id": thread or hook.channel,
            "thread_id": thread, "content": (body.get("content") or "").strip(),
            "embeds": _collapsed(body.get("embeds") or []), "attachments": body.get("files") or [],
            "author": {"id": hook.id, "username": body.get("username") or hook.name, "bot": True,
                       "avatar": None, "discriminator": "0000"},
            "webhook_id": hook.id, "timestamp": self._now_text(), "edited_timestamp": None,
            "tts": bool(body.get("tts")), "flags": body.get("flags") or 0, "pinned": False,
            "components": body.get("components") or [], **_mentions(body)}
        self.messages.append(message)
        if self._directory is not None:
            with open(self._directory / "messages.txt", "a") as file:
                file.write(render(message))
        return message

    def _about_message(self, request, hook, message_id):
        """GET, PATCH and DELETE of a message that this webhook has sent."""
        found = [m for m in self.messages if m["id"] == message_id and m["webhook_id"] == hook.id]
        if not found:
            return _error(404, 10008, "Unknown Message")
        message = found[0]
        if request.method == "DELETE":
            self.messages.remove(message)
            return Answer(204)
        if request.method == "PATCH":
            body = _parsed(request)
            if isinstance(body, Answer):
                return body
            changed = {**message, **{k: body[k] for k in ("content", "embeds") if k in body}}
            refused = self._refused({**body, **{k: changed[k] for k in ("content", "embeds")}})
            if refused is not None:
                return refused
            message.update(changed, edited_timestamp=self._now_text())
        return Answer(200, message)

    def _now_text(self):
        return datetime.fromtimestamp(self.clock(), timezone.utc).isoformat()

    def _new_id(self):
        """Ids grow with time, and are never given twice."""
        number = (int(self.clock() * 1000) - EPOCH) << 22
        self._last_id = max(number, self._last_id + 1)
        return self._last_id


def _error(status, code, message, errors=None):
    body = {"message": message, "code": code}
    return Answer(status, {**body, "errors": errors} if errors else body)


def too_many(seconds, version, headers):
    """A 429 as Discord words it: up to version 7 times are in milliseconds, then in seconds."""
    shown = round(seconds, 3) if version >= 8 else int(seconds * 1000) + 1
    after = int(seconds) + 1 if version >= 8 else shown
    is_global = headers.get("X-RateLimit-Global") == "true"
    return Answer(429, {"message": "You are being rate limited.", "retry_after": shown,
                        "global": is_global}, {**headers, "Retry-After": str(after)})


def _parsed(request):
    """The message of a request, JSON or multipart; or the answer that refuses it."""
    if len(request.body) > BODY_LIMIT:
        return _error(413, 40005, "Request entity too large")
    kind = request.headers.get("Content-Type", "")
    text, files = request.body, []
    if kind.startswith("multipart/form-data"):
        text, files = _parts(kind, request.body)
    elif not kind.startswith("application/json"):
        return _error(400, 50035, "Invalid Form Body", {"_errors": [{
            "code": "CONTENT_TYPE_INVALID",
            "message": 'Expected "Content-Type" header to be one of {\'application/json\'}.'}]})
    try:
        body = json.loads(text)
    except ValueError:
        return _error(400, 50109, "The request body contains invalid JSON.")
    if not isinstance(body, dict):
        return _error(400, 50035, "Invalid Form Body", {"_errors": [{
            "code": "MODEL_TYPE_CONVERT",
            "message": "Only dictionaries may be used in a ModelType"}]})
    return {**body, "files": files} if files else body


def _parts(kind, body):
    """(payload_json, files as attachments) of a multipart body."""
    head = f"Content-Type: {kind}\r\n\r\n".encode()
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
    text, files = b"{}", []
    for part in message.iter_parts():
        data = part.get_payload(decode=True)
        if part.get_param("name", header="content-disposition") == "payload_json":
            text = data
        else:
            files.append({"filename": part.get_filename(), "size": len(data)})
    return text, files


def _collapsed(embeds):
    """Embeds with the url of an earlier one are not shown: of each url, the first."""
    seen, shown = set(), []
    for embed in embeds:
        url = embed.get("url")
        if url and url in seen:
            continue
        seen.add(url)
        shown.append({**embed, "type": "rich"})
    return shown


def _mentions(body):
    """Whom the message would ring: a webhook's default is the users that it names."""
    text, allowed = body.get("content") or "", body.get("allowed_mentions")
    parse = ["users"] if allowed is None else allowed.get("parse") or []
    given = allowed or {}
    rung = {}
    for kind, pattern in (("users", r"<@!?(\d+)>"), ("roles", r"<@&(\d+)>")):
        named = re.findall(pattern, text)
        rung[kind] = [one for one in named
                      if kind in parse or one in map(str, given.get(kind) or [])]
    return {"mentions": [{"id": one} for one in rung["users"]], "mention_roles": rung["roles"],
            "mention_everyone": "everyone" in parse and bool(re.search("@(everyone|here)", text))}


def _public(hook):
    return {"id": hook.id, "type": 1, "name": hook.name, "avatar": None, "token": hook.token,
            "channel_id": hook.channel, "guild_id": "1", "application_id": None}


def main():
    """Runs by itself, and appends what arrives to messages.txt: ./dev services."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("directory")
    parser.add_argument("--id", type=int, required=True, help="of the one webhook")
    parser.add_argument("--token", required=True)
    options = parser.parse_args()
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    with Discord(options.port, directory=options.directory) as discord:
        discord.webhook(token=options.token, number=options.id)
        ended.wait()


if __name__ == "__main__":
    main()
