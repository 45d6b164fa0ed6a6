// SPDX-License-Identifier: Apache-2.0
// The TensorFlow Lite importer: what its conversion functions work with. Images are channels-last
// there as they are here. A quantized tensor is kept as its integers; an operator that computes
// reads the real numbers they stand for (DequantizeLinear) and its result is quantized again, so
// that form_integer_nodes finds what it looks for. What only moves elements works on the integers.
#ifndef MEDULLA_TOOLS_IMPORT_TFLITE_H_
#define MEDULLA_TOOLS_IMPORT_TFLITE_H_

#include <set>
#include <span>

#include "tflite_generated.h"
#include "tools/import/control.h"
#include "tools/import/convert.h"
#include "tools/import/refuse.h"
#include "tools/passes/builder.h"

namespace medulla::tools {

// The file in memory, with every table verified. Indices in it are not.
class TfliteFile {
 public:
  // Refuses what is no such file.
  explicit TfliteFile(const std::string& path);

  const tflite::Model& model() const { return *model_; }
  // A tensor's bytes when it is a constant, else nothing. Refuses those behind the file's end.
  std::span<const std::byte> bytes_of(const tflite::Tensor& tensor) const;

 private:
  Bytes bytes_;
  const tflite::Model* model_ = nullptr;
};

// What stands for a tensor of the file.
struct TfliteValue {
  int32_t stored = -1;     // its elements, quantized uint8 as int8
  int32_t real = -1;       // the float32 numbers that quantized elements mean, once asked for
  std::string variable;    // of a RESOURCE: the name of the variable
  bool stands_in = false;  // of a refused node, and nothing but type and shape is known
};

// A variable, or a tensor that keeps its value: a state of the graph.
struct TfliteState {
  int32_t tensor = -1;   // what a run begins with; -1: not read yet
  int32_t written = -1;  // what stands in it now
  std::shared_ptr<const Bytes> initial;
};

// A list of indices, which may be absent.
inline std::vector<int32_t> ids(const flatbuffers::Vector<int32_t>* indices) {
  return indices == nullptr ? std::vector<int32_t>()
                            : std::vector<int32_t>(indices->begin(), indices->end());
}

// What all subgraphs of a file have in common on their way.
struct TfliteCalls {
  const ConvertOptions& options;
  Bodies bodies;
  std::set<std::string> loops;  // that --max may name
  size_t operators = 0;         // of subgraphs that were called
};

// A subgraph on its way into a graph.
struct TfliteScope {
  TfliteScope(const TfliteFile& f, const tflite::SubGraph& s, ConvertReport& r, TfliteCalls& c,
              Graph& graph)
      : file(f),
        subgraph(s),
        report(r),
        calls(c),
        build(graph),
        values(s.tensors() == nullptr ? 0 : s.tensors()->size()) {}

  const TfliteFile& file;
  const tflite::SubGraph& subgraph;
  ConvertReport& report;
  TfliteCalls& calls;
  int depth = 0;      // how many operators call it, one in another
  std::string place;  // the bodies that it stands in, each with a '/'
  Builder build;
  std::vector<TfliteValue> values;             // by tensor of the subgraph
  std::map<std::string, TfliteState> states;   // by name
  bool shapes_vary = false;                    // a dimension is not what the file declares
  size_t float_layers_of_integer_weights = 0;  // see the note in the report

  const tflite::Tensor& tensor(int32_t id) const;
  std::string name_of(int32_t id) const;
  // The file's dtype and shape, without data; uint8 with a scale becomes int8.
  Tensor declared(int32_t id) const;
  // What stands for an output of the subgraph. Refuses one that nothing makes.
  int32_t result(int32_t id);
  // The state that is a variable tensor, in real numbers.
  TfliteState& state_of(int32_t id);
};

bool is_quantized(const tflite::Tensor& tensor);
// Scales and zero points, the latter for int8 when the tensor is uint8.
Quantization quantization_of(const tflite::Tensor& tensor);
mdl_dtype tflite_dtype(tflite::TensorType type);
// A constant of the file as a tensor.
Tensor constant_of(const TfliteScope& scope, int32_t id);

struct TfliteNode {
  TfliteScope& scope;
  const tflite::Operator& proto;
  const tflite::BuiltinOperator op;
  Builder& build;

  size_t input_count() const { return proto.inputs() == nullptr ? 0 : proto.inputs()->size(); }
  size_t output_count() const { return proto.outputs() == nullptr ? 0 : proto.outputs()->size(); }
  // Index into the subgraph's tensors; -1: left out. Outputs that are not there are refused.
  int32_t input(size_t i) const;
  int32_t output(size_t o) const;
  bool has(size_t i) const { return input(i) >= 0; }
  // The file's tensor of input i; refuses when that is left out.
  const tflite::Tensor& source(size_t i) const;
  bool quantized(size_t i) const { return is_quantized(source(i)); }
  // Of a type that is counted in units: no float.
  bool output_quantized(size_t o) const { return is_quantized(scope.tensor(output(o))); }

  // Input i as its elements, or as real numbers where it is quantized.
  int32_t stored(size_t i) const;
  int32_t value(size_t i) const;
  // For what moves elements: as they are stored when output 0 has the quantization of every input
  // in [i, end), else as real numbers.
  int32_t moved(size_t i, size_t end) const;
  int32_t moved(size_t i) const { return moved(i, i + 1); }

  // The constant input i as integers or as real numbers; `what` names it in the refusal.
  Dims constant_ints(size_t i, const char* what) const;
  std::vector<float> constant_floats(size_t i, const char* what) const;

  // Real numbers, quantized if output o is.
  int32_t quantize(size_t o, int32_t t) const;
  // Output o is `t`: of its dtype, or real numbers that are still to be quantized.
  void set(size_t o, int32_t t) const;
  // The same under another shape, which is given to the integers.
  void set_reshaped(size_t o, int32_t t, const Dims& dims) const;

  template <class Options>
  const Options& options() const {
    const Options* options = proto.options_as<Options>();
    if (options == nullptr) refuse("has no options", "export the model again");
    return *options;
  }
  template <class Options>
  tflite::Activation activation() const {  // of an operator that may have no options
    const Options* options = proto.options_as<Options>();
    return options == nullptr ? tflite::Activation::NONE : options->activation();
  }
  // `t` behind a fused activation.
  int32_t activated(int32_t t, tflite::Activation activation) const;

  // Wraps a negative axis; refuses one that is out of range.
  int64_t axis(int64_t value, int64_t rank) const;
  // Refuses when a dimension of the tensor can vary.
  void require_static(int32_t t, const char* why) const;
};

using TfliteConversion = void (*)(TfliteNode& node);

struct TfliteRow {
  tflite::BuiltinOperator op;
  TfliteConversion convert;
};
std::span<const TfliteRow> tflite_table();

// Appends the operators of a subgraph, whose inputs are known; what cannot be taken goes to the
// report.
void convert_operators(TfliteScope& scope);

// Fills `model`; what cannot be taken goes to the report.
void import_tflite(const ConvertOptions& options, Model& model, ConvertReport& report);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_IMPORT_TFLITE_H_
