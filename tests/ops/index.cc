// SPDX-License-Identifier: Apache-2.0
// What picks and writes elements by indices.
#include <cmath>
#include <limits>

#include "tests/catch.h"
#include "tests/ops/harness.h"

namespace medulla::test {
namespace {

using Dims = std::vector<int64_t>;
using Floats = std::vector<float>;

Value indices(Dims dims, std::vector<int64_t> values) { return tensor(std::move(dims), values); }

TEST_CASE("GatherElements takes one element for each index") {
  const Value x = counted<int16_t>({2, 3});
  const Value i = tensor<int32_t>({2, 2}, {2, -3, 0, 1});
  const Result r = Case("GatherElements").input(x).input(i).set("axis", 1).run();
  CHECK(r.dims() == Dims{2, 2});
  CHECK(r.values<int16_t>() == std::vector<int16_t>{2, 0, 3, 4});
  const Result down = Case("GatherElements").input(x).input(indices({1, 3}, {1, 0, -1})).run();
  CHECK(down.values<int16_t>() == std::vector<int16_t>{3, 1, 5});
  CHECK(Case("GatherElements")
            .input(x)
            .input(indices({3, 2}, Dims(6, 0)))
            .set("axis", 1)
            .run()
            .says("indices are [3,2], should lie in [2,3] but for axis 1"));
  const Result outside = Case("GatherElements").input(x).input(indices({1, 1}, {2})).run();
  CHECK(outside.status == MDL_ERROR_INVALID_ARGUMENT);
  CHECK(outside.says("index 0 is 2, should be from -2 to 1"));
}

TEST_CASE("GatherND takes rows that tuples point to") {
  const Value x = counted<double>({2, 2, 2});
  const Result elements =
      Case("GatherND").input(x).input(indices({2, 3}, {0, 0, 1, 1, -1, 0})).run();
  CHECK(elements.dims() == Dims{2});
  CHECK(elements.values<double>() == std::vector<double>{1, 6});
  const Result rows = Case("GatherND").input(x).input(indices({2, 1, 1}, {1, 0})).run();
  CHECK(rows.dims() == Dims{2, 1, 2, 2});
  CHECK(rows.values<double>() == std::vector<double>{4, 5, 6, 7, 0, 1, 2, 3});
  const Result batch =
      Case("GatherND").input(x).input(indices({2, 1}, {1, 0})).set("batch_dims", 1).run();
  CHECK(batch.dims() == Dims{2, 2});
  CHECK(batch.values<double>() == std::vector<double>{2, 3, 4, 5});
  for (const int64_t dims : {-1, 2, 3}) {
    CHECK(Case("GatherND")
              .input(x)
              .input(indices({2, 1}, {0, 0}))
              .set("batch_dims", dims)
              .run()
              .says("batch_dims is"));
  }
  CHECK(Case("GatherND")
            .input(x)
            .input(indices({1, 4}, {0, 0, 0, 0}))
            .run()
            .says("k from 1 to the rank"));
}

Result scatter(const char* reduction, Value x, Value i, Value updates, int64_t axis = 0) {
  return Case("ScatterElements")
      .input(std::move(x))
      .input(std::move(i))
      .input(std::move(updates))
      .set("axis", axis)
      .set("reduction", reduction)
      .run();
}

TEST_CASE("ScatterElements writes, or reduces in order") {
  const Value x = tensor<float>({1, 4}, {1, 2, 3, 4});
  const Value i = tensor<int32_t>({1, 3}, {1, -1, 1});
  const Value u = tensor<float>({1, 3}, {10, 20, -30});
  CHECK(scatter("none", x, i, u, 1).values() == Floats{1, -30, 3, 20});
  CHECK(scatter("add", x, i, u, 1).values() == Floats{1, -18, 3, 24});
  CHECK(scatter("mul", x, i, u, -1).values() == Floats{1, -600, 3, 80});
  CHECK(scatter("min", x, i, u, 1).values() == Floats{1, -30, 3, 4});
  CHECK(scatter("max", x, i, u, 1).values() == Floats{1, 10, 3, 20});
  CHECK(scatter("mean", x, i, u, 1).says("reduction is 'mean'"));
  CHECK(scatter("none", x, i, u, 2).says("axis is 2"));
  CHECK(scatter("none", x, i, tensor<float>({1, 2}, {1, 2}), 1).says("should have one shape"));
  CHECK(scatter("none", x, i, tensor<int32_t>({1, 3}, {1, 2, 3}), 1).says("input 2 is int32"));
  CHECK(scatter("none", x, tensor<int32_t>({1, 1}, {4}), tensor<float>({1, 1}, {4}), 1)
            .says("index 0 is 4, should be from -4 to 3"));
}

TEST_CASE("Reductions wrap integers and keep NaN") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Value i = indices({3}, {0, 1, 2});
  const Value x = tensor<int8_t>({3}, {127, -128, 100});
  const Value u = tensor<int8_t>({3}, {1, -1, 3});
  CHECK(scatter("add", x, i, u).values<int8_t>() == std::vector<int8_t>{-128, 127, 103});
  CHECK(scatter("mul", x, i, u).values<int8_t>() == std::vector<int8_t>{127, -128, 44});
  const Value wide = tensor<int64_t>({1}, {INT64_MIN});
  CHECK(scatter("mul", wide, indices({1}, {0}), tensor<int64_t>({1}, {-1})).values<int64_t>()[0] ==
        INT64_MIN);
  const Value floats = tensor<float>({2}, {nan, 1});
  for (const char* reduction : {"min", "max"}) {
    const Floats y =
        scatter(reduction, floats, indices({2}, {0, 1}), tensor<float>({2}, {1, nan})).values();
    CHECK((std::isnan(y[0]) && std::isnan(y[1])));
  }
}

TEST_CASE("ScatterND writes rows that tuples point to") {
  const auto scatter_nd = [](Value i, Value updates, const char* reduction = "none") {
    return Case("ScatterND")
        .input(counted<int32_t>({3, 2}))
        .input(std::move(i))
        .input(std::move(updates))
        .set("reduction", reduction)
        .run();
  };
  const auto values = [](const Result& r) { return r.values<int32_t>(); };
  using Ints = std::vector<int32_t>;
  const Value rows = tensor<int32_t>({2, 2}, {10, 20, 30, 40});
  CHECK(values(scatter_nd(indices({2, 1}, {-1, 0}), rows)) == Ints{30, 40, 2, 3, 10, 20});
  CHECK(values(scatter_nd(indices({2, 1}, {1, 1}), rows, "add")) == Ints{0, 1, 42, 63, 4, 5});
  CHECK(values(scatter_nd(indices({1, 2}, {2, 1}), tensor<int32_t>({1}, {7}))) ==
        Ints{0, 1, 2, 3, 4, 7});
  CHECK(values(scatter_nd(indices({0, 1}, {}), tensor<int32_t>({0, 2}, {}))) ==
        Ints{0, 1, 2, 3, 4, 5});
  CHECK(scatter_nd(indices({2, 1}, {0, 3}), rows).says("index 1 is 3, should be from -3 to 2"));
  CHECK(scatter_nd(indices({2, 2}, {0, 0, 0, 0}), rows).says("updates [2,2]"));
  CHECK(scatter_nd(indices({2, 3}, Dims(6, 0)), rows).says("k from 1 to the input's rank"));
}

TEST_CASE("OneHot stands where the index says") {
  const auto one_hot = [](Value i, int64_t depth, int64_t axis) {
    return Case("OneHot")
        .input(std::move(i))
        .input(tensor<float>({2}, {2, 5}))
        .set("depth", depth)
        .set("axis", axis)
        .run();
  };
  const Result last = one_hot(indices({3}, {1, -1, 3}), 3, -1);
  CHECK(last.dims() == Dims{3, 3});
  CHECK(last.values() == Floats{2, 5, 2, 2, 2, 5, 2, 2, 2});
  const Result first = one_hot(tensor<int32_t>({2}, {1, 0}), 3, 0);
  CHECK(first.dims() == Dims{3, 2});
  CHECK(first.values() == Floats{2, 5, 5, 2, 2, 2});
  CHECK(one_hot(indices({1}, {0}), -2, 0).says("no negative dimension"));
  CHECK(one_hot(indices(Dims(8, 1), {0}), 2, 0).says("at most 7 dimensions"));
  CHECK(one_hot(counted<float>({2}), 2, 0).says("input 0 is float32, should be int32 or int64"));
}

TEST_CASE("ReverseSequence reverses what each length counts") {
  const auto reverse = [](std::vector<int64_t> lengths, int64_t batch, int64_t time) {
    const auto n = static_cast<int64_t>(lengths.size());
    return Case("ReverseSequence")
        .input(counted<float>({2, 3}))
        .input(indices({n}, lengths))
        .set("batch_axis", batch)
        .set("time_axis", time)
        .run();
  };
  CHECK(reverse({3, 2}, 0, 1).values() == Floats{2, 1, 0, 4, 3, 5});
  CHECK(reverse({2, 1, 0}, 1, 0).values() == Floats{3, 1, 2, 0, 4, 5});
  CHECK(reverse({3, 4}, 0, 1).says("length 1 is 4, should be from 0 to 3"));
  CHECK(reverse({3}, 0, 1).says("input 1 is [1], should be [2]"));
  CHECK(reverse({3, 3}, 0, 0).says("are both 0"));
}

Case grams(const char* mode, int64_t least, int64_t most, int64_t skips) {
  // Grams of one item: 5, 6, of two: (5, 6), (6, 6).
  Case c("TfIdfVectorizer");
  c.input(tensor<int32_t>({2, 5}, {5, 6, 6, 5, 6, 1, 2, 3, 4, 6}))
      .set("mode", mode)
      .set("min_gram_length", least)
      .set("max_gram_length", most)
      .set("max_skip_count", skips)
      .set("ngram_counts", Dims{0, 2})
      .set("ngram_indexes", Dims{3, 0, 1, 2})
      .set("pool_int64s", Dims{5, 6, 5, 6, 6, 6})
      .set("weights", std::vector<double>{0.5, 2, 3, 4});
  return c;
}

TEST_CASE("TfIdfVectorizer counts grams, with items skipped") {
  CHECK(grams("TF", 1, 2, 0).run().values() == Floats{3, 2, 1, 2, 1, 0, 0, 0});
  CHECK(grams("TF", 2, 2, 1).run().values() == Floats{0, 3, 2, 0, 0, 0, 0, 0});
  CHECK(grams("TF", 2, 2, 9).run().values() == Floats{0, 4, 3, 0, 0, 0, 0, 0});
  CHECK(grams("IDF", 1, 1, 9).run().values() == Floats{2, 0, 0, 0.5f, 2, 0, 0, 0});
  CHECK(grams("TFIDF", 1, 2, 0).run().values() == Floats{6, 6, 4, 1, 2, 0, 0, 0});
  CHECK(grams("BM25", 1, 2, 0).run().says("mode is 'BM25'"));
  CHECK(grams("TF", 1, 3, 0).run().says("go from 1 to 3"));
  CHECK(grams("TF", 1, 2, -1).run().says("max_skip_count -1"));
}

}  // namespace
}  // namespace medulla::test
