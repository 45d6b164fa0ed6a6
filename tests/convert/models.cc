// SPDX-License-Identifier: Apache-2.0
// Converts the models of ../shared, runs them through the C API and compares with golden answers: a
// few samples of each quickly, all of them among the slow.
#include <onnx/onnx_pb.h>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <limits>

#include "tests/convert/runner.h"
#include "tests/convert/samples.h"
#include "tools/common/array.h"

using namespace medulla::tools;

namespace {

// Samples of a model that are run.
constexpr size_t kFew = 4;
constexpr size_t kAll = std::numeric_limits<size_t>::max();

// Agreement with golden outputs, over all samples.
struct Agreement {
  double error = 0, range = 0;
  size_t labels = 0, samples = 0;

  void add(const std::vector<float>& found, const float* golden) {
    size_t a = 0, b = 0;
    for (size_t i = 0; i < found.size(); ++i) {
      const double difference =
          std::abs(static_cast<double>(found[i]) - static_cast<double>(golden[i]));
      error = std::isfinite(difference) ? std::max(error, difference) : INFINITY;
      range = std::max(range, std::abs(static_cast<double>(golden[i])));
      if (found[i] > found[a]) a = i;
      if (golden[i] > golden[b]) b = i;
    }
    const bool same = found.size() == 1 ? (found[0] > 0) == (golden[0] > 0) : a == b;
    labels += same;
    ++samples;
  }
};

// Pixels are fed as (x - 128) / 128.
std::vector<float> samples_of(const std::string& path) {
  const Array array = read_npy(path);
  std::vector<float> values = to_floats(array);
  if (array.dtype == MDL_UINT8) {
    for (float& v : values) v = (v - 128.0f) / 128.0f;
  }
  return values;
}

struct Golden {
  const char* model;  // folder
  const char* file;   // below it
  std::vector<const char*> outputs;
  const char* samples;  // folder of x.npy
};

const Golden kFloat[] = {
    {"ecg_cnn", "model_fp32", {"y_fp32_exit", "y_fp32"}, "ecg_cnn"},
    {"ecg_cnn_lstm", "model_fp32", {"y_fp32"}, "ecg_cnn_lstm"},
    {"xray_pneumonia", "model_fp32", {"y_fp32"}, "xray_pneumonia"},
    {"xray_mobilenet", "model_fp32", {"y_fp32"}, "xray_pneumonia"},
    {"xray_autoencoder", "model_fp32", {"y_fp32"}, "xray_autoencoder"},
    {"us_nerve_unet", "model_fp32", {"y_fp32"}, "us_nerve_unet"},
};

const Golden kQuantized[] = {
    {"ecg_cnn", "model_int8", {"y_int8_exit", "y_int8"}, "ecg_cnn"},
    {"ecg_cnn", "model_int8_qat", {"y_int8_qat_exit", "y_int8_qat"}, "ecg_cnn"},
    {"ecg_cnn_lstm", "model_int8", {"y_int8"}, "ecg_cnn_lstm"},
    {"xray_pneumonia", "model_int8", {"y_int8"}, "xray_pneumonia"},
    {"xray_mobilenet", "model_int8", {"y_int8"}, "xray_pneumonia"},
    {"xray_mobilenet", "model_int8_qat", {"y_int8_qat"}, "xray_pneumonia"},
};

std::vector<Agreement> compare(const Golden& golden, Runner& runner, size_t most) {
  const std::string folder = shared("models/" + std::string(golden.model) + "/");
  const auto x = samples_of(shared("models/" + std::string(golden.samples) + "/x.npy"));
  const auto count = static_cast<size_t>(
      read_npy(shared("models/" + std::string(golden.samples) + "/x.npy")).shape[0]);
  const size_t size = x.size() / count;
  std::vector<Agreement> agreements(golden.outputs.size());
  std::vector<Array> y;
  for (const char* output : golden.outputs) y.push_back(read_npy(folder + output + ".npy"));
  const size_t limit = std::min(most, static_cast<size_t>(y[0].shape[0]));
  for (size_t s = 0; s < limit; ++s) {
    const auto first = x.begin() + static_cast<ptrdiff_t>(s * size);
    runner.set(0, {first, first + static_cast<ptrdiff_t>(size)});
    runner.run();
    for (size_t o = 0; o < y.size(); ++o) {
      const std::vector<float> found = runner.get(o);
      const std::vector<float> all = to_floats(y[o]);
      agreements[o].add(found, all.data() + s * found.size());
    }
  }
  return agreements;
}

std::vector<float> floats_of(const onnx::TensorProto& tensor) {
  if (tensor.raw_data().empty()) return {tensor.float_data().begin(), tensor.float_data().end()};
  std::vector<float> values(tensor.raw_data().size() / sizeof(float));
  std::memcpy(values.data(), tensor.raw_data().data(), tensor.raw_data().size());
  return values;
}

void check_float_models(size_t most) {
  for (const Golden& golden : kFloat) {
    DYNAMIC_SECTION(golden.model) {
      Runner runner(
          from(shared("models/" + std::string(golden.model) + "/" + golden.file + ".onnx")));
      for (const Agreement& a : compare(golden, runner, most)) {
        std::printf("%s %s: error %.3g of %.3g\n", golden.model, golden.file, a.error, a.range);
        CHECK(a.error <= 1e-4 * a.range);
      }
    }
  }
}

void check_labels(size_t most) {
  for (const Golden& golden : kQuantized) {
    DYNAMIC_SECTION(golden.model << " " << golden.file) {
      Runner runner(
          from(shared("models/" + std::string(golden.model) + "/" + golden.file + ".onnx")));
      for (const Agreement& a : compare(golden, runner, most)) {
        std::printf("%s %s: %zu of %zu labels, error %.3g of %.3g\n", golden.model, golden.file,
                    a.labels, a.samples, a.error, a.range);
        CHECK(static_cast<double>(a.labels) >= 0.99 * static_cast<double>(a.samples));
      }
    }
  }
}

void check_pictures(size_t most) {
  const Golden pictures[] = {
      {"xray_autoencoder", "model_int8", {"y_int8"}, "xray_autoencoder"},
      {"us_nerve_unet", "model_int8", {"y_int8"}, "us_nerve_unet"},
  };
  for (const Golden& golden : pictures) {
    DYNAMIC_SECTION(golden.model) {
      Runner runner(
          from(shared("models/" + std::string(golden.model) + "/" + golden.file + ".onnx")));
      const Agreement a = compare(golden, runner, most)[0];
      std::printf("%s %s: error %.3g of %.3g\n", golden.model, golden.file, a.error, a.range);
      CHECK(a.error <= 0.04 * a.range);
    }
  }
}

void check_pixels(size_t most) {
  const std::string folder = shared("models/us_nerve_unet/");
  Runner runner(from(folder + "model_int8.onnx"));
  const auto x = samples_of(folder + "x.npy");
  const Array y = read_npy(folder + "y_int8.npy");  // pictures, classes, height, width
  const auto golden = to_floats(y);
  const auto classes = static_cast<size_t>(y.shape[1]);
  const auto pixels = static_cast<size_t>(y.shape[2] * y.shape[3]);
  const size_t pictures = std::min(most, static_cast<size_t>(y.shape[0]));
  const auto label = [&](const float* of, size_t pixel) {
    size_t greatest = 0;
    for (size_t c = 1; c < classes; ++c) {
      if (of[c * pixels + pixel] > of[greatest * pixels + pixel]) greatest = c;
    }
    return greatest;
  };
  size_t same = 0;
  for (size_t s = 0; s < pictures; ++s) {
    const auto first = x.begin() + static_cast<ptrdiff_t>(s * pixels);
    runner.set(0, {first, first + static_cast<ptrdiff_t>(pixels)});
    runner.run();
    const std::vector<float> found = runner.get(0);
    REQUIRE(found.size() == classes * pixels);
    for (size_t p = 0; p < pixels; ++p) {
      same += label(found.data(), p) == label(&golden[s * classes * pixels], p);
    }
  }
  const size_t all = pictures * pixels;
  std::printf("us_nerve_unet model_int8: %zu of %zu pixels\n", same, all);
  CHECK(static_cast<double>(same) >= 0.99 * static_cast<double>(all));
}

// A state fed by hand and one that the session keeps.
void check_stream(size_t most) {
  const std::string folder = shared("models/ecg_stream_gru/");
  const auto x = to_floats(read_npy(folder + "x.npy"));
  for (const std::string kind : {"fp32", "int8"}) {
    const auto y = to_floats(read_npy(folder + "y_" + kind + ".npy"));
    for (const bool state : {false, true}) {
      ConvertOptions options = from(folder + "model_" + kind + ".onnx");
      if (state) options.states = {{"h", "h_out"}};
      Runner runner(options);
      REQUIRE(runner.inputs() == (state ? 1 : 2));
      std::vector<float> h(32, 0.0f);
      Agreement agreement;
      for (size_t call = 0; call < std::min(most, y.size()); ++call) {
        runner.set(0, {x.begin() + static_cast<ptrdiff_t>(4 * call),
                       x.begin() + static_cast<ptrdiff_t>(4 * call + 4)});
        if (!state) runner.set(1, h);
        runner.run();
        agreement.add(runner.get(0), &y[call]);
        if (!state) h = runner.get(1);
      }
      std::printf("ecg_stream_gru %s%s: error %.3g of %.3g\n", kind.c_str(),
                  state ? " with state" : "", agreement.error, agreement.range);
      CHECK(agreement.error <= (kind == "fp32" ? 1e-4 : 2e-2) * agreement.range);
    }
  }
}

}  // namespace

