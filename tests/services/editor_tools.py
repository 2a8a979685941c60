# SPDX-License-Identifier: Apache-2.0
"""What reads streamd's schema and drawings elsewhere: the YAML language server of editors,
Mermaid, and Graphviz. Each is npm's own package, fetched once."""

from downloads import npm

LANGUAGE_SERVER = "yaml-language-server@1.19.2"
MERMAID = ("mermaid@11.12.2", "jsdom@24.1.3")
GRAPHVIZ = "@hpcc-js/wasm-graphviz@1.29.2"


def language_server():
    """The server's program, for node."""
    return npm(LANGUAGE_SERVER) / "node_modules/yaml-language-server/bin/yaml-language-server"


def mermaid():
    """node_modules with Mermaid, and with the document that it asks for."""
    return npm(*MERMAID) / "node_modules"


def graphviz():
    """node_modules with Graphviz as WebAssembly."""
    return npm(GRAPHVIZ) / "node_modules"
