// SPDX-License-Identifier: Apache-2.0
// OAuth scopes (spec/crm-api.md §6): words of a service, a path and an operation, "ZohoCRM.modules.Leads.READ". A granted scope covers
// every needed one below its path whose operation it covers. Upper and lower case are one, as in Zoho's pages.
//
// A list of granted scopes is a text with blanks between, spelled as the table has it. Identities point at such texts, so every list that a
// token was found with is kept for the process's life, once an org; how many there can be is limited, because clients choose them.
#include "auth/inside.h"

#include <stdlib.h>

// ---- the table ----------------------------------------------------------------------------------

#define EVERY_OPERATION "ALL READ CREATE UPDATE DELETE WRITE"

struct scope_row {
    const char *path;
    bool below; // words may follow: ZohoCRM.modules.Leads
    const char *operations;
    const char *all; // what "all scopes" has of it, blanks between; NULL: nothing
};
static const struct scope_row scope_table[] = {
    {"ZohoCRM.modules", true, EVERY_OPERATION, "ZohoCRM.modules.ALL"},
    {"ZohoCRM.settings", true, EVERY_OPERATION, "ZohoCRM.settings.ALL"},
    {"ZohoCRM.users", true, EVERY_OPERATION, "ZohoCRM.users.ALL"},
    {"ZohoCRM.org", true, EVERY_OPERATION, "ZohoCRM.org.ALL"},
    {"ZohoCRM.bulk", true, EVERY_OPERATION, "ZohoCRM.bulk.ALL"},
    {"ZohoCRM.notifications", true, EVERY_OPERATION, "ZohoCRM.notifications.ALL"},
    {"ZohoCRM.coql", false, "ALL READ", "ZohoCRM.coql.READ"},
    {"ZohoCRM.mass_update", true, EVERY_OPERATION, "ZohoCRM.mass_update.ALL"},
    {"ZohoCRM.files", true, EVERY_OPERATION, "ZohoCRM.files.ALL"},
    {"ZohoCRM.functions", true, EVERY_OPERATION, "ZohoCRM.functions.execute.READ ZohoCRM.functions.execute.CREATE"},
    {"ZohoCRM.signals", true, EVERY_OPERATION, "ZohoCRM.signals.ALL"},
    {"ZohoCRM.composite_requests", false, "ALL CUSTOM", "ZohoCRM.composite_requests.CUSTOM"},
    {"ZohoFiles.files", true, EVERY_OPERATION, "ZohoFiles.files.ALL"},
    {"ZohoSearch.securesearch", false, "ALL READ", "ZohoSearch.securesearch.READ"},
    // Zoho's clients ask for these; no route here needs them.
    {"ZohoCRM.share", true, EVERY_OPERATION, NULL},
    {"ZohoCRM.mass_convert", true, EVERY_OPERATION, NULL},
    {"ZohoCRM.change_owner", true, EVERY_OPERATION, NULL},
    {"ZohoCRM.send_mail", true, EVERY_OPERATION, NULL},
    {"ZohoCRM.templates", true, EVERY_OPERATION, NULL},
    {"Aaaserver.profile", false, "ALL READ", NULL},
};
static const struct scope_row control_row = {AUTH_SCOPE_CONTROL_PATH, false, "ALL", AUTH_SCOPE_CONTROL};

// ---- covering -----------------------------------------------------------------------------------

// The last word and what stands before it.
static struct view cut_operation(struct view scope, struct view *ret_path)
{
    size_t dot = scope.len;
    while (dot > 0 && scope.data[dot - 1] != '.') {
        dot--;
    }
    *ret_path = view_slice(scope, 0, dot ? dot - 1 : 0);
    return view_from(scope, dot);
}

static bool covers_operation(struct view granted, struct view needed)
{
    if (view_eq_nocase(granted, VIEW("ALL")) || view_eq_nocase(granted, needed)) {
        return true;
    }
    return view_eq_nocase(granted, VIEW("WRITE")) && (view_eq_nocase(needed, VIEW("CREATE")) || view_eq_nocase(needed, VIEW("UPDATE")));
}

