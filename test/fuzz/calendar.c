// SPDX-License-Identifier: Apache-2.0
//
// Fuzzes dates as text. Input: TEXT, newline, PATTERN, newline, ZONE; with the text alone as a literal, too. An instant that a text gives
// must print in ISO form and read back as the same second.
#include "value/value.h"

#include <stdlib.h>

enum { FUZZ_TEXT_BYTES = 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void print_and_read(int64_t millis, const struct zone *zone, struct view pattern)
{
    struct buffer out;
    int64_t again;
    bool has_time;
    buffer_init(&out, FUZZ_TEXT_BYTES);
    calendar_format(&out, millis, zone, pattern);
    buffer_reset(&out);
    calendar_print_iso(&out, millis, zone);
    struct civil civil = calendar_civil(millis, zone);
    demand(civil.month >= 1 && civil.month <= 12 && civil.day >= 1 && civil.day <= calendar_month_days(civil.year, civil.month));
    // Offsets with seconds, as before 1900 and in a few zones long after, do not show in ISO form.
    if (civil.year >= 1 && civil.year <= 9999 && zone_offset_ms(zone, millis, NULL, NULL) % 60000 == 0) {
        demand(calendar_read(buffer_view(&out), NULL, &again, &has_time) && has_time);
        int64_t second = millis / 1000 - (millis % 1000 < 0);
        demand(again / 1000 - (again % 1000 < 0) == second);
    }
    buffer_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view name = {(const char *)data, size};
    struct view text = view_cut(&name, '\n'), pattern = view_cut(&name, '\n');
    const struct zone *zone = zone_find(name);
    int64_t millis;
    bool has_time;
    demand(zone_name(zone).len > 0);
    if (calendar_parse(text, pattern, zone, &millis, &has_time)) {
        print_and_read(millis, zone, pattern);
    }
    if (calendar_read(text, zone, &millis, &has_time)) {
        print_and_read(millis, zone, pattern);
    }
    if (size >= 8) {
        memcpy(&millis, data, 8);
        print_and_read(millis, zone, pattern);
        struct civil civil = calendar_civil(millis, zone);
        calendar_millis(civil, zone);
    }
    return 0;
}
