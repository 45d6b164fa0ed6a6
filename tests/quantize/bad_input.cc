// SPDX-License-Identifier: Apache-2.0
// What cannot be quantised is named, and no file is left.
#include <limits>

#include "tests/quantize/small_model.h"

namespace medulla::tools {
namespace {

void check_refused(const QuantizeOptions& options, const std::vector<std::string>& says) {
  const QuantizeReport report = quantize(options);
  INFO(report.error);
  CHECK(!report.error.empty());
  for (const std::string& part : says) {
    INFO("should say: " << part);
    CHECK(report.error.find(part) != std::string::npos);
  }
  const auto folder = std::filesystem::path(options.convert.output).parent_path();
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    CHECK(entry.path().extension() != ".mdl");
    CHECK(entry.path().string().find(".part") == std::string::npos);
  }
}

TEST_CASE("calibration data that tells nothing is named") {
  const Folder folder;
  QuantizeOptions options = options_for(small_model(), folder);
  const std::string x = folder.file("x.npy");
  const std::vector<float> good = normal_numbers(2 * kSampleSize, 1, 5);

  write_npy(x, MDL_FLOAT32, {2, 3, 64}, good);
  check_refused(options, {x, "[3,64]", "'x'", "[1,3,8,8]"});
  write_npy(x, MDL_FLOAT64, {2, 3, 8, 8}, std::vector<double>(good.begin(), good.end()));
  check_refused(options, {x, "sample 0", "float64", "float32"});
  write_npy(x, MDL_UINT8, {1, 3, 8, 8}, std::vector<uint8_t>(kSampleSize, 3));
  check_refused(options, {x, "sample 0", "uint8", "--preprocess"});
  write_npy(x, MDL_FLOAT32, {0, 3, 8, 8}, std::vector<float>());
  check_refused(options, {x, "holds no sample"});

  std::vector<float> bad = good;
  bad[kSampleSize + 7] = std::numeric_limits<float>::quiet_NaN();
  write_npy(x, MDL_FLOAT32, {2, 3, 8, 8}, bad);
  check_refused(options, {x, "sample 1", "element 7", "not a number"});
  bad[kSampleSize + 7] = std::numeric_limits<float>::infinity();
  write_npy(x, MDL_FLOAT32, {2, 3, 8, 8}, bad);
  check_refused(options, {x, "sample 1", "element 7", "infinite"});
  bad = good;
  std::fill(bad.begin() + kSampleSize, bad.end(), 0.5f);
  write_npy(x, MDL_FLOAT32, {2, 3, 8, 8}, bad);
  check_refused(options, {x, "sample 1", "constant", "0.5"});
  std::copy(good.begin(), good.begin() + kSampleSize, bad.begin() + kSampleSize);
  write_npy(x, MDL_FLOAT32, {2, 3, 8, 8}, bad);
  check_refused(options, {x, "all 2 samples are equal"});

  options.calibration = {folder.file("nowhere.npy")};
  check_refused(options, {"nowhere.npy", "is not there"});
  write_npy(x, MDL_FLOAT32, {2, 3, 8, 8}, good);
  options.calibration = {x, x};
  check_refused(options, {"only 1 inputs"});
  options.calibration = {"z=" + x};
  check_refused(options, {"z"});
  options.calibration = {};
  check_refused(options, {"'x'", "has no samples", "--calib"});
  std::filesystem::create_directory(folder.file("empty"));
  options.calibration = {folder.file("empty")};
  check_refused(options, {"empty", "holds no file"});
}

TEST_CASE("a folder holds a sample a file") {
  const Folder folder;
  QuantizeOptions options = options_for(small_model(), folder);
  const std::string data = folder.file("data");
  std::filesystem::create_directory(data);
  for (uint32_t s = 0; s < 4; ++s) {
    write_npy(data + "/" + std::to_string(s) + ".npy", MDL_FLOAT32, {3, 8, 8},
              normal_numbers(kSampleSize, 1, s + 9));
  }
  options.calibration = {data};
  CHECK(done(options).samples == 4);
  std::filesystem::remove(options.convert.output);
  write_npy(data + "/2.npy", MDL_FLOAT32, {3, 8, 8}, std::vector<float>(kSampleSize, 1));
  check_refused(options, {"2.npy", "constant"});
  write_npy(data + "/2.npy", MDL_FLOAT32, {3, 8, 7}, std::vector<float>(3 * 8 * 7, 1));
  check_refused(options, {"2.npy", "[3,8,7]"});
}

TEST_CASE("pixels go through the model's preprocessing") {
  const Folder folder;
  QuantizeOptions options = options_for(small_model(), folder);
  std::vector<uint8_t> pixels(4 * kSampleSize);
  for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<uint8_t>(i * 37);
  write_npy(folder.file("x.npy"), MDL_UINT8, {4, 3, 8, 8}, pixels);
  Preprocessing steps;
  steps.layout = "NCHW";
  steps.scale = {1.0f / 128};
  steps.offset = {128};
  options.convert.preprocessing = {{"x", steps}};
  CHECK(done(options).result.sqnr > 20);
}

TEST_CASE("labels that do not match the outputs are named") {
  const Folder folder;
  QuantizeOptions options = options_for(small_model(), folder, 4);
  const std::string y = folder.file("y.npy");
  options.labels = y;
  write_npy(y, MDL_INT64, {3}, std::vector<int64_t>{0, 1, 2});
  check_refused(options, {"labels " + y, "[3]", "4 samples"});
  write_npy(y, MDL_INT64, {4}, std::vector<int64_t>{0, 1, 4, 2});
  check_refused(options, {"labels " + y, "sample 2 has class 4", "'logits'", "0 to 3"});
  write_npy(y, MDL_INT64, {4, 2}, std::vector<int64_t>(8, 0));
  check_refused(options, {"labels " + y, "[4,2]", "'logits'", "[1,4]"});
  write_npy(y, MDL_FLOAT32, {4}, std::vector<float>(4, 0));
  check_refused(options, {"labels " + y, "float32", "integers"});
  write_npy(y, MDL_INT64, {4}, std::vector<int64_t>(4, 0));
  options.labels = "scores=" + y;
  check_refused(options, {"'scores'", "there are: 'logits'"});
}

TEST_CASE("what is no float32 model is named") {
  const Folder folder;
  QuantizeOptions options = options_for(small_model(), folder);
  options.float_layers = {"nobody"};
  check_refused(options, {"nobody"});

  OnnxModel quantized(13);
  quantized.input("x", {1, 3, 8, 8});
  quantized.floats("s", {}, {0.1f});
  quantized.bytes("z", {}, onnx::TensorProto::INT8, {3});
  quantized.node("QuantizeLinear", {"x", "s", "z"}, {"q"});
  quantized.node("DequantizeLinear", {"q", "s", "z"}, {"y"});
  quantized.output("y", {1, 3, 8, 8});
  check_refused(options_for(quantized, folder), {"quantized already", "q_node"});
}

}  // namespace
}  // namespace medulla::tools
