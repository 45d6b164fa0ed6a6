// SPDX-License-Identifier: Apache-2.0
#include "tools/quantize/model_run.h"

#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "src/base/checked.h"
#include "tools/ir/writer.h"

namespace medulla::tools {
namespace {

// A list of names is separated by commas, which names may hold: tensors get numbers.
std::string name_of(size_t tensor) { return "t" + std::to_string(tensor); }

Model with_numbers(const Model& model) {
  Model copy = model;
  Graph& graph = copy.main();
  for (size_t t = 0; t < graph.tensors.size(); ++t) graph.tensors[t].name = name_of(t);
  return copy;
}

std::string kept_names(const Graph& graph) {
  std::string names;
  for (const Node& node : graph.nodes) {
    for (const int32_t t : node.outputs) {
      const auto at = static_cast<size_t>(t);
      if (t < 0 || graph.tensors[at].dtype != MDL_FLOAT32) continue;
      names += (names.empty() ? "" : ",") + name_of(at);
    }
  }
  return names;
}

}  // namespace

ModelRun::ModelRun(const Model& model, Keep keep, bool profile) {
  const bool all = keep == Keep::all;
  const Bytes bytes = model_bytes(all ? with_numbers(model) : model);
  size_ = bytes.size();
  block_.reset(std::aligned_alloc(MDL_ALIGNMENT, align_up(size_, MDL_ALIGNMENT)));
  if (block_ == nullptr) throw std::runtime_error("no memory is left to run the model");
  std::memcpy(block_.get(), bytes.data(), size_);

  mdl_error error = MDL_ERROR_INIT;
  mdl_model* opened = nullptr;
  check(mdl_model_open_memory(block_.get(), size_, nullptr, &opened, &error), error);
  model_.reset(opened);
  mdl_program_options options = MDL_PROGRAM_OPTIONS_INIT;
  const std::string names = all ? kept_names(model.main()) : "";
  if (!names.empty()) options.keep = names.c_str();
  mdl_program* program = nullptr;
  check(mdl_program_create(model_.get(), &options, &program, &error), error);
  program_.reset(program);
  mdl_session_options session_options = MDL_SESSION_OPTIONS_INIT;
  session_options.profile = profile ? 1 : 0;
  mdl_session* session = nullptr;
  check(mdl_session_create(program_.get(), &session_options, &session, &error), error);
  session_.reset(session);
}

void ModelRun::reset() {
  mdl_error error = MDL_ERROR_INIT;
  check(mdl_session_reset(session_.get(), &error), error);
}

void ModelRun::run(const Sample& sample) {
  mdl_error error = MDL_ERROR_INIT;
  std::vector<const int64_t*> dims;
  for (const Array& array : sample) dims.push_back(array.shape.data());
  check(mdl_session_resize(session_.get(), dims.data(), dims.size(), &error), error);
  for (size_t i = 0; i < sample.size(); ++i) {
    void* data = nullptr;
    size_t bytes = 0;
    check(mdl_session_input(session_.get(), i, &data, &bytes, &error), error);
    std::memcpy(data, sample[i].data.data(), std::min(bytes, sample[i].data.size()));
  }
  run_session(session_.get());
}

std::vector<int64_t> ModelRun::output_shape(size_t index) const {
  mdl_error error = MDL_ERROR_INIT;
  int64_t dims[MDL_MAX_RANK] = {};
  uint32_t rank = 0;
  check(mdl_session_output_shape(session_.get(), index, dims, &rank, &error), error);
  return {dims, dims + rank};
}

std::vector<float> ModelRun::output(size_t index) const {
  size_t count = 1;
  for (const int64_t d : output_shape(index)) count *= static_cast<size_t>(d);
  std::vector<float> values(count);
  mdl_error error = MDL_ERROR_INIT;
  check(mdl_session_get_output(session_.get(), index, values.data(), count, &error), error);
  return values;
}

std::vector<float> ModelRun::tensor(int32_t index) const {
  mdl_error error = MDL_ERROR_INIT;
  mdl_tensor_info info = MDL_TENSOR_INFO_INIT;
  const void* data = nullptr;
  const std::string name = name_of(static_cast<size_t>(index));
  check(mdl_session_tensor(session_.get(), name.c_str(), &info, &data, &error), error);
  std::vector<float> values(info.bytes / sizeof(float));
  if (!values.empty()) std::memcpy(values.data(), data, info.bytes);
  return values;
}

std::map<std::string, ModelRun::Cost> ModelRun::costs() const {
  std::map<std::string, Cost> costs;
  mdl_error error = MDL_ERROR_INIT;
  const auto visit = [](void* context, const mdl_step_profile* step) {
    Cost& cost = (*static_cast<std::map<std::string, Cost>*>(context))[step->name];
    cost.nanoseconds += step->nanoseconds;
    cost.macs += step->macs;
    return 1;
  };
  check(mdl_session_profile(session_.get(), visit, &costs, &error), error);
  return costs;
}

}  // namespace medulla::tools
