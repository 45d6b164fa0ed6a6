// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "tests/command/shell.h"

namespace medulla::test {
namespace {

using Floats = std::vector<float>;

TEST_CASE("run takes and gives npy, csv and raw") {
  const Shell shell;
  shell.write_shift_model("m.mdl");
  shell.write_npy("x.npy", MDL_FLOAT32, {1, 4}, Floats{-3, -1, 0, 2.5f});
  REQUIRE(shell.run("run m.mdl --input x.npy --output y.npy").status == 0);
  CHECK(tools::read_npy(shell.path("y.npy")).shape == std::vector<int64_t>{1, 4});
  CHECK(shell.floats("y.npy") == Floats{0, 0, 1, 3.5f});

  shell.write("x.csv", "-3,-1\n0;2.5\n");
  REQUIRE(shell.run("run m.mdl --input x=x.csv --output y=y.csv").status == 0);
  CHECK(shell.text("y.csv") == "0\n0\n1\n3.5\n");

  const float raw[] = {-3, -1, 0, 2.5f};
  shell.write("x.bin", std::string(reinterpret_cast<const char*>(raw), sizeof(raw)));
  REQUIRE(shell.run("run m.mdl --input x.bin --output y.bin").status == 0);
  const float expected[] = {0, 0, 1, 3.5f};
  CHECK(shell.text("y.bin") ==
        std::string(reinterpret_cast<const char*>(expected), sizeof(expected)));
}

TEST_CASE("run converts numbers to the input's dtype, and fits leading ones") {
  const Shell shell;
  shell.write_shift_model("m.mdl");
  shell.write_npy("x.npy", MDL_INT16, {4}, std::vector<int16_t>{-3, -1, 0, 2});
  REQUIRE(shell.run("run m.mdl --input x.npy --output y.npy").status == 0);
  CHECK(shell.floats("y.npy") == Floats{0, 0, 1, 3});
}

TEST_CASE("whole numbers of a csv feed inputs of integers and truth") {
  const Shell shell;
  for (const mdl_dtype dtype : {MDL_BOOL, MDL_INT8, MDL_UINT16, MDL_INT32, MDL_INT64, MDL_UINT64}) {
    INFO(mdl_dtype_name(dtype));
    ModelBuilder b;
    b.output(b.node("Identity", {b.input("ids", {4}, dtype)}, "same"));
    b.bytes();
    tools::write_model(b.model, shell.path("m.mdl"));
    shell.write("ids.csv", "1,0\n1.0 1e0\n");
    const Outcome outcome = shell.run("run m.mdl --input ids.csv --output y.npy");
    INFO(outcome.err);
    REQUIRE(outcome.status == 0);
    CHECK(tools::read_npy(shell.path("y.npy")).dtype == dtype);
    CHECK(shell.floats("y.npy") == Floats{1, 0, 1, 1});
  }
  ModelBuilder b;
  b.output(b.node("Identity", {b.input("ids", {2}, MDL_INT64)}, "same"));
  b.bytes();
  tools::write_model(b.model, shell.path("m.mdl"));
  shell.write("ids.csv", "-9223372036854775808,9007199254740993");
  REQUIRE(shell.run("run m.mdl --input ids.csv --output y.raw").status == 0);
  int64_t found[2] = {};
  const std::string bytes = shell.text("y.raw");
  REQUIRE(bytes.size() == sizeof(found));
  std::memcpy(found, bytes.data(), sizeof(found));
  CHECK(found[0] == std::numeric_limits<int64_t>::min());
  CHECK(found[1] == 9007199254740993);
}

TEST_CASE("run says which inputs have no file, and feeds zeros only when told") {
  const Shell shell;
  shell.write_shift_model("m.mdl");
  const Outcome outcome = shell.run("run m.mdl --output y.npy");
  CHECK(outcome.status == 1);
  for (const char* part : {"'x'", "float32 [1,4]", "--zeros"}) {
    CHECK(outcome.err.find(part) != std::string::npos);
  }
  CHECK(!shell.has("y.npy"));
}

TEST_CASE("run tells NaN from the greatest") {
  const Shell shell;
  ModelBuilder b;
  b.output(b.node("Identity", {b.input("x", {1, 4})}, "y"));
  b.bytes();
  tools::write_model(b.model, shell.path("m.mdl"));
  shell.write("x.csv", "nan,1,3,2");
  const nlohmann::json output = shell.json("run m.mdl --input x.csv")["outputs"][0];
  CHECK(output["nan"] == 1);
  CHECK(output["greatest_at"] == 2);
  shell.write("x.csv", "nan,nan,nan,nan");
  const Outcome outcome = shell.run("run m.mdl --input x.csv");
  CHECK(outcome.out.find("4 values are NaN") != std::string::npos);
  CHECK(outcome.out.find("greatest") == std::string::npos);
}

TEST_CASE("a model without inputs runs") {
  const Shell shell;
  ModelBuilder b;
  b.output(b.node("Relu", {b.constant("c", {2}, {-1, 2})}, "y"));
  b.bytes();
  tools::write_model(b.model, shell.path("m.mdl"));
  REQUIRE(shell.run("run m.mdl --output y.npy").status == 0);
  CHECK(shell.floats("y.npy") == Floats{0, 2});
}

TEST_CASE("names do not steer the terminal") {
  const Shell shell;
  ModelBuilder b;
  b.output(b.node("Relu", {b.input("a\x1b[31mb\xc2\x9b", {1, 4})}, "\xc3\xa9"));
  b.bytes();
  tools::write_model(b.model, shell.path("m.mdl"));
  const Outcome shown = shell.run("inspect m.mdl");
  CHECK(shown.status == 0);
  const std::string all = shown.out + shell.run("run m.mdl").err;
  CHECK(all.find('\x1b') == std::string::npos);
  CHECK(all.find("\xc2\x9b") == std::string::npos);
  CHECK(all.find("a\\x1b[31mb\\x9b") != std::string::npos);
  CHECK(all.find("\xc3\xa9") != std::string::npos);
}

TEST_CASE("JSON tells of files whose names are no UTF-8") {
  const Shell shell;
  shell.write_shift_model("\xff.mdl");
  CHECK(shell.json("inspect '\xff.mdl'")["file"] == "\xef\xbf\xbd.mdl");
  CHECK(shell.json("verify '\xff.mdl'")["valid"] == true);
  CHECK(shell.json("bench --runs 1 '\xff.mdl'")["model"] == "\xef\xbf\xbd.mdl");
  CHECK(shell.json("run --zeros '\xff.mdl'").contains("outputs"));
  const std::string control = "a\x7f\xc2\x9b.mdl";
  shell.write_shift_model(control);
  CHECK(shell.json("verify '" + control + "'")["model"] == control);
}

TEST_CASE("numbers of another dtype are told, and refused when they would become others") {
  const Shell shell;
  shell.write_shift_model("m.mdl");
  shell.write_npy("x.npy", MDL_INT32, {1, 4}, std::vector<int32_t>{1, 2, 3, 4});
  const Outcome told = shell.run("run m.mdl --input x.npy");
  CHECK(told.status == 0);
  CHECK(told.err.find("int32") != std::string::npos);
  shell.write_npy("x.npy", MDL_INT32, {1, 4}, std::vector<int32_t>{1, 2, 3, (1 << 25) + 1});
  CHECK(shell.run("run m.mdl --input x.npy").status == 1);
}

TEST_CASE("run says what it found") {
  const Shell shell;
  shell.write_shift_model("m.mdl");
  const Outcome outcome = shell.run("run m.mdl --zeros --json");
  const nlohmann::json output = nlohmann::json::parse(outcome.out)["outputs"][0];
  CHECK(output["name"] == "y");
  CHECK(output["shape"] == nlohmann::json({1, 4}));
  CHECK(output["first"] == nlohmann::json({1.0, 1.0, 1.0, 1.0}));
}

TEST_CASE("a dump keeps a tensor that would have been fused away") {
  const Shell shell;
  shell.write_shift_model("m.mdl");
  shell.write_npy("x.npy", MDL_FLOAT32, {1, 4}, Floats{-3, -1, 0, 2});
  REQUIRE(shell.run("run m.mdl --input x.npy --dump shifted=s.npy --output y.npy").status == 0);
  CHECK(shell.floats("s.npy") == Floats{-2, 0, 1, 3});
  CHECK(shell.floats("y.npy") == Floats{0, 0, 1, 3});
}

TEST_CASE("pictures become inputs through the model's preprocessing") {
  const Shell shell;
  for (const std::string layout : {"NHWC", "NCHW"}) {
    ModelBuilder b;
    const std::vector<int64_t> dims =
        layout == "NHWC" ? std::vector<int64_t>{1, 2, 2, 3} : std::vector<int64_t>{1, 3, 2, 2};
    b.output(b.node("Relu", {b.input("picture", dims)}, "y"));
    b.bytes();
    b.model.preprocessing.push_back({0, layout, {0.5f}, {10}});
    tools::write_model(b.model, shell.path("m.mdl"));
    shell.write("p.ppm", std::string("P6\n2 2\n255\n") + "\x0a\x0c\x0e\x10\x12\x14\x16\x18\x1a" +
                             "\x1c\x1e\x20");
    const Outcome outcome = shell.run("run m.mdl --input p.ppm --output y.npy");
    if (outcome.err.find("reads no pictures") != std::string::npos) {
      WARN("skipped: built without libstb-dev");
      return;
    }
    INFO(layout << outcome.err);
    REQUIRE(outcome.status == 0);
    CHECK(outcome.err.find("preprocessing") == std::string::npos);
    CHECK(shell.floats("y.npy") == (layout == "NHWC"
                                        ? Floats{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}
                                        : Floats{0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11}));
  }
}

TEST_CASE("pixels that are fed as they are get a note") {
  const Shell shell;
  ModelBuilder b;
  b.output(b.node("Relu", {b.input("picture", {1, 1, 2, 1})}, "y"));
  b.bytes();
  tools::write_model(b.model, shell.path("m.mdl"));
  shell.write("p.pgm", "P5\n2 1\n255\n\x0a\x0c");
  const Outcome outcome = shell.run("run m.mdl --input p.pgm --output y.npy");
  if (outcome.err.find("reads no pictures") != std::string::npos) {
    WARN("skipped: built without libstb-dev");
    return;
  }
  REQUIRE(outcome.status == 0);
  CHECK(shell.floats("y.npy") == Floats{10, 12});
  CHECK(outcome.err.find("note: the model says nothing of preprocessing of 'picture'; pixels 0 to "
                         "255 are fed as they are (convert --preprocess)") != std::string::npos);
}

TEST_CASE("an array of pixels goes through the preprocessing, or gets the note") {
  const Shell shell;
  ModelBuilder b;
  const int32_t x = b.input("x", {2, 2, 1, 2});
  b.output(b.node("Relu", {x}, "y"));
  b.bytes();
  tools::write_model(b.model, shell.path("plain.mdl"));
  b.model.preprocessing.push_back({0, "NCHW", {0.5f, 2}, {10, 1}});
  tools::write_model(b.model, shell.path("m.mdl"));
  shell.write_npy("x.npy", MDL_UINT8, {2, 2, 1, 2},
                  std::vector<uint8_t>{10, 12, 1, 2, 20, 30, 3, 4});
  Outcome outcome = shell.run("run m.mdl --input x.npy --output y.npy");
  REQUIRE(outcome.status == 0);
  CHECK(outcome.err.empty());
  CHECK(shell.floats("y.npy") == Floats{0, 1, 0, 2, 5, 10, 4, 6});
  outcome = shell.run("run plain.mdl --input x.npy --output y.npy");
  REQUIRE(outcome.status == 0);
  CHECK(outcome.err.find("the model says nothing of preprocessing of 'x'") != std::string::npos);
  CHECK(shell.floats("y.npy") == Floats{10, 12, 1, 2, 20, 30, 3, 4});
}

TEST_CASE("channels of signals may be last too") {
  const Shell shell;
  ModelBuilder b;
  b.output(b.node("Relu", {b.input("x", {1, 3, 2})}, "y"));
  b.bytes();
  b.model.preprocessing.push_back({0, "NLC", {0.5f, 2}, {10, 1}});
  tools::write_model(b.model, shell.path("m.mdl"));
  shell.write_npy("x.npy", MDL_UINT8, {1, 3, 2}, std::vector<uint8_t>{10, 1, 20, 3, 30, 5});
  REQUIRE(shell.run("run m.mdl --input x.npy --output y.npy").status == 0);
  CHECK(shell.floats("y.npy") == Floats{0, 0, 5, 4, 10, 8});
}

TEST_CASE("outputs that no file took are named, when the files are not") {
  const Shell shell;
  ModelBuilder b;
  const int32_t x = b.input("x", {2});
  b.output(b.node("Relu", {x}, "y"));
  b.output(b.node("Neg", {x}, "z"));
  b.bytes();
  tools::write_model(b.model, shell.path("m.mdl"));
  CHECK(shell.run("run m.mdl --zeros --output y.npy").err ==
        "note: of 2 outputs written: 'y'; not written: 'z' (--output NAME=FILE)\n");
  CHECK(shell.run("run m.mdl --zeros --output z=y.npy").err.empty());
  CHECK(shell.run("run m.mdl --zeros --output y.npy --output z.npy").err.empty());
  CHECK(shell.run("run m.mdl --zeros").err.empty());
}

TEST_CASE("bench prints what a comparison of engines needs") {
  const Shell shell;
  shell.write_shift_model("m.mdl");
  shell.write_npy("x.npy", MDL_FLOAT32, {1, 4}, Floats{-3, -1, 0, 2});
  const nlohmann::json report = shell.json(
      "bench m.mdl --threads 1 --runs 7 --warmup 0 --input x.npy --output y.npy --profile");
  CHECK(report["runs_ms"].size() == 7);
  for (const char* key : {"load_ms", "first_run_ms", "arena_bytes", "peak_rss_kib"}) {
    INFO(key);
    CHECK(report[key].get<double>() > 0);
  }
  REQUIRE(!report["steps"].empty());
  CHECK(report["steps"][0]["us"].is_number());
  CHECK(shell.floats("y.npy") == Floats{0, 0, 1, 3});

  shell.write("old.json", report.dump());
  const nlohmann::json again = shell.json("bench m.mdl --runs 3 --input x.npy --against old.json");
  CHECK(again["against"]["ratio"].get<double>() > 0);
  CHECK(again["against"]["differs"].empty());
  const nlohmann::json other = shell.json(
      "bench ./m.mdl --runs 3 --isa portable --numerics exact --backends reference --check-finite "
      "--against old.json");
  const std::string notes = shell.text("stderr.txt");
  CHECK(notes.find("old.json was measured with another model: \"m.mdl\"") != std::string::npos);
  for (const char* key : {"model", "inputs", "check_finite", "isa", "numerics", "backends"}) {
    INFO(key);
    CHECK(notes.find(std::string("another ") + key) != std::string::npos);
    CHECK(other["against"]["differs"].dump().find(key) != std::string::npos);
  }

  nlohmann::json older = report;
  older.erase("cpu");
  shell.write("old.json", older.dump());
  const Outcome untold = shell.run("bench m.mdl --runs 3 --input x.npy --against old.json");
  CHECK(untold.err == "note: old.json does not tell its cpu\n");
}

TEST_CASE("bench measures a model whose state grows, each run from an empty one") {
  const Shell shell;
  ModelBuilder b;
  const int32_t past = b.state("past", {2, 3}, MDL_STATE_APPEND, 0, {"t", ""});
  const int32_t piece = b.node("Relu", {b.input("x", {1, 3})}, "piece");
  b.graph().states[0].written = piece;
  b.output(b.node("Concat", {past, piece}, "y", {{"axis", int64_t{0}}}));
  b.bytes();
  tools::write_model(b.model, shell.path("m.mdl"));
  CHECK(shell.json("bench m.mdl --runs 9 --profile")["runs_ms"].size() == 9);
}

TEST_CASE("run notes instruction sets that the CPU lacks") {
  const Shell shell;
  shell.write_shift_model("m.mdl");
  // No CPU has both.
  const Outcome outcome = shell.run("run m.mdl --zeros --isa avx2,neon");
  CHECK(outcome.status == 0);
  CHECK(outcome.err.find("this CPU lacks some of") != std::string::npos);
  CHECK(shell.run("run m.mdl --zeros --isa portable").err.empty());
  CHECK(shell.run("run m.mdl --zeros --isa all").err.empty());
}

TEST_CASE("a kernel row can be forced by name") {
  const Shell shell;
  ModelBuilder b;
  const int32_t w = b.constant("w", {8, 8}, Floats(64, 1));
  b.output(b.node("Gemm", {b.input("x", {16, 8}), w}, "y"));
  b.bytes();
  tools::write_model(b.model, shell.path("m.mdl"));
  const nlohmann::json rows = shell.json("isa")["families"]["gemm_f32"]["rows"];
  REQUIRE(!rows.empty());
  for (const nlohmann::json& row : rows) {
    const std::string name = row["kernel"];
    if (row["why_not"] != "") continue;
    const nlohmann::json plan = shell.json("inspect m.mdl --kernel gemm_f32=" + name)["plan"];
    CHECK(plan["steps"][0]["kernel"] == name);
  }
}

TEST_CASE("--isa and MEDULLA_ISA both narrow") {
  const Shell shell;
  shell.write_shift_model("m.mdl");
  struct Environment {
    explicit Environment(const char* value) { setenv("MEDULLA_ISA", value, 1); }
    ~Environment() { unsetenv("MEDULLA_ISA"); }
  };
  const nlohmann::json portable = shell.json("isa --isa portable");
  const nlohmann::json avx2 = shell.json("isa --isa avx2");  // on arm64 portable too
  {
    const Environment environment("portable");
    CHECK(shell.json("isa") == portable);
    CHECK(shell.json("isa --isa all") == portable);
  }
  {
    const Environment environment("avx2,sha");
    CHECK(shell.json("isa --isa avx512vnni") == avx2);
    CHECK(shell.json("isa --isa portable") == portable);
    const Outcome nothing = shell.run("run m.mdl --zeros --isa neon");
    CHECK(nothing.status == 1);
    CHECK(nothing.err.find("--isa neon") != std::string::npos);
    CHECK(nothing.err.find("MEDULLA_ISA=avx2,sha") != std::string::npos);
  }
  const Environment environment("mmx");
  for (const char* arguments : {"isa", "isa --isa avx2", "run m.mdl --zeros", "inspect m.mdl"}) {
    const Outcome outcome = shell.run(arguments);
    INFO("medulla " << arguments << "\n" << outcome.err);
    CHECK(outcome.status == 1);
    CHECK(outcome.err.find("MEDULLA_ISA: no instruction set is called 'mmx'") != std::string::npos);
  }
}

TEST_CASE("verify gives the digest, isa its choice, --version the build") {
  const Shell shell;
  shell.write_shift_model("m.mdl");
  CHECK(shell.json("verify m.mdl")["digest"].get<std::string>().size() == 64);
  const nlohmann::json isa = shell.json("isa --isa portable");
  CHECK(isa["families"]["gemm_f32"].contains("takes"));
  const Outcome version = shell.run("--version");
  CHECK(version.status == 0);
  CHECK(version.out.find("version") != std::string::npos);
  CHECK(version.out.find("kernels") != std::string::npos);
}

}  // namespace
}  // namespace medulla::test
