#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares Medulla with other engines side by side: latency, cold start, memory, accuracy.

    peers.py NETWORK.onnx... --medulla build/release/bin/medulla [--threads 1] [--json OUT.json]

networks.py makes the networks, tflite.py LiteRT's form of them; docs/performance.md tells how to
install the engines and how to read the tables. Every engine runs in a fresh process in every round, and
the rounds interleave the engines (A B C A B C ...), so that a slow minute of the machine hits all.
"""
import argparse
import datetime
import hashlib
import json
import math
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
from engines import ENGINES, Unavailable, is_quantized

MOST_SAMPLES = 2000  # timed runs kept of one round
LEAST_SECONDS = 0.25  # a round of a tiny network times at least this long
BARE_MIB = 3  # of a process that has loaded a library and nothing else


# A peer, in a process of its own --------------------------------------------------------------------


def memory_mib(field):
    """VmRSS or VmHWM. Not ru_maxrss, which a child inherits from the process that forked it."""
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) / 1024


def timed(call):
    start = time.perf_counter()
    call()
    return (time.perf_counter() - start) * 1e3


def digest(arrays):
    return hashlib.sha256(b"".join(np.ascontiguousarray(a).tobytes() for a in arrays)).hexdigest()


def run_often(engine, job):
    for _ in range(job["warmup"]):
        engine.run()
    times, start = [], time.perf_counter()
    while len(times) < MOST_SAMPLES:
        times.append(timed(engine.run))
        elapsed = time.perf_counter() - start
        enough = len(times) >= job["runs"] and elapsed >= LEAST_SECONDS
        if enough or (len(times) >= 5 and elapsed > job["seconds"]):
            break
    return times


def again(engine):
    engine.reset()
    engine.run()
    return engine.outputs()


def child(job):
    inputs = [np.load(job["input"])]
    start = time.perf_counter()
    engine = ENGINES[job["engine"]]()
    import_ms = (time.perf_counter() - start) * 1e3
    if job["task"] == "convert":
        source, stem = pathlib.Path(job["model"]), pathlib.Path(job["stem"])
        return {"file": str(engine.convert(source, stem, inputs)), "version": engine.version}
    before = memory_mib("VmRSS")
    load_ms = timed(lambda: engine.load(job["file"], job["threads"], inputs))
    first_ms = timed(engine.run)
    first = engine.outputs()
    np.save(job["output"], np.asarray(first[0], np.float32))
    return {
        "load_ms": load_ms,
        "cold_ms": import_ms + load_ms + first_ms,
        "runs_ms": run_often(engine, job),
        "grown_mib": memory_mib("VmHWM") - before,
        "digests": [digest(first), digest(again(engine))],
        "note": engine.note,
    }


def child_main(text):
    try:
        answer = child(json.loads(text))
    except Unavailable as reason:
        answer = {"error": str(reason)}
    except Exception as error:  # whatever a peer raises is its answer
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        answer = {"error": f"{type(error).__name__}: {' '.join(lines)[:300]}"}
    print("\n@@" + json.dumps(answer), flush=True)
    os._exit(0)  # an engine's clean-up must not turn a result into a crash


def spawn(job):
    command = [sys.executable, __file__, "--child", json.dumps(job)]
    try:
        done = subprocess.run(command, text=True, capture_output=True, timeout=600, errors="replace")
    except subprocess.TimeoutExpired:
        raise Unavailable("no result after 600 s") from None
    for line in done.stdout.splitlines():
        if line.startswith("@@"):
            answer = json.loads(line[2:])
            if "error" in answer:
                raise Unavailable(answer["error"])
            return answer
    how = f"signal {-done.returncode}" if done.returncode < 0 else f"exit {done.returncode}"
    raise Unavailable(f"{job['task']} crashed, {how}")


# Medulla, through its command -----------------------------------------------------------------------


class Medulla:
    name = "Medulla"

    def __init__(self, binary):
        self.binary = binary

    def call(self, *args):
        start = time.perf_counter()
        done = subprocess.run([self.binary, *map(str, args)], capture_output=True, text=True)
        if done.returncode:
            raise Unavailable((done.stderr or done.stdout).strip().splitlines()[-1])
        return done.stdout, (time.perf_counter() - start) * 1e3

    def convert(self, job):
        target = pathlib.Path(job["stem"]).with_suffix(".mdl")
        self.call("convert", job["model"], "-o", target)
        return {"file": str(target), "version": self.call("--version")[0].splitlines()[0].split()[-1]}

    def answer(self, job, command, *args):
        """What the command prints, its wall time, and a digest of the network's output."""
        text, wall_ms = self.call(command, job["file"], "--threads", job["threads"], "--input",
                                  job["input"], "--output", job["output"], *args)
        return text, wall_ms, digest([np.load(job["output"])])

    def bench(self, job, runs, warmup):
        text, _, output = self.answer(job, "bench", "--runs", runs, "--warmup", warmup, "--json")
        return json.loads(text), output

    def measure(self, job):
        """One call for the cold start, one tells how many runs fit, one is for the timings."""
        _, cold_ms, first = self.answer(job, "run")
        one = max(self.bench(job, 1, 0)[0]["runs_ms"][0], 1e-3)
        wish = max(job["runs"], LEAST_SECONDS * 1e3 / one)
        runs = int(min(MOST_SAMPLES, max(5, min(wish, job["seconds"] * 1e3 / one))))
        result, second = self.bench(job, runs, job["warmup"])
        used = result["program_bytes"] + result["session_bytes"] + os.path.getsize(job["file"])
        return {
            "load_ms": result["load_ms"],
            "cold_ms": cold_ms,
            "runs_ms": result["runs_ms"],
            "grown_mib": used / 2**20 + BARE_MIB,
            "digests": [first, second],
            "note": "",
        }


