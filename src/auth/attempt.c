// SPDX-License-Identifier: Apache-2.0
// Attempts to sign in: who guesses passwords waits longer and longer. An e-mail address that nobody has is counted like one that somebody
// has, so that the waiting tells nothing.
#include "auth/inside.h"

#include <stdlib.h>

enum { SLOTS = 4096, WAIT_FIRST_S = 30, WAIT_MOST_S = 3600 };
#define FORGET_MS (24LL * 3600000)

struct attempts {
    pthread_mutex_t mutex;
    struct {
        int wrong; // in a row
        int64_t last_ms, until_ms;
    } slots[SLOTS];
};

struct attempts *attempts_new(void)
{
    struct attempts *attempts = calloc(1, sizeof *attempts);
    if (attempts) {
        pthread_mutex_init(&attempts->mutex, NULL);
    }
    return attempts;
}

void attempts_free(struct attempts *attempts)
{
    if (attempts) {
        pthread_mutex_destroy(&attempts->mutex);
        free(attempts);
    }
}

bool auth_attempt_may(const struct auth *auth, const char *email, int64_t now_ms, int *ret_wait_s)
{
    struct attempts *attempts = auth->attempts;
    pthread_mutex_lock(&attempts->mutex);
    int64_t left_ms = attempts->slots[view_hash_nocase(view_of(email)) % SLOTS].until_ms - now_ms;
    pthread_mutex_unlock(&attempts->mutex);
    *ret_wait_s = left_ms > 0 ? (int)((left_ms + 999) / 1000) : 0;
    return left_ms <= 0;
}

void auth_attempt_note(struct auth *auth, const char *email, int64_t now_ms, bool right)
{
    struct attempts *attempts = auth->attempts;
    pthread_mutex_lock(&attempts->mutex);
    size_t at = view_hash_nocase(view_of(email)) % SLOTS;
    if (right || now_ms - attempts->slots[at].last_ms > FORGET_MS) {
        attempts->slots[at].wrong = 0;
        attempts->slots[at].until_ms = 0;
    }
    attempts->slots[at].last_ms = now_ms;
    int over = right ? -1 : ++attempts->slots[at].wrong - AUTH_ATTEMPTS_FREE;
    if (over >= 0) {
        int64_t wait_s = over < 7 ? (int64_t)WAIT_FIRST_S << over : WAIT_MOST_S;
        attempts->slots[at].until_ms = now_ms + 1000 * (wait_s > WAIT_MOST_S ? WAIT_MOST_S : wait_s);
    }
    pthread_mutex_unlock(&attempts->mutex);
}
