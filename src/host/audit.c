// SPDX-License-Identifier: Apache-2.0
// The audit log (DESIGN security 10): one row in control for each change of keys, published versions, installations, orgs, OAuth clients
// and connections. It is written after the deed, because a deed must not fail for its note; what cannot be noted is in the process log.
#include "host/inside.h"

enum { AUDIT_SUBJECT_BYTES_MAX = 512, AUDIT_ACTOR_BYTES_MAX = 128 };

struct audit_note {
    struct auth_audit entry;
    int64_t account_id; // whose session it was, 0 = nobody's
};

// An account may be gone by now.
static bool add_tx(struct tx *tx, void *arg, struct fail *fail)
{
    const struct audit_note *note = arg;
    struct auth_audit entry = note->entry;
    char actor[AUDIT_ACTOR_BYTES_MAX + AUTH_EMAIL_MAX];
    struct auth_account account;
    bool found = false;
    if (note->account_id && !auth_account_name_tx(tx, note->account_id, &account, &found, fail)) {
        return false;
    }
    if (found) {
        snprintf(actor, sizeof actor, "%s", account.email);
        entry.actor = view_of(actor);
    }
    return auth_audit_add_tx(tx, &entry, fail);
}

static struct view actor_of(const struct identity *who, char out[AUDIT_ACTOR_BYTES_MAX])
{
    int len;
    if (!who || who->kind == IDENTITY_NONE) {
        return VIEW("system");
    }
    if (who->kind == IDENTITY_OWNER) {
        return VIEW("owner");
    }
    if (who->kind == IDENTITY_ZAPIKEY) {
        len = snprintf(out, AUDIT_ACTOR_BYTES_MAX, "key %s", who->namespace);
    } else if (who->user_id) {
        len = snprintf(out, AUDIT_ACTOR_BYTES_MAX, "user %lld", (long long)who->user_id);
    } else {
        len = snprintf(out, AUDIT_ACTOR_BYTES_MAX, "super admin");
    }
    return (struct view){out, (size_t)len};
}

bool host_audit_outcome(struct host *host, const struct identity *who, const char *action, struct view subject, bool good)
{
    char actor[AUDIT_ACTOR_BYTES_MAX];
    struct store_env *control;
    struct fail fail;
    if (!host->options.data_folder) { // `sluice run`, tests: gone with the process
        return good;
    }
    struct audit_note note = {.account_id = who && who->kind == IDENTITY_OWNER ? who->account_id : 0};
    note.entry = (struct auth_audit){
        .time_ms = clock_wall_ms(),
        .actor = actor_of(who, actor),
        .org = view_of(who && who->org[0] ? who->org : HOST_DEFAULT_ORG),
        .environment = view_of(who && who->environment[0] ? who->environment : "production"),
        .action = view_of(action),
        .subject = view_slice(subject, 0, utf8_clamp(subject, AUDIT_SUBJECT_BYTES_MAX)),
        .outcome = good ? VIEW("done") : VIEW("failed"),
    };
    fail_clear(&fail);
    if (!host_control(host, &control, &fail) || !store_write(control, add_tx, &note, &fail)) {
        log_line(LOG_ERROR, "audit", "actor=%.*s action=%s subject=%.*s outcome=%.*s not_written=%s", VIEW_ARGS(note.entry.actor), action,
                 VIEW_ARGS(note.entry.subject), VIEW_ARGS(note.entry.outcome), fail.text);
    }
    return good;
}

void host_audit(struct host *host, const struct identity *who, const char *action, struct view subject)
{
    host_audit_outcome(host, who, action, subject, true);
}

// ---- reading ------------------------------------------------------------------------------------

struct audit_request {
    struct heap *heap;
    struct list *list;
    int64_t after, last;
    int limit;
};

static void add_entry(void *arg, const struct auth_audit *entry)
{
    struct audit_request *request = arg;
    struct heap *heap = request->heap;
    struct value map = value_map(heap, 8);
    struct buffer time;
    if (map.type != VALUE_MAP) {
        return;
    }
    buffer_init(&time, 64);
    calendar_print_iso(&time, entry->time_ms, zone_local());
    struct {
        const char *key;
        struct view text;
    } texts[] = {{"time", buffer_view(&time)}, {"actor", entry->actor},     {"org", entry->org},        {"environment", entry->environment},
                 {"action", entry->action},    {"subject", entry->subject}, {"outcome", entry->outcome}};
    map_put_text(heap, map.map, VIEW("id"), value_number(entry->id));
    for (size_t i = 0; i < BASE_COUNT(texts); i++) {
        map_put_text(heap, map.map, view_of(texts[i].key), value_text(heap, texts[i].text));
    }
    buffer_free(&time);
    list_add(heap, request->list, map);
    request->last = entry->id;
}

static bool list_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct audit_request *request = arg;
    return auth_audit_tx(tx, request->after, request->limit, add_entry, request, fail);
}

bool host_audit_list(struct host *host, int64_t after, int limit, struct heap *heap, struct value *ret_list, int64_t *ret_last,
                     struct fail *fail)
{
    struct store_env *control;
    struct value list = value_list(heap, 64);
    struct audit_request request = {.heap = heap, .list = value_as_list(list), .after = after, .last = after, .limit = limit};
    if (heap->failed) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    if (!host_control(host, &control, fail) || !store_read(control, list_tx, &request, fail)) {
        return false;
    }
    *ret_list = list;
    *ret_last = request.last;
    return !heap->failed || fail_set(fail, FAIL_MEMORY, NULL);
}
