// SPDX-License-Identifier: Apache-2.0
// node drawing_check.mjs mermaid|dot NODE_MODULES < drawing: what the real parser makes of it, as
// JSON; exit 1 with its message when it refuses.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [kind, modules] = process.argv.slice(2);
const text = readFileSync(0, "utf8");
const load = (path) => import(pathToFileURL(`${modules}/${path}`).href);

async function mermaid() {
  const { JSDOM } = await load("jsdom/lib/api.js");
  const { window } = new JSDOM("");
  Object.assign(globalThis, { window, document: window.document });
  const { default: program } = await load("mermaid/dist/mermaid.core.mjs");
  await program.parse(text);
  const diagram = await program.mermaidAPI.getDiagramFromText(text);
  const db = diagram.db;
  const vertices = [...db.getVertices().values()].map((v) => ({ id: v.id, text: v.text, type: v.type }));
  const edges = db.getEdges().map((e) => ({ from: e.start, to: e.end, text: e.text, stroke: e.stroke }));
  return { type: diagram.type, vertices, edges, groups: db.getSubGraphs().map((g) => g.title) };
}

async function dot() {
  const { Graphviz } = await load("@hpcc-js/wasm-graphviz/dist/index.js");
  const drawn = JSON.parse((await Graphviz.load()).dot(text, "json"));
  const all = drawn.objects ?? [];
  const nodes = all.filter((o) => o.nodes === undefined);
  const edges = (drawn.edges ?? []).map((e) => ({ from: all[e.tail].name, to: all[e.head].name, text: e.label ?? "" }));
  return { vertices: nodes.map((n) => ({ id: n.name, text: n.label, type: n.shape })), edges,
           groups: all.filter((o) => o.nodes !== undefined).map((o) => o.label) };
}

try {
  console.log(JSON.stringify(await (kind === "dot" ? dot() : mermaid())));
} catch (problem) {
  console.error(String(problem));
  process.exit(1);
}
