// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/suite.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

#include "tests/conformance/compare.h"
#include "tools/import/onnx.h"

namespace medulla::conformance {
namespace {

using tools::Array;

// Operators that train, draw random numbers, or handle strings, sequences and optional values.
const std::set<std::string> kExcludedOps = {
    "Adagrad",
    "Adam",
    "Bernoulli",
    "ConcatFromSequence",
    "Gradient",
    "Momentum",
    "Multinomial",
    "Optional",
    "OptionalGetElement",
    "OptionalHasElement",
    "RandomNormal",
    "RandomNormalLike",
    "RandomUniform",
    "RandomUniformLike",
    "SequenceAt",
    "SequenceConstruct",
    "SequenceEmpty",
    "SequenceErase",
    "SequenceInsert",
    "SequenceLength",
    "SequenceMap",
    "SplitToSequence",
    "StringNormalizer",
};

bool is_excluded_type(const onnx::TypeProto& type) {
  return type.has_sequence_type() || type.has_optional_type() || type.has_map_type() ||
         type.tensor_type().elem_type() == onnx::TensorProto::STRING;
}

// Trains: an input or attribute says so.
bool trains(const onnx::ModelProto& model, const onnx::NodeProto& node) {
  for (const auto& attribute : node.attribute()) {
    if (attribute.name() == "training_mode" && attribute.i() != 0) return true;
  }
  return node.op_type() == "Dropout" && node.input_size() > 2 && !node.input(2).empty() &&
         model.graph().name().find("training") != std::string::npos;
}

template <class Proto>
Proto read_proto(const std::string& path) {
  Proto proto;
  std::ifstream file(path, std::ios::binary);
  if (!file || !proto.ParseFromIstream(&file)) {
    throw std::runtime_error(path + ": cannot be read");
  }
  return proto;
}

std::string data_path(const Case& c, int set, const char* kind, int index) {
  return c.folder + "/test_data_set_" + std::to_string(set) + "/" + kind + "_" +
         std::to_string(index) + ".pb";
}

// The objects of one run through the C API.
class Run {
 public:
  Run() = default;
  ~Run() {
    mdl_session_destroy(session_);
    mdl_program_destroy(program_);
    mdl_model_close(model_);
  }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  void open(const std::string& path, const char* backends) {
    mdl_program_options options = MDL_PROGRAM_OPTIONS_INIT;
    options.backends = backends;
    check(mdl_model_open(path.c_str(), nullptr, &model_, &error_));
    check(mdl_program_create(model_, &options, &program_, &error_));
    check(mdl_session_create(program_, nullptr, &session_, &error_));
  }
  void set(const std::string& name, const Array& value) {
    size_t index = 0, bytes = 0;
    void* data = nullptr;
    check(mdl_model_find_input(model_, name.c_str(), &index, &error_));
    check(mdl_session_input(session_, index, &data, &bytes, &error_));
    if (bytes != value.data.size()) {
      throw std::runtime_error("input " + name + " takes " + std::to_string(bytes) +
                               " bytes, has " + std::to_string(value.data.size()));
    }
    if (bytes > 0) std::memcpy(data, value.data.data(), bytes);
  }
  void run() {
    if (mdl_session_run(session_) != MDL_OK) throw std::runtime_error(mdl_session_error(session_));
  }
  Array get(const std::string& name) {
    size_t index = 0, bytes = 0;
    const void* data = nullptr;
    uint32_t rank = 0;
    int64_t dims[MDL_MAX_RANK];
    mdl_tensor_info info = MDL_TENSOR_INFO_INIT;
    check(mdl_model_find_output(model_, name.c_str(), &index, &error_));
    check(mdl_model_output(model_, index, &info, &error_));
    check(mdl_session_output(session_, index, &data, &bytes, &error_));
    check(mdl_session_output_shape(session_, index, dims, &rank, &error_));
    Array array{info.dtype, {dims, dims + rank}, {}};
    const auto* first = static_cast<const std::byte*>(data);
    array.data.assign(first, first + bytes);
    return array;
  }
  // Every operator of a step.
  std::set<std::string> operators() {
    size_t size = 0;
    mdl_program_plan(program_, MDL_PLAN_JSON, nullptr, 0, &size, nullptr);
    std::string plan(size, 0);
    check(mdl_program_plan(program_, MDL_PLAN_JSON, plan.data(), size, &size, &error_));
    std::set<std::string> operators;
    const nlohmann::json steps = nlohmann::json::parse(plan.c_str())["steps"];
    for (const auto& step : steps) {
      std::istringstream names(step["op"].get<std::string>());
      for (std::string name; std::getline(names, name, '+');) operators.insert(name);
    }
    return operators;
  }

