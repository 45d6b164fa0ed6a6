// SPDX-License-Identifier: Apache-2.0
// The layout of images: outside it is the source's or channels-last, inside nothing is turned.
#include "tests/catch.h"
#include "tests/command/shell.h"
#include "tests/convert/run_graph.h"
#include "tests/convert/runner.h"

namespace medulla::test {
namespace {

using namespace medulla::tools;

// NCHW -> NHWC of a dense tensor.
Floats turned(const Floats& x, size_t n, size_t c, size_t hw) {
  Floats y;
  for (size_t i = 0; i < n; ++i) {
    for (size_t p = 0; p < hw; ++p) {
      for (size_t k = 0; k < c; ++k) y.push_back(x[(i * c + k) * hw + p]);
    }
  }
  return y;
}

// Convolutions with a channel shuffle between, the image and a dense layer's answer as outputs, of
// pictures [N, 2, 6, 6].
OnnxModel network(int64_t batch) {
  OnnxModel m(13);
  m.input("x", {batch, 2, 6, 6});
  m.floats("w", {6, 2, 3, 3}, random_floats(108, 1));
  m.floats("v", {4, 6, 1, 1}, random_floats(24, 2));
  m.floats("d", {64, 5}, random_floats(320, 3));
  m.ints("split", {batch, 2, 3, 4, 4});
  m.ints("joined", {batch, 6, 4, 4});
  m.ints("flat", {batch, 64});
  m.node("Conv", {"x", "w"}, {"first"});
  m.node("Relu", {"first"}, {"positive"});
  m.node("Reshape", {"positive", "split"}, {"groups"});
  set_ints(m.node("Transpose", {"groups"}, {"mixed"}), "perm", {0, 2, 1, 3, 4});
  m.node("Reshape", {"mixed", "joined"}, {"shuffled"});
  m.node("Conv", {"shuffled", "v"}, {"image"});
  m.node("Reshape", {"image", "flat"}, {"vector"});
  m.node("Sigmoid", {"vector"}, {"even"});
  m.node("MatMul", {"even", "d"}, {"answer"});
  m.output("image", {batch, 4, 4, 4});
  m.output("answer", {batch, 5});
  return m;
}

void check_near(const Floats& found, const Floats& expected) {
  REQUIRE(found.size() == expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    INFO("element " << i);
    CHECK(found[i] == Approx(expected[i]).epsilon(1e-4).margin(1e-4));
  }
}

nlohmann::json counts(size_t inputs, size_t outputs, size_t shuffles, size_t inside,
                      size_t interleaved = 0) {
  return {{"inputs", inputs},
          {"outputs", outputs},
          {"channel_shuffles", shuffles},
          {"interleaved_phases", interleaved},
          {"inside", inside}};
}

}  // namespace

TEST_CASE("images keep the source's layout outside, or are channels-last") {
  const Folder folder;
  const size_t batch = GENERATE(1, 3);
  ConvertOptions options = network(batch == 1 ? 1 : -1).write(folder);
  if (batch > 1) options.maxima["N"] = static_cast<int64_t>(batch);
  const Floats x = random_floats(batch * 72, 4);
  ConvertOptions plain = options;
  plain.no_passes = {"all"};
  Runner source(plain), kept(options);
  options.input_nhwc = true;
  Runner last(options);
  source.set(0, x);
  kept.set(0, x);
  last.set(0, turned(x, batch, 2, 36));
  for (Runner* runner : {&source, &kept, &last}) runner->run();
  CHECK(kept.input(0).dims[1] == 2);
  CHECK(last.input(0).dims[3] == 2);
  check_near(kept.get(0), source.get(0));
  check_near(kept.get(1), source.get(1));
  CHECK(last.get(0) == turned(kept.get(0), batch, 4, 16));
  CHECK(last.get(1) == kept.get(1));
}

TEST_CASE("a pool's indices count in the source's layout, wherever they are put") {
  OnnxModel m(13);
  m.input("x", {2, 3, 4, 6});
  m.node("Relu", {"x"}, {"positive"});
  auto* pool = m.node("MaxPool", {"positive"}, {"y", "where"});
  set_ints(pool, "kernel_shape", {2, 2});
  set_ints(pool, "strides", {2, 2});
  auto* back = m.node("MaxUnpool", {"y", "where"}, {"sparse"});
  set_ints(back, "kernel_shape", {2, 2});
  set_ints(back, "strides", {2, 2});
  m.output("y", {2, 3, 2, 3});
  m.output("where", {2, 3, 2, 3}, onnx::TensorProto::INT64);
  m.output("sparse", {2, 3, 4, 6});
  Floats x = random_floats(2 * 3 * 4 * 6, 11);
  for (float& value : x) value = std::abs(value);
  Floats y, where, sparse(x.size(), 0.0f);
  for (size_t image = 0; image < 6; ++image) {
    for (size_t p = 0; p < 6; ++p) {
      const size_t corner = image * 24 + p / 3 * 12 + p % 3 * 2;
      size_t most = corner;
      for (const size_t at : {corner + 1, corner + 6, corner + 7})
        most = x[at] > x[most] ? at : most;
      y.push_back(x[most]);
      where.push_back(static_cast<float>(most));
      sparse[most] = x[most];
    }
  }
  const Folder folder;
  ConvertOptions options = m.write(folder);
  for (const char* backends : {"reference", "cpu,reference"}) {
    options.input_nhwc = false;
    Runner kept(options, backends);
    kept.set(0, x);
    kept.run();
    CHECK(kept.get(0) == y);
    CHECK(kept.get(1) == where);
    CHECK(kept.get(2) == sparse);
    options.input_nhwc = true;
    Runner last(options, backends);
    last.set(0, turned(x, 2, 3, 24));
    last.run();
    CHECK(last.get(0) == turned(y, 2, 3, 6));
    CHECK(last.get(1) == turned(where, 2, 3, 6));
    CHECK(last.get(2) == turned(sparse, 2, 3, 24));
  }
}

TEST_CASE("inspect counts the transposes by where they stand") {
  const Shell shell;
  const auto transposes = [&](const OnnxModel& model, const std::string& options) {
    std::ofstream file(shell.path("m.onnx"), std::ios::binary);
    model.proto.SerializeToOstream(&file);
    file.close();
    const Outcome outcome = shell.run("convert m.onnx -o m.mdl " + options);
    INFO(outcome.err);
    REQUIRE(outcome.status == 0);
    return shell.json("inspect m.mdl")["transposes"];
  };
  CHECK(transposes(network(1), "") == counts(1, 1, 1, 0));
  CHECK(transposes(network(1), "--layout keep") == counts(1, 1, 1, 0));
  CHECK(transposes(network(1), "--layout nhwc") == counts(0, 0, 1, 0));
  CHECK(transposes(network(-1), "--layout nhwc --max N=2") == counts(0, 0, 1, 0));
  CHECK(shell.run("inspect m.mdl")
            .out.find("channel shuffles x1, interleaved phases x0, others inside x0") !=
        std::string::npos);
  CHECK(shell.run("convert m.onnx -o m.mdl --layout nchw").status != 0);

  OnnxModel keys(13);
  keys.input("x", {4, 5, 6});
  set_ints(keys.node("Transpose", {"x"}, {"turned"}), "perm", {0, 2, 1});
  keys.node("MatMul", {"x", "turned"}, {"product"});
  set_ints(keys.node("Transpose", {"product"}, {"moved"}), "perm", {1, 0, 2});
  keys.node("MatMul", {"moved", "moved_again"}, {"y"});
  keys.floats("moved_again", {5, 2}, random_floats(10, 1));
  keys.output("y", {5, 4, 2});
  CHECK(transposes(keys, "") == counts(1, 0, 0, 1));
}

TEST_CASE("no image is turned inside any convolutional network", "[slow]") {
  struct Network {
    const char* path;
    size_t inputs, outputs;  // images of more than one channel that are channels-first outside
    size_t shuffles = 0;
    size_t interleaved = 0;  // transposed convolutions of integers
  };
  const Network networks[] = {
      {"data/coral/deeplabv3_mnv2_dm05_pascal_quant.tflite", 0, 0},
      {"data/coral/edgetpu_mobilenet_v2_1.0_224_quant.tflite", 0, 0},
      {"data/coral/mobilenet_v1_0.25_128_quant.tflite", 0, 0},
      {"data/coral/movenet_single_pose_lightning_ptq.tflite", 0, 0},
      {"data/ecg/aseemj745_model_fp32.onnx", 0, 0},
      {"data/ecg/aseemj745_model_int8.onnx", 0, 0},
      {"data/ecg/classify_heartbeats_cnn.tflite", 0, 0},
      {"data/ecg/classify_heartbeats_cnn_quantized.tflite", 0, 0},
      {"data/mlperf_tiny/kws_ref_model.tflite", 0, 0},
      {"data/mlperf_tiny/kws_ref_model_float32.tflite", 0, 0},
      {"data/mlperf_tiny/pretrainedResnet.tflite", 0, 0},
      {"data/mlperf_tiny/pretrainedResnet_quant.tflite", 0, 0},
      {"data/mlperf_tiny/vww_96_float.tflite", 0, 0},
      {"data/mlperf_tiny/vww_96_int8.tflite", 0, 0},
      {"data/onnx_graphs/onnx_light_bvlc_alexnet.onnx", 1, 0},
      {"data/onnx_graphs/onnx_light_densenet121.onnx", 1, 0},
      {"data/onnx_graphs/onnx_light_inception_v1.onnx", 1, 0},
      {"data/onnx_graphs/onnx_light_inception_v2.onnx", 1, 0},
      {"data/onnx_graphs/onnx_light_resnet50.onnx", 1, 0},
      {"data/onnx_graphs/onnx_light_shufflenet.onnx", 1, 0, 16},
      {"data/onnx_graphs/onnx_light_squeezenet.onnx", 1, 0},
      {"data/onnx_graphs/onnx_light_vgg19.onnx", 1, 0},
      {"data/onnx_graphs/onnx_light_zfnet512.onnx", 1, 0},
      {"data/onnx_graphs/rten_mnist.onnx", 0, 0},
      {"data/tflm/micro_speech_quantized.tflite", 0, 0},
      {"data/tflm/person_detect.tflite", 0, 0},
      {"models/ecg_cnn/model_fp32.onnx", 0, 0},
      {"models/ecg_cnn/model_int8.onnx", 0, 0},
      {"models/ecg_cnn/model_int8_qat.onnx", 0, 0},
      {"models/ecg_cnn_lstm/model_fp32.onnx", 0, 0},
      {"models/ecg_cnn_lstm/model_int8.onnx", 0, 0},
      {"models/us_nerve_unet/model_fp32.onnx", 0, 1},
      {"models/us_nerve_unet/model_int8.onnx", 0, 1},
      {"models/xray_autoencoder/model_fp32.onnx", 0, 0},
      {"models/xray_autoencoder/model_int8.onnx", 0, 0, 0, 4},
      {"models/xray_mobilenet/model_fp32.onnx", 0, 0},
      {"models/xray_mobilenet/model_int8.onnx", 0, 0},
      {"models/xray_mobilenet/model_int8_qat.onnx", 0, 0},
      {"models/xray_pneumonia/model_fp32.onnx", 0, 0},
      {"models/xray_pneumonia/model_int8.onnx", 0, 0},
  };
  if (absent("data") || absent("models")) return;
  const Shell shell;
  for (const Network& network : networks) {
    for (const bool nhwc : {false, true}) {
      INFO(network.path << (nhwc ? ", nhwc" : ""));
      REQUIRE(shell
                  .run("convert '" + std::filesystem::absolute(shared(network.path)).string() +
                       "' -o m.mdl" + (nhwc ? " --layout nhwc" : ""))
                  .status == 0);
      CHECK(shell.json("inspect m.mdl")["transposes"] ==
            counts(nhwc ? 0 : network.inputs, nhwc ? 0 : network.outputs, network.shuffles, 0,
                   network.interleaved));
    }
  }
}

}  // namespace medulla::test
