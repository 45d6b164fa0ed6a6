// SPDX-License-Identifier: Apache-2.0
// Converts bytes as an ONNX model, which is mutated by its fields. Preset fuzz makes a libFuzzer
// program of it; the test of this folder replays the corpus.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <cstring>

#include "tests/fuzz/import.h"
#include "tools/import/onnx.h"

using namespace medulla::tools;
namespace pb = google::protobuf;

namespace {

constexpr size_t kMaxRaw = 4096;

class Mutator {
 public:
  Mutator(onnx::ModelProto& model, unsigned seed) : random_(seed), model_(model) {}

  // Changes one field somewhere in the model.
  void change() {
    collect();
    pb::Message* message = messages_[below(messages_.size())];
    const pb::Reflection& reflection = *message->GetReflection();
    std::vector<const pb::FieldDescriptor*> fields;
    reflection.ListFields(*message, &fields);
    if (fields.empty() || below(4) == 0) {
      const pb::Descriptor* type = message->GetDescriptor();
      fields = {type->field(static_cast<int>(below(static_cast<size_t>(type->field_count()))))};
    }
    const pb::FieldDescriptor* field = fields[below(fields.size())];
    if (field->is_repeated()) {
      change_list(message, reflection, field);
    } else if (below(8) == 0) {
      reflection.ClearField(message, field);
    } else {
      set(message, reflection, field, -1);
    }
  }

  size_t below(size_t n) { return random_() % n; }

 private:
  // Every message of the model, and every string.
  void collect() {
    messages_.clear();
    strings_.assign(1, "");
    collect(&model_);
  }
  void collect(pb::Message* message) {
    messages_.push_back(message);
    const pb::Reflection& reflection = *message->GetReflection();
    std::vector<const pb::FieldDescriptor*> fields;
    reflection.ListFields(*message, &fields);
    for (const auto* field : fields) {
      const int count = field->is_repeated() ? reflection.FieldSize(*message, field) : 0;
      if (field->cpp_type() == pb::FieldDescriptor::CPPTYPE_MESSAGE) {
        for (int i = 0; i < count; ++i) {
          collect(reflection.MutableRepeatedMessage(message, field, i));
        }
        if (!field->is_repeated()) collect(reflection.MutableMessage(message, field));
      } else if (field->type() == pb::FieldDescriptor::TYPE_STRING) {
        for (int i = 0; i < count; ++i) {
          strings_.push_back(reflection.GetRepeatedString(*message, field, i));
        }
        if (!field->is_repeated()) strings_.push_back(reflection.GetString(*message, field));
      }
    }
  }

  void change_list(pb::Message* message, const pb::Reflection& reflection,
                   const pb::FieldDescriptor* field) {
    const int count = reflection.FieldSize(*message, field);
    const auto some = [&] { return static_cast<int>(below(static_cast<size_t>(count))); };
    switch (count == 0 ? 3 : below(6)) {
      case 0:
        reflection.RemoveLast(message, field);
        break;
      case 1:
        reflection.SwapElements(message, field, some(), some());
        break;
      case 2:
      case 3:
        add(message, reflection, field);
        break;
      default:
        set(message, reflection, field, some());
    }
  }

  void add(pb::Message* message, const pb::Reflection& reflection,
           const pb::FieldDescriptor* field) {
    using F = pb::FieldDescriptor;
    switch (field->cpp_type()) {
      case F::CPPTYPE_MESSAGE:
        reflection.AddMessage(message, field);
        break;
      case F::CPPTYPE_STRING:
        reflection.AddString(message, field, "");
        break;
      case F::CPPTYPE_FLOAT:
        return reflection.AddFloat(message, field, a_float());
      case F::CPPTYPE_DOUBLE:
        return reflection.AddDouble(message, field, static_cast<double>(a_float()));
      case F::CPPTYPE_INT32:
        return reflection.AddInt32(message, field, static_cast<int32_t>(strange_number(random_)));
      case F::CPPTYPE_INT64:
        return reflection.AddInt64(message, field, strange_number(random_));
      case F::CPPTYPE_UINT64:
        return reflection.AddUInt64(message, field, static_cast<uint64_t>(strange_number(random_)));
      default:
        return;
    }
    set(message, reflection, field, reflection.FieldSize(*message, field) - 1);
  }

