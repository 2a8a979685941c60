# SPDX-License-Identifier: Apache-2.0
"""The Discord stand-in satisfies discord.js, and refuses what Discord documents.

discord.js is the referee of what a client understands; the limits are tried on both of
their sides by plain requests.
"""

import json
import os
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import pytest

from discord_standin import discord_js as fetch_discord_js
from discord_standin import too_many
from downloads import node
from http_standin import ManualTime
from services import Discord, ServiceError


@pytest.fixture
def clock():
    return ManualTime()


@pytest.fixture
def discord(clock):
    with Discord(clock=clock) as standin:
        yield standin


@pytest.fixture
def hook(discord):
    return discord.webhook()


class Reply:
    def __init__(self, answer):
        self.status, self.headers = answer.status, answer.headers
        self.text = answer.read().decode()

    @property
    def json(self):
        return json.loads(self.text)

    def told(self, *path):
        """The code of the violation at a path of a 50035 answer."""
        at = self.json["errors"]
        for part in path:
            at = at[str(part)]
        return at["_errors"][0]["code"]


def call(url, body=None, method="POST", headers=None):
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {
        "Content-Type": "application/json", "User-Agent": "DiscordBot (test, 1)",
        **(headers or {})}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return Reply(answer)
    except urllib.error.HTTPError as error:
        with error:
            return Reply(error)


def post(discord, hook, body, query="?wait=true", version=10, **more):
    discord.clock.advance(2.5)  # A new bucket; what limits do has tests of its own.
    return call(discord.webhook_url(hook, version) + query, body, **more)


# --- with the official client -------------------------------------------------------


@pytest.fixture(scope="module")
def discord_js():
    """npm's discord.js, fetched once, and a node to run it."""
    return node()[0], fetch_discord_js()


@pytest.fixture
def live():
    """On real time: discord.js waits by its own clock."""
    with Discord() as standin:
        yield standin


def play(discord_js, discord, hook, *steps):
    program, modules = discord_js
    script = Path(__file__).with_name("discord_client.js")
    done = subprocess.run(
        [program, script, discord.url, hook.id, hook.token], input=json.dumps(steps), text=True,
        capture_output=True, timeout=120, env={**os.environ, "NODE_PATH": str(modules)})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_discord_js_sends_edits_fetches_and_deletes(discord_js, live):
    hook = live.webhook()
    embed = {"title": "Open port", "description": "203.0.113.9", "color": 15158332,
             "fields": [{"name": "port", "value": "443", "inline": True}],
             "footer": {"text": "alert 7f3a"}, "timestamp": "2024-01-02T03:04:05Z"}
    sent = play(discord_js, live, hook,
                ["send", {"content": "<@1> hello", "embed": embed, "username": "watcher",
                          "allowedMentions": {"parse": []}}],
                ["file", "note.txt", "some text"])["outcomes"]
    first, second = live.messages
    assert (first["content"], first["author"]["username"]) == ("<@1> hello", "watcher")
    assert first["embeds"][0]["fields"] == embed["fields"] and first["mentions"] == []
    assert second["attachments"] == [{"filename": "note.txt", "size": 9}]
    assert [s["id"] for s in sent] == [first["id"], second["id"]]
    then = play(discord_js, live, hook, ["edit", first["id"], {"content": "changed"}],
                ["fetch", first["id"]], ["remove", second["id"]],
                ["fetch", second["id"]])["outcomes"]
    assert then[0]["content"] == then[1]["content"] == "changed"
    assert (then[3]["status"], then[3]["code"]) == (404, 10008)
    assert [m["content"] for m in live.messages] == ["changed"]


def test_discord_js_obeys_the_buckets_that_the_headers_announce(discord_js, live):
    hook = live.webhook()
    played = play(discord_js, live, hook, ["burst", 12])
    assert played["outcomes"] == [{"count": 12}]
    assert sorted(m["content"] for m in live.messages) == sorted(f"burst {n}" for n in range(12))
    assert played["waits"] > 0 and live.invalid.count == 0


def test_discord_js_waits_out_a_429(discord_js, live):
    hook = live.webhook()
    live.order(too_many(0.2, 10, {"X-RateLimit-Scope": "shared"}), times=2)
    played = play(discord_js, live, hook, ["send", {"content": "late"}])
    assert played["outcomes"][0]["content"] == "late"
    assert [m["content"] for m in live.messages] == ["late"] and len(live.requests) == 3