# Rounds ---------------------------------------------------------------------------------------------


def plain(stem):
    """A network's name, whatever its form."""
    return re.sub(r"_(int8|u8)$", "", stem)


def jobs_of(model, args, folder, medulla):
    """{engine: job or the reason why there is none}"""
    sample = model.with_name(plain(model.stem) + ".x.npy")
    jobs = {}
    for name in args.engines:
        stem = str(folder / f"{model.stem}.{name}")
        job = {"engine": name, "task": "convert", "model": str(model), "input": str(sample),
               "threads": args.threads, "output": stem + ".y.npy", "stem": stem, "runs": args.runs,
               "warmup": args.warmup, "seconds": args.seconds}
        try:
            job |= medulla.convert(job) if name == "medulla" else spawn(job)
            jobs[name] = job | {"task": "run"}
        except Unavailable as reason:
            jobs[name] = str(reason)
    return jobs


def cosine(made, expected):
    y, reference = np.load(made), np.load(expected)
    if y.size != reference.size:
        return 0.0
    if y.shape != reference.shape and y.ndim == reference.ndim > 2:
        y = np.moveaxis(y, -1, 1)  # channels last
    y, reference = y.ravel().astype(np.float64), reference.ravel().astype(np.float64)
    norms = np.linalg.norm(y) * np.linalg.norm(reference)
    return float(y @ reference / norms) if norms else float((y == reference).all())


def summary(job, rounds, expected, least_cosine):
    every = sorted(t for r in rounds for t in r["runs_ms"])
    row = {key: statistics.median(r[key] for r in rounds) for key in ("load_ms", "cold_ms",
                                                                       "grown_mib")}
    row["median_ms"] = statistics.median(statistics.median(r["runs_ms"]) for r in rounds)
    row["min_ms"] = every[0]
    row["p99_ms"] = every[min(len(every) - 1, int(len(every) * 0.99))]
    row["version"] = job["version"]
    row["cosine"] = cosine(job["output"], expected)
    variants = len({d for r in rounds for d in r["digests"]})
    wrong = []
    if not row["cosine"] >= least_cosine:
        wrong.append(f"cosine below {least_cosine}")
    if variants > 1:
        wrong.append(f"{variants} different outputs for one input")
    row["wrong"] = ", ".join(wrong)
    row["note"] = rounds[0]["note"]
    return row


def measure(model, args, folder):
    """{engine: row}; a row is a summary or {"error": reason}."""
    medulla = Medulla(args.medulla)
    jobs = jobs_of(model, args, folder, medulla)
    rounds = {name: [] for name in jobs}
    for _ in range(args.rounds):
        for name, job in jobs.items():
            if isinstance(job, str):
                continue
            try:
                rounds[name].append(medulla.measure(job) if name == "medulla" else spawn(job))
            except Unavailable as reason:
                jobs[name] = str(reason)
    expected = model.with_name(plain(model.stem) + ".y.npy")
    least_cosine = 0.8 if is_quantized(model) else 0.999
    return {name: {"error": job} if isinstance(job, str)
            else summary(job, rounds[name], expected, least_cosine) for name, job in jobs.items()}


# Tables ---------------------------------------------------------------------------------------------


def name_of(engine):
    return "Medulla" if engine == "medulla" else ENGINES[engine].name


def number(value):
    if value < 0.01:
        return f"{value:.4f}"
    return f"{value:.3f}" if value < 1 else f"{value:.2f}" if value < 10 else f"{value:.1f}"


