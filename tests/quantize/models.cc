// SPDX-License-Identifier: Apache-2.0
// Networks that were trained on real data: what is left of their accuracy.
#include "tests/quantize/small_model.h"
#include "tests/shared.h"

namespace medulla::tools {
namespace {

using medulla::test::absent;
using medulla::test::shared;

// Our own, against the FP32 model; `data`: the folder of the samples.
QuantizeReport quantized(const Folder& folder, const std::string& model, const std::string& data,
                         bool pixels) {
  QuantizeOptions options;
  options.convert.input = shared("models/" + model + "/model_fp32.onnx");
  options.convert.output = folder.file("model.mdl");
  if (pixels) {
    Preprocessing steps;
    steps.layout = "NCHW";
    steps.scale = {1.0f / 128};
    steps.offset = {128};
    options.convert.preprocessing = {{"x", steps}};
  }
  options.calibration = {shared("models/" + data + "/calib.npy")};
  options.evaluation = {shared("models/" + data + "/x.npy")};
  const std::string labels = shared("models/" + model + "/y.npy");
  const bool classes = model != "us_nerve_unet" && model != "xray_autoencoder";
  if (classes) options.budget = 0.3;
  if (classes) options.labels = (model == "ecg_cnn" ? "logits=" : "") + labels;
  return done(options);
}

TEST_CASE("ecg_cnn keeps its accuracy") {
  if (absent("models/ecg_cnn/model_fp32.onnx")) return;
  const Folder folder;
  const QuantizeReport report = quantized(folder, "ecg_cnn", "ecg_cnn", false);
  REQUIRE(report.float32.top_1);
  CHECK(*report.float32.top_1 == Approx(80.5));
  CHECK(*report.result.top_1 >= *report.float32.top_1 - 0.3);
  CHECK(report.result.sqnr > 21);
}

struct Known {
  const char* model;
  const char* data;
  bool pixels;
  double sqnr;  // dB
};
const Known kKnown[] = {
    {"ecg_cnn_lstm", "ecg_cnn_lstm", false, 26},
    {"xray_mobilenet", "xray_pneumonia", true, 31},
    {"xray_pneumonia", "xray_pneumonia", true, 36},
    {"us_nerve_unet", "us_nerve_unet", true, 34},
    {"xray_autoencoder", "xray_autoencoder", true, 37},
};

TEST_CASE("trained networks keep their accuracy", "[slow]") {
  for (const Known& known : kKnown) {
    if (absent(std::string("models/") + known.model + "/model_fp32.onnx")) continue;
    const Folder folder;
    const QuantizeReport report = quantized(folder, known.model, known.data, known.pixels);
    INFO(known.model << ": " << report.result.sqnr << " dB");
    CHECK(report.result.sqnr > known.sqnr);
    if (!report.float32.top_1) continue;
    INFO(*report.float32.top_1 << " % became " << *report.result.top_1);
    CHECK(*report.result.top_1 >= *report.float32.top_1 - 0.3);
    const auto kept = std::count_if(report.layers.begin(), report.layers.end(),
                                    [](const LayerReport& layer) { return !layer.reason.empty(); });
    CHECK(kept <= 4);
  }
}

}  // namespace
}  // namespace medulla::tools
