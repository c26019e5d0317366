#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures scripts against Lua 5.4: the pairs NAME.dg and NAME.lua in scripts/ do the same work and must print the same.

A time is the CPU time of a whole process, start included, the least of several turns; programs take turns, so that neighbours disturb both
sides. Lua has no JSON of its own, so that case (NAME.py) stands beside Python's json, which is written in C; it counts in the mean as well.
A last line tells whether 1 M pieces joined by s = s + x take four times what 250 k take.

usage: bench/scripts.py SLUICE [--rounds N] [--lua PROGRAM] [--only NAME]
"""
import argparse, glob, math, os, resource, subprocess, sys, tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
LIMITS = [arg for limit in ("statements=1000000000", "time_ms=60000", "memory_bytes=2000000000") for arg in ("--limit", limit)]
PROCESS_LIMIT_S = 60


def run(argv):
    """CPU seconds and output of one process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PROCESS_LIMIT_S, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def measure(name, ours, theirs, rounds):
    """The least CPU time of both sides, in ms."""
    times = ([], [])
    for _ in range(rounds):
        (a, a_output), (b, b_output) = run(ours), run(theirs)
        if a_output != b_output:
            sys.exit(f"{name}: {a_output!r} is not {b_output!r}")
        times[0].append(a * 1000)
        times[1].append(b * 1000)
    return min(times[0]), min(times[1])


def growth(sluice, rounds):
    """CPU time of building a text of 1 M pieces by that of 250 k pieces; 4 is linear."""
    times = []
    with tempfile.TemporaryDirectory() as folder:
        for pieces in (250_000, 1_000_000):
            path = os.path.join(folder, f"{pieces}.dg")
            with open(path, "w") as f:
                f.write(f's = "";\ni = 0;\nwhile(i < {pieces})\n{{\n\ts = s + "piece";\n\ti = i + 1;\n}}\ninfo s.length();\n')
            times.append(min(run([sluice, "run", *LIMITS, path])[0] for _ in range(rounds)))
    with tempfile.NamedTemporaryFile("w", suffix=".dg") as empty:
        empty.write("info 1;\n")
        empty.flush()
        start = min(run([sluice, "run", *LIMITS, empty.name])[0] for _ in range(rounds))
    return (times[1] - start) / max(times[0] - start, 1e-6), times[1] - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("sluice")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--lua", default="lua5.4")
    parser.add_argument("--only")
    args = parser.parse_args()
    ratios = []
    print(f"{'case':10}{'sluice ms':>11}{'other ms':>11}{'ratio':>8}")
    for path in sorted(glob.glob(os.path.join(HERE, "scripts", "*.dg"))):
        name = os.path.splitext(os.path.basename(path))[0]
        if args.only and name != args.only:
            continue
        python = path[:-3] + ".py"
        other = [sys.executable, "-S", python] if os.path.exists(python) else [args.lua, path[:-3] + ".lua"]
        ours, theirs = measure(name, [args.sluice, "run", *LIMITS, path], other, args.rounds)
        ratios.append(ours / theirs)
        print(f"{name:10}{ours:11.1f}{theirs:11.1f}{ratios[-1]:8.2f}{'  (python3 json)' if os.path.exists(python) else ''}")
    print(f"{'mean':10}{'':22}{math.exp(sum(map(math.log, ratios)) / len(ratios)):8.2f}  (geometric; below 1 is faster than the other)")
    if not args.only:
        ratio, seconds = growth(args.sluice, args.rounds)
        print(f"1 M pieces: {seconds * 1000:.0f} ms, {ratio:.1f} times what 250 k take")


if __name__ == "__main__":
    main()
