// SPDX-License-Identifier: Apache-2.0
/// @file medulla.hpp
/// Medulla for C++17: handles that close themselves over medulla.h, header only, no exceptions.
///
///     mdl::Result<mdl::Model> model = mdl::Model::open("ecg.mdl");
///     if (!model) return report(model.error().text());
///     mdl::Result<mdl::Program> program = mdl::Program::create(*model);
///     ...
///
/// A model has to outlive its programs, a program its sessions: declare them in that order. What
/// the functions do, their statuses and which threads may call them stands at the C functions of
/// the same names.
#ifndef MEDULLA_MEDULLA_HPP_
#define MEDULLA_MEDULLA_HPP_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "medulla/medulla.h"

namespace mdl {

/// MDL_OK, or a status and what went wrong.
class Error {
 public:
  explicit operator bool() const { return error_.status != MDL_OK; }
  mdl_status status() const { return error_.status; }
  const char* text() const { return error_.text; }

  /// For a C function that is to fill it.
  mdl_error* out() { return &error_; }
  Error& with(mdl_status status) {
    error_.status = status;
    return *this;
  }
  /// With a text of its own, cut when it is too long.
  Error& with(mdl_status status, const char* text) {
    size_t i = 0;
    for (; text[i] != 0 && i + 1 < sizeof(error_.text); ++i) error_.text[i] = text[i];
    error_.text[i] = 0;
    return with(status);
  }

 private:
  mdl_error error_ = MDL_ERROR_INIT;
};

/// A value, or why there is none.
template <class T>
class Result {
 public:
  explicit Result(T value) : value_(std::move(value)) {}
  explicit Result(Error error) : error_(error) {}

  explicit operator bool() const { return !error_; }
  const Error& error() const { return error_; }
  T& operator*() { return value_; }
  const T& operator*() const { return value_; }
  T* operator->() { return &value_; }
  const T* operator->() const { return &value_; }

 private:
  T value_{};
  Error error_;
};

/// Elements that somebody else owns.
template <class T>
class Span {
 public:
  Span() = default;
  Span(T* data, size_t size) : data_(data), size_(size) {}

  T* data() const { return data_; }
  size_t size() const { return size_; }
  T* begin() const { return data_; }
  T* end() const { return data_ + size_; }
  T& operator[](size_t i) const { return data_[i]; }

 private:
  T* data_ = nullptr;
  size_t size_ = 0;
};

namespace detail {

template <class T, void (*Close)(T*)>
class Handle {
 public:
  Handle() = default;
  explicit Handle(T* handle) : handle_(handle) {}
  Handle(Handle&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Handle& operator=(Handle&& other) noexcept {
    if (this != &other) {
      Close(handle_);
      handle_ = std::exchange(other.handle_, nullptr);
    }
    return *this;
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { Close(handle_); }

  T* get() const { return handle_; }
  explicit operator bool() const { return handle_ != nullptr; }

 private:
  T* handle_ = nullptr;
};

template <class Wrapper, class T>
Result<Wrapper> wrap(mdl_status status, T* handle, Error& error) {
  if (status != MDL_OK) return Result<Wrapper>(error.with(status));
  return Result<Wrapper>(Wrapper(handle));
}

}  // namespace detail

class Model : public detail::Handle<mdl_model, mdl_model_close> {
 public:
  using Handle::Handle;

  static Result<Model> open(const char* path, const mdl_model_options* options = nullptr) {
    mdl_model* model = nullptr;
    Error error;
    const mdl_status status = mdl_model_open(path, options, &model, error.out());
    return detail::wrap<Model>(status, model, error);
  }
  /// `data` has to be aligned to MDL_ALIGNMENT and to outlive the model.
  static Result<Model> open_memory(const void* data, size_t size,
                                   const mdl_model_options* options = nullptr) {
    mdl_model* model = nullptr;
    Error error;
    const mdl_status status = mdl_model_open_memory(data, size, options, &model, error.out());
    return detail::wrap<Model>(status, model, error);
  }

  /// What open_memory would need of options.block.
  static Result<size_t> memory_need(const void* data, size_t size,
                                    const mdl_model_options* options = nullptr) {
    size_t bytes = 0;
    Error error;
    const mdl_status status = mdl_model_memory_need(data, size, options, &bytes, error.out());
    if (status != MDL_OK) return Result<size_t>(error.with(status));
    return Result<size_t>(bytes);
  }