TEST_CASE("models agree with their golden outputs") {
  if (absent("models")) return;
  SECTION("float32, to 1e-4") { check_float_models(kFew); }
  SECTION("quantized, their labels") { check_labels(kFew); }
  SECTION("quantized, their pictures") { check_pictures(1); }
  SECTION("quantized, 99 % of the labels of pixels") { check_pixels(1); }
  SECTION("streams, their chunks") { check_stream(50 * kFew); }
}

TEST_CASE("models agree with all of their golden outputs", "[slow]") {
  if (absent("models")) return;
  SECTION("float32, to 1e-4") { check_float_models(kAll); }
  SECTION("quantized, their labels") { check_labels(kAll); }
  SECTION("quantized, their pictures") { check_pictures(kAll); }
  SECTION("quantized, 99 % of the labels of pixels") { check_pixels(kAll); }
  SECTION("streams, their chunks") { check_stream(kAll); }
}

TEST_CASE("ONNX's light graphs agree with their golden outputs", "[slow]") {
  if (absent("data/onnx_graphs")) return;
  for (const std::string name : {"bvlc_alexnet", "densenet121", "inception_v1", "inception_v2",
                                 "resnet50", "shufflenet", "squeezenet", "vgg19", "zfnet512"}) {
    DYNAMIC_SECTION(name) {
      const std::string stem = shared("data/onnx_graphs/onnx_light_" + name);
      Runner runner(from(stem + ".onnx"));
      const size_t count = 3 * 224 * 224;
      std::vector<float> x(count);
      for (size_t i = 0; i < count; ++i) {
        x[i] = static_cast<float>(i) / static_cast<float>(count);
      }
      runner.set(0, x);
      runner.run();
      onnx::TensorProto golden;
      std::ifstream file(stem + "_output_0.pb", std::ios::binary);
      REQUIRE(golden.ParseFromIstream(&file));
      const std::vector<float> expected = floats_of(golden), found = runner.get(0);
      REQUIRE(found.size() == expected.size());
      Agreement agreement;
      agreement.add(found, expected.data());
      std::printf("light_%s: error %.3g of %.3g\n", name.c_str(), agreement.error, agreement.range);
      CHECK(agreement.error <= 1e-4 * agreement.range);
    }
  }
}

