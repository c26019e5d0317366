#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures build/sluice against floor.c on this machine: requests per server CPU-second, cold start, idle memory.

The server has the first core, wrk the last one; CPU time is that of all the server's threads (/proc), so waiting for the client counts for
nobody. Rounds take turns, and a ratio is the median of the ratios of single rounds: neighbours then disturb both sides. Every answer is
checked before it is timed, and the leads that were answered as created are counted in the data base afterwards.

usage: bench/run.py SLUICE [--secs N] [--rounds N] [--connections N] [--json]
"""
import argparse, glob, http.client, json, os, re, signal, socket, sqlite3, statistics, subprocess, sys, tempfile, time, urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
CORES = sorted(os.sched_getaffinity(0))
LEAD = {"lead": {"Last_Name": "Lovelace", "First_Name": "Ada", "Company": "Analytical Engines", "Email": "ada@example.com", "Rating": 5,
                 "Tags": ["vip", "maths"], "Opt_In": True, "Notes": "met at the exhibition, call on Monday"}}
ROUTES = {"hello": "hello", "lead": "Lead Lovelace of Analytical Engines (web)", "create": "Lead Lovelace of Analytical Engines (web)"}
COLD_STARTS = 9
START_LIMIT_S = 20


class Server:
    """A child on the first core."""

    def __init__(self, argv, log):
        self.log = open(log, "w+")
        os.sched_setaffinity(0, {CORES[0]})
        try:
            self.begun = time.perf_counter()
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.DEVNULL)
        finally:
            os.sched_setaffinity(0, {CORES[-1]})

    def cpu_s(self):
        with open(f"/proc/{self.process.pid}/stat") as f:
            fields = f.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_mib(self):
        with open(f"/proc/{self.process.pid}/status") as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read())[1]) / 1024

    def said(self, line):
        with open(self.log.name) as f:
            return line in f.read().splitlines()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(START_LIMIT_S)
        self.log.close()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def ask(port, path, body=None):
    """Status and text of one exchange."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_LIMIT_S)
    try:
        connection.request("POST" if body else "GET", path, body, {"Content-Type": "application/json"} if body else {})
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def wait_until(server, answered):
    """Milliseconds from the spawn until answered() is true."""
    while time.perf_counter() - server.begun < START_LIMIT_S:
        try:
            if answered():
                return (time.perf_counter() - server.begun) * 1e3
        except OSError:
            pass
        if server.process.poll() is not None:
            break
        time.sleep(0.0003)
    server.log.seek(0)
    sys.exit(f"{server.process.args[0]} did not answer: {server.log.read()[-500:]}")


class Sluice:
    def __init__(self, binary, folder):
        self.binary, self.folder, self.data = binary, folder, os.path.join(folder, "data")
        server = self.start_process()  # makes the data folder and the key
        wait_until(server, lambda: server.said("ready"))
        self.key = subprocess.check_output([binary, "key", "show", "bench", "--data", self.data], text=True).strip()
        server.stop()

    def start_process(self):
        self.port = free_port()
        return Server([self.binary, "serve", os.path.join(HERE, "extension"), "--data", self.data, "--listen", f"127.0.0.1:{self.port}",
                       "--workers", "1"], os.path.join(self.folder, "sluice.log"))

    def path(self, route):
        query = {"auth_type": "apikey", "zapikey": self.key, "source": "web"}
        return f"/crm/v2/functions/bench__{route}/actions/execute?" + urllib.parse.urlencode(query)

    def is_right(self, route):
        status, text = ask(self.port, self.path(route), None if route == "hello" else json.dumps(LEAD))
        return status == 200 and json.loads(text)["details"]["output"] == ROUTES[route]

    def start(self):
        server = self.start_process()
        return server, wait_until(server, lambda: self.is_right("hello"))

    def check(self):
        for route in ROUTES:
            if not self.is_right(route):
                sys.exit(f"the answer to {route} is wrong")
        if ask(self.port, self.path("hello").replace(self.key, self.key[:-1] + ("0" if self.key[-1] != "0" else "1")))[0] != 401:
            sys.exit("a wrong key is accepted")

    def leads(self):
        file = glob.glob(os.path.join(self.data, "orgs", "*", "production.db"))[0]
        with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as db:
            return db.execute('SELECT count(*) FROM "Leads"').fetchone()[0]