def print_rows(title, rows):
    print(f"### {title}\n\n| engine | median ms | min | p99 | load | cold | MiB | cosine | note |\n"
          "|---|---|---|---|---|---|---|---|---|")
    for engine, row in rows.items():
        if "error" in row:
            print(f"| {name_of(engine)} |  |  |  |  |  |  |  | {row['error']} |")
            continue
        keys = ("median_ms", "min_ms", "p99_ms", "load_ms", "cold_ms", "grown_mib")
        note = "; ".join(filter(None, [row["wrong"] and "WRONG: " + row["wrong"], row["note"]]))
        print(f"| {name_of(engine)} | {' | '.join(number(row[key]) for key in keys)} | "
              f"{row['cosine']:.5f} | {note} |")
    print(flush=True)


def best(rows, key):
    """The least of the peers that are right: (value, engine)."""
    known = [(row[key], engine) for engine, row in rows if engine != "medulla"
             and key in row and not row["wrong"]]
    return min(known, default=None)


def print_summary(results):
    """One line a network: Medulla's INT8 form, if measured, against the peers' best of any form."""
    print("| network | Medulla ms | best peer ms | ratio | cold ms | best peer | MiB | best peer |\n"
          "|---|---|---|---|---|---|---|---|")
    networks = {}
    for stem, rows in results.items():
        networks.setdefault(plain(stem), {})[stem] = rows
    ratios = []
    for network, forms in networks.items():
        form = network + "_int8" if network + "_int8" in forms else network
        ours = forms.get(form, {}).get("medulla", {"error": "not measured"})
        rows = [row for rows in forms.values() for row in rows.items()]
        peers = [best(rows, key) for key in ("median_ms", "cold_ms", "grown_mib")]
        if "error" in ours or None in peers:
            continue
        ratio = ours["median_ms"] / peers[0][0]
        ratios.append(ratio)
        cells = [number(ours["median_ms"]), f"{number(peers[0][0])} {name_of(peers[0][1])}",
                 f"{ratio:.2f}", number(ours["cold_ms"]),
                 f"{number(peers[1][0])} {name_of(peers[1][1])}", number(ours["grown_mib"]),
                 f"{number(peers[2][0])} {name_of(peers[2][1])}"]
        print(f"| {form} | {' | '.join(cells)} |")
    if ratios:
        mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
        print(f"\nGeometric mean of the ratios: {mean:.2f}")


def cpu_name():
    text = pathlib.Path("/proc/cpuinfo").read_text()
    found = {key: (re.search(rf"^{key}\s*: (.*)", text, re.M) or ["", "?"])[1]
             for key in ("model name", "cpu family", "model")}
    return f"{found['model name']} (family {found['cpu family']}, model {found['model']})"


def main():
    if sys.argv[1:2] == ["--child"]:
        child_main(sys.argv[2])
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="+", type=pathlib.Path)
    parser.add_argument("--engines", default=",".join([*ENGINES, "medulla"]),
                        help="comma-separated; all: %(default)s")
    parser.add_argument("--medulla", required=True, help="the command")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--runs", type=int, default=30, help="timed runs in a round, at least")
    parser.add_argument("--warmup", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2,
                        help="a round stops after this time, though not before five runs")
    parser.add_argument("--json", type=pathlib.Path, help="keeps every row")
    args = parser.parse_args()
    args.engines = args.engines.split(",")
    if unknown := set(args.engines) - set(ENGINES) - {"medulla"}:
        parser.error(f"no engine named {', '.join(sorted(unknown))}")
    if missing := [str(model) for model in args.models if not model.is_file()]:
        parser.error(f"no such file: {', '.join(missing)}")
    if args.threads > (cores := len(os.sched_getaffinity(0))):
        parser.error(f"{args.threads} threads, but this process may use {cores} core(s)")
    report = {"cpu": cpu_name(), "date": datetime.date.today().isoformat(),
              "threads": args.threads, "results": {}}
    print(f"{report['cpu']}, {report['date']}, {args.threads} thread(s)\n")
    with tempfile.TemporaryDirectory(prefix="peers-") as folder:
        for model in args.models:
            rows = measure(model, args, pathlib.Path(folder))
            report["results"][model.stem] = rows
            print_rows(model.stem, rows)
            if args.json:
                args.json.write_text(json.dumps(report, indent=1))
    print_summary(report["results"])
    versions = {name_of(engine): row["version"] for rows in report["results"].values()
                for engine, row in rows.items() if "version" in row}
    print("\n" + ", ".join(f"{name} {version}" for name, version in versions.items()))


if __name__ == "__main__":
    main()
