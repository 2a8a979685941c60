# SPDX-License-Identifier: Apache-2.0
"""What the layout promises: includes point one way, each library lives in one folder."""
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]

# What each folder may include besides itself and the standard library.
BASE = {"engine/core", "engine/match"}
API = BASE | {"engine/api"}
EXPR = API | {"engine/expr"}
CODEC = EXPR | {"engine/codec"}
LOOKUP = CODEC | {"engine/lookup"}
MAY_INCLUDE = {
    "engine/core": set(),
    "engine/match": {"engine/core"},
    "engine/api": BASE,
    "engine/expr": API,
    "engine/codec": EXPR,
    "engine/lookup": CODEC,
    "engine/config": CODEC,
    "engine/plan": CODEC | {"engine/config"},
    "engine/state": API,
    "engine/runtime": CODEC | {"engine/plan", "engine/state"},
    "engine/io/control": API | {"engine/io/net"},
    "engine/testing": CODEC | {"engine/config", "engine/plan", "engine/state", "engine/runtime"},
    "engine/io/delivery": API,
    "engine/io/http": CODEC,
    "engine/io/kafka": CODEC | {"engine/io/net"},
    "engine/io/mongo": CODEC,
    "engine/io/net": API,
    "lists": CODEC | {"engine/io/http"},
    "operators": CODEC,
    "enrich": LOOKUP | {"engine/io/http"},
    "sources": CODEC | {"engine/io/http", "engine/io/kafka", "engine/io/net"},
    "sinks": CODEC | {"engine/io/delivery", "engine/io/http", "engine/io/kafka", "engine/io/mongo",
                      "engine/io/net"},
    "plugin": CODEC | {"operators", "engine/io/delivery"},
    "engine/watch": CODEC | {"engine/config", "engine/io/control", "engine/plan", "engine/runtime"},
    "engine/app": CODEC | {"engine/config", "engine/plan", "engine/state", "engine/runtime",
                           "engine/io/control", "engine/io/http", "engine/io/kafka", "engine/testing",
                           "engine/watch"},
}
# What app may include of the components: their lists, and the settings that a command shares.
APP_EXTRA = {"enrich/builtin_enrich.h", "lists/builtin_lists.h", "operators/builtin_operators.h",
             "plugin/library.h", "plugin/load.h", "plugin/trial.h",
             "sinks/builtin_sinks.h", "sources/builtin_sources.h", "sources/generate_config.h"}

# Third-party headers and the only folders that may include them; in headers nowhere else at all.
LIBRARIES = {
    r"^simdjson": {"engine/codec"},
    r"^zlib\.h$": {"engine/codec"},
    r"^re2/": {"engine/expr"},
    r"^absl/time": {"engine/expr"},
    r"^absl/": {"engine/expr", "engine/lookup", "operators", "engine/runtime"},
    r"^maxminddb\.h$": {"engine/lookup"},
    r"^yaml-cpp/": {"engine/config"},
    r"^rocksdb/": {"engine/state"},
    r"^boost/": {"engine/io/http"},
    r"^librdkafka/": {"engine/io/kafka"},
    r"^(isa-l/|lz4|snappy\.h$|zstd\.h$)": {"engine/io/kafka"},
    r"^(mongoc|bson)/": {"engine/io/mongo"},
    r"^openssl/": {"engine/io/http"},
    r"^spdlog/": {"engine/app"},
    r"^CLI/": {"engine/app"},
    r"^dlfcn\.h$": {"plugin"},
    r"^streamd_plugin\.h$": {"plugin"},
    r"^fmt/": set(MAY_INCLUDE),
    r"^tl/": set(MAY_INCLUDE),
}


def sources():
    names = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "src"], cwd=ROOT, text=True,
                           capture_output=True, check=True).stdout.split()
    return [n for n in names if n.endswith((".h", ".cc"))]


def layer_of(path):
    inner = path.removeprefix("src/")
    found = [layer for layer in MAY_INCLUDE if inner.startswith(layer + "/")]
    return max(found, key=len) if found else None


def includes(path):
    for number, line in enumerate((ROOT / path).read_text().splitlines(), 1):
        if match := re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line):
            yield number, match[1], match[2]


def test_every_source_file_belongs_to_a_layer():
    files = sources()
    assert len(files) > 50
    assert [f for f in files if layer_of(f) is None] == []


def test_includes_point_to_lower_layers_only():
    wrong = []
    for path in sources():
        layer = layer_of(path)
        for number, mark, name in includes(path):
            if mark != '"':
                continue
            target = layer_of("src/" + name)
            extra = layer == "engine/app" and name in APP_EXTRA
            if target is None or not (target == layer or target in MAY_INCLUDE[layer] or extra):
                wrong.append(f"{path}:{number}: {layer} must not include {name}")
    assert wrong == []


