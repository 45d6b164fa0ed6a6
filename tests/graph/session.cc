// SPDX-License-Identifier: Apache-2.0
// What sessions promise: states, shapes, cancel, profile, threads.
#include <atomic>
#include <thread>

#include "tests/graph/accumulator.h"
#include "tests/graph/pitch_backend.h"
#include "tests/threads.h"

using namespace medulla;
using namespace medulla::test;

namespace {

// past grows by x; y is the sum of all.
struct Appender {
  Appender() {
    const int32_t x = b.input("x", {2, 1, 3});
    const int32_t past = b.state("past", {2, 3, 3}, MDL_STATE_APPEND, 1);
    const int32_t fresh = b.node("Identity", {x}, {}, "fresh");
    b.write(past, fresh);
    const int32_t all = b.node("Concat", {past, x}, {{"axis", int64_t{1}}}, "all");
    b.symbol(all, 1, "grown");
    b.output(b.node("Relu", {all}, {}, "y"));
    b.symbol(all + 1, 1, "grown");
  }
  GraphBuilder b;
};

std::vector<uint8_t> save(const mdl_session* session) {
  std::vector<uint8_t> data(mdl_session_state_bytes(session));
  REQUIRE(mdl_session_save(session, data.data(), data.size(), nullptr) == MDL_OK);
  return data;
}

}  // namespace

TEST_CASE("states are carried on, saved, restored and reset") {
  Accumulator model;
  const ProgramHandle program = make_program(model.b.graph());
  const SessionHandle session = make_session(program.get());
  CHECK(step(session.get(), {1, 2, 3}) == std::vector<float>{11, 22, 33});
  const std::vector<uint8_t> saved = save(session.get());
  CHECK(step(session.get(), {1, 2, 3}) == std::vector<float>{12, 24, 36});
  const SessionHandle other = make_session(program.get());
  REQUIRE(mdl_session_restore(other.get(), saved.data(), saved.size(), nullptr) == MDL_OK);
  CHECK(step(other.get(), {1, 2, 3}) == std::vector<float>{12, 24, 36});
  CHECK(save(other.get()) == save(session.get()));
  REQUIRE(mdl_session_reset(session.get(), nullptr) == MDL_OK);
  CHECK(step(session.get(), {1, 2, 3}) == std::vector<float>{11, 22, 33});

  SECTION("what is no saved state of the model changes nothing") {
    const std::vector<uint8_t> before = save(session.get());
    mdl_error error = MDL_ERROR_INIT;
    for (size_t size = 0; size < saved.size(); ++size) {
      CHECK(mdl_session_restore(session.get(), saved.data(), size, &error) == MDL_ERROR_STATE);
    }
    for (size_t at = 0; at < 48; ++at) {
      std::vector<uint8_t> bad = saved;
      bad[at] ^= 0x40;
      CHECK(mdl_session_restore(session.get(), bad.data(), bad.size(), &error) == MDL_ERROR_STATE);
    }
    for (size_t at = 0; at < saved.size() * 8; ++at) {
      CAPTURE(at);
      std::vector<uint8_t> bad = saved;
      bad[at / 8] ^= static_cast<uint8_t>(1u << at % 8);
      error = MDL_ERROR_INIT;
      const mdl_status status = mdl_session_restore(session.get(), bad.data(), bad.size(), &error);
      CHECK((status == MDL_ERROR_STATE || status == MDL_ERROR_DIGEST));
      CHECK(error.status == status);
      CHECK(error.text[0] != 0);
    }
    CHECK(save(session.get()) == before);
  }
}

TEST_CASE("a cancelled run leaves states as they were") {
  Accumulator model;
  const ProgramHandle program = make_program(model.b.graph());
  const SessionHandle session = make_session(program.get());
  step(session.get(), {1, 2, 3});
  const std::vector<uint8_t> before = save(session.get());
  mdl_session_cancel(session.get());
  CHECK(mdl_session_run(session.get()) == MDL_ERROR_CANCELLED);
  CHECK(std::string(mdl_session_error(session.get())).find("cancelled") != std::string::npos);
  CHECK(save(session.get()) == before);
  // It counts for one run.
  CHECK(step(session.get(), {1, 2, 3}) == std::vector<float>{12, 24, 36});
}

