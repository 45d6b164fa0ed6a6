// SPDX-License-Identifier: Apache-2.0
// A session's states: commit, reset, save and restore.
#include <algorithm>
#include <cstring>

#include "src/base/checked.h"
#include "src/base/sha256.h"
#include "src/base/text.h"
#include "src/graph/session.h"

namespace medulla {
namespace {

// What save writes: this, then for each state its record and its bytes, padded to 8. All integers
// little-endian.
struct SavedHeader {
  char magic[8];
  uint32_t version;
  uint32_t state_count;
  uint8_t digest[32];              // the model's
  uint8_t contents[kSha256Bytes];  // of all that stands before and behind it
};

struct SavedState {
  uint64_t bytes;
  int64_t dims[MDL_MAX_RANK];
};

constexpr char kMagic[8] = {'M', 'D', 'L', 'S', 'T', 'A', 'T', 'E'};
constexpr uint32_t kSavedVersion = 2;

void digest_of(const void* saved, size_t size, uint8_t digest[kSha256Bytes]) {
  const std::byte* bytes = static_cast<const std::byte*>(saved);
  Sha256 sha;
  sha.update(bytes, offsetof(SavedHeader, contents));
  sha.update(bytes + sizeof(SavedHeader), size - sizeof(SavedHeader));
  sha.finish(digest);
}

}  // namespace

// Sets a state to its initial value at its current shape.
void Session::reset_state(size_t s) {
  const mdl_state& state = program_->graph.states[s];
  state_lengths_[s] = 0;
  if (state.kind == MDL_STATE_APPEND) {
    stale_ = true;
  } else if (state.initial != nullptr) {
    std::memcpy(states_[s], state.initial, bytes(state.tensor));
  } else {
    std::memset(states_[s], 0, bytes(state.tensor));
  }
}

void Session::reset() {
  for (size_t s = 0; s < program_->graph.state_count; ++s) reset_state(s);
}

// The end of a successful run: cannot fail.
void Session::commit() {
  const mdl_graph& graph = program_->graph;
  for (size_t s = 0; s < graph.state_count; ++s) {
    const mdl_state& state = graph.states[s];
    const std::byte* written = static_cast<const std::byte*>(data(state.written));
    if (state.kind == MDL_STATE_REPLACE) {
      std::memcpy(states_[s], written, bytes(state.written));
      continue;
    }
    // The state is kept dense: each of its outer pieces makes room for one of the new pieces,
    // beginning with the last.
    const mdl_shape more = shape(state.written);
    const uint32_t axis = static_cast<uint32_t>(state.axis);
    size_t outer = 1;
    for (uint32_t d = 0; d < axis; ++d) outer *= static_cast<size_t>(more.dims[d]);
    if (outer == 0 || more.dims[axis] == 0) continue;
    const size_t new_piece = bytes(state.written) / outer;
    const size_t index_bytes = new_piece / static_cast<size_t>(more.dims[axis]);
    const size_t old_piece = static_cast<size_t>(state_lengths_[s]) * index_bytes;
    for (size_t o = outer; o-- > 0;) {
      std::byte* to = states_[s] + o * (old_piece + new_piece);
      std::memmove(to, states_[s] + o * old_piece, old_piece);
      std::memcpy(to + old_piece, written + o * new_piece, new_piece);
    }
    state_lengths_[s] += more.dims[axis];
    stale_ = true;
  }
}

mdl_shape Session::state_shape(size_t s) const {
  const mdl_state& state = program_->graph.states[s];
  mdl_shape dims = shape(state.tensor);
  if (state.kind == MDL_STATE_APPEND) dims.dims[state.axis] = state_lengths_[s];
  return dims;
}

size_t Session::saved_bytes() const {
  const mdl_graph& graph = program_->graph;
  size_t total = sizeof(SavedHeader);
  for (size_t s = 0; s < graph.state_count; ++s) {
    const size_t bytes = tensor_bytes(graph.tensors[graph.states[s].tensor].dtype, state_shape(s));
    total += sizeof(SavedState) + align_up(bytes, 8);
  }
  return total;
}

void Session::save(void* to) const {
  const mdl_graph& graph = program_->graph;
  std::byte* at = static_cast<std::byte*>(to);
  SavedHeader header = {};
  std::memcpy(header.magic, kMagic, sizeof(kMagic));
  header.version = kSavedVersion;
  header.state_count = static_cast<uint32_t>(graph.state_count);
  std::memcpy(header.digest, program_->digest, sizeof(header.digest));
  std::memcpy(at, &header, sizeof(header));
  at += sizeof(header);
  for (size_t s = 0; s < graph.state_count; ++s) {
    const mdl_shape dims = state_shape(s);
    SavedState saved = {};
    saved.bytes = tensor_bytes(graph.tensors[graph.states[s].tensor].dtype, dims);
    std::copy_n(dims.dims, dims.rank, saved.dims);
    std::memcpy(at, &saved, sizeof(saved));
    at += sizeof(saved);
    const size_t padded = align_up(saved.bytes, 8);
    std::memcpy(at, states_[s], saved.bytes);
    std::memset(at + saved.bytes, 0, padded - saved.bytes);
    at += padded;
  }
  digest_of(to, static_cast<size_t>(at - static_cast<std::byte*>(to)), header.contents);
  std::memcpy(to, &header, sizeof(header));
}

mdl_status Session::restore(const void* from, size_t size, mdl_error* error) {
  const mdl_graph& graph = program_->graph;
  const std::byte* at = static_cast<const std::byte*>(from);
  SavedHeader header;
  if (size < sizeof(header)) {
    return fail(error, MDL_ERROR_STATE, "a saved state has at least ", sizeof(header),
                " bytes, this one has ", size);
  }
  std::memcpy(&header, at, sizeof(header));
  if (std::memcmp(header.magic, kMagic, sizeof(kMagic)) != 0 || header.version != kSavedVersion) {
    return fail(error, MDL_ERROR_STATE, "the data is no saved state of version ", kSavedVersion);
  }
  if (std::memcmp(header.digest, program_->digest, sizeof(header.digest)) != 0 ||
      header.state_count != graph.state_count) {
    return fail(error, MDL_ERROR_STATE, "the state was saved from another model");
  }
  // First all is checked, then all is taken.
  for (const bool take : {false, true}) {
    size_t offset = sizeof(header);
    for (size_t s = 0; s < graph.state_count; ++s) {
      const mdl_state& state = graph.states[s];
      SavedState saved;
      const size_t left = size - offset;
      if (left < sizeof(saved)) {
        return fail(error, MDL_ERROR_STATE, "the saved state ends early, at byte ", size);
      }
      std::memcpy(&saved, at + offset, sizeof(saved));
      offset += sizeof(saved);
      if (!take) MDL_TRY(check_saved(s, saved.dims, saved.bytes, left - sizeof(saved), error));
      if (take) {
        std::memcpy(states_[s], at + offset, saved.bytes);
        if (state.kind == MDL_STATE_APPEND) {
          state_lengths_[s] = saved.dims[state.axis];
          stale_ = true;
        }
      }
      offset += align_up(saved.bytes, 8);
    }
    if (take) continue;
    if (offset != size) {
      return fail(error, MDL_ERROR_STATE, "the saved state has ", size, " bytes, should have ",
                  offset);
    }
    uint8_t digest[kSha256Bytes];
    digest_of(from, size, digest);
    if (std::memcmp(digest, header.contents, sizeof(digest)) != 0) {
      return fail(error, MDL_ERROR_DIGEST,
                  "the saved state's bytes have changed since it was saved");
    }
  }
  return MDL_OK;
}

mdl_status Session::check_saved(size_t s, const int64_t* dims, uint64_t bytes, size_t left,
                                mdl_error* error) const {
  const mdl_state& state = program_->graph.states[s];
  const mdl_tensor& tensor = program_->graph.tensors[state.tensor];
  mdl_shape expected = state_shape(s);
  if (state.kind == MDL_STATE_APPEND && dims[state.axis] >= 0 &&
      dims[state.axis] <= tensor.dims[state.axis]) {
    expected.dims[state.axis] = dims[state.axis];
  }
  if (!std::equal(dims, dims + expected.rank, expected.dims)) {
    mdl_shape saved = {expected.rank, {}};
    std::copy_n(dims, saved.rank, saved.dims);
    return fail(error, MDL_ERROR_STATE, "state '", tensor.name, "' was saved as ", saved,
                ", the session has ", expected);
  }
  if (bytes != tensor_bytes(tensor.dtype, expected) || align_up(bytes, 8) > left) {
    return fail(error, MDL_ERROR_STATE, "state '", tensor.name, "' was saved in ", bytes,
                " bytes, should be ", tensor_bytes(tensor.dtype, expected), " of the ", left,
                " that are left");
  }
  return MDL_OK;
}

}  // namespace medulla
