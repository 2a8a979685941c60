// SPDX-License-Identifier: Apache-2.0
// Pipeline files that are given together and read the same are one job: each of their equal sources
// is there once, so a record is fetched and decoded once, and the nodes of every file get it. One
// job has one checkpoint and one state folder. Pure; app/load calls it.
#pragma once

#include "engine/config/document.h"

#include <deque>
#include <string>
#include <vector>

namespace streamd {

// Which documents belong together: those with an equal source, directly or through others. A source
// is equal when all its settings are, in whatever order and under whatever name. Documents whose
// `checkpoint` or `dead_letters` differ stay apart. Each group has indices into `documents`; groups
// and their members are in the order given.
std::vector<std::vector<std::size_t>> jobs_of(const std::vector<Document>& documents);

struct JointDocument {
  Document document;              // borrows from `bodies` and from what was joined
  std::deque<ConfigNode> bodies;  // of nodes whose `input` has another name now
};

// One document of several without mistakes, at least two, in the order of their names, so that the
// order of files on the command line changes nothing. Its pipeline is "a+b"; its nodes are
// "a.node". Equal sources are one, and so are equal lists of one name: a service that remembers
// what it told whom (CrowdSec) is asked by one. Lists keep the name by which expressions know them.
JointDocument join(std::vector<Document> documents);

// Node names in files have no dot, so what a joined node was called in its own file is what stands
// behind it.
std::string own_name(const std::string& node);

}  // namespace streamd