def test_discord_js_understands_the_errors(discord_js, live):
    hook, gone, forum = live.webhook(), live.webhook(), live.webhook(forum=True)
    live.delete_webhook(gone)
    outcomes = play(discord_js, live, hook, ["send", {"content": "x" * 2001}],
                    ["send", {"content": " "}])["outcomes"]
    assert [(o["status"], o["code"]) for o in outcomes] == [(400, 50035), (400, 50006)]
    assert "Must be 2000 or fewer in length" in outcomes[0]["message"]
    [lost] = play(discord_js, live, gone, ["send", {"content": "x"}])["outcomes"]
    assert (lost["status"], lost["code"]) == (404, 10015)
    [nowhere] = play(discord_js, live, forum, ["send", {"content": "x"}])["outcomes"]
    assert (nowhere["status"], nowhere["code"]) == (400, 220001)
    mistaken = SimpleNamespace(id=hook.id, token="wrong")
    [wrong] = play(discord_js, live, mistaken, ["send", {"content": "x"}])["outcomes"]
    assert (wrong["status"], wrong["code"]) == (401, 50027)


def test_a_client_that_cannot_be_fetched_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("STREAMD_CACHE", str(tmp_path))
    monkeypatch.setattr("downloads.node", lambda: ("/bin/false", ["/bin/false"]))
    with pytest.raises(ServiceError, match="(?s)discord.js.*./dev services fetch; or copy"):
        fetch_discord_js()


# --- messages -----------------------------------------------------------------------


def test_without_wait_the_answer_is_empty_and_with_it_the_message(discord, hook):
    quiet = post(discord, hook, {"content": "one"}, query="")
    assert (quiet.status, quiet.text) == (204, "")
    told = post(discord, hook, {"content": "two"})
    assert told.status == 200 and told.json["content"] == "two"
    assert [m["content"] for m in discord.messages] == ["one", "two"]
    assert int(discord.messages[0]["id"]) < int(discord.messages[1]["id"])


def test_a_message_that_is_lost_gives_no_error_without_wait(discord, hook):
    discord.lose(2)
    assert post(discord, hook, {"content": "x"}, query="").status == 204
    assert post(discord, hook, {"content": "x"}).status == 500
    assert discord.messages == []
    assert post(discord, hook, {"content": "x"}).status == 200


def embeds(**parts):
    return {"embeds": [parts]}


LIMITS = [
    (("content",), lambda n: {"content": "x" * n}, 2000, "BASE_TYPE_MAX_LENGTH"),
    (("username",), lambda n: {"content": "x", "username": "n" * n}, 80, "BASE_TYPE_BAD_LENGTH"),
    (("embeds",), lambda n: {"embeds": [{"title": "x"}] * n}, 10, "BASE_TYPE_MAX_LENGTH"),
    (("embeds", 0, "title"), lambda n: embeds(title="x" * n), 256, "BASE_TYPE_MAX_LENGTH"),
    (("embeds", 0, "description"), lambda n: embeds(description="x" * n), 4096,
     "BASE_TYPE_MAX_LENGTH"),
    (("embeds", 0, "author", "name"), lambda n: embeds(author={"name": "x" * n}), 256,
     "BASE_TYPE_MAX_LENGTH"),
    (("embeds", 0, "footer", "text"), lambda n: embeds(footer={"text": "x" * n}), 2048,
     "BASE_TYPE_MAX_LENGTH"),
    (("embeds", 0, "fields"), lambda n: embeds(fields=[{"name": "a", "value": "b"}] * n), 25,
     "BASE_TYPE_MAX_LENGTH"),
    (("embeds", 0, "fields", 0, "name"),
     lambda n: embeds(fields=[{"name": "x" * n, "value": "b"}]), 256, "BASE_TYPE_MAX_LENGTH"),
    (("embeds", 0, "fields", 0, "value"),
     lambda n: embeds(fields=[{"name": "a", "value": "x" * n}]), 1024, "BASE_TYPE_MAX_LENGTH"),
    (("embeds",), lambda n: {"embeds": [{"description": "x" * 3000}, {"description": "y" * 2900},
                                        {"title": "z" * (n - 5900)}]}, 6000,
     "MAX_EMBED_SIZE_EXCEEDED"),
    (("allowed_mentions", "users"),
     lambda n: {"content": "x", "allowed_mentions": {"users": [str(i) for i in range(n)]}}, 100,
     "BASE_TYPE_MAX_LENGTH"),
    (("embeds", 0, "color"), lambda n: embeds(title="x", color=n), 0xFFFFFF, "NUMBER_TYPE_MAX"),
]


