// SPDX-License-Identifier: Apache-2.0
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <tuple>

#include "native.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace medulla::python {
namespace {

struct AlignedFree {
  void operator()(std::byte* data) const {
    ::operator delete[](data, std::align_val_t{MDL_ALIGNMENT});
  }
};
using AlignedBlock = std::unique_ptr<std::byte[], AlignedFree>;

// name, dtype, dims (maxima), scales, zero points, axis
using Info = std::tuple<std::string, std::string, std::vector<int64_t>, std::vector<float>,
                        std::vector<int32_t>, int>;

Info info_of(const mdl_tensor_info& t) {
  const mdl_quantization& q = t.quantization;
  return {t.name,
          mdl_dtype_name(t.dtype),
          {t.dims, t.dims + t.rank},
          {q.scales, q.scales + q.count},
          {q.zero_points, q.zero_points + q.count},
          q.axis};
}

class Model {
 public:
  explicit Model(const std::string& path) : model_(take(mdl::Model::open(path.c_str()))) {}
  explicit Model(const nb::bytes& data)
      : block_(static_cast<std::byte*>(
            ::operator new[](data.size() + 1, std::align_val_t{MDL_ALIGNMENT}))) {
    std::memcpy(block_.get(), data.c_str(), data.size());
    model_ = take(mdl::Model::open_memory(block_.get(), data.size()));
  }

  const mdl::Model& get() const { return model_; }
  std::vector<Info> inputs() const {
    std::vector<Info> all;
    for (size_t i = 0; i < model_.input_count(); ++i) all.push_back(info_of(take(model_.input(i))));
    return all;
  }
  std::vector<Info> outputs() const {
    std::vector<Info> all;
    for (size_t i = 0; i < model_.output_count(); ++i) {
      all.push_back(info_of(take(model_.output(i))));
    }
    return all;
  }
  std::vector<Info> states() const {
    std::vector<Info> all;
    for (size_t i = 0; i < model_.state_count(); ++i) all.push_back(info_of(take(model_.state(i))));
    return all;
  }
  nb::dict metadata() const {
    nb::dict all;
    for (size_t i = 0; i < mdl_model_metadata_count(model_.get()); ++i) {
      all[mdl_model_metadata_key(model_.get(), i)] = mdl_model_metadata_value(model_.get(), i);
    }
    return all;
  }
  std::vector<std::string> labels(size_t output) const {
    std::vector<std::string> all;
    for (size_t i = 0; i < mdl_model_label_count(model_.get(), output); ++i) {
      all.emplace_back(model_.label(output, i));
    }
    return all;
  }

 private:
  AlignedBlock block_;  // outlives the model
  mdl::Model model_;
};

// What numpy calls an element of the dtype; it has no bfloat16, which is given as its bits.
nb::dlpack::dtype numpy_dtype(mdl_dtype dtype) {
  using Code = nb::dlpack::dtype_code;
  const auto bits = static_cast<uint8_t>(mdl_dtype_bits(dtype));
  const auto of = [&](Code code) { return nb::dlpack::dtype{static_cast<uint8_t>(code), bits, 1}; };
  switch (dtype) {
    case MDL_BOOL:
      return of(Code::Bool);
    case MDL_INT8:
    case MDL_INT16:
    case MDL_INT32:
    case MDL_INT64:
      return of(Code::Int);
    case MDL_UINT8:
    case MDL_UINT16:
    case MDL_UINT32:
    case MDL_UINT64:
    case MDL_BFLOAT16:
      return of(Code::UInt);
    case MDL_FLOAT16:
    case MDL_FLOAT32:
    case MDL_FLOAT64:
      return of(Code::Float);
    default:
      throw Failure{std::string("numpy has no ") + mdl_dtype_name(dtype), "MDL_ERROR_DTYPE"};
  }
}

nb::object view(void* data, const std::vector<int64_t>& shape, mdl_dtype dtype, nb::handle owner) {
  const std::vector<size_t> extents(shape.begin(), shape.end());
  return nb::cast(nb::ndarray<nb::numpy>(data, extents.size(), extents.data(), owner, nullptr,
                                         numpy_dtype(dtype)));
}

// What a session's methods do at once is the caller's matter: medulla.Session has a lock.
class Session {
 public:
  Session(Model& model, const std::string& isa, const std::string& backends,
          const std::string& numerics, const std::string& keep, uint32_t threads)
      : model_(model) {
    mdl_program_options options = MDL_PROGRAM_OPTIONS_INIT;
    if (!isa.empty()) options.isa = isa.c_str();
    if (!backends.empty()) options.backends = backends.c_str();
    if (!keep.empty()) options.keep = keep.c_str();
    options.numerics = numerics == "exact"  ? MDL_NUMERICS_EXACT
                       : numerics == "fast" ? MDL_NUMERICS_FAST
                                            : MDL_NUMERICS_AUTO;
    mdl_session_options session_options = MDL_SESSION_OPTIONS_INIT;
    session_options.threads = threads;
    const nb::gil_scoped_release unlocked;
    program_ = take(mdl::Program::create(model.get(), &options));
    session_ = take(mdl::Session::create(program_, &session_options));
  }

