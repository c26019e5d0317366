// SPDX-License-Identifier: Apache-2.0
// Cron expressions from anywhere: reading never crashes; what is read finds times that are later each time, on whole minutes, where clocks
// are put forward and back as well.
#include "ext/ext.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_times(const struct ext_cron *cron, const struct zone *zone, int64_t now_ms)
{
    for (int i = 0; i < 20; i++) {
        int64_t next_ms;
        if (!ext_cron_next(cron, now_ms, zone, &next_ms)) {
            return;
        }
        struct civil civil = calendar_civil(next_ms, zone);
        if (next_ms <= now_ms || next_ms % 60000 != 0 || !(cron->minutes >> civil.minute & 1)) {
            abort();
        }
        now_ms = next_ms;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const zones[] = {"Europe/Berlin", "America/Santiago", "Asia/Kolkata"};
    struct ext_cron cron;
    struct fail fail = {0};
    if (!ext_cron_read((struct view){(const char *)data, size}, &cron, &fail)) {
        if (fail.code != FAIL_INVALID_DATA || fail.text[0] == 0) {
            abort();
        }
        return 0;
    }
    for (size_t i = 0; i < BASE_COUNT(zones); i++) {
        check_times(&cron, zone_find(view_of(zones[i])), 1774656000000); // 2026-03-28
        check_times(&cron, zone_find(view_of(zones[i])), 1792886400000); // 2026-10-25
    }
    return 0;
}
