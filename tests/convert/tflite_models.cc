// SPDX-License-Identifier: Apache-2.0
// Converts the TensorFlow Lite models of ../shared and holds them to their published figures.
#include <cmath>
#include <fstream>
#include <random>
#include <sstream>

#include "tests/convert/runner.h"
#include "tests/convert/samples.h"
#include "tools/common/array.h"

using namespace medulla::tools;

namespace {

const char* const kModels[] = {
    "coral/deeplabv3_mnv2_dm05_pascal_quant",
    "coral/edgetpu_mobilenet_v2_1.0_224_quant",
    "coral/keras_lstm_mnist_ptq",
    "coral/mobilenet_v1_0.25_128_quant",
    "coral/movenet_single_pose_lightning_ptq",
    "coral/split_concat",
    "ecg/classify_heartbeats_cnn",
    "ecg/classify_heartbeats_cnn_quantized",
    "mlperf_tiny/ad01_fp32",
    "mlperf_tiny/ad01_int8",
    "mlperf_tiny/kws_ref_model",
    "mlperf_tiny/kws_ref_model_float32",
    "mlperf_tiny/pretrainedResnet",
    "mlperf_tiny/pretrainedResnet_quant",
    "mlperf_tiny/vww_96_float",
    "mlperf_tiny/vww_96_int8",
    "tflm/hello_world_float",
    "tflm/hello_world_int8",
    "tflm/keyword_scrambled_8bit",
    "tflm/micro_speech_lstm",
    "tflm/micro_speech_quantized",
    "tflm/person_detect",
    "tflm/trained_lstm",
    "tflm/trained_lstm_int8",
};

std::string data(const std::string& path) { return shared("data/" + path); }

size_t bytes_of(const mdl_tensor_info& info) {
  size_t bytes = mdl_dtype_bits(info.dtype) / 8;
  for (uint32_t d = 0; d < info.rank; ++d) bytes *= static_cast<size_t>(info.dims[d]);
  return bytes;
}

// Random bytes, or numbers of a range where they are floats.
void fill(Runner& runner, size_t i, uint32_t seed, Bytes& bytes) {
  std::mt19937 engine(seed);
  const mdl_tensor_info info = runner.input(i);
  bytes.resize(bytes_of(info));
  if (info.dtype == MDL_FLOAT32) {
    std::normal_distribution<float> distribution;
    for (size_t k = 0; k + 4 <= bytes.size(); k += 4) {
      const float v = distribution(engine);
      std::memcpy(&bytes[k], &v, 4);
    }
  } else {
    for (std::byte& b : bytes) b = static_cast<std::byte>(engine());
  }
}

size_t greatest(const std::vector<float>& values) {
  return static_cast<size_t>(std::max_element(values.begin(), values.end()) - values.begin());
}

std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

std::vector<float> as_floats(const std::vector<uint8_t>& pixels, float scale, float offset) {
  std::vector<float> values;
  for (const uint8_t p : pixels) values.push_back(static_cast<float>(p) * scale + offset);
  return values;
}

// Labels of the greatest outputs, over samples of floats.
double accuracy(Runner& runner, const std::vector<float>& x, const std::vector<float>& y) {
  const size_t size = x.size() / y.size();
  size_t right = 0;
  for (size_t s = 0; s < y.size(); ++s) {
    const auto first = x.begin() + static_cast<ptrdiff_t>(s * size);
    runner.set(0, {first, first + static_cast<ptrdiff_t>(size)});
    runner.run();
    right += greatest(runner.get(0)) == static_cast<size_t>(y[s]);
  }
  return 100.0 * static_cast<double>(right) / static_cast<double>(y.size());
}

}  // namespace

TEST_CASE("every TensorFlow Lite model gives the same bytes on cpu and on reference", "[slow]") {
  if (absent("data")) return;
  for (const std::string name : kModels) {
    DYNAMIC_SECTION(name) {
      Runner cpu(from(data(name + ".tflite")), "cpu,reference");
      Runner reference(from(data(name + ".tflite")), "reference");
      for (uint32_t seed = 1; seed <= 2; ++seed) {
        CAPTURE(seed);
        for (size_t i = 0; i < cpu.inputs(); ++i) {
          Bytes bytes;
          fill(cpu, i, seed, bytes);
          cpu.set_bytes(i, bytes.data(), bytes.size());
          reference.set_bytes(i, bytes.data(), bytes.size());
        }
        cpu.run();
        reference.run();
        for (size_t o = 0; o < cpu.outputs(); ++o) {
          CHECK(cpu.get_bytes(o) == reference.get_bytes(o));
        }
      }
    }
  }
}

