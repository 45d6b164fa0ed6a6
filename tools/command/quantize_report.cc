// SPDX-License-Identifier: Apache-2.0
#include "tools/command/quantize_report.h"

#include <cmath>
#include <iomanip>
#include <sstream>

namespace medulla::tools {
namespace {

nlohmann::json to_json(const Accuracy& accuracy) {
  nlohmann::json json;
  if (std::isfinite(accuracy.sqnr)) json["sqnr"] = accuracy.sqnr;
  if (accuracy.top_1) json["top_1"] = *accuracy.top_1;
  return json;
}

nlohmann::json to_json(const LayerReport& layer) {
  nlohmann::json json = {
      {"name", layer.name},
      {"op", layer.op},
      {"precision", layer.reason.empty() ? "int8" : "float32"},
      {"range", {layer.low, layer.high}},
      {"held", {layer.cut_low, layer.cut_high}},
      {"clipped", layer.clipped},
      {"weights", layer.weights},
      {"bytes", {{"float32", layer.bytes_float}, {"int8", layer.bytes_int8}}},
      {"macs", layer.macs},
      {"microseconds", {{"float32", layer.microseconds_float}, {"int8", layer.microseconds_int8}}},
      {"histogram", layer.histogram}};
  if (!layer.reason.empty()) json["why"] = layer.reason;
  if (layer.measured && std::isfinite(layer.sqnr)) json["sqnr_alone"] = layer.sqnr;
  return json;
}

const char* name_of(WeightForm form) {
  constexpr const char* kNames[] = {"float32", "float16", "int8"};
  return kNames[static_cast<size_t>(form)];
}

nlohmann::json to_json(const StoredWeights& stored) {
  return {{"layer", stored.layer},
          {"op", stored.op},
          {"tensor", stored.tensor},
          {"form", name_of(stored.form)},
          {"bytes", {{"float32", stored.bytes_float}, {"result", stored.bytes}}}};
}

void print_accuracy(std::ostream& out, const char* what, const Accuracy& accuracy) {
  out << std::left << std::setw(26) << what << std::right << std::setw(9)
      << decibels(accuracy.sqnr);
  if (accuracy.top_1) out << std::setw(10) << number(*accuracy.top_1, 2) << " %";
  out << "\n";
}

void print_layers(std::ostream& out, const QuantizeReport& report) {
  out << "\n  alone dB  clipped %        low       high  bytes f32      int8    us f32     int8  "
         "layer\n";
  for (const LayerReport& layer : report.layers) {
    out << std::setw(10) << (layer.measured ? decibels(layer.sqnr) : "") << std::setw(11)
        << number(100 * layer.clipped, 3) << std::setw(11) << number(layer.low, 3) << std::setw(11)
        << number(layer.high, 3) << std::setw(11) << layer.bytes_float << std::setw(10)
        << layer.bytes_int8 << std::setw(10) << number(layer.microseconds_float, 1) << std::setw(9)
        << number(layer.microseconds_int8, 1) << "  " << layer.op << " '" << layer.name << "'";
    if (!layer.reason.empty()) out << ", float32: " << layer.reason;
    out << "\n";
  }
}

// Of layers in float32.
void print_stored(std::ostream& out, const QuantizeReport& report) {
  out << "\n  bytes f32   written  weights\n";
  for (const StoredWeights& stored : report.stored) {
    out << std::setw(11) << stored.bytes_float << std::setw(10) << stored.bytes << "  "
        << name_of(stored.form) << " '" << stored.tensor << "' of " << stored.op << " '"
        << stored.layer << "'\n";
  }
}

}  // namespace

std::string number(double value, int digits) {
  std::ostringstream out;
  out << std::fixed << std::setprecision(digits) << value;
  return out.str();
}

std::string decibels(double ratio, const char* unit) {
  return std::isfinite(ratio) ? number(ratio, 1) + unit : "equal";
}

void print(std::ostream& out, const QuantizeOptions& options, const QuantizeReport& report) {
  out << options.convert.output << ": ";
  if (report.samples > 0) {
    out << report.samples << " samples, ranges by " << report.method << "\n";
  } else {
    out << "layers compute in float32\n";
  }
  if (report.evaluated > 0) {
    out << std::left << std::setw(26) << "" << std::right << std::setw(9) << "SQNR dB"
        << (report.float32.top_1 ? "     top-1" : "") << "\n";
    print_accuracy(out, "float32", report.float32);
    if (report.samples > 0) print_accuracy(out, "int8", report.int8);
    print_accuracy(out, "as written", report.result);
  }
  const double share = 100 * static_cast<double>(report.bytes_result) /
                       static_cast<double>(std::max<size_t>(report.bytes_float, 1));
  out << report.bytes_result << " bytes, " << number(share, 1) << " % of float32's "
      << report.bytes_float << "\n";
  if (!report.layers.empty()) print_layers(out, report);
  if (!report.stored.empty()) print_stored(out, report);
}

nlohmann::json to_json(const QuantizeOptions& options, const QuantizeReport& report) {
  nlohmann::json layers = nlohmann::json::array();
  for (const LayerReport& layer : report.layers) layers.push_back(to_json(layer));
  nlohmann::json stored = nlohmann::json::array();
  for (const StoredWeights& weights : report.stored) stored.push_back(to_json(weights));
  return {{"output", options.convert.output},
          {"method", report.method},
          {"equalized", report.equalized},
          {"samples", report.samples},
          {"evaluated", report.evaluated},
          {"float32", to_json(report.float32)},
          {"int8", to_json(report.int8)},
          {"result", to_json(report.result)},
          {"bytes", {{"float32", report.bytes_float}, {"result", report.bytes_result}}},
          {"bound_met", report.budget_met},
          {"nodes_after", report.convert.nodes_after},
          {"layers", layers},
          {"float32_weights", stored}};
}

}  // namespace medulla::tools
