// SPDX-License-Identifier: Apache-2.0
// What ONNX asks of a file, asked node by node, so that the report names all that is wrong.
#ifndef MEDULLA_TOOLS_IMPORT_ONNX_RULES_H_
#define MEDULLA_TOOLS_IMPORT_ONNX_RULES_H_

#include <onnx/checker.h>

#include "tools/import/onnx.h"

namespace medulla::tools {

inline bool is_default_domain(const std::string& domain) {
  return domain.empty() || domain == "ai.onnx";
}

// The node's own name, else that of its first output.
std::string name_of(const onnx::NodeProto& node);

// "" when the node makes nothing.
std::string first_output(const onnx::NodeProto& node);

class OnnxRules {
 public:
  // The model has to outlive it. `opsets`: of nodes, by first output, that have not the model's.
  OnnxRules(const onnx::ModelProto& model, int64_t opset, std::map<std::string, int64_t> opsets);

  int64_t opset_of(const onnx::NodeProto& node) const;

  // Whether the installed ONNX library knows the model's version; it checks no other.
  bool knows_version() const { return knows_version_; }
  // By the library's schema of the operator. Throws Refused.
  void check(const onnx::NodeProto& node) const;
  // Why there is no tensor `name` when `node` of that graph, the main one or a body, reads it.
  Refused why_unmade(const onnx::GraphProto& graph, const onnx::NodeProto& node,
                     const std::string& name) const;

 private:
  struct Scope {
    const Scope* outer = nullptr;                          // of a body: what is around it
    std::map<std::string, const onnx::NodeProto*> makers;  // by output
  };
  void add_scope(const onnx::GraphProto& graph, const Scope* outer);
  static const onnx::NodeProto* maker(const Scope* scope, const std::string& name);
  static std::string cycle_through(const Scope& scope, const onnx::NodeProto& node);

  const onnx::GraphProto& graph_;
  const int64_t opset_;
  const std::map<std::string, int64_t> opsets_;
  bool knows_version_ = false;
  std::map<const onnx::GraphProto*, Scope> scopes_;
  onnx::checker::CheckerContext context_;
  onnx::checker::LexicalScopeContext names_;
};

// For versions that the library does not know: counts, attributes and their types. Throws Refused.
void check_signature(const onnx::NodeProto& node, int64_t opset);

// Types by the ONNX library's inference, which runs when one is asked for first.
class InferredTypes {
 public:
  // The model has to outlive it.
  explicit InferredTypes(const onnx::ModelProto& model) : model_(model) {}
  const onnx::TypeProto* find(const std::string& name);

 private:
  const onnx::ModelProto& model_;
  std::optional<onnx::ModelProto> typed_;
  std::map<std::string, const onnx::TypeProto*> types_;
};

// Names that the graph gives to two tensors, each as a refusal.
std::vector<Refusal> find_twins(const onnx::GraphProto& graph, int64_t opset);

// Of float32 and the halves.
bool has_nan(const Tensor& tensor);

// The dtype or shape that the file states for a tensor, where it is not what `tensor` has: "" or
// the reason, which leads from one to the other by `found`.
std::string contradiction(const onnx::TypeProto::Tensor& type, const Tensor& tensor,
                          const std::string& found = "its node makes");
// What helps against it.
constexpr const char* kMendDeclared = "delete the file's value_info, or export the model anew";

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_IMPORT_ONNX_RULES_H_