TEST_CASE("no transpose is left in TensorFlow Lite models, whatever the layout asked for") {
  if (absent("data")) return;
  for (const std::string name : kModels) {
    CAPTURE(name);
    ConvertOptions options = from(data(name + ".tflite"));
    options.input_nhwc = true;
    ConvertReport report;
    import_and_optimize(options, report);
    CHECK(report.refusals.empty());
    CHECK(report.nodes_after["Transpose"] == 0);
  }
}

TEST_CASE("models for accelerators are refused with what they are") {
  if (absent("data/coral")) return;
  for (const std::string name : {"mobilenet_v1_0.25_128_quant", "split_concat"}) {
    const ConvertReport report = convert(from(data("coral/" + name + "_edgetpu.tflite")));
    REQUIRE(report.refusals.size() == 1);
    CHECK(report.refusals[0].op == "edgetpu-custom-op");
    CHECK(report.refusals[0].text().find("compiled for the Edge TPU") != std::string::npos);
  }
}

TEST_CASE("names come from the signature") {
  if (absent("data/tflm")) return;
  Runner runner(from(data("tflm/hello_world_int8.tflite")));
  CHECK(std::string(runner.input(0).name) == "dense_input");
}

TEST_CASE("keywords are spotted as published", "[slow]") {
  if (absent("data/mlperf_tiny")) return;
  const Array x = read_npy(data("mlperf_tiny/kws01_x.npy"));
  const auto y = to_floats(read_npy(data("mlperf_tiny/kws01_y.npy")));
  Runner runner(from(data("mlperf_tiny/kws_ref_model.tflite")));
  const size_t size = x.data.size() / y.size();
  size_t right = 0;
  for (size_t s = 0; s < y.size(); ++s) {
    runner.set_bytes(0, x.data.data() + s * size, size);
    runner.run();
    right += greatest(runner.get(0)) == static_cast<size_t>(y[s]);
  }
  std::printf("KWS INT8: %zu of %zu\n", right, y.size());
  CHECK(static_cast<double>(right) >= 0.9 * static_cast<double>(y.size()));
}

TEST_CASE("heartbeats are classified as published", "[slow]") {
  if (absent("data/ecg") || !can_read_pictures()) return;
  const auto x = to_floats(read_npz(data("ecg/mitbih_beats260_subset.npz"), "x"));
  const auto y = to_floats(read_npz(data("ecg/mitbih_beats260_subset.npz"), "y"));
  Runner real(from(data("ecg/classify_heartbeats_cnn.tflite")));
  Runner quantized(from(data("ecg/classify_heartbeats_cnn_quantized.tflite")));
  const double fp32 = accuracy(real, x, y), int8 = accuracy(quantized, x, y);
  std::printf("ECG FP32 %.2f %%, INT8 %.2f %%\n", fp32, int8);
  CHECK(std::abs(fp32 - 96.2) <= 0.2);
  CHECK(std::abs(int8 - 96.0) <= 0.2);
}

// The mean square of what the autoencoder does not reproduce, over all windows of five frames.
TEST_CASE("anomalies are scored as published", "[slow]") {
  if (absent("data/mlperf_tiny")) return;
  const std::vector<std::byte> bytes =
      read_bytes(data("mlperf_tiny/normal_id_01_00000000_hist_librosa.bin"));
  std::vector<float> x(bytes.size() / sizeof(float));
  std::memcpy(x.data(), bytes.data(), bytes.size());
  const auto score = [&](const std::string& model) {
    Runner runner(from(data("mlperf_tiny/" + model + ".tflite")));
    constexpr size_t kFrame = 128, kSize = 5 * kFrame;
    double sum = 0;
    size_t windows = 0;
    for (size_t first = 0; first + kSize <= x.size(); first += kFrame) {
      const auto begin = x.begin() + static_cast<ptrdiff_t>(first);
      runner.set(0, {begin, begin + kSize});
      runner.run();
      ++windows;
      const auto y = runner.get(0);
      for (size_t i = 0; i < kSize; ++i) {
        const double d = static_cast<double>(x[first + i]) - static_cast<double>(y[i]);
        sum += d * d;
      }
    }
    return sum / static_cast<double>(windows * kSize);
  };
  const double fp32 = score("ad01_fp32"), int8 = score("ad01_int8");
  std::printf("anomaly FP32 %.6f, INT8 %.4f\n", fp32, int8);
  CHECK(std::abs(fp32 - 9.7071) <= 1e-3);
  CHECK(std::abs(int8 - 10.26) <= 0.01 * 10.26);
}