@pytest.mark.parametrize("path, body, limit, code", LIMITS,
                         ids=["-".join(map(str, entry[0])) + f"-{entry[2]}" for entry in LIMITS])
def test_each_limit_lets_its_own_size_through_and_refuses_one_more(discord, hook, path, body,
                                                                   limit, code):
    assert post(discord, hook, body(limit)).status == 200
    refused = post(discord, hook, body(limit + 1))
    assert (refused.status, refused.json["code"]) == (400, 50035)
    assert refused.json["message"] == "Invalid Form Body"
    assert refused.told(*path) == code
    assert len(discord.messages) == 1


def test_lengths_are_counted_trimmed_and_in_utf16_units(discord, hook):
    assert post(discord, hook, {"content": " \n" + "x" * 2000 + " "}).status == 200
    assert post(discord, hook, {"content": "🔥" * 1000}).status == 200
    assert post(discord, hook, {"content": "🔥" * 1001}).status == 400


@pytest.mark.parametrize("body, path, code", [
    (embeds(title=7), ("embeds", 0, "title"), "STRING_TYPE_CONVERT"),
    (embeds(title="x", url="nowhere"), ("embeds", 0, "url"), "URL_TYPE_INVALID_URL"),
    (embeds(title="x", timestamp="yesterday"), ("embeds", 0, "timestamp"), "DATE_TIME_TYPE_PARSE"),
    (embeds(title="x", color=-1), ("embeds", 0, "color"), "NUMBER_TYPE_MIN"),
    (embeds(fields=[{"name": " ", "value": "b"}]), ("embeds", 0, "fields", 0, "name"),
     "BASE_TYPE_REQUIRED"),
    (embeds(fields=[{"name": "a"}]), ("embeds", 0, "fields", 0, "value"), "BASE_TYPE_REQUIRED"),
    ({"embeds": {"title": "x"}}, ("embeds",), "LIST_TYPE_CONVERT"),
    ({"embeds": ["x"]}, ("embeds", 0), "MODEL_TYPE_CONVERT"),
    ({"content": "x", "allowed_mentions": {"parse": ["users"], "users": ["1"]}},
     ("allowed_mentions",), "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE"),
    ({"content": "x", "allowed_mentions": {"parse": ["all"]}}, ("allowed_mentions", "parse", 0),
     "BASE_TYPE_CHOICES"),
    ([1], (), "MODEL_TYPE_CONVERT"),
])
def test_a_wrong_form_is_refused_by_its_path(discord, hook, body, path, code):
    refused = post(discord, hook, body)
    assert (refused.status, refused.json["code"]) == (400, 50035)
    assert refused.told(*path) == code
    assert discord.messages == []


@pytest.mark.parametrize("body", [{}, {"content": "  \n"}, {"embeds": []}, {"embeds": [{}]},
                                  {"embeds": [{"color": 1}]}, {"content": None}])
def test_an_empty_message_is_refused(discord, hook, body):
    refused = post(discord, hook, body)
    assert (refused.status, refused.json["code"]) == (400, 50006)


def test_bodies_that_are_no_json_are_refused(discord, hook):
    assert post(discord, hook, b"{not json").json["code"] == 50109
    plain = post(discord, hook, b"{}", headers={"Content-Type": "text/plain"})
    assert (plain.json["code"], plain.told()) == (50035, "CONTENT_TYPE_INVALID")
    huge = post(discord, hook, {"content": "x" * (11 * 1024 * 1024)})
    assert (huge.status, huge.json["code"]) == (413, 40005)


def test_embeds_with_the_url_of_an_earlier_one_are_not_shown(discord, hook):
    same = [{"title": str(n), "url": "https://example.net/a"} for n in range(3)]
    post(discord, hook, {"embeds": [*same, {"title": "other"}]})
    assert [e["title"] for e in discord.messages[0]["embeds"]] == ["0", "other"]