static bool is_at_or_below(struct view path, struct view root)
{
    return view_starts_nocase(path, root) && (path.len == root.len || path.data[root.len] == '.');
}

static bool covers(struct view granted, struct view needed)
{
    struct view granted_path, needed_path;
    struct view operation = cut_operation(granted, &granted_path), wanted = cut_operation(needed, &needed_path);
    return granted_path.len > 0 && is_at_or_below(needed_path, granted_path) && covers_operation(operation, wanted);
}

bool auth_scope_covers(const char *scopes, struct view needed)
{
    for (struct view rest = view_of(scopes); rest.len > 0;) {
        if (covers(view_cut(&rest, ' '), needed)) {
            return true;
        }
    }
    return scopes == NULL;
}

bool auth_scope_covers_all(const char *scopes, const char *needed)
{
    for (struct view rest = view_of(needed); rest.len > 0;) {
        if (!auth_scope_covers(scopes, view_cut(&rest, ' '))) {
            return false;
        }
    }
    return true;
}

// ---- reading ------------------------------------------------------------------------------------

static bool has_word(struct view list, struct view word)
{
    while (list.len > 0) {
        if (view_eq_nocase(view_cut(&list, ' '), word)) {
            return true;
        }
    }
    return false;
}

static BASE_COLD bool refuse_unknown(struct view scope, struct fail *fail)
{
    struct buffer names;
    buffer_init(&names, FAIL_TEXT_MAX);
    for (size_t i = 0; i < BASE_COUNT(scope_table); i++) {
        buffer_printf(&names, "%s%s", i ? ", " : "", scope_table[i].path);
    }
    fail_set(fail, FAIL_INVALID_DATA, "there is no scope \"%.*s\"; scopes are SERVICE.NAME.OPERATION with one of %s and ALL, READ …",
             (int)utf8_clamp(scope, 60), scope.data, buffer_text(&names));
    buffer_free(&names);
    return false;
}

static bool is_path(struct view path)
{
    for (size_t i = 0; i < path.len; i++) {
        char c = path.data[i];
        bool word = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_';
        if (!word && (c != '.' || i + 1 == path.len || path.data[i + 1] == '.')) {
            return false;
        }
    }
    return true;
}

// The row of a scope that can be granted; its operation must be one of the row's.
static const struct scope_row *find_row(struct view scope)
{
    struct view path, operation = cut_operation(scope, &path);
    for (size_t i = 0; i <= BASE_COUNT(scope_table); i++) {
        const struct scope_row *row = i < BASE_COUNT(scope_table) ? &scope_table[i] : &control_row;
        struct view own = view_of(row->path);
        if (is_at_or_below(path, own) && (row->below || path.len == own.len) && has_word(view_of(row->operations), operation)) {
            return is_path(path) ? row : NULL;
        }
    }
    return NULL;
}

// As the table spells it, the operation in capitals; once.
static void add_scope(struct buffer *out, const struct scope_row *row, struct view scope)
{
    struct buffer one;
    struct view path, operation = cut_operation(scope, &path), own = view_of(row->path);
    buffer_init(&one, AUTH_SCOPES_MAX);
    buffer_add(&one, own);
    buffer_add(&one, view_from(path, own.len));
    buffer_add_char(&one, '.');
    for (size_t i = 0; i < operation.len; i++) {
        buffer_add_char(&one, (char)(operation.data[i] & ~0x20));
    }
    if (!has_word(buffer_view(out), buffer_view(&one))) {
        buffer_printf(out, "%s%s", out->len ? " " : "", buffer_text(&one));
    }
    buffer_free(&one);
}

