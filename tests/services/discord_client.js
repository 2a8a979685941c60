// SPDX-License-Identifier: Apache-2.0
// Plays steps, JSON on stdin, with discord.js's own webhook client; prints what became of each.
// Usage: node discord_client.js URL ID TOKEN, with NODE_PATH at the folder of discord.js.
'use strict';

const { EmbedBuilder, RESTEvents, WebhookClient } = require('discord.js');

const [url, id, token] = process.argv.slice(2);
const client = new WebhookClient({ id, token }, { rest: { api: `${url}/api` } });
let waits = 0;
client.rest.on(RESTEvents.RateLimited, () => { waits += 1; });

function message(description) {
  const { embed, ...rest } = description;
  return embed ? { ...rest, embeds: [new EmbedBuilder(embed)] } : rest;
}

const verbs = {
  send: (body) => client.send(message(body)),
  file: (name, text) => client.send({ files: [{ attachment: Buffer.from(text), name }] }),
  edit: (number, body) => client.editMessage(number, message(body)),
  fetch: (number) => client.fetchMessage(number),
  remove: (number) => client.deleteMessage(number),
  burst: (count) => Promise.all([...Array(count).keys()].map((n) => client.send(`burst ${n}`))),
};

async function play(steps) {
  const outcomes = [];
  for (const [verb, ...values] of steps) {
    try {
      const answer = await verbs[verb](...values);
      outcomes.push({ id: answer?.id, content: answer?.content, count: answer?.length });
    } catch (error) {
      outcomes.push({ status: error.status, code: error.code, message: error.message });
    }
  }
  console.log(JSON.stringify({ outcomes, waits }));
}

const input = [];
process.stdin.on('data', (piece) => input.push(piece));
process.stdin.on('end', () => play(JSON.parse(Buffer.concat(input))));