 private:
  void check(mdl_status status) const {
    if (status != MDL_OK) throw std::runtime_error(error_.text);
  }

  mdl_model* model_ = nullptr;
  mdl_program* program_ = nullptr;
  mdl_session* session_ = nullptr;
  mdl_error error_ = MDL_ERROR_INIT;
};

// A file that goes with its object.
// The names of the inputs that the data sets feed: those that are no initializers.
std::vector<std::string> fed_inputs(const onnx::ModelProto& model) {
  std::vector<std::string> names;
  for (const auto& input : model.graph().input()) {
    const auto& constants = model.graph().initializer();
    if (std::none_of(constants.begin(), constants.end(),
                     [&](const auto& t) { return t.name() == input.name(); })) {
      names.push_back(input.name());
    }
  }
  return names;
}

Values named(const std::vector<std::string>& names, std::vector<Array> values) {
  Values result;
  for (size_t i = 0; i < std::min(names.size(), values.size()); ++i) {
    result.emplace_back(names[i], std::move(values[i]));
  }
  return result;
}

// Of the dimensions that the model leaves open: as the values have them.
std::map<std::string, int64_t> extents_of(const onnx::ModelProto& model, const Values& inputs) {
  std::map<std::string, int64_t> extents;
  for (const auto& input : model.graph().input()) {
    const auto value = std::find_if(inputs.begin(), inputs.end(),
                                    [&](const auto& v) { return v.first == input.name(); });
    const auto& shape = input.type().tensor_type().shape();
    if (value == inputs.end() || shape.dim_size() != static_cast<int>(value->second.shape.size())) {
      continue;
    }
    for (int d = 0; d < shape.dim_size(); ++d) {
      const std::string symbol = tools::symbol_of(input, d);
      if (!symbol.empty()) extents[symbol] = value->second.shape[static_cast<size_t>(d)];
    }
  }
  return extents;
}

// Fixes the inputs that a refusal asks for, and tries again.
tools::ConvertReport convert_fixing(tools::ConvertOptions& options, const Values& inputs) {
  for (;;) {
    tools::ConvertReport report = tools::convert(options);
    const size_t before = options.fixed.size();
    for (const tools::Refusal& refusal : report.refusals) {
      for (const auto& [name, value] : inputs) {
        const auto& fixable = refusal.fixable;
        if (std::count(fixable.begin(), fixable.end(), name) > 0)
          options.fixed.emplace(name, value);
      }
    }
    if (options.fixed.size() == before) return report;
  }
}

std::string join(std::vector<tools::Refusal> refusals) {
  std::string text;
  for (tools::Refusal& refusal : refusals) {
    if (refusal.op == "file") refusal.node = "model.onnx";
    text += (text.empty() ? "" : "; ") + refusal.text();
  }
  return text;
}

void run_data_set(const Case& c, const onnx::ModelProto& model, int set, const char* backends,
                  Result& result) {
  std::vector<std::string> outputs;
  for (const auto& output : model.graph().output()) outputs.push_back(output.name());
  const Values inputs = read_inputs(c, model, set);
  tools::ConvertOptions options;
  const TemporaryFile file(".mdl");
  options.input = c.folder + "/model.onnx";
  options.output = file.path;
  options.maxima = extents_of(model, inputs);
  result.reason = join(convert_fixing(options, inputs).refusals);
  if (!result.reason.empty()) {
    result.outcome = Outcome::refused;
    return;
  }
  for (const auto& [name, value] : options.fixed) result.fixed.insert(name);
  for (const auto& input : model.graph().input()) {
    for (const auto& [name, value] : inputs) {
      const auto& shape = input.type().tensor_type().shape();
      if (name == input.name() &&
          !std::equal(value.shape.begin(), value.shape.end(), shape.dim().begin(),
                      shape.dim().end(), [](int64_t extent, const auto& dim) {
                        return !dim.has_dim_value() || dim.dim_value() == extent;
                      })) {
        result.outcome = Outcome::refused;
        result.reason = "the suite feeds '" + name + "' in another shape than the model declares";
        return;
      }
    }
  }
  Run run;
  run.open(options.output, backends);
  for (const auto& [name, value] : inputs) {
    if (options.fixed.count(name) == 0) run.set(name, value);
  }
  run.run();
  for (const auto& [name, expected] : named(outputs, read_values(c, set, "output"))) {
    const std::string difference = compare(run.get(name), expected);
    if (!difference.empty()) throw std::runtime_error("output " + name + ": " + difference);
  }
  result.operators.merge(run.operators());
}

}  // namespace

TemporaryFile::TemporaryFile(const std::string& ending)
    : path((std::filesystem::temp_directory_path() /
            ("medulla_conformance_" + std::to_string(getpid()) + ending))
               .string()) {}

TemporaryFile::~TemporaryFile() {
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
}

std::optional<std::string> find_suite() {
  const char* given = std::getenv("MEDULLA_ONNX_TESTDATA");
  const std::string root = given != nullptr ? given : "/usr/share/libonnx-testdata/data";
  if (!std::filesystem::is_directory(root)) return std::nullopt;
  return root;
}

std::vector<Case> all_cases(const std::string& root) {
  std::vector<Case> cases;
  for (const char* suite : {"node", "pytorch-converted", "pytorch-operator", "simple"}) {
    const auto folder = std::filesystem::path(root) / suite;
    if (!std::filesystem::is_directory(folder)) continue;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      cases.push_back({suite, entry.path().filename().string(), entry.path().string()});
    }
  }
  std::sort(cases.begin(), cases.end(), [](const Case& a, const Case& b) {
    return std::tie(a.suite, a.name) < std::tie(b.suite, b.name);
  });
  return cases;
}

