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
  CHECK(report.result.sqnr > 19);
}

}  // namespace
}  // namespace medulla::tools
