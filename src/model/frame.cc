// SPDX-License-Identifier: Apache-2.0
// What surrounds the tables: preamble, digests, FlatBuffers, buffers.
#include <algorithm>
#include <bit>
#include <cstring>

#include "src/base/checked.h"
#include "src/base/text.h"
#include "src/model/loader.h"

namespace medulla {
namespace {

static_assert(std::endian::native == std::endian::little, "files are little-endian");

// FlatBuffers' offsets are of 32 bits, with a sign.
constexpr uint64_t kMaxHeaderBytes = 0x7FFFFFFF;

size_t first_set(Bytes bytes) {
  size_t i = 0;
  while (i < bytes.size() && bytes[i] == 0) ++i;
  return i;
}

// Bytes that nothing uses and no digest covers have to be zero.
mdl_status check_zero(Bytes file, uint64_t begin, uint64_t end, mdl_error* error) {
  const Bytes bytes = file.subspan(static_cast<size_t>(begin), static_cast<size_t>(end - begin));
  const size_t i = first_set(bytes);
  if (i == bytes.size()) return MDL_OK;
  return fail(error, MDL_ERROR_BAD_MODEL, "offset ", begin + i, ": padding holds ",
              static_cast<int>(bytes[i]), ", should be 0");
}

mdl_status expect(const char* what, uint64_t found, uint64_t right, mdl_error* error) {
  if (found == right) return MDL_OK;
  return fail(error, MDL_ERROR_BAD_MODEL, "preamble: ", what, " is ", found, ", should be ", right);
}

}  // namespace

const char* source_format(Bytes file) {
  if (file.size() >= 8 && std::memcmp(file.data() + 4, "TFL3", 4) == 0) return "TensorFlow Lite";
  // No magic number: field 1 is a version, a small number, and one of fields 2 to 8 follows.
  constexpr char kFollowing[] = "\x12\x1a\x22\x28\x32\x3a\x42";
  const bool is_onnx = file.size() >= 3 && file[0] == 0x08 && file[1] > 0 && file[1] < 100 &&
                       std::memchr(kFollowing, file[2], sizeof(kFollowing) - 1) != nullptr;
  return is_onnx ? "ONNX" : nullptr;
}

mdl_status check_preamble(Bytes file, const Limits& limits, Preamble* preamble, mdl_error* error) {
  if (file.size() > limits.file_bytes) {
    return fail(error, MDL_ERROR_LIMIT, "has ", file.size(), " bytes, the limit is ",
                limits.file_bytes);
  }
  if (file.size() < sizeof(Preamble)) {
    return fail(error, MDL_ERROR_BAD_MODEL, "has ", file.size(), " bytes, a model has at least ",
                sizeof(Preamble));
  }
  std::memcpy(preamble, file.data(), sizeof(Preamble));
  const Preamble& p = *preamble;
  if (std::memcmp(p.magic, kMagic, sizeof(kMagic)) != 0) {
    return fail(error, MDL_ERROR_BAD_MODEL, "is no Medulla model: it does not begin with \"",
                kMagic, "\"");
  }
  if (p.format_version == 0 || p.format_version > kFormatVersion) {
    return fail(error, MDL_ERROR_VERSION, "format version ", p.format_version,
                " is not known; this library reads 1 to ", kFormatVersion);
  }
  if (p.flags != 0) {
    return fail(error, MDL_ERROR_VERSION, "preamble: flags are ", p.flags,
                ", this library knows none");
  }
  if (p.file_size != file.size()) {
    return fail(error, MDL_ERROR_BAD_MODEL, "has ", file.size(), " bytes, its preamble says ",
                p.file_size, file.size() < p.file_size ? "; it was cut" : "");
  }
  MDL_TRY(expect("header_offset", p.header_offset, sizeof(Preamble), error));
  if (p.header_size > kMaxHeaderBytes || p.header_size > p.file_size - p.header_offset) {
    return fail(error, MDL_ERROR_BAD_MODEL, "preamble: header_size is ", p.header_size,
                ", should be at most ", std::min(kMaxHeaderBytes, p.file_size - p.header_offset));
  }
  const uint64_t header_end = p.header_offset + p.header_size;
  const uint64_t buffers_begin = (header_end + MDL_ALIGNMENT - 1) / MDL_ALIGNMENT * MDL_ALIGNMENT;
  MDL_TRY(expect("buffers_offset", p.buffers_offset, buffers_begin, error));
  if (buffers_begin > p.file_size || p.buffers_size > p.file_size - buffers_begin ||
      p.buffers_size % MDL_ALIGNMENT != 0) {
    return fail(error, MDL_ERROR_BAD_MODEL, "preamble: buffers_size is ", p.buffers_size,
                ", should be a multiple of ", MDL_ALIGNMENT, " and end within the file's ",
                p.file_size, " bytes");
  }
  const uint64_t buffers_end = buffers_begin + p.buffers_size;
  MDL_TRY(expect("trailer_size", p.trailer_size, p.file_size - buffers_end, error));
  MDL_TRY(expect("trailer_offset", p.trailer_offset, p.trailer_size > 0 ? buffers_end : 0, error));
  MDL_TRY(check_zero(file, offsetof(Preamble, reserved), sizeof(Preamble), error));
  return check_zero(file, header_end, buffers_begin, error);
}

mdl_status check_header_digest(Bytes file, const Preamble& preamble, mdl_error* error) {
  uint8_t digest[kSha256Bytes];
  header_digest(preamble, file.data() + preamble.header_offset, digest);
  if (std::memcmp(digest, preamble.digest, sizeof(digest)) == 0) return MDL_OK;
  return fail(error, MDL_ERROR_DIGEST,
              "the digest of preamble and header does not fit: bytes were changed");
}

mdl_status find_header(Bytes file, const Preamble& preamble, const format::Header** header,
                       mdl_error* error) {
  const uint8_t* bytes = file.data() + preamble.header_offset;
  const size_t size = static_cast<size_t>(preamble.header_size);
  flatbuffers::Verifier::Options options;
  options.max_depth = 8;
  // A table takes 4 bytes, and 4 bytes refer to it.
  options.max_tables = static_cast<flatbuffers::uoffset_t>(size / 8 + 1);
  flatbuffers::Verifier verifier(bytes, size, options);
  if (!format::VerifyHeaderBuffer(verifier)) {
    return fail(error, MDL_ERROR_BAD_MODEL, "offset ", preamble.header_offset, ": the ", size,
                " bytes of the header are no valid FlatBuffer of identifier \"",
                format::HeaderIdentifier(), "\"");
  }
  *header = format::GetHeader(bytes);
  const uint32_t numerics = (*header)->numerics_version();
  if (numerics == 0 || numerics > kNumericsVersion) {
    return fail(error, MDL_ERROR_VERSION, "numerics version ", numerics,
                " is not known; this library has 1 to ", kNumericsVersion);
  }
  const auto* digest = (*header)->weights_digest();
  if (digest == nullptr || digest->size() != kSha256Bytes) {
    return fail(error, MDL_ERROR_BAD_MODEL, "weights_digest has ",
                digest == nullptr ? 0 : digest->size(), " bytes, should have ", kSha256Bytes);
  }
  return MDL_OK;
}

mdl_status check_buffers(const format::Header& header, const Preamble& preamble, mdl_error* error) {
  const auto* buffers = header.buffers();
  // FlatBuffers does not align a list without elements.
  if (buffers != nullptr && buffers->size() > 0 &&
      reinterpret_cast<uintptr_t>(buffers->Data()) % alignof(uint64_t) != 0) {
    return fail(error, MDL_ERROR_BAD_MODEL, "the header's list of buffers is not aligned to ",
                alignof(uint64_t));
  }
  const uint64_t end = preamble.buffers_offset + preamble.buffers_size;
  uint64_t next = preamble.buffers_offset;
  for (uint32_t b = 0; buffers != nullptr && b < buffers->size(); ++b) {
    const uint64_t offset = buffers->Get(b)->offset();
    const uint64_t size = buffers->Get(b)->size();
    if (offset != next) {
      return fail(error, MDL_ERROR_BAD_MODEL, "buffer ", b, ": offset is ", offset, ", should be ",
                  next, ", the first multiple of ", MDL_ALIGNMENT,
                  offset < next ? "; it overlaps what lies before it" : " behind what lies before");
    }
    if (size > end - offset) {
      return fail(error, MDL_ERROR_BAD_MODEL, "buffer ", b, ": size is ", size,
                  ", should be at most the ", end - offset, " bytes that are left");
    }
    // `end` is a multiple of the alignment, so this does not pass it.
    next = (offset + size + MDL_ALIGNMENT - 1) / MDL_ALIGNMENT * MDL_ALIGNMENT;
  }
  if (next == end) return MDL_OK;
  return fail(error, MDL_ERROR_BAD_MODEL, "the buffers end at ", next, ", the preamble says ", end);
}

mdl_status check_weights_digest(Bytes file, const format::Header& header, const Preamble& preamble,
                                mdl_error* error) {
  const auto* buffers = header.buffers();
  Sha256 sha;
  uint64_t next = preamble.buffers_offset;
  for (uint32_t b = 0; buffers != nullptr && b < buffers->size(); ++b) {
    const uint64_t offset = buffers->Get(b)->offset();
    MDL_TRY(check_zero(file, next, offset, error));
    sha.update(file.data() + offset, static_cast<size_t>(buffers->Get(b)->size()));
    next = offset + buffers->Get(b)->size();
  }
  MDL_TRY(check_zero(file, next, preamble.buffers_offset + preamble.buffers_size, error));
  uint8_t digest[kSha256Bytes];
  sha.finish(digest);
  if (std::memcmp(digest, header.weights_digest()->Data(), sizeof(digest)) == 0) return MDL_OK;
  return fail(error, MDL_ERROR_DIGEST,
              "the digest of the weights does not fit: bytes were changed");
}

}  // namespace medulla
