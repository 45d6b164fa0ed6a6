// SPDX-License-Identifier: Apache-2.0
// The ONNX importer: what its conversion functions work with. A function gets one ONNX node and
// appends canonical nodes; image operators get Transposes around them, which passes take out again.
#ifndef MEDULLA_TOOLS_IMPORT_ONNX_H_
#define MEDULLA_TOOLS_IMPORT_ONNX_H_

#include <onnx/onnx_pb.h>

#include <functional>
#include <span>

#include "tools/import/control.h"
#include "tools/import/convert.h"
#include "tools/import/refuse.h"
#include "tools/passes/builder.h"

namespace medulla::tools {

// What was computed with an extent: times, plus or divided by a number, rounded down or up.
struct ExtentStep {
  enum class Op { times, plus, divided_down, divided_up } op;
  int64_t by;
  bool operator==(const ExtentStep&) const = default;
};

// An element of a tensor of extents; with a symbol it varies, up to `value`.
struct Extent {
  int64_t value;
  std::string symbol = "";
  int64_t maximum = 0;                 // of the symbol itself, from which steps lead to the value
  std::vector<ExtentStep> steps = {};  // none: it is the symbol's own
  bool operator==(const Extent&) const = default;
  bool varies() const { return !symbol.empty(); }
};
using ShapeValues = std::map<int32_t, std::vector<Extent>>;  // by tensor

// What the conversion functions of If, Loop and Scan ask of the importer.
class OnnxScope {
 public:
  virtual ~OnnxScope() = default;
  // `inputs` have the body's types; those before the last ones, which the body names, are unnamed.
  // The first is the iteration where the body is a loop's; would be known if `counted_by` were.
  virtual ImportedBody import_body(const onnx::GraphProto& proto, const std::string& name,
                                   const std::vector<Tensor>& inputs,
                                   const std::vector<int32_t>& counted_by = {}) = 0;
  // Takes the nodes over into the graph itself; returns what they make.
  virtual std::vector<int32_t> import_inline(const onnx::GraphProto& proto) = 0;
  // The same, once for each iteration of a Loop; returns what that makes. Refuses a condition that
  // is not known.
  virtual std::vector<int32_t> write_out(const onnx::GraphProto& proto, int64_t trips,
                                         std::vector<int32_t> carried) = 0;
  // What the first of two ways to import a node makes, or the second if it is refused; where both
  // are, the first one's reasons stand.
  using Way = std::function<std::vector<int32_t>()>;
  virtual std::vector<int32_t> import_either(const Way& first, const Way& second) = 0;
  // By --max, which may name the trip count or the node.
  virtual int64_t bound_of(const onnx::NodeProto& loop) = 0;
};

struct OnnxNode {
  const onnx::NodeProto& proto;
  const int64_t opset;
  const std::vector<int32_t> inputs;  // tensors of the graph; -1: left out
  Builder& build;
  ShapeValues& shapes;                // tensors of extents that are not constant
  const std::set<std::string>& read;  // names that a node or an output of the graph reads
  OnnxScope* scope;

  const std::string& op() const { return proto.op_type(); }
  int32_t input(size_t i) const { return i < inputs.size() ? inputs[i] : -1; }
  // Whether anybody reads output i.
  bool has_output(int i) const {
    return i < proto.output_size() && read.count(proto.output(i)) > 0;
  }
  std::vector<bool> wanted_outputs() const;

  const onnx::AttributeProto* attribute(const std::string& name) const;
  // The same; refuses one of another type.
  const onnx::AttributeProto* attribute(const std::string& name, int type) const;
  int64_t int_or(const std::string& name, int64_t otherwise) const;
  double float_or(const std::string& name, double otherwise) const;
  std::string string_or(const std::string& name, const std::string& otherwise) const;
  Dims ints(const std::string& name) const;  // empty when absent
  std::vector<double> floats(const std::string& name) const;
  std::vector<std::string> strings(const std::string& name) const;

  // A parameter that has to be known at conversion: input i, a constant. Refuses the node when it
  // is none; `what` names it in the reason.
  const Tensor& parameter(size_t i, const char* what) const;
  // The same as integers, or as numbers of any dtype, for what became an attribute in Medulla.
  Dims constant_ints(size_t i, const char* what) const;
  std::vector<double> constant_floats(size_t i, const char* what) const;
  // From attribute `name` before opset `since`, from input i from then on; empty when absent.
  Dims ints_by_opset(const char* name, size_t i, int64_t since) const;

  // Wraps negative axes.
  int64_t axis(int64_t value, int64_t rank) const;
  Dims axes(Dims values, int64_t rank) const;
  // Refuses when a dimension of the tensor can vary.
  void require_static(int32_t tensor, const char* why) const;
};

// Returns the tensors that stand for the ONNX node's outputs, -1 for one that is left out.
using Conversion = std::vector<int32_t> (*)(OnnxNode& node);

struct OnnxRow {
  const char* op;
  int64_t first_opset;
  int64_t last_opset;
  Conversion convert;
};
std::span<const OnnxRow> onnx_table();

// The dtype of an ONNX element type; refuses those Medulla lacks.
mdl_dtype onnx_dtype(int32_t type);
// The bytes of a tensor that a file claims; refuses what no memory holds.
size_t require_size(mdl_dtype dtype, const Dims& dims);
// Adds a constant; `folder` is where external data lies.
int32_t add_onnx_constant(Builder& build, const onnx::TensorProto& proto,
                          const std::string& folder);

// What --max calls dimension `d`: its symbol, or "input.2" when it has none; "" when it is static.
std::string symbol_of(const onnx::ValueInfoProto& input, int d);

// A tensor of one element has one dimension or none, as the body of a loop declares its input.
Dims dims_of_one(const onnx::ValueInfoProto& value);

// Nodes of older opsets are brought to this one, each as it is imported.
constexpr int64_t kOldestOpset = 7;
// The newest whose texts the table follows.
constexpr int64_t kNewestOpset = 28;

// Adds the types that the ONNX library infers to the model's own.
void infer_onnx_types(onnx::ModelProto& model);

// Fills `model`; what cannot be taken goes to the report.
void import_onnx(const ConvertOptions& options, Model& model, ConvertReport& report);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_IMPORT_ONNX_H_