TEST_CASE("a run is cancelled from another thread") {
  GraphBuilder b;
  int32_t x = b.input("x", {1 << 16});
  for (int i = 0; i < 400; ++i)
    x = b.node("Add", {x, b.constant("c" + std::to_string(i), {1}, {1})});
  b.output(x);
  const ProgramHandle program = make_program(b.graph());
  const SessionHandle session = make_session(program.get());
  std::atomic<bool> started = false;
  mdl_status status = MDL_OK;
  std::thread runner([&] {
    started = true;
    while (status == MDL_OK) status = mdl_session_run(session.get());
  });
  while (!started) std::this_thread::yield();
  mdl_session_cancel(session.get());
  runner.join();
  CHECK(status == MDL_ERROR_CANCELLED);
}

TEST_CASE("a failed run leaves states as they were") {
  GraphBuilder b;
  const int32_t x = b.input("x", {3});
  const int32_t h = b.state("h", {3});
  b.write(h, b.node("Add", {h, x}));
  b.output(b.node("Add", {x, x}, {}, "twice"));
  const ProgramHandle program = make_program(b.graph());
  mdl_session_options options = MDL_SESSION_OPTIONS_INIT;
  options.check_finite = 1;
  const SessionHandle session = make_session(program.get(), &options);
  step(session.get(), {1, 2, 3});
  const std::vector<uint8_t> before = save(session.get());
  set_input(session.get(), 0, {0, 3e38f, 0});
  CHECK(mdl_session_run(session.get()) == MDL_ERROR_NOT_FINITE);
  const std::string text = mdl_session_error(session.get());
  INFO(text);
  CHECK(text.find("'twice'") != std::string::npos);
  CHECK(text.find("element 1") != std::string::npos);
  CHECK(save(session.get()) == before);
}

TEST_CASE("a state that appends grows until it is full") {
  Appender model;
  const ProgramHandle program = make_program(model.b.graph());
  const SessionHandle session = make_session(program.get());
  using Values = std::vector<float>;
  CHECK(step(session.get(), {1, 2, 3, 4, 5, 6}) == Values{1, 2, 3, 4, 5, 6});
  CHECK(step(session.get(), {7, 7, 7, 8, 8, 8}) == Values{1, 2, 3, 7, 7, 7, 4, 5, 6, 8, 8, 8});
  const std::vector<uint8_t> two = save(session.get());
  CHECK(step(session.get(), {9, 9, 9, 0, 0, 0}) ==
        Values{1, 2, 3, 7, 7, 7, 9, 9, 9, 4, 5, 6, 8, 8, 8, 0, 0, 0});
  const std::vector<uint8_t> full = save(session.get());
  CHECK(mdl_session_run(session.get()) == MDL_ERROR_STATE);
  CHECK(std::string(mdl_session_error(session.get())).find("'past' is full") != std::string::npos);
  CHECK(save(session.get()) == full);
  REQUIRE(mdl_session_restore(session.get(), two.data(), two.size(), nullptr) == MDL_OK);
  CHECK(step(session.get(), {9, 9, 9, 0, 0, 0}) ==
        Values{1, 2, 3, 7, 7, 7, 9, 9, 9, 4, 5, 6, 8, 8, 8, 0, 0, 0});
  REQUIRE(mdl_session_reset(session.get(), nullptr) == MDL_OK);
  CHECK(step(session.get(), {1, 2, 3, 4, 5, 6}) == Values{1, 2, 3, 4, 5, 6});
}

TEST_CASE("a state that appends what grows with it grows until it is full") {
  GraphBuilder b;
  const int32_t x = b.input("x", {1, 2});
  const int32_t past = b.state("past", {6, 2}, MDL_STATE_APPEND, 0);
  const int32_t all = b.node("Concat", {past, x}, {{"axis", int64_t{0}}}, "all");
  b.symbol(all, 0, "grown");
  b.write(past, all);
  b.output(all);
  const ProgramHandle program = make_program(b.graph());
  const SessionHandle session = make_session(program.get());
  using Values = std::vector<float>;
  CHECK(step(session.get(), {1, 2}) == Values{1, 2});
  CHECK(step(session.get(), {3, 4}) == Values{1, 2, 3, 4});
  const std::vector<uint8_t> three = save(session.get());
  for (int i = 0; i < 2; ++i) {
    CHECK(mdl_session_run(session.get()) == MDL_ERROR_STATE);
    const std::string text = mdl_session_error(session.get());
    INFO(text);
    CHECK(text.find("holds 3 of 6 along dimension 0, and the run would append 4") !=
          std::string::npos);
    CHECK(save(session.get()) == three);
    REQUIRE(mdl_session_restore(session.get(), three.data(), three.size(), nullptr) == MDL_OK);
  }
  // What an earlier run would have appended is not what this one does.
  REQUIRE(mdl_session_reset(session.get(), nullptr) == MDL_OK);
  CHECK(step(session.get(), {5, 6}) == Values{5, 6});
}

