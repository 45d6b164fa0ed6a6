// SPDX-License-Identifier: Apache-2.0
// What bad input gets: exit status 1 for work that cannot be done, 2 for a wrong command line, and
// a text that names the culprit and what would be right.
#include <limits>

#include "tests/command/shell.h"

namespace medulla::test {
namespace {

struct Case {
  std::string arguments;
  int status;
  std::vector<std::string> says;
};

void check_refused(const Shell& shell, const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    const Outcome outcome = shell.run(c.arguments);
    INFO("medulla " << c.arguments << "\n" << outcome.out << outcome.err);
    CHECK(outcome.status == c.status);
    for (const std::string& part : c.says) {
      INFO("should say: " << part);
      CHECK(outcome.err.find(part) != std::string::npos);
    }
    CHECK(!shell.has("y.npy"));
    for (const auto& entry : std::filesystem::directory_iterator(shell.path(""))) {
      CHECK(entry.path().string().find(".part") == std::string::npos);
    }
  }
}

TEST_CASE("a wrong command line") {
  const Shell shell;
  shell.write_shift_model("m.mdl");
  check_refused(shell, {
                           {"", 2, {"subcommand"}},
                           {"dance", 2, {"subcommand"}},
                           {"run", 2, {"model"}},
                           {"run m.mdl --bogus", 2, {"'--bogus' is not expected"}},
                           {"run m.mdl x.npy", 2, {"'x.npy'", "what run takes: model, options"}},
                           {"compare m.mdl y.npy --seed 4294967296",
                            2,
                            {"--seed", "'4294967296'", "at most 4294967295"}},
                           {"run m.mdl --threads many", 2, {"--threads", "many"}},
                           {"run m.mdl --threads 0", 2, {"--threads"}},
                           {"run m.mdl --numerics loose", 2, {"auto", "exact", "fast"}},
                           {"bench m.mdl --runs 0", 2, {"--runs", "1 or more"}},
                           {"bench m.mdl --runs 99999999999", 2, {"--runs", "at most 2147483647"}},
                           {"bench m.mdl --runs 1.5", 2, {"--runs", "'1.5'", "whole number"}},
                           {"run m.mdl --foo", 2, {"medulla run:", "--foo"}},
                           {"rnu m.mdl", 2, {"'rnu'", "inspect", "run"}},
                           {"bench m.mdl --warmup -1", 2, {"--warmup", "'-1'", "0 or more"}},
                           {"compare m.mdl y.npy --bound -1", 2, {"--bound", "0 or more"}},
                           {"compare m.mdl y.npy --units -1", 2, {"--units", "0 or more"}},
                           {"run m.mdl --dump shifted", 2, {"TENSOR=FILE"}},
                           {"run m.mdl --kernel gemm_f32", 2, {"family=row", "medulla isa"}},
                           {"run m.mdl --zeros --output =y.npy", 2, {"'=y.npy'", "NAME=FILE"}},
                           {"run m.mdl --zeros --output y=", 2, {"'y='", "NAME=FILE"}},
                           {"run m.mdl --zeros --output -", 2, {"'-'", "/dev/stdout"}},
                           {"run m.mdl --zeros --output y=o.png", 2, {"o.png", ".npy"}},
                           {"run m.mdl --zeros --dump shifted=o.npz", 2, {"o.npz", ".npy"}},
                           {"run m.mdl --zeros --output y=o.txt", 2, {"o.txt", ".npy", ".raw"}},
                       });
}

TEST_CASE("what is no model") {
  const Shell shell;
  shell.write_shift_model("m.mdl");
  const std::string whole = shell.text("m.mdl");
  shell.write("empty.mdl", "");
  shell.write("cut.mdl", whole.substr(0, whole.size() / 2));
  shell.write("head.mdl", whole.substr(0, 100));
  shell.write("long.mdl", whole + "more");
  shell.write("foreign.mdl", "\x7f" + std::string("ELF") + std::string(300, 'x'));
  check_refused(shell, {{"run ''", 1, {"path is empty"}}});
  std::string flipped = whole;
  flipped[whole.size() / 2] ^= 4;
  shell.write("flipped.mdl", flipped);
  std::filesystem::create_directory(shell.path("folder.mdl"));
  for (const char* command : {"run", "inspect", "bench", "verify"}) {
    std::vector<Case> cases;
    for (const char* name : {"absent.mdl", "empty.mdl", "cut.mdl", "head.mdl", "long.mdl",
                             "foreign.mdl", "flipped.mdl", "folder.mdl"}) {
      cases.push_back({std::string(command) + " " + name, 1, {name}});
    }
    check_refused(shell, cases);
  }
  shell.write("source.onnx", "\x08\x07\x12\x07pytorch");
  check_refused(shell, {{"run source.onnx", 1, {"of ONNX", "medulla convert source.onnx"}}});
}

TEST_CASE("inputs that do not fit") {
  const Shell shell;
  shell.write_shift_model("m.mdl");
  using Floats = std::vector<float>;
  shell.write_npy("good.npy", MDL_FLOAT32, {1, 4}, Floats(4));
  shell.write_npy("wide.npy", MDL_FLOAT32, {1, 5}, Floats(5));
  shell.write_npy("deep.npy", MDL_FLOAT32, {2, 2, 1}, Floats(4));
  const std::string good = shell.text("good.npy");
  shell.write("cut.npy", good.substr(0, good.size() - 3));
  shell.write("headless.npy", good.substr(0, 40));
  shell.write("foreign.npy", "1,2,3,4");
  const auto changed = [&](const char* name, const std::string& from, const std::string& to) {
    std::string text = good;
    shell.write(name, text.replace(text.find(from), from.size(), to));
  };
  changed("complex.npy", "<f4", "<c8");
  changed("swapped.npy", "<f4", ">f4");
  changed("record.npy", "'<f4'", "['f'] ");
  changed("fortran.npy", "False", "True ");
  changed("negative.npy", "(1, 4)", "(1,-4)");
  changed("key.npy", "'shape'", "'shade'");
  shell.write("word.csv", "1,2,three,4");
  shell.write("few.csv", "1,2,3");
  shell.write("none.csv", "");
  shell.write("short.bin", "12345");
  shell.write("photo.bmp", "12345");
  shell.write("broken.png", "no picture");
  shell.write("several.npz", std::string(16, ' '));
  std::filesystem::create_directory(shell.path("folder.npy"));
  const std::string run = "run m.mdl --output y.npy --input ";
  check_refused(shell,
                {
                    {run + "absent.npy", 1, {"absent.npy", "No such file"}},
                    {run + "folder.npy", 1, {"folder.npy", "directory"}},
                    {run + "wide.npy", 1, {"wide.npy", "[1,5]", "'x'", "float32 [1,4]"}},
                    {run + "deep.npy", 1, {"deep.npy", "[2,2,1]", "'x'", "float32 [1,4]"}},
                    {run + "cut.npy", 1, {"cut.npy", "13", "16"}},
                    {run + "headless.npy", 1, {"headless.npy", "header"}},
                    {run + "foreign.npy", 1, {"foreign.npy", "numpy.save"}},
                    {run + "complex.npy", 1, {"complex.npy", "<c8", "float"}},
                    {run + "swapped.npy", 1, {"swapped.npy", ">f4", "little-endian"}},
                    {run + "record.npy", 1, {"record.npy", "plain numbers"}},
                    {run + "fortran.npy", 1, {"fortran.npy", "C order"}},
                    {run + "negative.npy", 1, {"negative.npy"}},
                    {run + "key.npy", 1, {"key.npy"}},
                    {run + "word.csv", 1, {"word.csv, line 1, column 3", "'three'"}},
                    {run + "none.csv", 1, {"none.csv", "[0]"}},
                    {run + "few.csv", 1, {"few.csv", "[3]", "[1,4]"}},
                    {run + "short.bin", 1, {"short.bin", "5 bytes", "16"}},
                    {run + "photo.bmp", 1, {"photo.bmp", "pictures .png, .jpg", ".ppm"}},
                    {run + "broken.png", 1, {"broken.png", "rank 4"}},
                    {run + "nosuch=good.npy", 1, {"nosuch", "x"}},
                    {run + "good.npy --input good.npy", 1, {"only 1 input"}},
                    {run + "good.npy --input x=wide.npy", 1, {"wide.npy", "'x'", "good.npy"}},
                    {run + "several.npz", 1, {"several.npz", "numpy.save"}},
                });
}

TEST_CASE("numbers that an integer input cannot take") {
  const Shell shell;
  ModelBuilder b;
  b.output(b.node("Identity", {b.input("ids", {4}, MDL_INT64)}, "same"));
  b.bytes();
  tools::write_model(b.model, shell.path("m.mdl"));
  shell.write_npy("floats.npy", MDL_FLOAT32, {4}, std::vector<float>(4));
  check_refused(shell, {{"run m.mdl --input floats.npy --output y.npy",
                         1,
                         {"floats.npy", "float32", "'ids'", "int64"}}});
  shell.write("half.csv", "1,2\n3,2.5\n");
  shell.write("great.csv", "1,2,9223372036854775808,4");
  const std::string run = "run m.mdl --output y.npy --input ";
  check_refused(shell, {{run + "half.csv", 1, {"half.csv, line 2, column 2", "'2.5'", "'ids'"}},
                        {run + "great.csv", 1, {"line 1, column 3", "int64"}}});
}

TEST_CASE("pictures that are none, or cut off") {
  const Shell shell;
  ModelBuilder b;
  b.output(b.node("Relu", {b.input("x", {1, 2, 2, 3})}, "y"));
  b.bytes();
  tools::write_model(b.model, shell.path("m.mdl"));
  shell.write("text.png", "no picture");
  shell.write("cut.jpg", "\xff\xd8\xff\xe0");
  if (shell.run("run m.mdl --input text.png").err.find("reads no pictures") != std::string::npos) {
    WARN("skipped: built without libstb-dev");
    return;
  }
  const std::string run = "run m.mdl --output y.npy --input ";
  check_refused(shell, {{run + "text.png", 1, {"text.png", "no PNG, JPEG, PGM or PPM"}},
                        {run + "cut.jpg", 1, {"cut.jpg", "damaged or cut off"}}});
}

TEST_CASE("names that do not exist say what does") {
  const Shell shell;
  shell.write_shift_model("m.mdl");
  check_refused(shell,
                {
                    {"run m.mdl --dump nosuch=d.npy", 1, {"nosuch", "'x', 'shifted', 'y'"}},
                    {"run m.mdl --output nosuch=d.npy", 1, {"nosuch", "y"}},
                    {"run m.mdl --kernel gemm_f33=portable", 1, {"gemm_f33", "gemm_f32"}},
                    {"run m.mdl --kernel gemm_f32=nosuch", 1, {"nosuch", "gemm_f32", "portable"}},
                    {"run m.mdl --isa mmx", 2, {"mmx"}},
                    {"isa --isa mmx", 2, {"mmx", "avx2", "neon"}},
                    {"run m.mdl --backends nosuch", 1, {"nosuch", "cpu", "reference"}},
                });
}

TEST_CASE("outputs that cannot be written") {
  const Shell shell;
  shell.write_shift_model("m.mdl");
  shell.write("old.json", "{}");
  check_refused(
      shell,
      {
          {"run m.mdl --zeros --output missing/z.npy", 1, {"missing/z.npy", "folder"}},
          {"run m.mdl --zeros --output .", 1, {"directory"}},
          {"run m.mdl --output a.npy --output b.npy", 1, {"only 1 output"}},
          {"run m.mdl --zeros --output y.npy --dump shifted=missing/s.npy",
           1,
           {"missing/s.npy", "folder"}},
          {"run m.mdl --zeros --output y.npy --dump shifted=./y.npy", 1, {"./y.npy", "same file"}},
          {"run m.mdl --zeros --output y=y.npy --output y=\"$PWD\"/y.npy", 1, {"same file"}},
          {"inspect m.mdl --html p --dot p", 1, {"p: ", "same file"}},
          {"inspect m.mdl --html p --ops", 2, {"--html", "--ops"}},
          {"inspect m.mdl --html p --ops --json", 2, {"--html", "--ops"}},
          {"inspect m.mdl --html p --plan", 2, {"--html", "--plan"}},
          {"inspect m.mdl --dot p --ops", 2, {"--dot", "--ops"}},
          {"inspect m.mdl --html missing/p.html", 1, {"missing/p.html"}},
          {"inspect m.mdl --dot missing/p.dot", 1, {"missing/p.dot"}},
          {"bench m.mdl --runs 1 --against old.json", 1, {"old.json", "--json"}},
          {"bench m.mdl --runs 1 --against absent", 1, {"absent", "No such file"}},
      });
}

TEST_CASE("an old measurement is checked before the new one") {
  const Shell shell;
  shell.write_shift_model("m.mdl");
  for (const char* text :
       {"", "[]", "3", "null", "{\"runs_ms\":[]}", "{\"runs_ms\":3}", "{\"runs_ms\":[0]}",
        "{\"runs_ms\":[\"a\",null]}", "{\"runs_ms\":[1,null]}"}) {
    INFO(text);
    shell.write("old.json", text);
    check_refused(shell, {{"bench m.mdl --runs 1000000000 --against old.json",
                           1,
                           {"old.json", "bench --json printed"}}});
  }
}

TEST_CASE("a NaN is caught at the step that makes it when asked for") {
  const Shell shell;
  shell.write_shift_model("m.mdl");
  const float nan = std::numeric_limits<float>::quiet_NaN();
  shell.write_npy("x.npy", MDL_FLOAT32, {1, 4}, std::vector<float>{0, nan, 0, 0});
  check_refused(
      shell,
      {{"run m.mdl --check-finite --input x.npy --output y.npy", 1, {"MDL_ERROR_NOT_FINITE"}}});
}

}  // namespace
}  // namespace medulla::test
