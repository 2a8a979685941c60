// SPDX-License-Identifier: Apache-2.0
// From file names to plans, with every problem rendered for people.
#pragma once

#include "engine/api/registry.h"
#include "engine/config/render.h"
#include "engine/config/substitute.h"
#include "engine/plan/plan.h"

#include <optional>
#include <string>
#include <vector>

namespace streamd {

// What files given together come to.
struct LoadedFiles {
  Registry registry;              // with what the files' plugins bring
  std::vector<SourceText> texts;  // in the order given, which is how places count files
  Diagnostics problems;           // of all files, warnings too
  Secrets secrets;
  std::vector<ConfigNode> documents;  // those that are YAML
  std::vector<Plan> plans;  // one for each job (plan/joint.h); none when there was an error
};

// Adds what the plugins bring that a pipeline file names. False: one was refused, which is reported
// at its place.
bool load_plugins(const ConfigNode& document, const std::string& file, Registry& registry,
                  Diagnostics& problems);

// Prints nothing. A file that cannot be read is a problem like the others.
LoadedFiles load_files(const std::vector<std::string>& files, const Registry& registry,
                       const Surroundings& surroundings);

// The plans, after it printed the problems to standard error; nullopt when there was an error.
// `secrets`: gets the secret values of all files.
std::optional<std::vector<Plan>> load_jobs(const std::vector<std::string>& files,
                                           const Registry& registry,
                                           std::vector<std::string>* secrets = nullptr);

// Gives a plan without `dead_letters:` the default: a size-capped file in the state folder.
void add_default_dead_letters(Plan& plan, const std::string& state_root, const Registry& registry);

}  // namespace streamd
