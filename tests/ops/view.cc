// SPDX-License-Identifier: Apache-2.0
#include "tests/catch.h"
#include "tests/ops/harness.h"

namespace medulla::test {
namespace {

using Dims = std::vector<int64_t>;

Result reshape(Dims from, Dims shape, int64_t allow_zero = 0) {
  return Case("Reshape")
      .input(counted<int16_t>(from))
      .set("shape", shape)
      .set("allowzero", allow_zero)
      .run();
}

TEST_CASE("Reshape copies, infers and keeps the bytes") {
  const Result r = reshape({2, 3, 4}, {0, -1, 2});
  CHECK(r.dims() == Dims{2, 6, 2});
  CHECK(r.outputs[0].bytes == counted<int16_t>({24}).bytes);
  CHECK(reshape({2, 3}, {-1}).dims() == Dims{6});
  CHECK(reshape({1, 1}, {}).dims() == Dims{});
  CHECK(reshape({0, 3}, {3, 0}, 1).dims() == Dims{3, 0});
  CHECK(reshape({0, 3, 4}, {0, -1}).dims() == Dims{0, 12});
  CHECK(reshape({3, 0}, {-1, 3}).dims() == Dims{0, 3});
  CHECK(reshape({0, 3}, {0, 7}).dims() == Dims{0, 7});
  CHECK(reshape({0, 3}, {0, -1}, 1).says("should be a multiple of 0"));
  CHECK(reshape({0, 3}, {3, 4}, 1).says("has 12 elements, should have the 0 of [0,3]"));
  CHECK(reshape({2, 3}, {4}).text ==
        "node 'n' (Reshape): shape [4] has 4 elements, should have the 6 of [2,3], copied "
        "dimensions apart");
  CHECK(reshape({2, 3}, {-1, 4}).status == MDL_ERROR_SHAPE);
  CHECK(reshape({2, 3}, {-1, -1}).says("shape[1] is -1"));
  CHECK(reshape({2, 3}, {2, 3, 0}).says("shape[2] is 0"));
  CHECK(reshape({2, 3}, {-2, 3}).says("shape[0] is -2"));
  CHECK(reshape({2, 3}, {INT64_MAX, 2}).says("too large"));
  CHECK(reshape({2, 3}, Dims(9, 1)).says("at most 8"));
}

TEST_CASE("Flatten") {
  const auto flatten = [](Dims from, int64_t axis) {
    return Case("Flatten").input(counted<float>(from)).set("axis", axis).run();
  };
  CHECK(flatten({2, 3, 4}, 1).dims() == Dims{2, 12});
  CHECK(flatten({2, 3, 4}, 0).dims() == Dims{1, 24});
  CHECK(flatten({2, 3, 4}, 3).dims() == Dims{24, 1});
  CHECK(flatten({2, 3, 4}, -1).dims() == Dims{6, 4});
  CHECK(flatten({}, 0).dims() == Dims{1, 1});
  CHECK(flatten({2, 3}, 3).says("axis is 3, should be from -2 to 2"));
  CHECK(Case("Flatten").input(counted<float>({2, 3, 4})).run().dims() == Dims{2, 12});
}

TEST_CASE("Squeeze and Unsqueeze") {
  const auto run = [](const char* op, Dims from, Dims axes) {
    return Case(op).input(counted<int64_t>(from)).set("axes", axes).run();
  };
  CHECK(run("Squeeze", {1, 3, 1}, {0, -1}).dims() == Dims{3});
  CHECK(run("Squeeze", {1, 3, 1}, {}).dims() == Dims{1, 3, 1});
  CHECK(run("Squeeze", {1, 3}, {1}).says("dimension 1 is 3, should be 1"));
  CHECK(run("Squeeze", {1, 3}, {0, -2}).says("axis -2 stands twice"));
  CHECK(run("Squeeze", {1, 3}, {2}).says("axis is 2"));
  const Result r = run("Unsqueeze", {2, 3}, {0, -1});
  CHECK(r.dims() == Dims{1, 2, 3, 1});
  CHECK(r.values<int64_t>() == std::vector<int64_t>{0, 1, 2, 3, 4, 5});
  CHECK(run("Unsqueeze", {2, 3}, {4}).says("axis is 4, should be from -3 to 2"));
  CHECK(run("Unsqueeze", Dims(8, 1), {0}).says("should stay within 8"));
  CHECK(Case("Squeeze").input(counted<float>({1})).run().says("attribute 'axes' is missing"));
}

TEST_CASE("Identity, also of elements of half a byte") {
  Value x;
  x.dtype = MDL_INT4;
  x.dims = {3};
  x.bytes = {0x21, 0x03};
  const Result r = Case("Identity").input(x).run();
  CHECK(r.status == MDL_OK);
  CHECK(r.outputs[0].bytes == x.bytes);
}

TEST_CASE("BitCast reads the same bytes as another dtype") {
  const Value x = tensor<float>({2, 1}, {1, -2});
  const auto run = [&](int64_t to) { return Case("BitCast").input(x).set("to", to).run(); };
  CHECK(run(MDL_UINT32).values<uint32_t>() == std::vector<uint32_t>{0x3F800000, 0xC0000000});
  CHECK(run(MDL_INT32).dims() == Dims{2, 1});
  CHECK(run(MDL_INT64).says("should be a dtype of the 32 bits of float32"));
  CHECK(run(99).says("to is 99"));
  CHECK(run(MDL_DTYPE_NONE).says("to is 0"));
  const Value bytes = tensor<uint8_t>({1}, {2});
  CHECK(Case("BitCast").input(bytes).set("to", int64_t{MDL_BOOL}).run().says("and not bool"));
}

TEST_CASE("Views keep the quantization") {
  const Value x = counted<int8_t>({2, 3}).quantized(0.5f, 3);
  const auto run = [&](const Value& y) {
    return Case("Reshape").input(x).output(y).set("shape", Dims{3, 2}).run();
  };
  CHECK(run(Value().quantized(0.5f, 3)).status == MDL_OK);
  CHECK(run(Value().quantized(0.5f, 4)).status == MDL_ERROR_BAD_MODEL);
  CHECK(run(Value().quantized(0.25f, 3)).status == MDL_ERROR_BAD_MODEL);
  CHECK(run({}).says("'x0' and 'y0' differ in quantization"));
}

}  // namespace
}  // namespace medulla::test