  // Sets the field, or element `i` of it where that is not below 0.
  void set(pb::Message* message, const pb::Reflection& r, const pb::FieldDescriptor* field, int i) {
    using F = pb::FieldDescriptor;
    const bool one = i < 0;
    switch (field->cpp_type()) {
      case F::CPPTYPE_MESSAGE:
        copy_another(one ? r.MutableMessage(message, field)
                         : r.MutableRepeatedMessage(message, field, i));
        break;
      case F::CPPTYPE_STRING: {
        const std::string old =
            one ? r.GetString(*message, field) : r.GetRepeatedString(*message, field, i);
        const std::string text = field->type() == F::TYPE_BYTES ? changed(old) : a_name(field);
        one ? r.SetString(message, field, text) : r.SetRepeatedString(message, field, i, text);
        break;
      }
      case F::CPPTYPE_FLOAT:
        one ? r.SetFloat(message, field, a_float())
            : r.SetRepeatedFloat(message, field, i, a_float());
        break;
      case F::CPPTYPE_INT32: {
        const auto value = below(2) ? static_cast<int32_t>(below(24))
                                    : static_cast<int32_t>(strange_number(random_));
        one ? r.SetInt32(message, field, value) : r.SetRepeatedInt32(message, field, i, value);
        break;
      }
      case F::CPPTYPE_INT64: {
        const int64_t value =
            below(2) ? static_cast<int64_t>(below(28)) - 4 : strange_number(random_);
        one ? r.SetInt64(message, field, value) : r.SetRepeatedInt64(message, field, i, value);
        break;
      }
      case F::CPPTYPE_ENUM: {
        const auto* type = field->enum_type();
        const int count = type->value_count();
        const auto* value = type->value(static_cast<int>(below(static_cast<size_t>(count))));
        if (one) r.SetEnum(message, field, value);
        break;
      }
      default:
        break;
    }
  }

  void copy_another(pb::Message* to) {
    collect();  // to be set, `to` may have put another out of its place
    std::vector<const pb::Message*> like;
    for (const pb::Message* m : messages_) {
      if (m->GetDescriptor() == to->GetDescriptor() && m != to) like.push_back(m);
    }
    if (like.empty()) return to->Clear();
    const std::string bytes = like[below(like.size())]->SerializePartialAsString();
    to->ParsePartialFromString(bytes);
  }

  float a_float() {
    constexpr float kFloats[] = {
        0.0f, -0.0f, 0.5f, 1.0f, -1.0f, 1e-8f, 3e38f, 2.0f, __builtin_inff(), __builtin_nanf("")};
    return kFloats[below(std::size(kFloats))];
  }

  std::string a_name(const pb::FieldDescriptor* field) {
    if (field->name() == "op_type") {
      const auto rows = onnx_table();
      return rows[below(rows.size())].op;
    }
    return strings_[below(strings_.size())];
  }

  std::string changed(std::string bytes) {
    if (bytes.empty() || below(8) == 0) bytes.resize(std::min(below(3) * 8 + 1, kMaxRaw));
    if (below(8) == 0) bytes.pop_back();
    if (!bytes.empty()) bytes[below(bytes.size())] = static_cast<char>(random_());
    return bytes;
  }

  std::mt19937 random_;
  onnx::ModelProto& model_;
  std::vector<pb::Message*> messages_;
  std::vector<std::string> strings_;
};

}  // namespace

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t most, unsigned seed) {
  onnx::ModelProto model;
  const bool parsed = model.ParseFromArray(data, static_cast<int>(size));
  Mutator mutator(model, seed);
  if (!parsed || mutator.below(32) == 0) {
    return LLVMFuzzerMutate == nullptr ? size : LLVMFuzzerMutate(data, size, most);
  }
  for (size_t n = mutator.below(3) + 1; n > 0; --n) mutator.change();
  const std::string bytes = model.SerializePartialAsString();
  if (bytes.size() > most) return size;
  std::memcpy(data, bytes.data(), bytes.size());
  return bytes.size();
}

// Every open dimension gets a maximum, so that those behind the first are taken too.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  onnx::ModelProto model;
  ConvertOptions options;
  if (model.ParseFromArray(data, static_cast<int>(size))) {
    for (const auto& input : model.graph().input()) {
      for (int d = 1; d < input.type().tensor_type().shape().dim_size(); ++d) {
        const std::string symbol = symbol_of(input, d);
        if (!symbol.empty()) options.maxima[symbol] = 4;
      }
    }
  }
  convert_bytes(data, size, ".onnx", options);
  return 0;
}