  size_t input_count() const { return mdl_model_input_count(get()); }
  size_t output_count() const { return mdl_model_output_count(get()); }
  size_t state_count() const { return mdl_model_state_count(get()); }
  Result<mdl_tensor_info> input(size_t index) const { return info(mdl_model_input, index); }
  Result<mdl_tensor_info> output(size_t index) const { return info(mdl_model_output, index); }
  Result<mdl_tensor_info> state(size_t index) const { return info(mdl_model_state, index); }
  Result<size_t> find_input(const char* name) const { return find(mdl_model_find_input, name); }
  Result<size_t> find_output(const char* name) const { return find(mdl_model_find_output, name); }
  Result<mdl_preprocessing> preprocessing(size_t input) const {
    mdl_preprocessing preprocessing = MDL_PREPROCESSING_INIT;
    Error error;
    const mdl_status status = mdl_model_preprocessing(get(), input, &preprocessing, error.out());
    if (status != MDL_OK) return Result<mdl_preprocessing>(error.with(status));
    return Result<mdl_preprocessing>(preprocessing);
  }
  /// Null when the file has no such key.
  const char* metadata(const char* key) const { return mdl_model_metadata(get(), key); }
  /// The pairs that the file carries beside its name and producer; null when out of range.
  size_t metadata_count() const { return mdl_model_metadata_count(get()); }
  const char* metadata_key(size_t index) const { return mdl_model_metadata_key(get(), index); }
  const char* metadata_value(size_t index) const { return mdl_model_metadata_value(get(), index); }
  size_t label_count(size_t output) const { return mdl_model_label_count(get(), output); }
  /// Null when the output has no label of that index.
  const char* label(size_t output, size_t index) const {
    return mdl_model_label(get(), output, index);
  }
  /// 32 bytes.
  const uint8_t* digest() const { return mdl_model_digest(get()); }

 private:
  using Info = mdl_status(const mdl_model*, size_t, mdl_tensor_info*, mdl_error*);
  using Find = mdl_status(const mdl_model*, const char*, size_t*, mdl_error*);

  Result<mdl_tensor_info> info(Info* function, size_t index) const {
    mdl_tensor_info info = MDL_TENSOR_INFO_INIT;
    Error error;
    const mdl_status status = function(get(), index, &info, error.out());
    if (status != MDL_OK) return Result<mdl_tensor_info>(error.with(status));
    return Result<mdl_tensor_info>(info);
  }
  Result<size_t> find(Find* function, const char* name) const {
    size_t index = 0;
    Error error;
    const mdl_status status = function(get(), name, &index, error.out());
    if (status != MDL_OK) return Result<size_t>(error.with(status));
    return Result<size_t>(index);
  }
};

class Program : public detail::Handle<mdl_program, mdl_program_destroy> {
 public:
  using Handle::Handle;

  static Result<Program> create(const Model& model, const mdl_program_options* options = nullptr) {
    mdl_program* program = nullptr;
    Error error;
    const mdl_status status = mdl_program_create(model.get(), options, &program, error.out());
    return detail::wrap<Program>(status, program, error);
  }

  static Result<mdl_memory_need> memory_need(const Model& model,
                                             const mdl_program_options* options = nullptr) {
    mdl_memory_need need = MDL_MEMORY_NEED_INIT;
    Error error;
    const mdl_status status = mdl_program_memory_need(model.get(), options, &need, error.out());
    if (status != MDL_OK) return Result<mdl_memory_need>(error.with(status));
    return Result<mdl_memory_need>(need);
  }

  size_t step_count() const { return mdl_program_step_count(get()); }

  std::string plan(mdl_plan_format format = MDL_PLAN_TEXT) const {
    size_t bytes = 0;
    if (mdl_program_plan(get(), format, nullptr, 0, &bytes, nullptr) != MDL_OK) return {};
    std::string text(bytes, '\0');
    mdl_program_plan(get(), format, text.data(), bytes, &bytes, nullptr);
    text.resize(bytes - 1);
    return text;
  }
};

/// mdl_step_profile, to be kept: `op` is a copy.
struct StepProfile {
  const char* name;
  std::string op;
  const char* backend;
  const char* kernel;
  uint64_t nanoseconds;
  uint64_t macs;
  uint64_t bytes;
};

class Session : public detail::Handle<mdl_session, mdl_session_destroy> {
 public:
  using Handle::Handle;

  static Result<Session> create(const Program& program,
                                const mdl_session_options* options = nullptr) {
    mdl_session* session = nullptr;
    Error error;
    const mdl_status status = mdl_session_create(program.get(), options, &session, error.out());
    return detail::wrap<Session>(status, session, error);
  }

  static Result<size_t> memory_need(const Program& program,
                                    const mdl_session_options* options = nullptr) {
    size_t bytes = 0;
    Error error;
    const mdl_status status = mdl_session_memory_need(program.get(), options, &bytes, error.out());
    if (status != MDL_OK) return Result<size_t>(error.with(status));
    return Result<size_t>(bytes);
  }

