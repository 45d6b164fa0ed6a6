// SPDX-License-Identifier: Apache-2.0
// The plan in words, for people and as JSON.
#include "src/base/text.h"
#include "src/graph/control.h"
#include "src/graph/program.h"
#include "src/ops/op.h"

namespace medulla {
namespace {

constexpr const char* kClasses[] = {"exact", "bounded", "measured"};
constexpr const char* kKinds[] = {"constant", "input", "output", "state", "arena"};

const mdl_node& first_node(const Program& program, const Step& step) {
  return program.graph.nodes[step.group.nodes[0]];
}

const Storage* storage_of(const Program& program, int32_t tensor) {
  const int32_t storage = program.places[static_cast<size_t>(tensor)].storage;
  return storage >= 0 ? &program.storages[static_cast<size_t>(storage)] : nullptr;
}

constexpr char kDigits[] = "0123456789abcdef";

// A name in a row: bytes that a terminal would take for commands stand as "\x0a".
struct Shown {
  const char* s;
};

Text& operator<<(Text& text, const Shown& shown) {
  for (const char* c = shown.s != nullptr ? shown.s : ""; *c != 0; ++c) {
    const unsigned char u = static_cast<unsigned char>(*c);
    if (u < 0x20 || u == 0x7f) {
      text << "\\x" << kDigits[u >> 4] << kDigits[u & 15];
    } else {
      text << *c;
    }
  }
  return text;
}

// A string of JSON, quoted.
struct Quoted {
  const char* s;
};

Text& operator<<(Text& text, const Quoted& quoted) {
  text << '"';
  for (const char* c = quoted.s != nullptr ? quoted.s : ""; *c != 0; ++c) {
    const unsigned char u = static_cast<unsigned char>(*c);
    if (*c == '"' || *c == '\\') {
      text << '\\' << *c;
    } else if (u < 0x20) {
      text << "\\u00" << kDigits[u >> 4] << kDigits[u & 15];
    } else {
      text << *c;
    }
  }
  return text << '"';
}

void write_operands(const Program& program, std::span<const int32_t> tensors, Text& text) {
  for (size_t i = 0; i < tensors.size(); ++i) {
    const mdl_tensor& tensor = program.graph.tensors[tensors[i]];
    if (i > 0) text << ", ";
    text << Shown{tensor.name} << ' ' << max_shape(tensor) << ' ' << mdl_dtype_name(tensor.dtype);
    const Storage* storage = storage_of(program, tensors[i]);
    if (storage == nullptr) continue;
    const Place& place = program.places[static_cast<size_t>(tensors[i])];
    const bool in_arena =
        storage->kind != StorageKind::constant && storage->kind != StorageKind::state;
    text << " @" << (in_arena ? storage->offset : 0) + place.offset;
    if (storage->kind != StorageKind::arena) text << ' ' << kKinds[static_cast<int>(storage->kind)];
    if (place.pitch != 0) text << " pitch " << place.pitch;
  }
}

void write_json_operands(const Program& program, std::span<const int32_t> tensors, Text& text) {
  text << '[';
  for (size_t i = 0; i < tensors.size(); ++i) {
    const mdl_tensor& tensor = program.graph.tensors[tensors[i]];
    const Place& place = program.places[static_cast<size_t>(tensors[i])];
    text << (i > 0 ? "," : "") << "{\"name\":" << Quoted{tensor.name}
         << ",\"dtype\":" << Quoted{mdl_dtype_name(tensor.dtype)}
         << ",\"shape\":" << max_shape(tensor) << ",\"bytes\":" << tensor.bytes
         << ",\"storage\":" << place.storage << ",\"offset\":" << place.offset
         << ",\"pitch\":" << place.pitch << '}';
  }
  text << ']';
}

const char* fate_name(int32_t fate) {
  return fate == kNodeView     ? "view"
         : fate == kNodePlaced ? "made in place by its inputs' steps"
                               : "not needed";
}

// Lines for the steps, and below each that runs graphs those of its bodies, four spaces further in.
void write_steps(const Program& program, int depth, Text& text) {
  const auto margin = [&]() -> Text& {
    for (int d = 0; d < depth; ++d) text << "    ";
    return text;
  };
  for (size_t s = 0; s < program.steps.size(); ++s) {
    const Step& step = program.steps[s];
    margin() << s << ' ' << step.ops << " '" << Shown{first_node(program, step).name} << "' on "
             << step_backend(program, step) << ", kernel " << step.plan.kernel << " ("
             << kClasses[step.plan.numerics] << "), " << step.plan.macs << " MACs, " << step.bytes
             << " bytes\n";
    margin() << "    ";
    write_operands(program, {step.group.inputs, step.group.input_count}, text);
    text << " -> ";
    write_operands(program, {step.group.outputs, step.group.output_count}, text);
    text << '\n';
    if (step.refusals[0] != 0) margin() << "    not on " << Shown{step.refusals} << '\n';
    if (step.control == nullptr) continue;
    for (const Program& body : step.control->bodies) {
      margin() << "    graph '" << Shown{body.graph.name} << "': " << body.steps.size()
               << " steps, arena " << body.arena_bytes << " bytes\n";
      write_steps(body, depth + 1, text);
    }
  }
}

void write_json_steps(const Program& program, Text& text) {
  for (size_t s = 0; s < program.steps.size(); ++s) {
    const Step& step = program.steps[s];
    text << (s > 0 ? ",\n" : "\n") << "{\"name\":" << Quoted{first_node(program, step).name}
         << ",\"op\":" << Quoted{step.ops} << ",\"nodes\":[";
    for (size_t n = 0; n < step.group.node_count; ++n) {
      text << (n > 0 ? "," : "") << step.group.nodes[n];
    }
    text << "],\"backend\":" << Quoted{step_backend(program, step)}
         << ",\"refusals\":" << Quoted{step.refusals} << ",\"kernel\":" << Quoted{step.plan.kernel}
         << ",\"numerics\":" << Quoted{kClasses[step.plan.numerics]}
         << ",\"macs\":" << step.plan.macs << ",\"bytes\":" << step.bytes
         << ",\"scratch_bytes\":" << step.plan.scratch_bytes
         << ",\"packed_bytes\":" << step.plan.packed_bytes << ",\"inputs\":";
    write_json_operands(program, {step.group.inputs, step.group.input_count}, text);
    text << ",\"outputs\":";
    write_json_operands(program, {step.group.outputs, step.group.output_count}, text);
    if (step.control != nullptr) {
      text << ",\"bodies\":[";
      for (const Program& body : step.control->bodies) {
        text << (&body != step.control->bodies.data() ? "," : "")
             << "{\"name\":" << Quoted{body.graph.name} << ",\"arena_bytes\":" << body.arena_bytes
             << ",\"steps\":[";
        write_json_steps(body, text);
        text << "]}";
      }
      text << ']';
    }
    text << '}';
  }
}

}  // namespace

size_t plan_text(const Program& program, char* buffer, size_t size) {
  Text text(buffer, size);
  text << "isa " << program.context.isa_names << ", numerics "
       << (program.context.numerics == MDL_NUMERICS_FAST ? "fast" : "exact") << "\narena "
       << program.arena_bytes << " bytes (bound " << program.arena_bound_bytes << "), packed "
       << program.packed_bytes << ", scratch " << program.scratch_bytes << ", state "
       << program.state_bytes << '\n';
  if (program.closed[0] != 0) text << "not used: " << program.closed << '\n';
  write_steps(program, 0, text);
  for (size_t n = 0; n < program.graph.node_count; ++n) {
    if (program.node_step[n] >= 0) continue;
    text << "no step: " << program.graph.nodes[n].op << " '" << Shown{program.graph.nodes[n].name}
         << "', " << fate_name(program.node_step[n]) << '\n';
  }
  return text.needed();
}

size_t plan_json(const Program& program, char* buffer, size_t size) {
  Text text(buffer, size);
  text << "{\"isa\":" << Quoted{program.context.isa_names} << ",\"numerics\":"
       << Quoted{program.context.numerics == MDL_NUMERICS_FAST ? "fast" : "exact"}
       << ",\"not_used\":" << Quoted{program.closed} << ",\"arena_bytes\":" << program.arena_bytes
       << ",\"arena_bound_bytes\":" << program.arena_bound_bytes
       << ",\"packed_bytes\":" << program.packed_bytes
       << ",\"scratch_bytes\":" << program.scratch_bytes
       << ",\"state_bytes\":" << program.state_bytes << ",\"steps\":[";
  write_json_steps(program, text);
  text << "],\"no_step\":[";
  const char* comma = "\n";
  for (size_t n = 0; n < program.graph.node_count; ++n) {
    if (program.node_step[n] >= 0) continue;
    text << comma << "{\"name\":" << Quoted{program.graph.nodes[n].name}
         << ",\"op\":" << Quoted{program.graph.nodes[n].op}
         << ",\"why\":" << Quoted{fate_name(program.node_step[n])} << '}';
    comma = ",\n";
  }
  // Where in the arena, and between which steps, each piece of memory is in use.
  text << "],\"storages\":[";
  for (size_t s = 0; s < program.storages.size(); ++s) {
    const Storage& storage = program.storages[s];
    text << (s > 0 ? ",\n" : "\n") << "{\"kind\":" << Quoted{kKinds[static_cast<int>(storage.kind)]}
         << ",\"offset\":" << storage.offset << ",\"bytes\":" << storage.bytes
         << ",\"first\":" << storage.first << ",\"last\":" << storage.last << '}';
  }
  text << "]}\n";
  return text.needed();
}

}  // namespace medulla
