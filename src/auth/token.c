// SPDX-License-Identifier: Apache-2.0
// OAuth access tokens in the Authorization header (spec/crm-api.md §6). No client can be registered yet, so no token can be good: a token
// is answered as Zoho answers a wrong one, its absence as Zoho answers a blank one (spec/crm-api.md §2.5).
#include "auth/auth.h"

bool auth_token_check(struct auth *auth, struct view header, struct identity *ret_identity, struct fail *fail)
{
    (void)auth;
    (void)ret_identity;
    struct view token = VIEW_NONE;
    if (view_starts_nocase(header, VIEW("Zoho-oauthtoken "))) {
        token = view_trim(view_from(header, sizeof "Zoho-oauthtoken"));
    } else if (view_starts_nocase(header, VIEW("Bearer "))) {
        token = view_trim(view_from(header, sizeof "Bearer"));
    }
    return fail_set(fail, token.len ? FAIL_INVALID_TOKEN : FAIL_AUTHENTICATION, NULL);
}