def test_mentions_ring_only_whom_they_are_allowed_to(discord, hook):
    text = "@everyone <@11> <@&22>"

    def rung(**more):
        message = post(discord, hook, {"content": text, **more}).json
        return ([m["id"] for m in message["mentions"]], message["mention_roles"],
                message["mention_everyone"])

    assert rung() == (["11"], [], False)
    assert rung(allowed_mentions={"parse": []}) == ([], [], False)
    assert rung(allowed_mentions={"parse": ["everyone", "roles"]}) == ([], ["22"], True)
    assert rung(allowed_mentions={"users": ["11", "12"]}) == (["11"], [], False)


def test_threads_are_posted_to_and_unknown_ones_refused(discord, hook):
    thread = discord.add_thread(hook)
    assert post(discord, hook, {"content": "x"}, f"?wait=true&thread_id={thread}").json[
        "channel_id"] == thread
    refused = post(discord, hook, {"content": "x"}, "?thread_id=42")
    assert (refused.status, refused.json["code"]) == (404, 10003)
    assert post(discord, hook, {"content": "x", "thread_name": "n"}).json["code"] == 220003
    forum = discord.webhook(forum=True)
    assert post(discord, forum, {"content": "x"}).json["code"] == 220001
    made = post(discord, forum, {"content": "x", "thread_name": "n"}).json["thread_id"]
    both = post(discord, forum, {"content": "x", "thread_name": "n"}, f"?thread_id={made}")
    assert both.json["code"] == 220002
    assert post(discord, forum, {"content": "y"}, f"?thread_id={made}").status == 204


# --- who may call, and how often ----------------------------------------------------


def test_a_deleted_webhook_is_404_and_each_further_call_is_counted(discord, hook):
    assert post(discord, hook, {"content": "x"}).status == 200
    discord.delete_webhook(hook)
    for _ in range(3):
        gone = post(discord, hook, {"content": "x"})
        assert (gone.status, gone.json["code"]) == (404, 10015)
    assert discord.calls_to_deleted == {hook.id: 3}


def test_a_wrong_token_an_unknown_webhook_and_no_user_agent_are_refused(discord, hook):
    good = discord.webhook_url(hook)
    wrong = call(good + "x", {"content": "x"})
    assert (wrong.status, wrong.json["code"]) == (401, 50027)
    unknown = call(good.replace(hook.id, "12345"), {"content": "x"})
    assert (unknown.status, unknown.json["code"]) == (404, 10015)
    blocked = post(discord, hook, {"content": "x"}, headers={"User-Agent": ""})
    assert (blocked.status, blocked.json["code"]) == (403, 40333)
    assert discord.messages == []


def test_five_in_two_seconds_are_let_through_and_the_headers_say_so(discord, hook, clock):
    url = discord.webhook_url(hook)
    answers = [call(url, {"content": "x"}) for _ in range(5)]
    assert [a.status for a in answers] == [204] * 5
    assert [a.headers["X-RateLimit-Remaining"] for a in answers] == ["4", "3", "2", "1", "0"]
    assert answers[0].headers["X-RateLimit-Limit"] == "5"
    clock.advance(0.75)
    over = call(url, {"content": "x"})
    assert over.status == 429
    assert over.json == {"message": "You are being rate limited.", "retry_after": 1.25,
                         "global": False}
    assert over.headers["X-RateLimit-Reset-After"] == "1.250"
    assert (over.headers["Retry-After"], over.headers["X-RateLimit-Scope"]) == ("2", "user")
    assert float(over.headers["X-RateLimit-Reset"]) == pytest.approx(clock() + 1.25, abs=0.01)
    clock.advance(1.25)
    assert call(url, {"content": "x"}).status == 204


def test_failed_requests_count_and_other_webhooks_do_not(discord, hook):
    url, other = discord.webhook_url(hook), discord.webhook_url(discord.webhook())
    assert [call(url, {}).status for _ in range(6)] == [400] * 5 + [429]
    assert call(other, {"content": "x"}).status == 204


def test_a_channel_takes_thirty_a_minute_whichever_webhook_they_come_from(discord, hook, clock):
    urls = [discord.webhook_url(hook), discord.webhook_url(discord.webhook(channel=hook.channel))]
    elsewhere = discord.webhook_url(discord.webhook())
    for n in range(30):
        assert call(urls[n % 2], {"content": "x"}).status == 204
        clock.advance(1.9)
    over = call(urls[0], {"content": "x"})
    assert (over.status, over.headers["X-RateLimit-Scope"]) == (429, "shared")
    assert over.json["retry_after"] == pytest.approx(3)
    assert int(over.headers["X-RateLimit-Remaining"]) > 0 and discord.invalid.count == 0
    assert call(elsewhere, {"content": "x"}).status == 204
    clock.advance(3)
    assert call(urls[1], {"content": "x"}).status == 204


