// SPDX-License-Identifier: Apache-2.0
// The first half of zapikeys, OAuth tokens and client ids: which org environment they belong to, so that no look-up asks all of them.
//
// 6 bytes org number and 1 byte environment under a mask, 5 random bytes the mask is derived from, 4 bytes of a check. What nobody here
// made is refused by arithmetic alone, without touching a data base.
#include "auth/inside.h"

enum { ROUTE_HIDDEN = 7, ROUTE_RANDOM = 5, ROUTE_CHECK = 4 };

static void mask_of(const struct auth *auth, const uint8_t random[ROUTE_RANDOM], uint8_t ret_mask[SEAL_HMAC_BYTES])
{
    char text[16] = "route";
    memcpy(text + 5, random, ROUTE_RANDOM);
    seal_hmac(auth->seal, (struct view){text, 5 + ROUTE_RANDOM}, ret_mask);
}

// hidden (7) · random (5) · check (4); the check is the mask's tail added to the plain bytes' sum, so that a changed byte shows.
static void check_of(const uint8_t plain[ROUTE_HIDDEN], const uint8_t mask[SEAL_HMAC_BYTES], uint8_t ret_check[ROUTE_CHECK])
{
    uint32_t sum = 0;
    for (size_t i = 0; i < ROUTE_HIDDEN; i++) {
        sum = sum * 0x01000193u + plain[i] + 1;
    }
    uint32_t tail;
    memcpy(&tail, mask + 16, sizeof tail);
    sum ^= tail;
    memcpy(ret_check, &sum, ROUTE_CHECK);
}

void auth_route_write(const struct auth *auth, const struct identity *where, uint8_t ret_route[AUTH_ROUTE_BYTES])
{
    uint8_t mask[SEAL_HMAC_BYTES], plain[ROUTE_HIDDEN];
    for (size_t i = 0; i < 6; i++) {
        plain[i] = (uint8_t)(where->org_number >> (8 * i));
    }
    plain[6] = strcmp(where->environment, "sandbox") == 0;
    random_bytes(ret_route + ROUTE_HIDDEN, ROUTE_RANDOM);
    mask_of(auth, ret_route + ROUTE_HIDDEN, mask);
    for (size_t i = 0; i < ROUTE_HIDDEN; i++) {
        ret_route[i] = plain[i] ^ mask[i];
    }
    check_of(plain, mask, ret_route + ROUTE_HIDDEN + ROUTE_RANDOM);
}

bool auth_route_read(const struct auth *auth, struct view half, int64_t *ret_org_number, bool *ret_sandbox)
{
    uint8_t route[AUTH_ROUTE_BYTES], mask[SEAL_HMAC_BYTES], plain[ROUTE_HIDDEN], check[ROUTE_CHECK];
    if (!hex_read(half, route, sizeof route)) {
        return false;
    }
    mask_of(auth, route + ROUTE_HIDDEN, mask);
    int64_t number = 0;
    for (size_t i = 0; i < ROUTE_HIDDEN; i++) {
        plain[i] = route[i] ^ mask[i];
        number |= i < 6 ? (int64_t)plain[i] << (8 * i) : 0;
    }
    check_of(plain, mask, check);
    if (!seal_equal(check, route + ROUTE_HIDDEN + ROUTE_RANDOM, ROUTE_CHECK) || plain[6] > 1) {
        return false;
    }
    *ret_org_number = number;
    *ret_sandbox = plain[6];
    return true;
}