TEST_CASE("MobileNetV2 knows the four pictures", "[slow]") {
  if (absent("data/coral") || !can_read_pictures()) return;
  const auto labels = lines_of(data("coral/imagenet_labels.txt"));
  Runner runner(from(data("coral/edgetpu_mobilenet_v2_1.0_224_quant.tflite")));
  const std::pair<const char*, const char*> kPictures[] = {{"cat", "Egyptian cat"},
                                                           {"bird", "chickadee"},
                                                           {"sunflower", "daisy"},
                                                           {"grace_hopper", "military uniform"}};
  for (const auto& [name, label] : kPictures) {
    const Picture picture =
        read_pixels(data("coral/" + std::string(name) + ".bmp"), 3).resized(224, 224);
    runner.set_bytes(0, picture.pixels.data(), picture.pixels.size());
    runner.run();
    const auto y = runner.get(0);
    const size_t best = greatest(y);
    std::printf("%s: %s %.2f\n", name, labels.at(best).c_str(), static_cast<double>(y[best]));
    CHECK(labels.at(best).starts_with(label));
  }
}

// The reference counts the background as 0 and the bird as 3.
TEST_CASE("DeepLab finds the bird", "[slow]") {
  if (absent("data/coral") || !can_read_pictures()) return;
  Runner runner(from(data("coral/deeplabv3_mnv2_dm05_pascal_quant.tflite")));
  const Picture picture = read_pixels(data("coral/bird_segmentation.bmp"), 3);
  const Picture mask = read_pixels(data("coral/bird_segmentation_mask.bmp"), 1);
  runner.set_bytes(0, picture.pixels.data(), picture.pixels.size());
  runner.run();
  const auto y = runner.get(0);
  REQUIRE(y.size() == mask.pixels.size());
  constexpr float kBird = 3;
  size_t equal = 0, both = 0, either = 0;
  for (size_t i = 0; i < y.size(); ++i) {
    const bool wanted = mask.pixels[i] == 3, found = y[i] == kBird;
    equal += y[i] == static_cast<float>(mask.pixels[i]);
    both += wanted && found;
    either += wanted || found;
  }
  const double share = static_cast<double>(equal) / static_cast<double>(y.size());
  const double overlap = static_cast<double>(both) / static_cast<double>(either);
  std::printf("DeepLab: %.1f %% of the pixels, overlap %.3f\n", 100 * share, overlap);
  CHECK(share >= 0.95);
  CHECK(overlap >= 0.8);
}

// Coordinates of 17 points, as parts of the picture.
TEST_CASE("MoveNet finds the keypoints", "[slow]") {
  if (absent("data/coral") || !can_read_pictures()) return;
  Runner runner(from(data("coral/movenet_single_pose_lightning_ptq.tflite")));
  const Picture picture = read_pixels(data("coral/squat.bmp"), 3).resized(192, 192);
  runner.set_bytes(0, picture.pixels.data(), picture.pixels.size());
  runner.run();
  const auto y = runner.get(0);
  const auto lines = lines_of(data("coral/movenet_single_pose_lightning_ptq_reference.csv"));
  REQUIRE(y.size() == 17 * 3);
  REQUIRE(lines.size() == 18);
  double worst = 0, sum = 0;
  for (size_t k = 0; k < 17; ++k) {
    double score, right, down;
    REQUIRE(std::sscanf(lines[k + 1].c_str(), "%*d,%*d,%*d,%lf,%lf,%lf", &score, &right, &down) ==
            3);
    const double distance =
        std::hypot(static_cast<double>(y[3 * k]) - down, static_cast<double>(y[3 * k + 1]) - right);
    worst = std::max(worst, distance);
    sum += distance;
  }
  std::printf("MoveNet: points off by %.3f, at most %.3f\n", sum / 17, worst);
  CHECK(worst <= 0.06);
  CHECK(sum / 17 <= 0.02);
}

TEST_CASE("a person is detected") {
  if (absent("data/tflm") || !can_read_pictures()) return;
  Runner runner(from(data("tflm/person_detect.tflite")));
  for (const std::string name : {"person", "no_person"}) {
    // The bytes are int8 already.
    const Picture picture = read_pixels(data("tflm/" + name + ".bmp"), 1);
    runner.set_bytes(0, picture.pixels.data(), picture.pixels.size());
    runner.run();
    const auto y = runner.get(0);
    std::printf("%s: person %.3f\n", name.c_str(), static_cast<double>(y[1]));
    CHECK((y[1] > y[0]) == (name == "person"));
  }
}

TEST_CASE("an LSTM reads digits", "[slow]") {
  if (absent("data/tflm") || !can_read_pictures()) return;
  for (const std::string model :
       {"tflm/trained_lstm", "tflm/trained_lstm_int8", "coral/keras_lstm_mnist_ptq"}) {
    Runner runner(from(data(model + ".tflite")));
    for (size_t digit = 0; digit < 10; ++digit) {
      CAPTURE(model, digit);
      const Picture picture = read_pixels(data("tflm/sample" + std::to_string(digit) + ".png"), 1);
      runner.reset();
      runner.set(0, as_floats(picture.pixels, 1.0f / 255, 0));
      runner.run();
      CHECK(greatest(runner.get(0)) == digit);
    }
  }
}