TEST_CASE("a smaller batch gives the bytes of a model made for it") {
  const auto make = [](GraphBuilder& b, int64_t batch) {
    const int32_t x = b.input("x", {batch, 5}, {0});
    const int32_t y = b.node("Relu", {x});
    b.symbol(y, 0, "dim0");
    const int32_t z = b.node("Concat", {x, y}, {{"axis", int64_t{1}}});
    b.symbol(z, 0, "dim0");
    const int32_t w = b.node("Add", {z, z});
    b.symbol(w, 0, "dim0");
    b.output(w);
  };
  GraphBuilder large;
  GraphBuilder small;
  make(large, 8);
  make(small, 3);
  const mdl_backend* extra = &pitch_backend();
  mdl_program_options options = MDL_PROGRAM_OPTIONS_INIT;
  options.backends = "pitch";
  options.extra_backends = &extra;
  options.extra_backend_count = 1;
  const ProgramHandle p = make_program(large.graph(), &options);
  const ProgramHandle q = make_program(small.graph(), &options);
  const SessionHandle s = make_session(p.get());
  const SessionHandle t = make_session(q.get());
  std::vector<float> values(15);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) - 7;
  const int64_t three[] = {3, 5};
  const int64_t nine[] = {9, 5};
  const int64_t other[] = {3, 4};
  const int64_t* dims = three;
  mdl_error error = MDL_ERROR_INIT;
  REQUIRE(mdl_session_resize(s.get(), &dims, 1, &error) == MDL_OK);
  CHECK(step(s.get(), values) == step(t.get(), values));

  dims = nine;
  CHECK(mdl_session_resize(s.get(), &dims, 1, &error) == MDL_ERROR_SHAPE);
  CHECK(std::string(error.text) == "input 'x': dimension 0 is 9, should be 1 to 8");
  dims = other;
  CHECK(mdl_session_resize(s.get(), &dims, 1, &error) == MDL_ERROR_SHAPE);
  CHECK(std::string(error.text) == "input 'x': dimension 1 is 4, should be 5");
  CHECK(step(s.get(), values) == step(t.get(), values));
}

TEST_CASE("buffers of the caller are read and written in place") {
  Accumulator model;
  const ProgramHandle program = make_program(model.b.graph());
  const SessionHandle session = make_session(program.get());
  alignas(64) float x[16] = {1, 2, 3};
  alignas(64) float y[16] = {};
  REQUIRE(mdl_session_bind_input(session.get(), 0, x, sizeof(x), nullptr) == MDL_OK);
  REQUIRE(mdl_session_bind_output(session.get(), 0, y, sizeof(y), nullptr) == MDL_OK);
  REQUIRE(mdl_session_run(session.get()) == MDL_OK);
  CHECK(y[0] == 11);
  CHECK(get_output(session.get(), 0) == std::vector<float>{11, 22, 33});
  CHECK(mdl_session_set_input(session.get(), 0, x, 3, nullptr) == MDL_ERROR_UNSUPPORTED);
  mdl_error error = MDL_ERROR_INIT;
  CHECK(mdl_session_bind_input(session.get(), 0, x + 1, sizeof(x), &error) ==
        MDL_ERROR_INVALID_ARGUMENT);
  CHECK(mdl_session_bind_output(session.get(), 0, y, 8, &error) == MDL_ERROR_SHAPE);
  REQUIRE(mdl_session_bind_input(session.get(), 0, nullptr, 0, nullptr) == MDL_OK);
  REQUIRE(mdl_session_bind_output(session.get(), 0, nullptr, 0, nullptr) == MDL_OK);
  CHECK(step(session.get(), {1, 1, 1}) == std::vector<float>{12, 23, 34});
  CHECK(y[0] == 11);
}

