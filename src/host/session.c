// SPDX-License-Identifier: Apache-2.0
// A CRM session for a request that runs no function: the REST API's way to the caller's own org environment, as the caller's own user.
#include "host/inside.h"

bool host_session_open(struct host *host, const struct identity *who, struct heap *heap, struct crm_session *ret_session, struct fail *fail)
{
    struct host_env *env;
    if (!host_env_of(host, who, &env, fail) || !crm_session_open(env->crm, heap, ret_session, fail)) {
        return false;
    }
    ret_session->slow_ms = (int)host->limits[LIMIT_SLOW_READ_MS];
    heap->zone = crm_zone(ret_session);
    heap->key_order = host->options.json_java_order ? JSON_JAVA_HASHMAP : JSON_INSERTION;
    if (who->user_id) {
        ret_session->user_id = who->user_id;
    }
    return true;
}

void host_session_join(const struct exchange *exchange, struct crm_session *session)
{
    session->journal = nested_journal(exchange->nested, &exchange->identity);
    session->workflow_depth = exchange->nested ? exchange->nested->workflow_depth : 0;
}

// ---- sealed texts -------------------------------------------------------------------------------

enum { SEALED_BYTES_MAX = 16384, PURPOSE_BYTES_MAX = 256 };

static struct view seal_purpose(const struct identity *who, struct view purpose, char out[PURPOSE_BYTES_MAX])
{
    int len = snprintf(out, PURPOSE_BYTES_MAX, "%.*s/%lld/%s/%lld", VIEW_ARGS(purpose), (long long)who->org_number, who->environment,
                       (long long)who->user_id);
    return (struct view){out, (size_t)len};
}

struct view host_seal_write(struct host *host, const struct identity *who, struct view purpose, struct view plain, struct arena *arena)
{
    char text[PURPOSE_BYTES_MAX];
    struct buffer sealed;
    struct fail fail;
    buffer_init(&sealed, SEALED_BYTES_MAX);
    char *digits = NULL;
    size_t len = 0;
    if (seal_lock(host->seal, seal_purpose(who, purpose, text), plain, &sealed, &fail) && !sealed.failed) {
        len = 2 * sealed.len;
        digits = arena_alloc(arena, len);
    }
    if (digits) {
        hex_print(digits, sealed.data, sealed.len);
    }
    buffer_free(&sealed);
    return digits ? (struct view){digits, len} : VIEW_NONE;
}

bool host_seal_read(struct host *host, const struct identity *who, struct view purpose, struct view sealed, struct arena *arena,
                    struct view *ret_plain)
{
    char text[PURPOSE_BYTES_MAX];
    struct buffer plain;
    struct fail fail;
    size_t len = sealed.len / 2;
    char *bytes = sealed.len % 2 == 0 && len <= SEALED_BYTES_MAX ? arena_alloc(arena, len + 1) : NULL;
    if (!bytes || !hex_read(sealed, bytes, len)) {
        return false;
    }
    buffer_init(&plain, SEALED_BYTES_MAX);
    bool ok = seal_unlock(host->seal, seal_purpose(who, purpose, text), (struct view){bytes, len}, &plain, &fail);
    struct view copy = ok ? arena_copy(arena, buffer_view(&plain)) : VIEW_NONE;
    buffer_free(&plain);
    *ret_plain = copy;
    return copy.data != NULL;
}
