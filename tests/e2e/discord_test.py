# SPDX-License-Identifier: Apache-2.0
"""The discord sink against a stand-in that keeps to Discord's documented limits and errors."""

import json
import re

import pytest

from books import books_of, rows
from fault_proxy import FaultProxy
from harness import Streamd, call
from services import Discord

PIPELINE = """\
pipeline: watch
checkpoint: {{every: 100ms}}
sources:
  in: {{type: file, path: in.ndjson, follow: {follow}}}
sinks:
  chat: {{type: discord, input: in, webhook: "${{WEBHOOK}}", batch: {{linger: 200ms}},
         retry: {{first: 50ms, longest: 500ms}}, {look}}}
  dead: {{type: file, path: out/dead.ndjson}}
dead_letters: dead
"""
LINE = 'message: "{{ host }} has {{ port }} open"'
EMBED = 'title: "Port {{ port }}", message: "{{ text }}", color: red, fields: {host: "{{ host }}"}'


@pytest.fixture
def discord():
    with Discord() as service:
        yield service


def pipeline(look=LINE, follow="false"):
    return PIPELINE.format(look=look, follow=follow)


def write(folder, findings):
    with open(folder / "in.ndjson", "a") as out:
        out.writelines(json.dumps(f) + "\n" for f in findings)


def finding(n, **more):
    return {"n": n, "host": f"192.0.2.{n}", "port": 8000 + n, "text": "seen", **more}


def run_with(streamd, tmp_path, url, text):
    return Streamd(streamd, text, tmp_path, env={"WEBHOOK": url})


def told(discord):
    """Every line that the channel shows, in order."""
    return [line for message in discord.messages for line in message["content"].split("\n")]


def test_alerts_that_come_together_share_a_message(streamd, discord, tmp_path):
    write(tmp_path, [finding(n) for n in range(8)])
    run = run_with(streamd, tmp_path, discord.webhook_url(discord.webhook(), None), pipeline())
    assert run.run() == 0, run.stderr
    assert told(discord) == [f"192.0.2.{n} has {8000 + n} open" for n in range(8)]
    assert len(discord.messages) == 1
    assert books_of(run)["chat"].written == 8
    # Restarted, it has nothing to say.
    assert run.run() == 0, run.stderr
    assert len(told(discord)) == 8


def test_what_an_attacker_writes_is_only_text(streamd, discord, tmp_path):
    write(tmp_path, [finding(1, host="@everyone [x](http://evil) `a` \u202e**b**")])
    run = run_with(streamd, tmp_path, discord.webhook_url(discord.webhook()), pipeline())
    assert run.run() == 0, run.stderr
    assert discord.messages[0]["content"] == \
        "\\@everyone \\[x\\]\\(http\\://evil\\) \\`a\\` \\*\\*b\\*\\* has 8001 open"
    assert discord.messages[0]["mention_everyone"] is False


def test_embeds_keep_every_limit(streamd, discord, tmp_path):
    write(tmp_path, [finding(n, text="x" * (100 if n % 3 else 9000)) for n in range(30)])
    run = run_with(streamd, tmp_path, discord.webhook_url(discord.webhook()), pipeline(EMBED))
    assert run.run(timeout=120) == 0, run.stderr
    embeds = [embed for message in discord.messages for embed in message["embeds"]]
    assert [embed["title"] for embed in embeds] == [f"Port {8000 + n}" for n in range(30)]
    assert all(embed["fields"][0]["name"] == "host" and embed["color"] == 0xe74c3c for embed in embeds)
    assert rows(tmp_path / "out/dead.ndjson") == []
    assert len(discord.messages) < 15


def test_it_keeps_to_the_rate_limits(streamd, discord, tmp_path):
    # Each fills a message of its own.
    write(tmp_path, [finding(n, host="h" * 1500 + str(n)) for n in range(8)])
    run = run_with(streamd, tmp_path, discord.webhook_url(discord.webhook()), pipeline())
    assert run.run(timeout=120) == 0, run.stderr
    assert len(discord.messages) == 8
    assert discord.invalid.count == 0
    assert " W " not in run.stderr


