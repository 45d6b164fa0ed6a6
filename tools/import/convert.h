// SPDX-License-Identifier: Apache-2.0
// The converter as a function: a source model in, a .mdl file out.
#ifndef MEDULLA_TOOLS_IMPORT_CONVERT_H_
#define MEDULLA_TOOLS_IMPORT_CONVERT_H_

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tools/common/array.h"
#include "tools/ir/graph.h"

namespace medulla::tools {

struct ConvertOptions {
  std::string input;                          // file to read; its ending says which importer
  std::string output;                         // file to write
  std::string name;                           // "": the source's own
  std::map<std::string, int64_t> maxima;      // of symbolic dimensions
  std::map<std::string, int64_t> fixed_dims;  // symbolic dimensions that become static
  std::map<std::string, Array> fixed;         // graph inputs that become constants
  std::map<std::string, std::string> metadata;
  std::vector<std::pair<std::string, std::string>> states;  // (graph input, graph output)
  std::map<std::string, Array> initial;  // of states, by the graph input; others begin with zeros
  std::string stream;  // the dynamic dimension along which chunks are fed; "": none
  std::string labels;  // [OUTPUT=]FILE with a class name a line
  std::vector<std::pair<std::string, Preprocessing>> preprocessing;  // by the graph input
  std::set<std::string> no_passes;                                   // passes left out, by name
  bool input_nhwc = false;  // images go in and out channels-last, not as in the source

  bool is_state(const std::string& tensor) const {
    return std::any_of(states.begin(), states.end(),
                       [&](const auto& pair) { return pair.first == tensor; });
  }
};

// What cannot be taken, and what would help. Strings may be empty.
struct Refusal {
  std::string node;
  std::string op;
  std::string attribute;
  int64_t opset = 0;
  std::string reason;
  std::string rewrite;
  std::vector<std::string> fixable = {};  // graph inputs whose values, once fixed, would be taken

  // "'up1' (Resize, opset 13), attribute mode: cubic ...; export with mode=linear". In the header
  // because the command, which does not link the module, prints it.
  std::string text() const {
    std::string text;
    if (!node.empty()) {
      text += "'" + node + "' (" + op;
      if (opset > 0) text += ", opset " + std::to_string(opset);
      text += attribute.empty() ? "): " : "), " + attribute + ": ";
    }
    text += reason;
    if (!rewrite.empty()) text += "; " + rewrite;
    return text;
  }
};

struct ConvertReport {
  std::vector<Refusal> refusals;   // everything that stands in the way; empty: the file is written
  std::vector<std::string> notes;  // decisions that the user may want to know
  std::map<std::string, size_t> nodes_before, nodes_after;  // counts of operators
};

// Reads, imports, passes, writes. Throws nothing; on refusal no file is left behind.
ConvertReport convert(const ConvertOptions& options);

// The first two steps: the model in canonical form, channels-last, before it is written.
Model import_and_optimize(const ConvertOptions& options, ConvertReport& report);

// How the command finds the function in the module.
using ConvertFunction = void (*)(const ConvertOptions*, ConvertReport*);
#define MEDULLA_CONVERT_SYMBOL "medulla_convert"

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_IMPORT_CONVERT_H_
