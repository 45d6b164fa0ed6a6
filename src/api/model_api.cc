// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>

#include "medulla_generated.h"
#include "src/api/options.h"
#include "src/api/tensor_info.h"
#include "src/base/fp_env.h"
#include "src/model/model.h"
#include "src/ops/op.h"

using medulla::fail;

namespace {

mdl_status read_model_options(const mdl_model_options* given, mdl_model_options* options,
                              mdl_error* error) {
  MDL_TRY(medulla::read_options(given, options, error));
  const uint32_t check = medulla::enum_value(options->check);
  if (check > MDL_CHECK_FULL || options->lock_memory > 1) {
    return fail(error, MDL_ERROR_INVALID_ARGUMENT, "options: check is ", check, ", lock_memory is ",
                options->lock_memory, ", both should be 0 or 1");
  }
  if (options->max_rank > MDL_MAX_RANK) {
    return fail(error, MDL_ERROR_INVALID_ARGUMENT, "options: max_rank is ", options->max_rank,
                ", should be at most ", MDL_MAX_RANK);
  }
  return medulla::check_memory(*options, error);
}

// Fills *info for the tensor of the graph that is number `index` of `count`.
template <class TensorOf>
mdl_status describe(const mdl_graph& graph, const char* what, size_t count, size_t index,
                    TensorOf tensor_of, mdl_tensor_info* info, mdl_error* error) {
  if (info == nullptr || info->struct_size < sizeof(size_t)) {
    return fail(error, MDL_ERROR_INVALID_ARGUMENT, "info is null or its struct_size is not set");
  }
  if (index >= count) {
    return fail(error, MDL_ERROR_INVALID_ARGUMENT, what, ' ', index,
                " is asked for, the model has ", count);
  }
  const mdl_tensor& tensor = graph.tensors[tensor_of(index)];
  medulla::fill_info(tensor, medulla::max_shape(tensor), info);
  return MDL_OK;
}

mdl_status find(const mdl_graph& graph, const char* what, const int32_t* list, size_t count,
                const char* name, size_t* index, mdl_error* error) {
  if (name == nullptr || index == nullptr) {
    return fail(error, MDL_ERROR_INVALID_ARGUMENT, "name or index is null");
  }
  for (size_t i = 0; i < count; ++i) {
    if (std::strcmp(graph.tensors[list[i]].name, name) == 0) {
      *index = i;
      return MDL_OK;
    }
  }
  medulla::NameList known;
  for (size_t i = 0; i < count; ++i) known.add(graph.tensors[list[i]].name);
  return fail(error, MDL_ERROR_NOT_FOUND, "no ", what, " is called '", name, "'; the model has ",
              known.text());
}

mdl_status fail_null(mdl_error* error) {
  return fail(error, MDL_ERROR_INVALID_ARGUMENT, "model is null");
}

const medulla::format::Labels* labels_of(const mdl_model* model, size_t output) {
  if (model == nullptr || model->header->labels() == nullptr) return nullptr;
  for (const medulla::format::Labels* entry : *model->header->labels()) {
    if (entry->output() == output) return entry;
  }
  return nullptr;
}

const medulla::format::KeyValue* pair_of(const mdl_model* model, size_t index) {
  if (index >= mdl_model_metadata_count(model)) return nullptr;
  return model->header->metadata()->Get(static_cast<uint32_t>(index));
}

}  // namespace

mdl_status mdl_model_open(const char* path, const mdl_model_options* options, mdl_model** model,
                          mdl_error* error) {
  if (path == nullptr || model == nullptr) {
    return fail(error, MDL_ERROR_INVALID_ARGUMENT, "mdl_model_open: path or model is null");
  }
  if (path[0] == 0) {
    return fail(error, MDL_ERROR_INVALID_ARGUMENT,
                "mdl_model_open: path is empty, should name a file");
  }
  mdl_model_options read;
  MDL_TRY(read_model_options(options, &read, error));
  const medulla::FloatEnvironment environment;
  return medulla::open_model_file(path, read, true, model, error);
}

mdl_status mdl_model_open_memory(const void* data, size_t size, const mdl_model_options* options,
                                 mdl_model** model, mdl_error* error) {
  if (data == nullptr || model == nullptr) {
    return fail(error, MDL_ERROR_INVALID_ARGUMENT, "mdl_model_open_memory: data or model is null");
  }
  mdl_model_options read;
  MDL_TRY(read_model_options(options, &read, error));
  const medulla::FloatEnvironment environment;
  return medulla::open_model_memory({static_cast<const uint8_t*>(data), size}, read, true, model,
                                    error);
}

mdl_status mdl_model_memory_need(const void* data, size_t size, const mdl_model_options* options,
                                 size_t* bytes, mdl_error* error) {
  if (data == nullptr || bytes == nullptr) {
    return fail(error, MDL_ERROR_INVALID_ARGUMENT, "mdl_model_memory_need: data or bytes is null");
  }
  mdl_model_options read;
  MDL_TRY(read_model_options(options, &read, error));
  const medulla::FloatEnvironment environment;
  return medulla::model_memory_need({static_cast<const uint8_t*>(data), size}, read, bytes, error);
}

void mdl_model_close(mdl_model* model) {
  if (model != nullptr) medulla::close_model(model);
}

size_t mdl_model_input_count(const mdl_model* model) {
  return model == nullptr ? 0 : medulla::model_graph(*model).input_count;
}

