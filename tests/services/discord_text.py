# SPDX-License-Identifier: Apache-2.0
"""A message of the Discord stand-in as text, for a terminal."""

import re
import textwrap

WIDTH = 76


def render(message, channel="alerts"):
    """The message as a reader of the channel would see it, in a box of text."""
    lines = [f"#{channel}  {message['author']['username']}  {message['timestamp'][:19]}Z"]
    if message["thread_id"]:
        lines[0] += f"  (thread {message['thread_id']})"
    lines += _wrapped(message["content"])
    for embed in message["embeds"]:
        lines.append("")
        lines += ["▌ " + line for line in _embed(embed)]
    rule = "─" * WIDTH
    return "\n".join(["┌" + rule, *("│ " + line for line in lines), "└" + rule]) + "\n"


def _embed(embed):
    lines = []
    if embed.get("author"):
        lines += _wrapped(embed["author"]["name"])
    if embed.get("title"):
        lines += [line.upper() for line in _wrapped(embed["title"])]
    if embed.get("url"):
        lines.append(embed["url"])
    lines += _wrapped(embed.get("description") or "")
    inline = []
    for field in embed.get("fields") or []:
        text = f"{field['name']}: {field['value']}"
        if field.get("inline") and "\n" not in text and len(text) < WIDTH // 2:
            inline.append(text)
            continue
        lines += _row(inline) + _wrapped(text)
        inline = []
    lines += _row(inline)
    foot = [(embed.get("footer") or {}).get("text"), embed.get("timestamp")]
    if any(foot):
        lines.append("— " + " · ".join(part for part in foot if part))
    return lines


def _row(texts):
    return _wrapped("   ".join(texts)) if texts else []


def _wrapped(text):
    # A backslash before a mark only keeps it from being markdown.
    shown = re.sub(r"\\([^\w\s])", r"\1", text)
    return [part for line in shown.splitlines()
            for part in textwrap.wrap(line, WIDTH - 4) or [""]]
