// SPDX-License-Identifier: Apache-2.0
#include <nanobind/ndarray.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/set.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "native.h"
#include "tools/import/convert.h"
#include "tools/quantize/quantize.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace medulla::python {
namespace {

// By name: an array, and whether its elements are the bits of bfloat16.
using Arrays = std::map<std::string, std::pair<nb::ndarray<nb::c_contig, nb::ro>, bool>>;

mdl_dtype dtype_of(nb::dlpack::dtype dtype) {
  using Code = nb::dlpack::dtype_code;
  for (int d = MDL_BOOL; d <= MDL_FLOAT64; ++d) {
    const auto candidate = static_cast<mdl_dtype>(d);
    if (mdl_dtype_bits(candidate) != dtype.bits || candidate == MDL_BFLOAT16) continue;
    const std::string name = mdl_dtype_name(candidate);
    const bool same = dtype.code == static_cast<uint8_t>(Code::Bool)    ? name == "bool"
                      : dtype.code == static_cast<uint8_t>(Code::Int)   ? name.starts_with("int")
                      : dtype.code == static_cast<uint8_t>(Code::UInt)  ? name.starts_with("uint")
                      : dtype.code == static_cast<uint8_t>(Code::Float) ? name.starts_with("float")
                                                                        : false;
    if (same) return candidate;
  }
  throw Failure{"an array that is given for an input has a dtype that Medulla lacks",
                "MDL_ERROR_DTYPE"};
}

tools::Array to_array(const nb::ndarray<nb::c_contig, nb::ro>& given) {
  tools::Array array{dtype_of(given.dtype()), {}, {}};
  for (size_t d = 0; d < given.ndim(); ++d) {
    array.shape.push_back(static_cast<int64_t>(given.shape(d)));
  }
  const auto* first = static_cast<const std::byte*>(given.data());
  array.data.assign(first, first + given.nbytes());
  return array;
}

std::map<std::string, tools::Array> to_arrays(const Arrays& given) {
  std::map<std::string, tools::Array> arrays;
  for (const auto& [name, pair] : given) {
    tools::Array& array = arrays[name] = to_array(pair.first);
    if (pair.second) array.dtype = MDL_BFLOAT16;
  }
  return arrays;
}

using Refusals = std::vector<std::pair<std::string, std::vector<std::string>>>;

// (text, names of the inputs that could be fixed) each.
Refusals refusals_of(const tools::ConvertReport& report) {
  Refusals refusals;
  for (const tools::Refusal& refusal : report.refusals) {
    refusals.emplace_back(refusal.text(), refusal.fixable);
  }
  return refusals;
}

// Notes and refusals.
nb::tuple convert(tools::ConvertOptions options, const Arrays& fixed, const Arrays& initial) {
  options.fixed = to_arrays(fixed);
  options.initial = to_arrays(initial);
  tools::ConvertReport report;
  {
    const nb::gil_scoped_release unlocked;
    report = tools::convert(options);
  }
  return nb::make_tuple(report.notes, refusals_of(report));
}

// Notes, refusals, the error, figures of the outputs, and what stayed in float32.
nb::tuple quantize(tools::QuantizeOptions options, const Arrays& fixed, const Arrays& initial) {
  options.convert.fixed = to_arrays(fixed);
  options.convert.initial = to_arrays(initial);
  tools::QuantizeReport report;
  {
    const nb::gil_scoped_release unlocked;
    report = tools::quantize(options);
  }
  nb::dict figures;
  figures["sqnr"] = report.result.sqnr;
  figures["top_1"] = report.result.top_1;
  figures["top_1_float32"] = report.float32.top_1;
  figures["bytes"] = report.bytes_result;
  figures["bytes_float32"] = report.bytes_float;
  figures["bound_met"] = report.budget_met;
  nb::dict kept;
  for (const tools::LayerReport& layer : report.layers) {
    if (!layer.reason.empty()) kept[layer.name.c_str()] = layer.reason;
  }
  figures["float32_layers"] = kept;
  return nb::make_tuple(report.convert.notes, refusals_of(report.convert), report.error, figures);
}

}  // namespace

void define_converter(nb::module_& module) {
  using tools::Preprocessing;
  nb::class_<Preprocessing>(module, "Preprocessing")
      .def(
          "__init__",
          [](Preprocessing* self, const std::string& layout, const std::vector<float>& scale,
             const std::vector<float>& offset) {
            new (self) Preprocessing{0, layout, scale, offset};
          },
          "layout"_a, "scale"_a, "offset"_a);
  nb::class_<tools::ConvertOptions>(module, "ConvertOptions")
      .def(nb::init<>())
      .def_rw("input", &tools::ConvertOptions::input)
      .def_rw("output", &tools::ConvertOptions::output)
      .def_rw("name", &tools::ConvertOptions::name)
      .def_rw("maxima", &tools::ConvertOptions::maxima)
      .def_rw("fixed_dims", &tools::ConvertOptions::fixed_dims)
      .def_rw("metadata", &tools::ConvertOptions::metadata)
      .def_rw("states", &tools::ConvertOptions::states)
      .def_rw("stream", &tools::ConvertOptions::stream)
      .def_rw("preprocessing", &tools::ConvertOptions::preprocessing)
      .def_rw("labels", &tools::ConvertOptions::labels)
      .def_rw("nhwc", &tools::ConvertOptions::input_nhwc)
      .def_rw("no_passes", &tools::ConvertOptions::no_passes);
  module.def("convert", &convert, "options"_a, "fixed"_a, "initial"_a);
  nb::enum_<tools::RangeMethod>(module, "RangeMethod")
      .value("search", tools::RangeMethod::search)
      .value("min-max", tools::RangeMethod::min_max)
      .value("percentile", tools::RangeMethod::percentile)
      .value("mse", tools::RangeMethod::mse)
      .value("entropy", tools::RangeMethod::entropy);
  nb::enum_<tools::WeightForm>(module, "WeightForm")
      .value("float32", tools::WeightForm::float32)
      .value("fp16", tools::WeightForm::float16)
      .value("int8", tools::WeightForm::int8);
  nb::class_<tools::QuantizeOptions>(module, "QuantizeOptions")
      .def(nb::init<>())
      .def_rw("convert", &tools::QuantizeOptions::convert)
      .def_rw("calibration", &tools::QuantizeOptions::calibration)
      .def_rw("evaluation", &tools::QuantizeOptions::evaluation)
      .def_rw("labels", &tools::QuantizeOptions::labels)
      .def_rw("method", &tools::QuantizeOptions::method)
      .def_rw("equalize", &tools::QuantizeOptions::equalize)
      .def_rw("correct_bias", &tools::QuantizeOptions::correct_bias)
      .def_rw("budget", &tools::QuantizeOptions::budget)
      .def_rw("sqnr", &tools::QuantizeOptions::sqnr)
      .def_rw("float_layers", &tools::QuantizeOptions::float_layers)
      .def_rw("weights_alone", &tools::QuantizeOptions::weights_alone)
      .def_rw("weights", &tools::QuantizeOptions::weights);
  module.def("quantize", &quantize, "options"_a, "fixed"_a, "initial"_a);
}

}  // namespace medulla::python
