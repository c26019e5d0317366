// SPDX-License-Identifier: Apache-2.0
//
// How many runs are in flight, for the process and for each key, and how often a key with a rate was used in this minute: above the limits
// a call is refused at once instead of waiting in line, because a line only makes everybody late. Counters are plain atomics: nothing here
// waits.
#include "web/room.h"

bool admission_enter(struct admission *admission, const struct identity *identity, unsigned *ret_slot, struct fail *fail)
{
    if (atomic_fetch_add_explicit(&admission->process, 1, memory_order_relaxed) >= admission->process_max) {
        atomic_fetch_sub_explicit(&admission->process, 1, memory_order_relaxed);
        return fail_set(fail, FAIL_FULL, NULL);
    }
    uint64_t hash = view_hash(view_of(identity->namespace)) ^ (uint64_t)identity->org_number * 0x9e3779b97f4a7c15u;
    hash ^= (unsigned char)identity->environment[0] ^ (uint64_t)identity->user_id * 0xc2b2ae3d27d4eb4fu;
    unsigned slot = (unsigned)((hash ^ hash >> 32) % ADMISSION_SLOTS);
    if (atomic_fetch_add_explicit(&admission->keys[slot], 1, memory_order_relaxed) >= admission->key_max) {
        admission_leave(admission, slot);
        return fail_set(fail, FAIL_TOO_MANY, NULL);
    }
    *ret_slot = slot;
    return true;
}

bool admission_rate(struct exchange *exchange, int *ret_left, struct fail *fail)
{
    const struct identity *who = &exchange->identity;
    int wait_s;
    char wait[16];
    if (auth_meter_take(who->meter, who->rate, loop_now_ms(), ret_left, &wait_s)) {
        return true;
    }
    snprintf(wait, sizeof wait, "%d", wait_s);
    exchange_reply_header(exchange, VIEW("Retry-After"), view_of(wait));
    return fail_set(fail, FAIL_TOO_MANY, "the rate of this key is %d/minute; try again in %d s", who->rate, wait_s);
}

void admission_tell(struct exchange *exchange, int left)
{
    char text[16];
    if (left <= exchange->identity.rate / 2) {
        snprintf(text, sizeof text, "%d", left);
        exchange_reply_header(exchange, VIEW("X-API-CREDITS-REMAINING"), view_of(text));
    }
}

void admission_leave(struct admission *admission, unsigned slot)
{
    atomic_fetch_sub_explicit(&admission->keys[slot], 1, memory_order_relaxed);
    atomic_fetch_sub_explicit(&admission->process, 1, memory_order_relaxed);
}