TEST_CASE("recurrent models of other runtimes agree with their golden outputs") {
  if (absent("data/onnx_graphs")) return;
  struct Case {
    const char* name;
    std::map<std::string, int64_t> dims;
    const char* output;
    double
        bound;  // of the greatest magnitude; one step of the last quantization where there is one
  };
  const Case cases[] = {{"tract_qlstm", {{"input.0", 3}}, "output", 1e-5},
                        {"tract_bilstm", {{"batch", 2}, {"length", 58}}, "Add_26", 1e-4}};
  for (const Case& c : cases) {
    const std::string stem = shared("data/onnx_graphs/" + std::string(c.name));
    const Array x = read_npz(stem + "_io.npz", "input");
    const std::vector<float> golden = to_floats(read_npz(stem + "_io.npz", c.output));
    for (const bool fixed : {false, true}) {
      for (const char* backends : {"reference", "cpu,reference"}) {
        INFO(c.name << (fixed ? ", fixed, on " : ", open, on ") << backends);
        ConvertOptions options = from(stem + "_model.onnx");
        (fixed ? options.fixed_dims : options.maxima) = c.dims;
        Runner runner(options, backends);
        runner.set_bytes(0, x.data.data(), x.data.size());
        runner.run();
        const std::vector<float> found = runner.get(0);
        REQUIRE(found.size() == golden.size());
        Agreement agreement;
        agreement.add(found, golden.data());
        std::printf("%s: error %.3g of %.3g\n", c.name, agreement.error, agreement.range);
        CHECK(agreement.error <= c.bound * agreement.range);
      }
    }
  }
}