def test_fifty_a_second_are_the_limit_of_all_webhooks_together(discord, clock):
    hooks = [discord.webhook() for _ in range(11)]
    statuses = [call(discord.webhook_url(h), {"content": "x"}).status
                for h in hooks[:10] for _ in range(5)]
    assert statuses == [204] * 50
    over = call(discord.webhook_url(hooks[10]), {"content": "x"})
    assert (over.status, over.json["global"]) == (429, True)
    assert over.headers["X-RateLimit-Global"] == "true" and "X-RateLimit-Bucket" not in over.headers
    clock.advance(1)
    assert call(discord.webhook_url(hooks[10]), {"content": "x"}).status == 204


@pytest.mark.parametrize("version, unit", [(10, 1), (9, 1), (8, 1), (None, 1000), (6, 1000)])
def test_without_a_version_times_are_in_milliseconds(discord, hook, version, unit):
    url = discord.webhook_url(hook, version)
    over = [call(url, {"content": "x"}) for _ in range(6)][-1]
    assert over.status == 429
    assert over.json["retry_after"] == pytest.approx(2 * unit, rel=0.01)
    assert int(over.headers["Retry-After"]) >= 2 * unit
    assert ("/v" in url) == (version is not None)


def test_an_unknown_version_is_refused(discord, hook):
    assert call(discord.webhook_url(hook, 99), {"content": "x"}).json["code"] == 50041


def test_a_ban_is_html_without_limits_in_the_headers(discord, hook, clock):
    discord.ban(300)
    banned = call(discord.webhook_url(hook), {"content": "x"})
    assert banned.status == 429 and banned.text.startswith("<!DOCTYPE html>")
    assert banned.headers["Content-Type"].startswith("text/html")
    assert not [name for name in banned.headers if name.lower().startswith("x-ratelimit")]
    assert 300 <= int(banned.headers["Retry-After"]) <= 301
    clock.advance(300)
    assert call(discord.webhook_url(hook), {"content": "x"}).status == 204


def test_too_many_invalid_requests_lead_to_a_ban(discord, hook, clock):
    discord.invalid.limit = 4
    wrong = discord.webhook_url(hook) + "x"
    assert [call(wrong, {"content": "x"}).status for _ in range(4)] == [401] * 4
    assert call(discord.webhook_url(hook), {"content": "x"}).text.startswith("<!DOCTYPE html>")
    clock.advance(601)
    assert call(discord.webhook_url(hook), {"content": "x"}).status == 204


# --- life ---------------------------------------------------------------------------


def test_a_restart_keeps_messages_webhooks_and_what_is_deleted(discord, hook):
    gone = discord.webhook()
    discord.delete_webhook(gone)
    post(discord, hook, {"content": "before"})
    discord.kill()
    with pytest.raises(OSError):
        post(discord, hook, {"content": "x"})
    discord.start()
    assert post(discord, hook, {"content": "after"}).status == 200
    assert post(discord, gone, {"content": "x"}).status == 404
    assert [m["content"] for m in discord.messages] == ["before", "after"]


def test_messages_are_rendered_as_text_and_kept_in_a_file(clock, tmp_path):
    with Discord(clock=clock, directory=tmp_path) as discord:
        hook = discord.webhook()
        post(discord, hook, {"content": "2 findings", "embeds": [{
            "title": "Open port", "description": "long " * 40, "url": "https://example.net",
            "fields": [{"name": "ip", "value": "203.0.113.9", "inline": True},
                       {"name": "port", "value": "443", "inline": True},
                       {"name": "why", "value": "new\nsince today"}],
            "footer": {"text": "alert 7f3a"}}]})
        text = discord.text()
        assert (tmp_path / "messages.txt").read_text() == text
    for part in ("2 findings", "▌ OPEN PORT", "ip: 203.0.113.9   port: 443", "since today",
                 "— alert 7f3a"):
        assert part in text
    assert max(map(len, text.splitlines())) <= 80
