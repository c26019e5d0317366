// SPDX-License-Identifier: Apache-2.0
//
// Counters, and their Prometheus text. Each loop counts in a shard of its own; reading adds the shards up. No name, key or path of a caller
// is a label: what an outsider can choose must not make series (and must not be shown).
#include "web/room.h"

#include <sys/resource.h>

// Upper bounds in microseconds; the last bucket is +Inf.
static const struct {
    double max_us;
    const char *text; // in seconds
} bounds[METRICS_BUCKETS] = {{100, "0.0001"}, {250, "0.00025"}, {500, "0.0005"}, {1000, "0.001"}, {2500, "0.0025"}, {5000, "0.005"},
                             {10000, "0.01"}, {50000, "0.05"},  {100000, "0.1"}, {500000, "0.5"}, {1000000, "1"},   {10000000, "10"}};

static inline void add(_Atomic uint64_t *counter, uint64_t by)
{
    atomic_fetch_add_explicit(counter, by, memory_order_relaxed);
}

void metrics_note(struct metrics *metrics, int status, double duration_ms)
{
    struct metrics_shard *shard = &metrics->shards[loop_index(loop_current())];
    double us = duration_ms * 1000;
    int bucket = 0;
    while (bucket < METRICS_BUCKETS && us > bounds[bucket].max_us) {
        bucket++;
    }
    add(&shard->classes[status >= 100 && status <= 599 ? status / 100 : 5], 1);
    add(&shard->buckets[bucket], 1);
    add(&shard->microseconds, (uint64_t)us);
}

struct totals {
    uint64_t classes[6], buckets[METRICS_BUCKETS + 1], microseconds, refused_key, refused_process, unauthorized;
};

// Not one moment's picture: each counter is right, together they may be a few requests apart.
static void sum_shards(const struct metrics *metrics, struct totals *ret_totals)
{
    struct totals sum = {0};
    for (int i = 0; i < loop_count(); i++) {
        const struct metrics_shard *shard = &metrics->shards[i];
        for (size_t k = 0; k < BASE_COUNT(sum.classes); k++) {
            sum.classes[k] += atomic_load_explicit(&shard->classes[k], memory_order_relaxed);
        }
        for (size_t k = 0; k < BASE_COUNT(sum.buckets); k++) {
            sum.buckets[k] += atomic_load_explicit(&shard->buckets[k], memory_order_relaxed);
        }
        sum.microseconds += atomic_load_explicit(&shard->microseconds, memory_order_relaxed);
        sum.refused_key += atomic_load_explicit(&shard->refused_key, memory_order_relaxed);
        sum.refused_process += atomic_load_explicit(&shard->refused_process, memory_order_relaxed);
        sum.unauthorized += atomic_load_explicit(&shard->unauthorized, memory_order_relaxed);
    }
    *ret_totals = sum;
}

static void print_head(struct buffer *out, const char *name, const char *type, const char *help)
{
    buffer_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

// decimal_print never uses an exponent or a locale's comma.
static void print_number(struct buffer *out, const char *name, const char *type, const char *help, double value)
{
    char digits[DECIMAL_TEXT_MAX];
    print_head(out, name, type, help);
    buffer_printf(out, "%s %.*s\n", name, (int)decimal_print(digits, value), digits);
}

static void print_durations(struct buffer *out, const struct totals *totals)
{
    static const char name[] = "sluice_http_request_duration_seconds";
    print_head(out, name, "histogram", "Time from the head of a request to its answer.");
    uint64_t count = 0;
    for (int i = 0; i < METRICS_BUCKETS; i++) {
        count += totals->buckets[i];
        buffer_printf(out, "%s_bucket{le=\"%s\"} %llu\n", name, bounds[i].text, (unsigned long long)count);
    }
    count += totals->buckets[METRICS_BUCKETS];
    buffer_printf(out, "%s_bucket{le=\"+Inf\"} %llu\n%s_sum %.6f\n%s_count %llu\n", name, (unsigned long long)count, name,
                  (double)totals->microseconds / 1e6, name, (unsigned long long)count);
}

static void print_process(const struct web *web, struct buffer *out)
{
    struct rusage usage = {0};
    getrusage(RUSAGE_SELF, &usage);
    double cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    print_number(out, "process_cpu_seconds_total", "counter", "User and system time.", cpu);
    print_number(out, "process_start_time_seconds", "gauge", "Start, since 1970.", (double)web->started_ms / 1000);
    print_number(out, "process_peak_memory_bytes", "gauge", "Largest resident memory so far.", (double)usage.ru_maxrss * 1024);
}

void metrics_print(const struct web *web, struct buffer *out)
{
    struct totals totals;
    sum_shards(&web->metrics, &totals);
    print_head(out, "sluice_http_requests_total", "counter", "Answered requests by class of status.");
    for (int i = 2; i <= 5; i++) {
        buffer_printf(out, "sluice_http_requests_total{class=\"%dxx\"} %llu\n", i, (unsigned long long)totals.classes[i]);
    }
    print_durations(out, &totals);
    print_head(out, "sluice_calls_refused_total", "counter", "Function calls refused before they ran.");
    buffer_printf(out,
                  "sluice_calls_refused_total{reason=\"key_runs\"} %llu\nsluice_calls_refused_total{reason=\"process_runs\"} %llu\n"
                  "sluice_calls_refused_total{reason=\"unauthorized\"} %llu\n",
                  (unsigned long long)totals.refused_key, (unsigned long long)totals.refused_process,
                  (unsigned long long)totals.unauthorized);
    print_number(out, "sluice_runs_in_flight", "gauge", "Function calls running now.", atomic_load(&web->admission.process));
    print_number(out, "sluice_connections_busy", "gauge", "Connections being served now.", web_busy(web));
    print_number(out, "sluice_fibers", "gauge", "Fibers alive.", loop_fiber_count());
    print_process(web, out);
}