  void resize(const std::vector<std::vector<int64_t>>& shapes) { check(session_.resize(shapes)); }
  std::vector<int64_t> input_shape(size_t i) const { return session_.input_shape(i); }

  nb::object input(size_t i, nb::handle self) {
    const mdl_tensor_info info = take(model_.get().input(i));
    return view(session_.input<std::byte>(i).data(), session_.input_shape(i), info.dtype, self);
  }
  nb::object output(size_t i, nb::handle self) {
    const mdl_tensor_info info = take(model_.get().output(i));
    return view(const_cast<std::byte*>(session_.output<std::byte>(i).data()),
                session_.output_shape(i), info.dtype, self);
  }
  // Null: the session's own memory. Whether the buffer can be read in place.
  bool bind_input(size_t i, std::optional<nb::ndarray<nb::c_contig, nb::ro>> array) {
    if (!array) {
      check(session_.bind_input(i, nullptr, 0));
      return true;
    }
    if (reinterpret_cast<uintptr_t>(array->data()) % MDL_ALIGNMENT != 0) return false;
    return !session_.bind_input(i, array->data(), array->nbytes());
  }
  void run() {
    const nb::gil_scoped_release unlocked;
    check(session_.run());
  }
  void cancel() { session_.cancel(); }
  void reset() { check(session_.reset()); }
  nb::bytes save() const {
    const std::vector<uint8_t> data = session_.save();
    return nb::bytes(data.data(), data.size());
  }
  void restore(const nb::bytes& data) {
    const auto* first = reinterpret_cast<const uint8_t*>(data.c_str());
    check(session_.restore({first, first + data.size()}));
  }
  std::string plan(bool json) const { return program_.plan(json ? MDL_PLAN_JSON : MDL_PLAN_TEXT); }

 private:
  Model& model_;
  mdl::Program program_;
  mdl::Session session_;
};

}  // namespace

void define_runtime(nb::module_& module) {
  nb::class_<Model>(module, "Model")
      .def(nb::init<const std::string&>(), "path"_a)
      .def(nb::init<const nb::bytes&>(), "data"_a)
      .def("inputs", &Model::inputs)
      .def("outputs", &Model::outputs)
      .def("states", &Model::states)
      .def("metadata", &Model::metadata)
      .def("labels", &Model::labels, "output"_a);
  nb::class_<Session>(module, "Session")
      .def(nb::init<Model&, const std::string&, const std::string&, const std::string&,
                    const std::string&, uint32_t>(),
           "model"_a, "isa"_a, "backends"_a, "numerics"_a, "keep"_a, "threads"_a,
           nb::keep_alive<1, 2>())
      .def("resize", &Session::resize, "shapes"_a)
      .def("input_shape", &Session::input_shape, "index"_a)
      .def("input", [](nb::handle_t<Session> self,
                       size_t i) { return nb::cast<Session&>(self).input(i, self); })
      .def("output", [](nb::handle_t<Session> self,
                        size_t i) { return nb::cast<Session&>(self).output(i, self); })
      .def("bind_input", &Session::bind_input, "index"_a, "array"_a.none())
      .def("run", &Session::run)
      .def("cancel", &Session::cancel)
      .def("reset", &Session::reset)
      .def("save", &Session::save)
      .def("restore", &Session::restore, "data"_a)
      .def("plan", &Session::plan, "json"_a);
}

}  // namespace medulla::python
