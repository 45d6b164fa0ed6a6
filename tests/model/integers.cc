// SPDX-License-Identifier: Apache-2.0
// What a file says of integer layers is proved when it is opened.
#include <functional>

#include "tests/catch.h"
#include "tests/model_builder.h"

namespace medulla::test {
namespace {

// x -> QGemm of two channels -> y, with every number that the file stores.
struct Layer {
  float s_x = 0.5f, s_y = 0.25f;
  int32_t z_x = 3, z_y = -4, z_w = 1;
  std::vector<float> multipliers = {0.5f, 1.0f};
  std::vector<int32_t> bias = {100, -100};
  std::vector<int64_t> range = {-32602, 32423};                   // of version 2
  std::vector<int64_t> positive = {4, 126}, negative = {3, 129};  // of version 1
  uint32_t version = 2;
  bool has_range = true;
  std::vector<int8_t> w = {5, -2, 127, -128};

  // What opening the file says; "" when it opens.
  std::string open() const {
    ModelBuilder b;
    const int32_t x = b.input("x", {1, 2}, MDL_INT8);
    b.at(x).quantization = tools::Quantization{{s_x}, {z_x}, 0};
    const int32_t weights = b.graph().add_constant("w", MDL_INT8, {2, 2}, w);
    b.at(weights).quantization = tools::Quantization{{0.25f, 0.5f}, {z_w, z_w}, 0};
    const int32_t biases = b.graph().add_constant("b", MDL_INT32, {2}, bias);
    const int32_t m = b.constant("m", {2}, multipliers);
    ModelBuilder::Attributes sums = {{"sum_range", range}};
    if (!has_range) sums = {{"positive_sums", positive}, {"negative_sums", negative}};
    const int32_t y = b.node("QGemm", {x, weights, biases, m}, "y", std::move(sums), version);
    b.at(y).quantization = tools::Quantization{{s_y}, {z_y}, 0};
    b.output(y);
    const AlignedBytes bytes = b.bytes();
    mdl_model* model = nullptr;
    mdl_error error = MDL_ERROR_INIT;
    const mdl_status status =
        mdl_model_open_memory(bytes.data(), bytes.size(), nullptr, &model, &error);
    mdl_model_close(model);
    CHECK((status == MDL_OK || status == MDL_ERROR_BAD_MODEL));
    return status == MDL_OK ? "" : error.text;
  }
};

// Opening a layer that was changed says this.
void refused(Layer layer, const std::string& text, const std::function<void(Layer&)>& change) {
  change(layer);
  INFO("should say: " << text);
  INFO("says: " << layer.open());
  CHECK(layer.open().find(text) != std::string::npos);
}

}  // namespace

TEST_CASE("An integer layer's stored numbers are proved when a file is opened") {
  CHECK(Layer().open() == "");
  const auto refused = [](const std::string& text, const std::function<void(Layer&)>& change) {
    test::refused(Layer(), text, change);
  };
  refused("node 'y' (QGemm): sum_range is -32602 to 32424, the weights give -32602 to 32423",
          [](Layer& l) { ++l.range[1]; });
  refused("sum_range is -9223372036854775808 to 32423", [](Layer& l) { l.range[0] = INT64_MIN; });
  refused("sum_range has 3 entries, should have 2", [](Layer& l) { l.range.push_back(0); });
  refused("node 'y' (QGemm): attribute 'sum_range' is not one of version 1",
          [](Layer& l) { l.version = 1; });
  refused("node 'y' (QGemm): attribute 'negative_sums' is not one of version 2",
          [](Layer& l) { l.has_range = false; });
  // Sums that may overflow, whatever is stored.
  refused(
      "node 'y' (QGemm): the sums of channel 1 may reach from 2147451145 to 2147516170, should "
      "fit 32 bits",
      [](Layer& l) { l.bias[1] = INT32_MAX; });
  refused("the sums of channel 0 may reach from -", [](Layer& l) { l.bias[0] = INT32_MIN; });
  // What the sums are taken over.
  refused("the weights give ", [](Layer& l) { l.z_w = 0; });
  refused("the weights give ", [](Layer& l) { l.w[2] = 6; });
  refused("the weights give ", [](Layer& l) { l.z_x = 4; });
  refused("the weights give -32601 to 32424", [](Layer& l) { ++l.bias[1]; });
  refused("node 'y' (QGemm): multiplier 0 is 0.5, the scales give 1", [](Layer& l) { l.s_y /= 2; });
  refused("multiplier 0 is 0.5, the scales give 0.25",
          [](Layer& l) { l.s_x /= 2, l.multipliers[1] = 0.5f; });
}

TEST_CASE("The sums of every channel, which older files store, are proved too") {
  Layer layer;
  layer.version = 1;
  layer.has_range = false;
  CHECK(layer.open() == "");
  const auto refused = [&](const std::string& text, const std::function<void(Layer&)>& change) {
    test::refused(layer, text, change);
  };
  refused("node 'y' (QGemm): positive_sums[0] is 5, the weights give 4",
          [](Layer& l) { l.positive[0] = 5; });
  refused("node 'y' (QGemm): positive_sums[1] is 0, the weights give 126",
          [](Layer& l) { l.positive[1] = 0; });
  refused("node 'y' (QGemm): negative_sums[1] is -129, the weights give 129",
          [](Layer& l) { l.negative[1] = -129; });
  refused("negative_sums[0] is 9223372036854775807", [](Layer& l) { l.negative[0] = INT64_MAX; });
  refused("positive_sums has 1 entries, should have 2", [](Layer& l) { l.positive.pop_back(); });
  refused("positive_sums[0] is 4, the weights give 5", [](Layer& l) { l.z_w = 0; });
  refused("positive_sums[0] is 4, the weights give 5", [](Layer& l) { l.w[0] = 6; });
  refused("the sums of channel 0 may reach from -", [](Layer& l) { l.bias[0] = INT32_MIN; });
}

}  // namespace medulla::test