TEST_CASE("kept tensors can be read after a run") {
  Accumulator model;
  mdl_program_options options = MDL_PROGRAM_OPTIONS_INIT;
  options.keep = "next";
  const ProgramHandle program = make_program(model.b.graph(), &options);
  const SessionHandle session = make_session(program.get());
  step(session.get(), {-11, 2, 3});
  const void* data = nullptr;
  mdl_tensor_info info = MDL_TENSOR_INFO_INIT;
  REQUIRE(mdl_session_tensor(session.get(), "next", &info, &data, nullptr) == MDL_OK);
  CHECK(info.rank == 1);
  CHECK(info.dims[0] == 3);
  CHECK(static_cast<const float*>(data)[0] == -1);
  REQUIRE(mdl_session_tensor(session.get(), "h", nullptr, &data, nullptr) == MDL_OK);
  CHECK(static_cast<const float*>(data)[2] == 33);
  CHECK(mdl_session_tensor(session.get(), "nothing", nullptr, &data, nullptr) ==
        MDL_ERROR_NOT_FOUND);
  options.keep = "nothing";
  mdl_program* none = nullptr;
  CHECK(create_program(model.b.graph(), nullptr, &options, true, &none, nullptr) ==
        MDL_ERROR_NOT_FOUND);
}

TEST_CASE("a profile has every step") {
  Accumulator model;
  const ProgramHandle program = make_program(model.b.graph());
  mdl_session_options options = MDL_SESSION_OPTIONS_INIT;
  options.profile = 1;
  const SessionHandle session = make_session(program.get(), &options);
  std::vector<std::string> ops;
  const auto visit = [](void* context, const mdl_step_profile* profile) {
    static_cast<std::vector<std::string>*>(context)->push_back(profile->op);
    return 1;
  };
  CHECK(mdl_session_profile(session.get(), visit, &ops, nullptr) == MDL_ERROR_UNSUPPORTED);
  step(session.get(), {1, 2, 3});
  REQUIRE(mdl_session_profile(session.get(), visit, &ops, nullptr) == MDL_OK);
  CHECK(ops.size() == mdl_program_step_count(program.get()));
}

TEST_CASE("results do not depend on the number of threads") {
  GraphBuilder b;
  int32_t x = b.input("x", {37, 5});
  int32_t y = b.node("Relu", {x});
  for (int i = 0; i < 4; ++i) y = b.node("Relu", {b.node("Add", {x, y})});
  b.output(b.node("Concat", {x, y}, {{"axis", int64_t{1}}}));
  const mdl_backend* extra = &pitch_backend();
  mdl_program_options program_options = MDL_PROGRAM_OPTIONS_INIT;
  program_options.backends = "pitch";
  program_options.extra_backends = &extra;
  program_options.extra_backend_count = 1;
  const ProgramHandle program = make_program(b.graph(), &program_options);
  std::vector<float> values(37 * 5);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 11) - 5;
  std::vector<float> expected;
  for (const size_t threads : {1, 2, 8}) {
    const mdl_thread_pool pool = {nullptr, threads, run_on_threads};
    mdl_session_options options = MDL_SESSION_OPTIONS_INIT;
    options.pool = &pool;
    const SessionHandle session = make_session(program.get(), &options);
    const std::vector<float> result = step(session.get(), values);
    if (expected.empty()) expected = result;
    CHECK(result == expected);
  }
#if MEDULLA_THREADS
  for (const uint32_t threads : {2u, 3u}) {
    mdl_session_options options = MDL_SESSION_OPTIONS_INIT;
    options.threads = threads;
    const SessionHandle session = make_session(program.get(), &options);
    for (int repeat = 0; repeat < 5; ++repeat) CHECK(step(session.get(), values) == expected);
  }
#endif
}

TEST_CASE("sessions of one program run at once") {
  Accumulator model;
  const ProgramHandle program = make_program(model.b.graph());
  std::vector<std::vector<float>> results(4);
  std::vector<std::thread> threads;
  for (auto& result : results) {
    threads.emplace_back([&] {
      const SessionHandle session = make_session(program.get());
      for (int i = 0; i < 100; ++i) result = step(session.get(), {1, 2, 3});
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& result : results) CHECK(result == std::vector<float>{110, 220, 330});
}