def test_a_deleted_webhook_is_not_called_again(streamd, discord, tmp_path):
    hook = discord.webhook()
    discord.delete_webhook(hook)
    write(tmp_path, [finding(n, host="h" * 1500 + str(n)) for n in range(5)])
    run = run_with(streamd, tmp_path, discord.webhook_url(hook), pipeline())
    assert run.run() == 0, run.stderr
    assert discord.calls_to_deleted[hook.id] == 1
    dead = rows(tmp_path / "out/dead.ndjson")
    assert sorted(json.loads(d["data"])["n"] for d in dead) == list(range(5))
    assert {d["code"] for d in dead} == {"discord-10015"}
    errors = [line for line in run.stderr.splitlines() if " E " in line]
    assert len(errors) == 1 and "Unknown Webhook" in errors[0] and "make a new one" in errors[0]
    assert hook.token not in run.stderr


def test_a_wrong_token_is_told_and_never_shown(streamd, discord, tmp_path):
    hook = discord.webhook()
    write(tmp_path, [finding(1)])
    url = discord.webhook_url(hook).replace(hook.token, "wrongtoken")
    run = run_with(streamd, tmp_path, url, pipeline())
    assert run.run() == 0, run.stderr
    assert "Invalid Webhook Token" in run.stderr
    assert "wrongtoken" not in run.stderr + (tmp_path / "out/dead.ndjson").read_text()


OUTAGES = {
    "refuses connections": lambda proxy: proxy.refuse(),
    "answers 500": lambda proxy: proxy.server_error(None),
    "answers with a web page": lambda proxy: proxy.html(503, None),
    "answers with a web page and 200": lambda proxy: proxy.html(200, None),
    "says that there are too many": lambda proxy: proxy.answer(
        429, b'{"message":"You are being rate limited.","retry_after":0.3,"global":true}', times=None),
}


@pytest.mark.parametrize("outage", OUTAGES)
def test_an_outage_loses_nothing_when_it(outage, streamd, discord, tmp_path):
    hook = discord.webhook()
    with FaultProxy(discord.port, http=True) as proxy:
        OUTAGES[outage](proxy)
        url = discord.webhook_url(hook).replace(str(discord.port), str(proxy.port))
        run = run_with(streamd, tmp_path, url, pipeline(follow="true"))
        write(tmp_path, [finding(n) for n in range(20)])
        run.start()
        run.wait_until(lambda: " W sink \"chat\"" in run.stderr, 30, "it is told")
        run.kill9()
        run.start()
        run.wait_until(lambda: " W sink \"chat\"" in run.stderr, 30, "it is told again")
        proxy.pass_through()
        run.wait_until(lambda: len(told(discord)) >= 20, 60, "everything is said")
        run.wait_until(lambda: "healed" in run.stderr, 30, "and that it is over")
        assert run.sigterm() == 0
        assert sorted(told(discord)) == sorted(f"192.0.2.{n} has {8000 + n} open" for n in range(20))
        assert len(re.findall(r" W ", run.stderr)) == 1, run.stderr


def test_a_thread_of_the_channel(streamd, discord, tmp_path):
    hook = discord.webhook()
    thread = discord.add_thread(hook)
    write(tmp_path, [finding(1)])
    run = run_with(streamd, tmp_path, discord.webhook_url(hook), pipeline(LINE + f', thread_id: "{thread}"'))
    assert run.run() == 0, run.stderr
    assert discord.messages[0]["channel_id"] == thread


def test_check_explains_what_is_wrong_without_showing_the_secret(streamd, tmp_path):
    (tmp_path / "p.yaml").write_text(pipeline(LINE + ", color: pinkish"))
    told_ = call(streamd, "check", tmp_path / "p.yaml",
                 env={"WEBHOOK": "https://discord.com/api/webhooks/SECRETSECRET"})
    assert told_.returncode == 2
    assert "this is not the address of a Discord webhook" in told_.stderr
    assert "this is no color" in told_.stderr
    assert "SECRETSECRET" not in told_.stdout + told_.stderr
