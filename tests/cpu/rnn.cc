// SPDX-License-Identifier: Apache-2.0
#include "tests/cpu/compare.h"

namespace medulla::test {

TEST_CASE("LSTM and GRU on the CPU give the reference's bytes", "[rnn]") {
  for (uint32_t seed = 0; seed < 150; ++seed) {
    CAPTURE(seed);
    GraphBuilder builder;
    Random random(seed);
    const bool lstm = random.one_in(2), bidirectional = random.one_in(3);
    const int64_t time = random.integer(1, random.one_in(4) ? 80 : 12);
    const int64_t batch = random.one_in(2) ? 1 : random.integer(1, 4);
    const int64_t width = random.integer(1, 40);
    const int64_t hidden = random.one_in(3) ? 16 * random.integer(1, 4) : random.integer(1, 70);
    const int64_t directions = bidirectional ? 2 : 1, gates = lstm ? 4 : 3;
    const bool batch_first = random.one_in(3);
    const auto floats = [&](const char* name, const Dims& dims) {
      size_t count = 1;
      for (int64_t d : dims) count *= static_cast<size_t>(d);
      std::vector<float> values = random.floats(count);
      for (float& v : values) v *= 0.25f;
      return builder.constant(name, dims, values);
    };
    const Dims state =
        batch_first ? Dims{batch, directions, hidden} : Dims{directions, batch, hidden};
    const auto initial = [&](const char* name) {
      if (random.one_in(3)) return -1;
      return random.one_in(3) ? floats(name, state) : builder.input(name, state);
    };
    std::vector<int32_t> inputs = {
        builder.input("x", batch_first ? Dims{batch, time, width} : Dims{time, batch, width}),
        floats("w", {directions, gates * hidden, width}),
        floats("r", {directions, gates * hidden, hidden}),
        random.one_in(4) ? -1 : floats("b", {directions, 2 * gates * hidden})};
    std::vector<int32_t> lens;
    for (int64_t b = 0; b < batch; ++b) {
      lens.push_back(static_cast<int32_t>(random.integer(0, time)));
    }
    inputs.push_back(random.one_in(2) ? -1 : builder.constant("lens", {batch}, lens, MDL_INT32));
    inputs.push_back(initial("h"));
    if (lstm) inputs.push_back(initial("c"));
    std::map<std::string, AttributeValue> attributes = {
        {"direction", bidirectional      ? std::string("bidirectional")
                      : random.one_in(3) ? std::string("reverse")
                                         : std::string("forward")},
        {"layout", int64_t{batch_first}}};
    if (random.one_in(4)) attributes["clip"] = 0.5;
    if (!lstm && random.one_in(2)) attributes["linear_before_reset"] = int64_t{1};
    const std::vector<int32_t> made =
        builder.split(lstm ? "LSTM" : "GRU", inputs, lstm ? 3 : 2, attributes);
    for (int32_t t : made) builder.output(t);
    require_cpu_equals_reference(builder, seed);
  }
}

TEST_CASE("a sequence's length that is none is refused while it runs", "[rnn]") {
  GraphBuilder builder;
  const int32_t x = builder.input("x", {3, 2, 1});
  const int32_t w = builder.constant("w", {1, 3, 1}, std::vector<float>(3));
  const int32_t r = builder.constant("r", {1, 3, 1}, std::vector<float>(3));
  const int32_t lens = builder.input("lens", {2}, {}, MDL_INT32);
  builder.output(builder.node("GRU", {x, w, r, -1, lens}));
  mdl_program_options options = MDL_PROGRAM_OPTIONS_INIT;
  options.backends = "cpu";
  const ProgramHandle program = make_program(builder.graph(), &options);
  const SessionHandle session = make_session(program.get(), nullptr);
  void* data = nullptr;
  size_t bytes = 0;
  REQUIRE(mdl_session_input(session.get(), 1, &data, &bytes, nullptr) == MDL_OK);
  const int32_t lengths[] = {3, 4};
  std::memcpy(data, lengths, sizeof lengths);
  CHECK(mdl_session_run(session.get()) == MDL_ERROR_INVALID_ARGUMENT);
  const std::string text = mdl_session_error(session.get());
  CHECK(text.find("sequence_lens[1] is 4, should be from 0 to 3") != std::string::npos);
}

}  // namespace medulla::test