bool auth_scope_read(struct view text, bool control, char ret_scopes[AUTH_SCOPES_MAX], struct fail *fail)
{
    struct buffer out;
    buffer_init(&out, AUTH_SCOPES_MAX - 1);
    fail_clear(fail);
    while (text.len > 0 && fail->code == FAIL_NONE) {
        size_t end = 0;
        while (end < text.len && text.data[end] != ',' && (unsigned char)text.data[end] > ' ') {
            end++;
        }
        struct view scope = view_slice(text, 0, end);
        text = view_from(text, end + 1);
        const struct scope_row *row = scope.len > 0 ? find_row(scope) : NULL;
        if (row == &control_row && !control) {
            fail_set(fail, FAIL_INVALID_DATA, "the scope %s is for the super admin of the default org's production alone",
                     AUTH_SCOPE_CONTROL);
        } else if (row) {
            add_scope(&out, row, scope);
        } else if (scope.len > 0) {
            refuse_unknown(scope, fail);
        }
    }
    if (fail->code == FAIL_NONE && out.failed) {
        fail_set(fail, FAIL_INVALID_DATA, "the scopes are longer than %d bytes together", AUTH_SCOPES_MAX);
    } else if (fail->code == FAIL_NONE && out.len == 0) {
        fail_set(fail, FAIL_INVALID_DATA, "no scope is named");
    }
    if (fail->code == FAIL_NONE) {
        snprintf(ret_scopes, AUTH_SCOPES_MAX, "%s", buffer_text(&out));
    }
    buffer_free(&out);
    return fail->code == FAIL_NONE;
}

void auth_scope_all(bool control, char ret_scopes[AUTH_SCOPES_MAX])
{
    size_t len = 0;
    ret_scopes[0] = 0;
    for (size_t i = 0; i <= BASE_COUNT(scope_table); i++) {
        const char *all = i < BASE_COUNT(scope_table) ? scope_table[i].all : control ? control_row.all : NULL;
        if (all) {
            len += (size_t)snprintf(ret_scopes + len, AUTH_SCOPES_MAX - len, "%s%s", len ? " " : "", all);
        }
    }
    assert(len < AUTH_SCOPES_MAX);
}

// ---- lists kept for the process's life ----------------------------------------------------------

static char *keep_list(struct auth *auth, struct view org, struct view key, struct view scopes)
{
    uintptr_t count = (uintptr_t)table_get(&auth->scope_counts, org);
    char *copy = count < SCOPE_LISTS_ORG_MAX ? malloc(scopes.len + 1) : NULL;
    if (!copy) {
        return NULL;
    }
    memcpy(copy, scopes.data, scopes.len);
    copy[scopes.len] = 0;
    if (!table_put(&auth->scope_counts, org, (void *)(count + 1)) || !table_put(&auth->scopes, key, copy)) { // NOLINT: a count, no address
        free(copy);
        return NULL;
    }
    return copy;
}

const char *auth_scope_keep(struct auth *auth, int64_t org_number, struct view scopes, struct fail *fail)
{
    char key[AUTH_SCOPES_MAX + 32];
    int org_len = snprintf(key, sizeof key, "%lld", (long long)org_number);
    int len = snprintf(key, sizeof key, "%lld %.*s", (long long)org_number, VIEW_ARGS(scopes));
    if (len < 0 || (size_t)len >= sizeof key) {
        fail_set(fail, FAIL_INTERNAL, "a token's scopes are longer than can be");
        return NULL;
    }
    struct view whole = {key, (size_t)len}, org = {key, (size_t)org_len};
    pthread_mutex_lock(&auth->mutex);
    char *kept = table_get(&auth->scopes, whole);
    if (!kept) {
        kept = keep_list(auth, org, whole, scopes);
    }
    pthread_mutex_unlock(&auth->mutex);
    if (!kept) {
        fail_set(fail, FAIL_FULL, "tokens of this org were found with more than %d different lists of scopes", SCOPE_LISTS_ORG_MAX);
    }
    return kept;
}

void auth_scope_drop(struct auth *auth)
{
    size_t cursor = 0;
    struct view key;
    void *kept;
    while (table_next(&auth->scopes, &cursor, &key, &kept)) {
        free(kept);
    }
    table_free(&auth->scopes);
    table_free(&auth->scope_counts);
}