onnx::ModelProto read_model(const std::string& path) { return read_proto<onnx::ModelProto>(path); }

std::vector<Array> read_values(const Case& c, int set, const char* kind) {
  std::vector<Array> values;
  for (int i = 0; std::filesystem::exists(data_path(c, set, kind, i)); ++i) {
    const auto proto = read_proto<onnx::TensorProto>(data_path(c, set, kind, i));
    tools::Graph graph;
    tools::Builder build(graph);
    try {
      const tools::Tensor& t = build.tensor(tools::add_onnx_constant(build, proto, ""));
      values.push_back({t.dtype, t.dims, *t.data});
    } catch (const tools::Refused& why) {
      throw std::runtime_error(why.reason);
    }
  }
  return values;
}

Values read_inputs(const Case& c, const onnx::ModelProto& model, int set) {
  return named(fed_inputs(model), read_values(c, set, "input"));
}

int count_data_sets(const Case& c) {
  int count = 0;
  while (std::filesystem::is_directory(c.folder + "/test_data_set_" + std::to_string(count))) {
    ++count;
  }
  return count;
}

std::string excluded(const onnx::ModelProto& model) {
  for (const auto* list : {&model.graph().input(), &model.graph().output()}) {
    for (const auto& value : *list) {
      if (is_excluded_type(value.type())) return "strings, sequences and optional values";
    }
  }
  for (const auto& node : model.graph().node()) {
    if (kExcludedOps.count(node.op_type()) > 0) return node.op_type();
    if (trains(model, node)) return "training";
  }
  return "";
}

Result run_case(const Case& c, const onnx::ModelProto& model, const char* backends) {
  Result result;
  try {
    if (count_data_sets(c) == 0) throw std::runtime_error("the case has no data");
    for (int set = 0; set < count_data_sets(c); ++set) {
      run_data_set(c, model, set, backends, result);
      if (result.outcome == Outcome::refused) return result;
    }
    result.outcome = Outcome::passed;
  } catch (const std::exception& why) {
    result.outcome = Outcome::failed;
    result.reason = why.what();
  }
  return result;
}

Result convert_case(const Case& c) {
  tools::ConvertOptions options;
  const TemporaryFile file(".mdl");
  options.input = c.folder + "/model.onnx";
  options.output = file.path;
  const std::string reasons = join(tools::convert(options).refusals);
  return {reasons.empty() ? Outcome::passed : Outcome::refused, reasons, {}, {}};
}

}  // namespace medulla::conformance
