// SPDX-License-Identifier: Apache-2.0
#include "src/model/model.h"

#include <new>

#include "src/model/loader.h"

namespace medulla {
namespace {

constexpr uint32_t kDefaultNodes = 1000000;
constexpr uint32_t kDefaultTensors = 4000000;
constexpr uint64_t kDefaultTensorBytes = uint64_t{1} << 40;

Limits limits_of(const mdl_model_options& options) {
  return {options.max_file_bytes != 0 ? options.max_file_bytes : UINT64_MAX,
          options.max_tensor_bytes != 0 ? options.max_tensor_bytes : kDefaultTensorBytes,
          options.max_nodes != 0 ? options.max_nodes : kDefaultNodes,
          options.max_tensors != 0 ? options.max_tensors : kDefaultTensors,
          options.max_rank != 0 ? options.max_rank : MDL_MAX_RANK};
}

// What is known before the model has any memory.
struct Draft {
  Preamble preamble;
  const format::Header* header;
  Tables tables;
  uint64_t block_bytes;  // that the model needs, itself included
};

uint64_t rounded(uint64_t bytes) {
  return (bytes + (bytes == 0) + MDL_ALIGNMENT - 1) / MDL_ALIGNMENT * MDL_ALIGNMENT;
}

mdl_status read_frame(Bytes file, const mdl_model_options& options, bool check_digests,
                      Draft* draft, mdl_error* error) {
  if (reinterpret_cast<uintptr_t>(file.data()) % MDL_ALIGNMENT != 0) {
    return fail(error, MDL_ERROR_INVALID_ARGUMENT, "lies ",
                reinterpret_cast<uintptr_t>(file.data()) % MDL_ALIGNMENT,
                " bytes off, should be aligned to ", MDL_ALIGNMENT);
  }
  const Limits limits = limits_of(options);
  MDL_TRY(check_preamble(file, limits, &draft->preamble, error));
  if (check_digests) MDL_TRY(check_header_digest(file, draft->preamble, error));
  MDL_TRY(find_header(file, draft->preamble, &draft->header, error));
  MDL_TRY(check_buffers(*draft->header, draft->preamble, error));
  MDL_TRY(count_tables(*draft->header, static_cast<size_t>(draft->preamble.header_size), limits,
                       &draft->tables, error));
  draft->block_bytes =
      mdl_model::head() + rounded(draft->tables.bytes()) + rounded(draft->tables.temporary_bytes);
  if (draft->block_bytes > SIZE_MAX / 8) {
    return fail(error, MDL_ERROR_OUT_OF_MEMORY, "its tables need ", draft->block_bytes, " bytes");
  }
  return MDL_OK;
}

// Says which graph a reason is about, unless it is the main one.
mdl_status place_reason(mdl_status status, size_t graph, const mdl_error& reason,
                        mdl_error* error) {
  const char* text = reason.text;
  if (status == MDL_OK) return MDL_OK;
  return graph == 0 ? fail(error, status, text) : fail(error, status, "graph ", graph, ": ", text);
}

mdl_status decode(Bytes file, const mdl_model_options& options, Draft* draft, mdl_model* model,
                  mdl_error* error) {
  Tables& tables = draft->tables;
  const size_t bytes = static_cast<size_t>(tables.bytes());
  std::byte* memory = static_cast<std::byte*>(model->arena.allocate(bytes));
  const Arena::Scope scope(model->arena);
  void* temporary = model->arena.allocate_temporary(tables.temporary_bytes);
  if (memory == nullptr || temporary == nullptr) {
    return fail(error, MDL_ERROR_OUT_OF_MEMORY, "no memory for its tables, ", draft->block_bytes,
                " bytes in all");
  }
  tables.place(memory);
  const Limits limits = limits_of(options);
  mdl_graph* graphs = tables.graphs.next;
  const size_t count = tables.graphs.count;
  for (size_t g = 0; g < count; ++g) {
    const GraphContext context = {
        file,    draft->header, draft->header->graphs()->Get(static_cast<uint32_t>(g)), g, graphs,
        &limits, &tables};
    mdl_error reason = MDL_ERROR_INIT;
    mdl_status status = decode_graph(context, &reason);
    if (status == MDL_OK) status = check_names(graphs[g], temporary, &reason);
    MDL_TRY(place_reason(status, g, reason, error));
  }
  model->graphs = {graphs, count};
  MDL_TRY(check_bodies(model->graphs, static_cast<uint8_t*>(temporary), error));
  for (size_t g = 0; g < count; ++g) {
    mdl_error reason = MDL_ERROR_INIT;
    MDL_TRY(place_reason(check_nodes(graphs[g], &reason), g, reason, error));
  }
  MDL_TRY(check_symbols(model->graphs, temporary, error));
  return check_metadata(*draft->header, graphs[0], error);
}

mdl_model* make_model(const mdl_model_options& options, uint64_t block_bytes, mdl_error* error) {
  const mdl_allocator& allocator =
      options.allocator != nullptr ? *options.allocator : default_allocator();
  const size_t head = mdl_model::head();
  if (options.block.data != nullptr) {
    if (options.block.size / MDL_ALIGNMENT * MDL_ALIGNMENT < block_bytes) {
      fail(error, MDL_ERROR_OUT_OF_MEMORY, "the block has ", options.block.size,
           " bytes, the model needs ", block_bytes);
      return nullptr;
    }
    std::byte* data = static_cast<std::byte*>(options.block.data);
    return new (data) mdl_model(allocator, {data + head, options.block.size - head});
  }
  void* memory = allocator.allocate(allocator.context, head, MDL_ALIGNMENT);
  if (memory == nullptr) {
    fail(error, MDL_ERROR_OUT_OF_MEMORY, "no memory for the model, ", block_bytes, " bytes in all");
    return nullptr;
  }
  mdl_model* model = new (memory) mdl_model(allocator, {nullptr, 0});
  model->from_allocator = true;
  return model;
}

mdl_status fill(Bytes file, const mdl_model_options& options, bool check_digests, Draft* draft,
                mdl_model* model, mdl_error* error) {
  MDL_TRY(decode(file, options, draft, model, error));
  if (check_digests && options.check == MDL_CHECK_FULL) {
    MDL_TRY(check_weights_digest(file, *draft->header, draft->preamble, error));
  }
  if (options.lock_memory != 0) {
    MDL_TRY(lock_memory(file.data(), file.size(), error));
    model->locked = true;
  }
  model->bytes = file;
  model->digest = file.data() + offsetof(Preamble, digest);
  model->header = draft->header;
  return MDL_OK;
}

mdl_status open_bytes(Bytes file, const mdl_model_options& options, bool check_digests,
                      mdl_model** model, mdl_error* error) {
  Draft draft = {};
  MDL_TRY(read_frame(file, options, check_digests, &draft, error));
  mdl_model* made = make_model(options, draft.block_bytes, error);
  if (made == nullptr) return MDL_ERROR_OUT_OF_MEMORY;
  const mdl_status status = fill(file, options, check_digests, &draft, made, error);
  if (status != MDL_OK) {
    close_model(made);
    return status;
  }
  *model = made;
  return MDL_OK;
}

// Puts the name of the file before the reason.
mdl_status name_file(mdl_error* error, mdl_status status, const char* name,
                     const mdl_error& reason) {
  if (status == MDL_OK) return MDL_OK;
  const char* text = reason.text;
  return fail(error, status, name, ": ", text);
}

constexpr const char* kMemory = "memory block";

}  // namespace

mdl_status open_model_memory(Bytes bytes, const mdl_model_options& options, bool check_digests,
                             mdl_model** model, mdl_error* error) {
  mdl_error reason = MDL_ERROR_INIT;
  const mdl_status status = open_bytes(bytes, options, check_digests, model, &reason);
  return name_file(error, status, kMemory, reason);
}

mdl_status open_model_file(const char* path, const mdl_model_options& options, bool check_digests,
                           mdl_model** model, mdl_error* error) {
  mdl_error reason = MDL_ERROR_INIT;
  FileMap map;
  mdl_status status = map_file(path, limits_of(options).file_bytes, &map, &reason);
  if (status == MDL_OK) {
    const Bytes bytes(static_cast<const uint8_t*>(map.data), map.size);
    const char* format = source_format(bytes);
    status = format == nullptr ? open_bytes(bytes, options, check_digests, model, &reason)
                               : fail(&reason, MDL_ERROR_BAD_MODEL, "is a model of ", format,
                                      "; convert it first: medulla convert ", path);
    if (status == MDL_OK) {
      (*model)->map = map;
    } else {
      unmap_file(&map);
    }
  }
  return name_file(error, status, path, reason);
}

mdl_status model_memory_need(Bytes bytes, const mdl_model_options& options, size_t* need,
                             mdl_error* error) {
  mdl_error reason = MDL_ERROR_INIT;
  Draft draft = {};
  const mdl_status status = read_frame(bytes, options, true, &draft, &reason);
  if (status == MDL_OK) *need = static_cast<size_t>(draft.block_bytes);
  return name_file(error, status, kMemory, reason);
}

void close_model(mdl_model* model) {
  if (model->locked) unlock_memory(model->bytes.data(), model->bytes.size());
  unmap_file(&model->map);
  const mdl_allocator allocator = model->allocator;
  const bool from_allocator = model->from_allocator;
  model->~mdl_model();
  if (from_allocator) {
    allocator.release(allocator.context, model, mdl_model::head(), MDL_ALIGNMENT);
  }
}

}  // namespace medulla