  /// The memory of an input or output, as elements of T; empty when there is no such index. T has
  /// to be the tensor's type.
  template <class T>
  Span<T> input(size_t index) {
    void* data = nullptr;
    size_t bytes = 0;
    if (mdl_session_input(get(), index, &data, &bytes, nullptr) != MDL_OK) return {};
    return Span<T>(static_cast<T*>(data), bytes / sizeof(T));
  }
  template <class T>
  Span<const T> output(size_t index) {
    const void* data = nullptr;
    size_t bytes = 0;
    if (mdl_session_output(get(), index, &data, &bytes, nullptr) != MDL_OK) return {};
    return Span<const T>(static_cast<const T*>(data), bytes / sizeof(T));
  }

  /// Empty when there is no such index.
  std::vector<int64_t> input_shape(size_t index) const {
    return shape(mdl_session_input_shape, index);
  }
  std::vector<int64_t> output_shape(size_t index) const {
    return shape(mdl_session_output_shape, index);
  }

  Error bind_input(size_t index, const void* data, size_t bytes) {
    Error error;
    return error.with(mdl_session_bind_input(get(), index, data, bytes, error.out()));
  }
  Error bind_output(size_t index, void* data, size_t bytes) {
    Error error;
    return error.with(mdl_session_bind_output(get(), index, data, bytes, error.out()));
  }
  Error set_input(size_t index, const float* values, size_t count) {
    Error error;
    return error.with(mdl_session_set_input(get(), index, values, count, error.out()));
  }
  Error get_output(size_t index, float* values, size_t count) const {
    Error error;
    return error.with(mdl_session_get_output(get(), index, values, count, error.out()));
  }
  /// One shape for each input, of the input's rank.
  Error resize(const std::vector<std::vector<int64_t>>& shapes) {
    std::vector<const int64_t*> dims;
    Error error;
    for (size_t i = 0; i < shapes.size(); ++i) {
      int64_t now[MDL_MAX_RANK];
      uint32_t rank = 0;
      const bool known = mdl_session_input_shape(get(), i, now, &rank, nullptr) == MDL_OK;
      if (known && shapes[i].size() != rank) {
        const std::string text = "input " + std::to_string(i) + ": the shape has " +
                                 std::to_string(shapes[i].size()) + " dimensions, should have " +
                                 std::to_string(rank);
        return error.with(MDL_ERROR_SHAPE, text.c_str());
      }
      dims.push_back(shapes[i].data());
    }
    return error.with(mdl_session_resize(get(), dims.data(), dims.size(), error.out()));
  }

  Error run() {
    Error error;
    const mdl_status status = mdl_session_run(get());
    return status == MDL_OK ? error : error.with(status, mdl_session_error(get()));
  }
  void cancel() { mdl_session_cancel(get()); }

  /// Of mdl_session_tensor, as elements of T; T has to be the tensor's type.
  template <class T>
  Result<Span<const T>> tensor(const char* name, mdl_tensor_info* info = nullptr) const {
    mdl_tensor_info own = MDL_TENSOR_INFO_INIT;
    const void* data = nullptr;
    Error error;
    const mdl_status status = mdl_session_tensor(get(), name, &own, &data, error.out());
    if (status != MDL_OK) return Result<Span<const T>>(error.with(status));
    if (info != nullptr) *info = own;
    return Result<Span<const T>>(Span<const T>(static_cast<const T*>(data), own.bytes / sizeof(T)));
  }

  /// The steps of the last run; the strings live as long as the program.
  Result<std::vector<StepProfile>> profile() const {
    std::vector<StepProfile> steps;
    const auto visit = [](void* context, const mdl_step_profile* step) {
      static_cast<std::vector<StepProfile>*>(context)->push_back(
          {step->name, step->op, step->backend, step->kernel, step->nanoseconds, step->macs,
           step->bytes});
      return 1;
    };
    Error error;
    const mdl_status status = mdl_session_profile(get(), visit, &steps, error.out());
    if (status != MDL_OK) return Result<std::vector<StepProfile>>(error.with(status));
    return Result<std::vector<StepProfile>>(std::move(steps));
  }

  Error reset() {
    Error error;
    return error.with(mdl_session_reset(get(), error.out()));
  }
  std::vector<uint8_t> save() const {
    std::vector<uint8_t> data(mdl_session_state_bytes(get()));
    if (mdl_session_save(get(), data.data(), data.size(), nullptr) != MDL_OK) data.clear();
    return data;
  }
  Error restore(const std::vector<uint8_t>& data) {
    Error error;
    return error.with(mdl_session_restore(get(), data.data(), data.size(), error.out()));
  }

 private:
  using Shape = mdl_status(const mdl_session*, size_t, int64_t*, uint32_t*, mdl_error*);

  std::vector<int64_t> shape(Shape* function, size_t index) const {
    int64_t dims[MDL_MAX_RANK];
    uint32_t rank = 0;
    if (function(get(), index, dims, &rank, nullptr) != MDL_OK) return {};
    return std::vector<int64_t>(dims, dims + rank);
  }
};

}  // namespace mdl

#endif  // MEDULLA_MEDULLA_HPP_