def run_wrk(port, path, script, seconds, connections):
    argv = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "20s", "--latency"] + (["-s", script] if script else [])
    text = subprocess.run(argv + [f"http://127.0.0.1:{port}{path}"], capture_output=True, text=True).stdout
    done = re.search(r"(\d+) requests in", text)
    if not done or "Non-2xx" in text or "Socket errors" in text:
        sys.exit("wrk met failures:\n" + text)
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s)", text)
    return int(done[1]), float(p99[1]) * {"us": 1e-3, "ms": 1, "s": 1e3}[p99[2]]


def measure(server, port, path, script, options):
    """One round: requests per CPU-second, requests, p99. Work that goes on behind the replies is waited for."""
    before = server.cpu_s()
    count, p99_ms = run_wrk(port, path, script, options.secs, options.connections)
    time.sleep(0.5)
    return {"per_cpu": count / (server.cpu_s() - before), "count": count, "p99_ms": p99_ms}


def run_rounds(options, folder):
    script = os.path.join(folder, "post.lua")
    with open(script, "w") as f:
        f.write('wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\nwrk.body = [[' + json.dumps(LEAD) + "]]\n")
    floor_binary = os.path.join(folder, "floor")
    subprocess.check_call(["cc", "-O2", "-D_GNU_SOURCE", "-o", floor_binary, os.path.join(HERE, "floor.c")])
    sluice = Sluice(options.sluice, folder)
    result = {"cold_ms": [], "rounds": {}}
    for _ in range(COLD_STARTS):
        server, cold_ms = sluice.start()
        result["cold_ms"].append(cold_ms)
        result["idle_mib"] = server.rss_mib()
        server.stop()
    server, _ = sluice.start()
    sluice.check()
    floor_port = free_port()
    floor = Server([floor_binary, str(floor_port)], os.path.join(folder, "floor.log"))
    wait_until(floor, lambda: ask(floor_port, "/")[0] == 200)
    before, answered = sluice.leads(), 0
    for route in ROUTES:
        post = None if route == "hello" else script
        run_wrk(sluice.port, sluice.path(route), post, 1, options.connections) if route != "create" else None  # warm
        rounds = result["rounds"][route] = []
        for _ in range(options.rounds):
            rounds.append({"floor": measure(floor, floor_port, sluice.path(route), post, options),
                           "sluice": measure(server, sluice.port, sluice.path(route), post, options)})
            answered += rounds[-1]["sluice"]["count"] if route == "create" else 0
    result["loaded_mib"] = server.rss_mib()
    server.stop()
    floor.stop()
    stored = sluice.leads() - before
    # wrk hangs up at its end on calls that are under way: they are stored, and counted by nobody.
    if not answered <= stored <= answered + options.rounds * options.connections:
        sys.exit(f"{answered} leads were answered as created, {stored} are stored")
    return result


def print_table(result):
    print(f"{'':8}{'sluice':>12}{'floor':>12}{'':>10}{'sluice':>10}")
    print(f"{'':8}{'req/CPU-s':>12}{'req/CPU-s':>12}{'of floor':>10}{'p99 ms':>10}")
    for route, rounds in result["rounds"].items():
        middle = lambda side, key: statistics.median(r[side][key] for r in rounds)
        share = statistics.median(r["sluice"]["per_cpu"] / r["floor"]["per_cpu"] for r in rounds)
        print(f"{route:8}{middle('sluice', 'per_cpu'):12,.0f}{middle('floor', 'per_cpu'):12,.0f}{share:10.0%}{middle('sluice', 'p99_ms'):10.1f}")
    print("create is durable: on the disk before the answer; the floor answers everything with one constant")
    print(f"cold start {statistics.median(result['cold_ms']):.1f} ms (median of {COLD_STARTS}, existing data folder)")
    print(f"memory {result['idle_mib']:.1f} MiB idle, {result['loaded_mib']:.1f} MiB after the load")


def main():
    parser = argparse.ArgumentParser(usage=__doc__.rpartition("usage: ")[2])
    parser.add_argument("sluice")
    parser.add_argument("--secs", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    os.sched_setaffinity(0, {CORES[-1]})
    build = os.path.join(os.path.dirname(HERE), "build")  # on a disk: /tmp may be memory, where nothing is durable
    with tempfile.TemporaryDirectory(prefix="bench-", dir=build if os.path.isdir(build) else None) as folder:
        result = run_rounds(options, folder)
    print(json.dumps(result)) if options.json else print_table(result)


if __name__ == "__main__":
    main()
