// SPDX-License-Identifier: Apache-2.0
// Group norms and rotary embeddings as exporters write them.
#include <limits>

#include "tests/convert/same_result.h"

using namespace medulla;
using namespace medulla::tools;

TEST_CASE("fuse_group_norm sees groups that were made channels") {
  TestGraph g({2, 6, 3, 4});
  const int32_t groups = g.add("Reshape", {g.x}, {{"shape", Dims{0, 3, -1}}});
  const auto ones = [&](float value) {
    return g.build.constant(MDL_FLOAT32, {3}, std::vector<float>(3, value));
  };
  const auto norm = [&](int64_t count, int32_t scale, int32_t bias) {
    return g.image("GroupNormalization", {groups, scale, bias},
                   {{"num_groups", count}, {"epsilon", 1e-3}});
  };
  const auto whole = [&](int32_t t) {
    return g.add("Reshape", {t}, {{"shape", Dims{2, 6, 3, 4}}});
  };
  SECTION("with scale and bias of each channel") {
    const int32_t scaled =
        g.add("Mul", {whole(norm(3, ones(1), ones(0))), g.constant({6, 1, 1}, 1)});
    const int32_t y = g.add("Add", {g.constant({1, 6, 1, 1}, 2), scaled});
    const Graph after = same_result(g.finish({y}), fuse_group_norm, 1e-5f);
    CHECK(after.nodes.size() == 3);
    CHECK(count_of(after, "GroupNormalization") == 1);
  }
  SECTION("with parameters of each group, and without any other") {
    const int32_t y = whole(norm(3, g.constant({3}, 1), g.constant({3}, 2)));
    const Graph after = same_result(g.finish({y}), fuse_group_norm, 1e-5f);
    CHECK(after.nodes.size() == 3);
  }
  SECTION("a factor of each pixel stays") {
    const int32_t y = g.add("Mul", {whole(norm(3, ones(1), ones(0))), g.constant({3, 1}, 1)});
    const Graph after = same_result(g.finish({y}), fuse_group_norm, 1e-5f);
    CHECK(count_of(after, "Mul") == 1);
    CHECK(count_of(after, "Reshape") == 0);
  }
  SECTION("a norm over several of them is none of each") {
    const int32_t y = whole(norm(1, ones(1), ones(0)));
    CHECK(count_of(same_result(g.finish({y}), fuse_group_norm, 0), "Reshape") == 2);
  }
}

TEST_CASE("fuse_group_norm sees groups whose means are written out") {
  TestGraph g({2, 6, 3, 4});
  const int32_t groups = g.add("Reshape", {g.x}, {{"shape", Dims{2, 3, 2, 12}}});
  const Attributes over = {{"axes", Dims{2, 3}}};
  const int32_t d = g.add("Sub", {groups, g.add("ReduceMean", {groups}, over)});
  const int32_t variance = g.add("ReduceMean", {g.add("Mul", {d, d})}, over);
  const int32_t root = g.add("Sqrt", {g.add("Add", {variance, g.build.scalar(1e-5f)})});
  const int32_t whole = g.add("Reshape", {g.add("Div", {d, root})}, {{"shape", Dims{2, 6, 3, 4}}});
  const int32_t y =
      g.add("Add", {g.add("Mul", {whole, g.constant({6, 1, 1}, 1)}), g.constant({6, 1, 1}, 2)});
  PassContext context;
  const Graph norms = fuse_norms(g.finish({y}), context);
  const Graph after = same_result(norms, fuse_group_norm, 1e-5f);
  CHECK(after.nodes.size() == 3);
  CHECK(count_of(after, "GroupNormalization") == 1);
}

TEST_CASE("fuse_rotary sees halves and neighbors") {
  TestGraph g({2, 3, 5, 8});
  const int32_t cos = g.constant({5, 8}, 1), sin = g.constant({1, 1, 5, 8}, 2);
  const auto slice = [&](int64_t start, int64_t end, int64_t step) {
    return g.add(
        "Slice", {g.x},
        {{"axes", Dims{3}}, {"starts", Dims{start}}, {"ends", Dims{end}}, {"steps", Dims{step}}});
  };
  const auto rotated = [&](int32_t turned) {
    return g.add("Add", {g.add("Mul", {g.x, cos}), g.add("Mul", {sin, turned})});
  };
  const auto check_fused = [&](int32_t y) {
    const Graph after = same_result(g.finish({y}), fuse_rotary, 0);
    CHECK(after.nodes.size() == 1);
    CHECK(after.nodes[0].op == "RotaryEmbedding");
  };
  SECTION("halves by Slice") {
    const int32_t a = slice(0, 4, 1), b = slice(4, std::numeric_limits<int64_t>::max(), 1);
    check_fused(rotated(g.add("Concat", {g.add("Neg", {b}), a}, {{"axis", int64_t{-1}}})));
  }
  SECTION("halves by Split") {
    g.build.set_name("Split");
    const auto parts = g.build.add_many(
        "Split", {g.x}, {{"axis", int64_t{3}}, {"sizes", Dims{4, 4}}}, {true, true});
    const int32_t b = g.add("Neg", {parts[1]});
    check_fused(rotated(g.add("Concat", {b, parts[0]}, {{"axis", int64_t{3}}})));
  }
  SECTION("neighbors") {
    const int32_t a = slice(0, 8, 2), b = g.add("Neg", {slice(1, 8, 2)});
    const Attributes last = {{"axes", Dims{4}}};
    const int32_t pairs =
        g.add("Concat", {g.add("Unsqueeze", {b}, last), g.add("Unsqueeze", {a}, last)},
              {{"axis", int64_t{4}}});
    check_fused(rotated(g.add("Reshape", {pairs}, {{"shape", Dims{2, 3, 5, 8}}})));
  }
  SECTION("halves in their order are not turned") {
    const int32_t b = g.add("Neg", {slice(0, 4, 1)});
    const int32_t y = rotated(g.add("Concat", {b, slice(4, 8, 1)}, {{"axis", int64_t{3}}}));
    CHECK(count_of(same_result(g.finish({y}), fuse_rotary, 0), "Concat") == 1);
  }
}

