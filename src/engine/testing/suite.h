// SPDX-License-Identifier: Apache-2.0
// A test file, loaded with its pipeline, and its cases run. What `streamd test` does with each of
// the files it is given, but for printing.
#pragma once

#include "engine/api/registry.h"
#include "engine/config/render.h"
#include "engine/testing/findings.h"
#include "engine/testing/test_file.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace streamd::testing {

// The bytes of a file; nullopt: it can't be read.
using ReadFile = std::optional<std::string> (*)(const std::string& path);

// Adds what the plugins of a pipeline file bring to a registry; false: one was refused, which it
// has reported.
using AddPlugins = bool (*)(const ConfigNode& document, const std::string& file, Registry& registry,
                            Diagnostics& problems);

struct Suite {
  std::string path;
  std::string pipeline_path;
  TestFile file;
  ConfigNode document;            // of the pipeline
  std::vector<SourceText> texts;  // the test file, the pipeline
  Secrets secrets;
  Diagnostics problems;
  std::vector<std::string> nodes;  // of the pipeline, in the order of its file
  std::vector<Bench> benches;      // by case

  bool good() const { return problems.errors() == 0; }
};

// Everything that can be wrong is in `problems`, the pipeline's own mistakes too.
// add_plugins: null where there are none.
std::unique_ptr<Suite> load_suite(const std::string& path, const Registry& registry, ReadFile read,
                                  AddPlugins add_plugins = nullptr);

struct CaseResult {
  const Case* the_case = nullptr;
  CaseRun run;
  std::vector<Finding> findings;
  double seconds = 0;  // of real time
  bool passed() const { return findings.empty(); }
};

// Of a suite without errors, once. `filter`: only cases whose names contain it.
std::vector<CaseResult> run_suite(Suite& suite, const std::string& filter);

// Answers of the file that no case asked for, as warnings; none where not all cases were run.
Diagnostics unused_answers(const Suite& suite, const std::vector<CaseResult>& results);

// The books of all cases together, by node.
AllBooks books_of(const std::vector<CaseResult>& results);

// pipelines/a.test.yaml -> pipelines/a.yaml; empty: the name does not end in .test.yaml.
std::string pipeline_beside(const std::string& test_path);

}  // namespace streamd::testing