size_t mdl_model_output_count(const mdl_model* model) {
  return model == nullptr ? 0 : medulla::model_graph(*model).output_count;
}

size_t mdl_model_state_count(const mdl_model* model) {
  return model == nullptr ? 0 : medulla::model_graph(*model).state_count;
}

mdl_status mdl_model_input(const mdl_model* model, size_t index, mdl_tensor_info* info,
                           mdl_error* error) {
  if (model == nullptr) return fail_null(error);
  const mdl_graph& graph = medulla::model_graph(*model);
  const auto tensor_of = [&](size_t i) { return graph.inputs[i]; };
  return describe(graph, "input", graph.input_count, index, tensor_of, info, error);
}

mdl_status mdl_model_output(const mdl_model* model, size_t index, mdl_tensor_info* info,
                            mdl_error* error) {
  if (model == nullptr) return fail_null(error);
  const mdl_graph& graph = medulla::model_graph(*model);
  const auto tensor_of = [&](size_t i) { return graph.outputs[i]; };
  return describe(graph, "output", graph.output_count, index, tensor_of, info, error);
}

mdl_status mdl_model_state(const mdl_model* model, size_t index, mdl_tensor_info* info,
                           mdl_error* error) {
  if (model == nullptr) return fail_null(error);
  const mdl_graph& graph = medulla::model_graph(*model);
  const auto tensor_of = [&](size_t i) { return graph.states[i].tensor; };
  return describe(graph, "state", graph.state_count, index, tensor_of, info, error);
}

mdl_status mdl_model_find_input(const mdl_model* model, const char* name, size_t* index,
                                mdl_error* error) {
  if (model == nullptr) return fail_null(error);
  const mdl_graph& graph = medulla::model_graph(*model);
  return find(graph, "input", graph.inputs, graph.input_count, name, index, error);
}

mdl_status mdl_model_find_output(const mdl_model* model, const char* name, size_t* index,
                                 mdl_error* error) {
  if (model == nullptr) return fail_null(error);
  const mdl_graph& graph = medulla::model_graph(*model);
  return find(graph, "output", graph.outputs, graph.output_count, name, index, error);
}

const char* mdl_model_metadata(const mdl_model* model, const char* key) {
  if (model == nullptr || key == nullptr) return nullptr;
  const medulla::format::Header& header = *model->header;
  const bool name = std::strcmp(key, "name") == 0;
  if (name || std::strcmp(key, "producer") == 0) {
    const auto* text = name ? header.name() : header.producer();
    return text == nullptr ? "" : text->c_str();
  }
  for (size_t i = 0; i < mdl_model_metadata_count(model); ++i) {
    if (std::strcmp(mdl_model_metadata_key(model, i), key) == 0) {
      return mdl_model_metadata_value(model, i);
    }
  }
  return nullptr;
}

size_t mdl_model_metadata_count(const mdl_model* model) {
  if (model == nullptr || model->header->metadata() == nullptr) return 0;
  return model->header->metadata()->size();
}

const char* mdl_model_metadata_key(const mdl_model* model, size_t index) {
  const auto* pair = pair_of(model, index);
  return pair == nullptr ? nullptr : pair->key()->c_str();
}

const char* mdl_model_metadata_value(const mdl_model* model, size_t index) {
  const auto* pair = pair_of(model, index);
  return pair == nullptr ? nullptr : pair->value()->c_str();
}

size_t mdl_model_label_count(const mdl_model* model, size_t output) {
  const auto* labels = labels_of(model, output);
  return labels == nullptr || labels->names() == nullptr ? 0 : labels->names()->size();
}

const char* mdl_model_label(const mdl_model* model, size_t output, size_t index) {
  if (index >= mdl_model_label_count(model, output)) return nullptr;
  return labels_of(model, output)->names()->Get(static_cast<uint32_t>(index))->c_str();
}

mdl_status mdl_model_preprocessing(const mdl_model* model, size_t input,
                                   mdl_preprocessing* preprocessing, mdl_error* error) {
  if (model == nullptr) return fail_null(error);
  if (preprocessing == nullptr || preprocessing->struct_size < sizeof(size_t)) {
    return fail(error, MDL_ERROR_INVALID_ARGUMENT,
                "preprocessing is null or its struct_size is not set");
  }
  if (input >= mdl_model_input_count(model)) {
    return fail(error, MDL_ERROR_INVALID_ARGUMENT, "input ", input, " is asked for, the model has ",
                mdl_model_input_count(model));
  }
  mdl_preprocessing all = {preprocessing->struct_size, "", 0, nullptr, nullptr};
  const auto* list = model->header->preprocessing();
  for (uint32_t p = 0; list != nullptr && p < list->size(); ++p) {
    const medulla::format::Preprocessing& entry = *list->Get(p);
    if (entry.input() != input) continue;
    if (entry.layout() != nullptr) all.layout = entry.layout()->c_str();
    all.count = entry.scale() == nullptr ? 0 : entry.scale()->size();
    if (all.count > 0) {
      all.scale = entry.scale()->data();
      all.offset = entry.offset()->data();
    }
  }
  std::memcpy(preprocessing, &all, std::min(preprocessing->struct_size, sizeof(all)));
  return MDL_OK;
}

const uint8_t* mdl_model_digest(const mdl_model* model) {
  return model == nullptr ? nullptr : model->digest;
}
