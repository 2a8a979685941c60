# SPDX-License-Identifier: Apache-2.0
"""What authors of plugins get wrong is told by the compiler in a sentence."""
import os
import subprocess
from pathlib import Path

import pytest

SDK = Path(__file__).resolve().parents[3] / "plugins/sdk"

RIGHT = """
#include <streamd/plugin.hpp>
struct Config { sd::Column field; int count = 1; };
struct State { int count = 0; };
struct Row { int count = 0; };
double twice(double x) { return 2 * x; }
class Mine : public sd::KeyedOperator<Config, State> {
 public:
  static sd::Spec<Config> spec() {
    return sd::Spec<Config>("mine").field(&Config::count, {.name = "count", .help = "A count."})
        .makes(&Row::count, "count");
  }
  void process(const sd::Batch&, sd::Out&) {}
  void on_timer(std::string_view, unsigned, sd::Time, sd::Emitter&) {}
};
STREAMD_PLUGIN(sd::plugin("mine", "1", "Mine.").add<Mine>().function<&twice>("twice", "twice(x): 2x"))
"""

WRONG = {
    "a state that points": ("struct State { int count = 0; };", "struct State { std::string text; };",
                            "the state must be trivially copyable"),
    "process with other arguments": ("void process(const sd::Batch&, sd::Out&)", "void process(sd::Out&)",
                                     "an operator needs a public void process(const sd::Batch& batch"),
    "no spec": ("static sd::Spec<Config> spec()", "static sd::Spec<Config> specs()",
                "an operator needs a public static sd::Spec<Config> spec()"),
    "on_timer with other arguments": ("void on_timer(std::string_view, unsigned, sd::Time, sd::Emitter&)",
                                      "void on_timer(std::string_view)",
                                      "on_timer() must be public and take (std::string_view key"),
    "a config field of no known type": ("int count = 1; };", "void* count = nullptr; };",
                                        "a config field is a bool, an integer"),
    "a result that no record can hold": ("struct Row { int count", "struct Row { std::vector<int> count",
                                         "a member of a result is a bool"),
    "a function of something else": ("double twice(double x) { return 2 * x; }",
                                     "double twice(State x) { return x.count; }",
                                     "an argument of a function for expressions is a bool"),
    "timers without keys": ("sd::KeyedOperator<Config, State>", "sd::Operator<Config>",
                            "only an sd::KeyedOperator has timers"),
}


def compile_it(tmp_path, text):
    source = tmp_path / "mine.cc"
    source.write_text(text)
    return subprocess.run([os.environ.get("CXX", "g++"), "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra",
                           "-Werror", f"-I{SDK}", str(source)], text=True, capture_output=True)


def test_what_is_right_compiles(tmp_path):
    done = compile_it(tmp_path, RIGHT)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_told_in_a_sentence(tmp_path, name):
    before, after, sentence = WRONG[name]
    assert before in RIGHT
    done = compile_it(tmp_path, RIGHT.replace(before, after))
    assert done.returncode != 0
    assert sentence in done.stderr, done.stderr
