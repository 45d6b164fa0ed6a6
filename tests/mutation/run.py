#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Breaks one thing in a kernel and asks whether the kernels' tests notice; all of MUTATIONS in turn.

usage: tests/mutation/run.py [--build FOLDER] [--emulate] [TEXT]
  FOLDER: a build that has test_emulated (build/release); the tree and the build stay as they are
  --emulate: in Bochs, even where this CPU has the ISA
  TEXT: only mutations of files whose path contains it

Prints for each its file, what was broken, and the test that turned red or NOT CAUGHT. Returns 0 only if
all were caught. An edit that does not apply, for the kernel was rewritten, is an error: write it anew.
"""

import argparse
import os
import re
import shlex
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

AVX512 = "kernels/x86_avx512_s8.h"
VNNI512 = "kernels/x86_avx512vnni_s8.h"
AMX = "kernels/x86_amx_s8.h"
AVX2 = "kernels/x86_avx2_s8.h"
AVXVNNI = "kernels/x86_avxvnni_s8.h"
SORTED = "kernels/x86_avx2_sorted_s8.h"
FLOATS = "kernels/x86_avx2_f32x8.h"

SKIPPED = 77  # of tests/emulate/run.sh

# (ISA, file, what breaks, text that is there once, text in its place)
MUTATIONS = [
    ("avx512vnni", AVX512, "tail mask", "(__mmask64{1} << count) - 1", "(__mmask64{2} << count) - 1"),
    ("avx512vnni", VNNI512, "tail mask of loads", "_mm512_maskz_loadu_epi8(mask, from + i)",
     "_mm512_maskz_loadu_epi8(mask >> 1, from + i)"),
    ("avx512vnni", AVX512, "rounding", "_mm512_cvtps_epi32(", "_mm512_cvttps_epi32("),
    ("avx512vnni", AVX512, "clamp", "_mm512_min_ps(t, to.most)", "t"),
    ("avx512vnni", AVX512, "output's zero point", "_mm512_adds_epi16(cd, to.zero_point)", "cd"),
    ("avx512vnni", VNNI512, "input's zero point", "return zero_point + kFlipS8;", "return kFlipS8;"),
    ("avx512vnni", VNNI512, "padding's zero point", "static_cast<Value>(zero_point + kFlipS8)",
     "static_cast<Value>(zero_point - zero_point + kFlipS8)"),
    ("avx512vnni", "kernels/dwconv_s8/x86_avx512vnni.cc", "tail mask", "byte_mask(width)", "byte_mask(width - 1)"),
    ("avx512vnni", "kernels/dwconv_s8/x86_avx512vnni.cc", "weights' zero point", "n_stride] - zero_point);",
     "n_stride] - 0 * zero_point);"),
    ("avx512vnni", "kernels/dwconv_s8/x86_avx512vnni.cc", "padding's zero point", "in_zero_point & 0xff", "0"),
    ("avx512vnni", "kernels/dwconv_s8/x86_avx512vnni_3x3.cc", "channels left out",
     "channels < kHalf ? 0 : channels - kHalf", "channels < kHalf ? 0 : channels - kHalf - 1"),
    ("avx512vnni", "kernels/dwconv_s8/x86_avx512vnni_3x3.cc", "tail mask", "static_cast<__mmask32>(byte_mask(width))",
     "static_cast<__mmask32>(byte_mask(width - 1))"),
    ("avx512vnni", "kernels/dwconv_s8/x86_avx512vnni_3x3.cc", "large sums", "channel.scale >= 1", "channel.scale < 0"),
    ("avx512vnni", "kernels/winograd_s8/x86_avx512vnni.cc", "a tile left out", "i < kTiles; ++i) add_pair",
     "i < kTiles - (kTiles > 1); ++i) add_pair"),
    ("amx_int8", AMX, "tail of a store", "kChannels) - kPanelS8;", "kChannels) - kPanelS8 + (left < kChannels);"),
    ("amx_int8", AMX, "tail of a tile", "rows.count - height;", "rows.count - height + 1;"),
    ("amx_int8", AMX, "a row left out", "i < count; i += 4", "i + 1 < count; i += 4"),
    ("amx_int8", AMX, "biases of rows", "out.row_bias[row + i] : 0", "out.row_bias[row] : 0"),
    ("amx_int8", AMX, "input's zero point", "fold(int32_t zero_point) { return zero_point; }",
     "fold(int32_t) { return 0; }"),
    ("amx_int8", AMX, "padding's zero point", "static_cast<Value>(zero_point)",
     "static_cast<Value>(zero_point - zero_point)"),
    ("amx_int8", AVX512, "rounding", "_mm512_cvtps_epi32(", "_mm512_cvttps_epi32("),
    ("avxvnni", AVXVNNI, "input's zero point", "return zero_point + kFlipS8;", "return kFlipS8;"),
    ("avxvnni", AVXVNNI, "padding's zero point", "static_cast<Value>(zero_point + kFlipS8)",
     "static_cast<Value>(zero_point - zero_point + kFlipS8)"),
    ("avxvnni", AVX2, "biases of rows", "Dots::kRowBias && out.row_bias", "!Dots::kRowBias && out.row_bias"),
    ("avxvnni", AVX2, "tail of a store", "from(width - 8))", "from(width - 9))"),
    ("avxvnni", "kernels/x86_avx2_flip_s8.h", "tail of a load", "sixteen(count - 16)", "sixteen(count - 17)"),
    ("avxvnni", "kernels/x86_avx2.h", "rounding", "_mm256_cvtps_epi32(", "_mm256_cvttps_epi32("),
    ("avx2", "kernels/x86_avx2.h", "tail mask", "kWindow + 8 - count", "kWindow + 7 - count + (count > 7)"),
    ("avx2", "kernels/x86_avx2.h", "rounding", "_mm256_cvtps_epi32(", "_mm256_cvttps_epi32("),
    ("avx2", "kernels/x86_avx2.h", "clamp", "_mm256_min_ps(t, _mm256_set1_ps(1024))", "t"),
    ("avx2", AVX2, "tail of a store", "from(width - 8))", "from(width - 9))"),
    ("avx2", AVX2, "tail of a load", "sixteen(count - 16)", "sixteen(count - 17)"),
    ("avx2", AVX2, "output's zero point", "_mm256_adds_epi16(_mm256_packs_epi32(low, high), zero_point)",
     "_mm256_packs_epi32(low, high)"),
    ("avx2", AVX2, "input's zero point", "_mm256_sub_epi16(_mm256_cvtepi8_epi16(q), zero)",
     "_mm256_cvtepi8_epi16(q)"),
    ("avx2", SORTED, "tail of a store", "if (width >= 4) {", "if (width >= 3) {"),
    ("avx2", SORTED, "output's zero point", "_mm256_adds_epi16(high, zero_point)", "high"),
    ("avx2", "kernels/x86_avx2_sorted_pack_s8.h", "input's zero point", "in_zero_point + kFlipS8", "kFlipS8"),
    ("avx2", "kernels/dwconv_s8/x86_avx2_3x3.cc", "an output left out", "i + 1 < count", "i + 2 < count"),
    ("avx2", "kernels/dwconv_s8/x86_avx2_3x3.cc", "channels left out", ": channels - kBlock;",
     ": channels - kBlock - (block > 1);"),
    ("avx2", "kernels/dwconv_s8/strips.h", "a row of the table kept", "== row) continue", "!= kNone) continue"),
    ("avx2", "kernels/dwconv_s8/x86_avx2.cc", "padding's zero point", "in_zero_point & 0xff", "0"),
    ("avx2", "kernels/dwconv_s8/x86_avx2.cc", "tail of a load", "memcpy(part, in, width)",
     "memcpy(part, in, width - 1)"),
    ("avx2", "kernels/pool_s8/x86_avx2.cc", "tail of a store", "memcpy(out, lanes, count)",
     "memcpy(out, lanes, count + 1)"),
    ("avx2", "kernels/pool_s8/x86_avx2.cc", "rounding", "_mm256_cvtps_epi32(", "_mm256_cvttps_epi32("),
    ("avx2", "kernels/pool_s8/x86_avx2.cc", "input's zero point", "_mm256_sub_epi32(sum, zeros)", "sum"),
    ("avx2", "kernels/lut_s8/x86_avx2.cc", "tail", "table[x[i] + 128]", "table[x[i] + 127]"),
    ("avx2", FLOATS, "tail of a store of int8", "memcpy(p, lanes, count)", "memcpy(p, lanes, count + 1)"),
    ("avx2", FLOATS, "rounding to int8", "_mm256_packs_epi32(_mm256_cvtps_epi32(a.v)",
     "_mm256_packs_epi32(_mm256_cvttps_epi32(a.v)"),
    ("avx2", FLOATS, "zero point of int8", "static_cast<int16_t>(zero_point)",
     "static_cast<int16_t>(zero_point + 1)"),
    ("avx2", "kernels/winograd_s8/x86_blocks.h", "tail of a store", "left < kPanelS8 ? left : kPanelS8",
     "left < kPanelS8 ? left - 1 : kPanelS8"),
]


def output_of(command, **kwargs):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, **kwargs).stdout


class Build:
    """What a folder of Ninja knows: how each object of test_emulated is made, and from which files."""

    def __init__(self, folder):
        self.folder = os.path.abspath(folder)
        self.overlay = os.path.join(self.folder, "mutation")
        os.makedirs(self.overlay, exist_ok=True)
        output_of(["ninja", "-C", self.folder, "test_emulated"])
        commands = output_of(["ninja", "-C", self.folder, "-t", "commands", "test_emulated"]).splitlines()
        self.link = [w for w in shlex.split(commands[-1]) if w not in (":", "&&")]
        self.program = os.path.join(self.folder, self.link[self.link.index("-o") + 1])
        objects = {w for w in self.link if w.endswith(".o")}
        self.compile = {}
        for words in map(shlex.split, commands[:-1]):
            if "-c" in words and words[words.index("-o") + 1] in objects:
                self.compile[words[words.index("-o") + 1]] = words
        self.sources = {}
        for line in output_of(["ninja", "-C", self.folder, "-t", "deps"]).splitlines():
            if not line.startswith(" "):
                made = line.split(":")[0]
            elif made in objects:
                path = os.path.join(self.folder, line.strip())
                self.sources.setdefault(os.path.relpath(os.path.realpath(path), ROOT), set()).add(made)

    def mutated(self, file, text):
        """A test_emulated that has `text` in the place of that file."""
        copy = os.path.join(self.overlay, file)
        os.makedirs(os.path.dirname(copy), exist_ok=True)
        with open(copy, "w") as f:
            f.write(text)
        link = list(self.link)
        try:
            for number, made in enumerate(sorted(self.sources[file])):
                words = [copy if w == os.path.join(ROOT, file) else w for w in self.compile[made]]
                words[words.index("-o") + 1] = words[words.index("-MF") + 1] = f"{self.overlay}/{number}.o"
                words[words.index("-MF") + 1] += ".d"
                first = next(i for i, w in enumerate(words) if w.startswith("-I"))
                words[first:first] = ["-I" + self.overlay, "-w"]  # the copy is found before the original
                output_of(words, cwd=self.folder)
                link[link.index(made)] = f"{self.overlay}/{number}.o"
        finally:
            os.remove(copy)
        link[link.index("-o") + 1] = f"{self.overlay}/test_emulated"
        output_of(link, cwd=self.folder)
        return f"{self.overlay}/test_emulated"


def cpus():
    """Bochs's CPU for each ISA, as the tests use them."""
    with open(os.path.join(ROOT, "tests/emulate/CMakeLists.txt")) as f:
        known = re.findall(r"^medulla_emulated\((\S+) (\S+) ", f.read(), re.MULTILINE)
    return {isa: cpu for cpu, isas in reversed(known) for isa in isas.split(",")}  # the first of each