def test_each_library_is_included_from_its_one_folder():
    wrong, seen = [], set()
    for path in sources():
        layer = layer_of(path)
        for number, mark, name in includes(path):
            if mark != "<":
                continue
            for pattern, folders in LIBRARIES.items():
                if re.search(pattern, name):
                    seen.add(pattern)
                    if layer not in folders:
                        wrong.append(f"{path}:{number}: <{name}> does not belong into {layer}")
                    break
    assert wrong == []
    assert {r"^boost/", r"^simdjson", r"^rocksdb/", r"^librdkafka/", r"^yaml-cpp/"} <= seen


def test_library_types_appear_in_no_header_outside_their_folder():
    wrong = []
    words = {r"\bboost::": "engine/io/http", r"\brd_kafka_": "engine/io/kafka", r"\b(mongoc|bson)_": "engine/io/mongo",
             r"\bsimdjson::": "engine/codec",
             r"\brocksdb::": "engine/state", r"\bYAML::": "engine/config", r"\bre2::": "engine/expr"}
    for path in sources():
        if not path.endswith(".h"):
            continue
        text = re.sub(r"//[^\n]*", "", (ROOT / path).read_text())
        wrong += [f"{path}: {word}" for word, layer in words.items()
                  if layer_of(path) != layer and re.search(word, text)]
    assert wrong == []


def test_every_file_names_its_licence_in_its_first_lines():
    names = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, text=True,
                           capture_output=True, check=True).stdout.split()
    kinds = (".h", ".cc", ".py", ".cmake", ".sh", "CMakeLists.txt", ".java")
    wrong = [n for n in names if n.endswith(kinds) and (ROOT / n).exists()
             and "SPDX-License-Identifier: Apache-2.0" not in (ROOT / n).read_text()[:300]]
    assert wrong == []


def test_nothing_is_left_for_later_or_switched_off():
    bad = re.compile(r"TODO\(now\)|FIXME|\bXXX\b|not implemented|\[!mayfail\]|\[!shouldfail\]|\bSKIP\(")
    wrong = []
    names = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "src", "tests"], cwd=ROOT,
                           text=True, capture_output=True, check=True).stdout.split()
    for name in names:
        if not name.endswith((".h", ".cc", ".py")) or name.endswith("rules_test.py"):
            continue
        for number, line in enumerate((ROOT / name).read_text().splitlines(), 1):
            if bad.search(line):
                wrong.append(f"{name}:{number}: {line.strip()}")
    assert wrong == []


def test_only_runtime_io_app_and_the_watch_over_plugins_start_threads():
    allowed = ("engine/runtime", "engine/io", "engine/app", "plugin")
    starts = re.compile(r"std::j?thread\b|std::async\b|pthread_create")
    users = [path for path in sources() if starts.search((ROOT / path).read_text())]
    assert any(layer_of(path) == "engine/runtime" for path in users)
    assert [path for path in users if not layer_of(path).startswith(allowed)] == []


def balanced(text, at, pair):
    """The end of what opens at `at`, or of the block around it when nothing opens there."""
    depth = 0
    for end in range(at, len(text)):
        if text[end] == pair[0]:
            depth += 1
        elif text[end] == pair[1]:
            depth -= 1
            if depth <= 0:
                return end + 1
    return len(text)


def captured_bindings(text):
    """Where a lambda uses a name of a structured binding around it: (offset, name)."""
    for binding in re.finditer(r"(for \()?(?:const )?auto\s*&{0,2}\s*\[([\w\s,]+)\]", text):
        begin = binding.end()
        end = balanced(text, begin, "{}")
        if binding[1]:
            begin = balanced(text, binding.start(1) + 4, "()")
            end = balanced(text, begin, "{}") if text[begin:].lstrip()[0] == "{" else text.index(";", begin)
        for opening in re.finditer(r"\[[&=][^\]\[]*\]\s*(?:\([^{};]*?\))?[^;{}()]*\{", text[begin:end]):
            body = begin + opening.end() - 1
            used = text[body:balanced(text, body, "{}")]
            for name in re.split(r"[\s,]+", binding[2].strip()):
                if re.search(rf"(?<![\w.>]){name}\b", used) and not re.search(rf"\b{name}\b", opening[0]):
                    yield begin + opening.start(), name


def test_no_lambda_captures_a_structured_binding():
    # The fuzzers are built with Clang 14, which refuses it; GCC does not.
    assert list(captured_bindings("for (auto& [key, v] : m) f([&](int x) { return key + x; });"))
    assert not list(captured_bindings("for (auto& [key, v] : m) f(key); auto g = [&](int key) { return key; };"))
    wrong = []
    for path in sources():
        text = re.sub(r"//[^\n]*", "", (ROOT / path).read_text())
        wrong += [f"{path}:{text.count(chr(10), 0, at) + 1}: {name}" for at, name in captured_bindings(text)]
    assert wrong == []
