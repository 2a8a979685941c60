# SPDX-License-Identifier: Apache-2.0
"""Reads what a version of streamd_plugin.h promises: structs, members in order, constants."""
import re
from pathlib import Path


def text_of(path):
    text = re.sub(r"/\*.*?\*/", " ", Path(path).read_text(), flags=re.S)
    return re.sub(r"[ \t]+", " ", text)


def structs(path):
    """{struct: [(member, its declaration)]}"""
    found = {}
    for body, name in re.findall(r"typedef struct sd_\w+ \{(.*?)\n\} (sd_\w+);", text_of(path), re.S):
        body = re.sub(r"union \{.*?\} (\w+);", r"union \1;", body, flags=re.S)
        members = []
        for declaration in body.split(";"):
            declaration = " ".join(declaration.split())
            if not declaration:
                continue
            pointer = re.search(r"\(\*(\w+)\)\s*\(", declaration)
            if pointer:
                members.append((pointer[1], declaration))
                continue
            first, *more = declaration.split(",")
            kind, name_of_first = re.fullmatch(r"(.*?)(\w+)", first.strip()).groups()
            members += [(member.strip(), kind + member.strip()) for member in [name_of_first, *more]]
        found[name] = members
    return found


def constants(path):
    return dict(re.findall(r"#define (SD_\w+|STREAMD_PLUGIN_ABI) (-?\w+)", text_of(path)))