def run(program, isa, cpu):
    """Exit status and output, natively or on that CPU of Bochs."""
    command = [program, isa]
    if cpu:
        command = [os.path.join(ROOT, "tests/emulate/run.sh"), cpu, "600"] + command
    try:
        result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=700)
    except subprocess.TimeoutExpired:
        return 124, ""
    return result.returncode, result.stdout


def first_red(status, output):
    """The test that failed; None where all passed."""
    if status == 0:
        return None
    failed = re.search(r"^(\S+?:\d+): failed: ", output, re.MULTILINE)
    if failed is None:
        return f"killed, status {status}" if status < 0 or status > 128 else ""
    case = re.search(r"^(.*): \d+ checks$", output[failed.end():], re.MULTILINE)
    place = os.path.normpath(failed.group(1)).replace("../", "")
    return f"{place} ({case.group(1)})" if case else place


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--build", default=os.path.join(ROOT, "build/release"))
    parser.add_argument("--emulate", action="store_true")
    parser.add_argument("text", nargs="?", default="")
    options = parser.parse_args()

    build = Build(options.build)
    emulated = cpus()
    on = {}
    for isa in sorted({m[0] for m in MUTATIONS}):
        native = not options.emulate and run(build.program, isa, None)[0] == 0
        on[isa] = None if native else emulated[isa]
        status, output = run(build.program, isa, on[isa])
        if status == SKIPPED:
            print(f"{isa}: not tried, no Bochs here has {on.pop(isa)}")
            continue
        if status != 0:
            print(f"{isa}: the tests fail without a mutation, on {on[isa]}, status {status}:\n{output}")
            return 1
        print(f"{isa}: {on[isa] or 'this CPU'}, green without a mutation")

    missed = errors = caught = 0
    for isa, file, what, old, new in MUTATIONS:
        if options.text not in file or isa not in on:
            continue
        with open(os.path.join(ROOT, file)) as f:
            text = f.read()
        label = f"{isa} {file}: {what}"
        if text.count(old) != 1 or file not in build.sources:
            print(f"{label}: ERROR: '{old}' is there {text.count(old)} times, not once; or no object has the file")
            errors += 1
            continue
        red = first_red(*run(build.mutated(file, text.replace(old, new)), isa, on[isa]))
        if red == "":
            print(f"{label}: ERROR: the tests did not run")
            errors += 1
        elif red is None:
            print(f"{label}: NOT CAUGHT")
            missed += 1
        else:
            print(f"{label}: red: {red}")
            caught += 1
    print(f"{caught} caught, {missed} not caught, {errors} errors")
    return 0 if caught > 0 and missed == errors == 0 else 1


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)
    sys.exit(main())