TEST_CASE("a pattern whose constants have a higher rank than x is left as it is") {
  TestGraph g({2, 5});
  const auto number = [&](float value) {
    return g.build.constant(MDL_FLOAT32, {1, 1, 1}, Floats{value});
  };
  const auto check_kept = [&](int32_t y, Graph (*pass)(const Graph&, PassContext&)) {
    const size_t nodes = g.graph.nodes.size();
    const Graph after = same_result(g.finish({y}), pass, 0);
    CHECK(after.nodes.size() == nodes);
    CHECK(after.tensors[static_cast<size_t>(after.outputs[0])].dims == Dims{1, 2, 5});
  };
  const auto half_of = [&](int32_t gate) {
    return g.add("Mul", {g.add("Mul", {g.x, g.add("Add", {gate, number(1)})}), number(0.5f)});
  };
  SECTION("Gelu") {
    const int32_t scaled = g.add("Div", {g.x, number(1.41421356f)});
    check_kept(half_of(g.add("Erf", {scaled})), fuse_activations);
  }
  SECTION("HardSwish") {
    const int32_t clipped =
        g.add("Clip", {g.add("Add", {g.x, number(3)})}, {{"min", 0.0}, {"max", 6.0}});
    check_kept(g.add("Div", {g.add("Mul", {g.x, clipped}), number(6)}), fuse_activations);
  }
  const Attributes rows = {{"axes", Dims{1}}};
  SECTION("LayerNormalization, of which the rows' parameter has it") {
    const int32_t d = g.add("Sub", {g.x, g.add("ReduceMean", {g.x}, rows)});
    const int32_t variance = g.add("ReduceMean", {g.add("Mul", {d, d})}, rows);
    const int32_t root = g.add("Sqrt", {g.add("Add", {variance, g.build.scalar(1e-5f)})});
    const int32_t y = g.add("Mul", {g.add("Div", {d, root}), g.constant({1, 1, 5}, 1)});
    const Graph after = same_result(g.finish({y}), fuse_norms, 1e-5f);
    CHECK(after.nodes.back().op == "Mul");
    CHECK(count_of(after, "LayerNormalization") == 1);
  }
  SECTION("RMSNormalization, of which epsilon has it") {
    const int32_t square = g.add("ReduceMean", {g.add("Mul", {g.x, g.x})}, rows);
    const int32_t root = g.add("Sqrt", {g.add("Add", {square, number(1e-5f)})});
    check_kept(g.add("Div", {g.x, root}), fuse_norms);
  }
}

TEST_CASE("long chains are looked at once") {
  TestGraph g({2});
  const int32_t two = g.build.scalar(1.0f);
  int32_t y = g.x;
  for (int i = 0; i < 30000; ++i) y = g.add("Mul", {y, i % 2 == 0 ? two : g.x});
  for (int i = 0; i < 40; ++i) y = g.add("Add", {y, y});
  g.finish({y});
  PassContext context;
  CHECK(fuse_activations(g.graph, context).nodes.size() == g.graph.nodes.size());
  CHECK(fuse_norms(g.graph, context).nodes.size() == g.graph.nodes.size());
}

TEST_CASE("constants whose product takes long are left to the run, with a note") {
  TestGraph g({1});
  const auto zeros = [&](Dims dims) {
    const auto count = static_cast<size_t>(dims[0] * dims[1]);
    return g.build.constant(MDL_FLOAT32, std::move(dims), Floats(count, 0));
  };
  const int32_t small = g.add("MatMul", {zeros({64, 64}), zeros({64, 64})});
  const int32_t large = g.add("MatMul", {zeros({1500, 1500}), zeros({1500, 1500})});
  const int32_t y = g.add("Add", {g.x, large});
  const Graph& graph = g.finish({y, g.add("Add", {g.x, small})});
  CHECK(count_of(graph, "MatMul") == 1);
  PassContext context;
  CHECK(count_of(fold_constants(graph, context), "MatMul") == 1);
  REQUIRE(context.notes.size() == 1);
  CHECK(context.notes[0].find("(MatMul) reads constants alone") != std::string::npos);
}
