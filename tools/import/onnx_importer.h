// SPDX-License-Identifier: Apache-2.0
// Imports one ONNX graph: the main one, or a body.
#ifndef MEDULLA_TOOLS_IMPORT_ONNX_IMPORTER_H_
#define MEDULLA_TOOLS_IMPORT_ONNX_IMPORTER_H_

#include <optional>
#include <unordered_map>

#include "tools/import/onnx_rules.h"

namespace medulla::tools {

// The graphs that are attributes of a node.
std::vector<const onnx::GraphProto*> bodies_of(const onnx::NodeProto& node);
// What --max may call the bound of a Loop anywhere in the graph: its node or its trip count.
std::set<std::string> loop_names(const onnx::GraphProto& graph);

class OnnxImporter : public OnnxScope {
 public:
  // The bodies of the graph's nodes go into `bodies`.
  OnnxImporter(const ConvertOptions& options, const OnnxRules& rules, InferredTypes& inferred,
               Graph& graph, Bodies& bodies, ConvertReport& report)
      : options_(options),
        rules_(rules),
        inferred_(inferred),
        report_(report),
        graph_(graph),
        bodies_(bodies),
        build_(graph_) {}

  void run(const onnx::ModelProto& proto, int64_t opset);

  ImportedBody import_body(const onnx::GraphProto& proto, const std::string& name,
                           const std::vector<Tensor>& inputs,
                           const std::vector<int32_t>& counted_by) override;
  std::vector<int32_t> import_inline(const onnx::GraphProto& proto) override;
  std::vector<int32_t> import_either(const Way& first, const Way& second) override;
  std::vector<int32_t> write_out(const onnx::GraphProto& proto, int64_t trips,
                                 std::vector<int32_t> carried) override;
  int64_t bound_of(const onnx::NodeProto& loop) override;
  bool is_body() const { return outer_ != nullptr; }

 private:
  int32_t find(const std::string& name);
  class Room {
   public:
    Room(OnnxImporter& importer, const onnx::GraphProto& proto);
    ~Room();
    Room(const Room&) = delete;
    Room& operator=(const Room&) = delete;

   private:
    OnnxImporter& importer_;
    const std::set<std::string> names_;
    std::unordered_map<std::string, int32_t> outside_;
    std::unordered_map<std::string, onnx::TypeProto::Tensor> declared_outside_;
  };
  std::vector<int32_t> import_nodes(const onnx::GraphProto& proto, const std::string& place,
                                    size_t refusals);
  bool add_sources(const std::vector<int32_t>& tensors, std::vector<const Tensor*>& sources) const;
  std::vector<std::string> fixable(int32_t parameter) const;
  void note_reads(const onnx::GraphProto& graph);
  void read_types(const onnx::GraphProto& graph);
  void add_constants(const onnx::GraphProto& graph);
  void require_as_declared(const onnx::GraphProto& body, int i, int32_t given) const;
  void fix_inputs(const onnx::GraphProto& graph);
  void choose_extents(const onnx::GraphProto& graph);
  void add_inputs(const onnx::GraphProto& graph);
  void add_node(const onnx::NodeProto& proto);      // of any opset
  void convert_node(const onnx::NodeProto& proto);  // of one from kOldestOpset on
  std::vector<int32_t> convert_in_single(OnnxNode& node, const OnnxRow& row);
  void add_outputs(const onnx::GraphProto& graph);
  void refuse_node(const onnx::NodeProto& proto, const Refused& why);
  // The operator's row; null where there is none, and the node is refused.
  const OnnxRow* find_row(const onnx::NodeProto& proto);
  // The same where opset, attributes or the number of inputs are not as it has them: all that is
  // known without shapes.
  const OnnxRow* find_checked_row(const onnx::NodeProto& proto);
  bool is_old(const onnx::NodeProto& proto) const;  // of an opset before kOldestOpset
  void pass_over(const onnx::NodeProto& proto);
  void stand_in(const onnx::NodeProto& proto);
  void stand_in(const std::string& name);
  bool depends_on_refused(const onnx::NodeProto& proto) const;
  void define(const onnx::NodeProto& proto, int i, int32_t tensor, size_t first_new);

  const ConvertOptions& options_;
  const OnnxRules& rules_;
  InferredTypes& inferred_;
  ConvertReport& report_;
  Graph& graph_;
  Bodies& bodies_;
  Builder build_;
  const onnx::GraphProto* source_ = nullptr;  // whose nodes are imported now
  OnnxImporter* outer_ = nullptr;             // of a body: what imports the graph around it
  std::vector<int32_t> captures_;             // of a body: what it reads there
  std::vector<int32_t> counted_by_;  // of a loop's body: what decides there how often it runs
  std::string place_;  // of what is imported now: the bodies that it stands in, each with a '/'
  size_t written_out_ = 0;  // of the main graph: nodes that loops became
  int64_t opset_ = 0;
  std::unordered_map<std::string, int32_t> tensors_;  // by ONNX name
  std::unordered_map<std::string, onnx::TypeProto::Tensor> declared_;
  std::map<std::string, int64_t> extents_;  // of symbolic dimensions
  ShapeValues shapes_;
  std::set<std::string> read_;
  std::set<std::string> passed_over_;  // of the main graph: nodes behind refused ones
};

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_IMPORT_ONNX_IMPORTER_H_
