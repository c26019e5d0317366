// SPDX-License-Identifier: Apache-2.0
// Values of extension variables ("custom properties"). Both spellings of a name are one (ns.var, ns__var, any case). Secrets are sealed and
// kept as base64 text, so that the journal of an install action treats them like any other value.
#include "ext/inside.h"

enum { VARIABLE_BYTES_MAX = 65536, VARIABLE_NAME_MAX = 4 * EXT_NAME_MAX, PURPOSE_MAX = VARIABLE_NAME_MAX + 256 };

struct variable_row {
    int64_t id;
    bool secret, found;
    char type[EXT_NAME_MAX];
};

static bool find_variable(struct tx *tx, struct view canonical, struct variable_row *row, struct buffer *ret_value, struct fail *fail)
{
    struct store_param key = store_text(canonical);
    struct rows *rows;
    fail_clear(fail);
    if (!tx_query(tx, "SELECT id, secret, value, type FROM ext_variable WHERE canonical = ? AND live = 1", &key, 1, &rows, fail)) {
        return false;
    }
    row->found = rows_next(rows, fail);
    if (row->found) {
        row->id = rows_int(rows, 0);
        row->secret = rows_int(rows, 1) != 0;
        buffer_add(ret_value, rows_text(rows, 2));
        struct view type = rows_text(rows, 3);
        snprintf(row->type, sizeof row->type, "%.*s", VIEW_ARGS(type));
    }
    rows_close(rows);
    return fail->code == FAIL_NONE && (!ret_value->failed || fail_set(fail, FAIL_MEMORY, NULL));
}

// What a sealed value is bound to: moved to another org, environment or variable it does not open. False: names that long are nobody's.
static bool purpose_of(const struct ext_vault *vault, struct view canonical, char out[PURPOSE_MAX], struct view *ret_purpose,
                       struct fail *fail)
{
    int len = snprintf(out, PURPOSE_MAX, "variable/%s/%s/%.*s", vault->org, vault->environment, VIEW_ARGS(canonical));
    if (len < 0 || len >= PURPOSE_MAX) {
        return fail_set(fail, FAIL_INTERNAL, "a variable's place is too long");
    }
    *ret_purpose = (struct view){out, (size_t)len};
    return true;
}

// Does the variable belong to the script that asks, or does a script of the org ask?
static bool may_read(const struct ext_vault *vault, struct view canonical)
{
    char text[VARIABLE_NAME_MAX], own[VARIABLE_NAME_MAX];
    struct view prefix;
    if (!vault->reader.len || view_eq_nocase(vault->reader, VIEW("standalone"))) {
        return true;
    }
    int len = snprintf(text, sizeof text, "%.*s__", VIEW_ARGS(vault->reader));
    return len > 0 && (size_t)len < sizeof text && ext_name_canonical((struct view){text, (size_t)len}, own, sizeof own, &prefix) &&
           view_starts(canonical, prefix);
}

static bool unseal(const struct ext_vault *vault, struct view canonical, struct buffer *value, struct fail *fail)
{
    if (value->len == 0) { // a secret that was never set
        return true;
    }
    char text[PURPOSE_MAX];
    struct view purpose;
    struct buffer sealed;
    buffer_init(&sealed, VARIABLE_BYTES_MAX * 2);
    bool ok = base64_read(buffer_view(value), &sealed) || fail_set(fail, FAIL_INTERNAL, "a stored secret is damaged");
    buffer_reset(value);
    ok = ok && purpose_of(vault, canonical, text, &purpose, fail) && seal_unlock(vault->seal, purpose, buffer_view(&sealed), value, fail);
    buffer_free(&sealed);
    return ok;
}

bool ext_variable_get_tx(struct tx *tx, const struct ext_vault *vault, struct view name, struct heap *heap, struct value *ret_value,
                         bool *ret_found, struct fail *fail)
{
    char text[VARIABLE_NAME_MAX];
    struct view canonical;
    *ret_found = false;
    if (!ext_name_canonical(name, text, sizeof text, &canonical)) {
        return true; // longer than any variable's name
    }
    struct variable_row row;
    struct buffer value;
    buffer_init(&value, VARIABLE_BYTES_MAX * 2);
    bool ok = find_variable(tx, canonical, &row, &value, fail);
    row.found = ok && row.found && (!row.secret || may_read(vault, canonical));
    ok = ok && (!row.found || !row.secret || unseal(vault, canonical, &value, fail));
    if (ok && row.found) {
        *ret_value = value_text(heap, buffer_view(&value));
        *ret_found = true;
    }
    buffer_free(&value);
    return ok;
}

// The value as it is stored: sealed and in base64 for a secret.
static bool stored_form(const struct ext_vault *vault, const struct variable_row *row, struct view canonical, struct view value,
                        struct buffer *out, struct fail *fail)
{
    if (!row->secret) {
        buffer_add(out, value);
        return !out->failed || fail_set(fail, FAIL_MEMORY, NULL);
    }
    char text[PURPOSE_MAX];
    struct view purpose;
    struct buffer sealed;
    buffer_init(&sealed, VARIABLE_BYTES_MAX + SEAL_OVERHEAD);
    bool ok = purpose_of(vault, canonical, text, &purpose, fail) && seal_lock(vault->seal, purpose, value, &sealed, fail);
    char *space = ok ? buffer_space(out, base64_size(sealed.len)) : NULL;
    if (space) {
        out->len += base64_print(space, buffer_view(&sealed));
    }
    buffer_free(&sealed);
    return space || (ok && fail_set(fail, FAIL_MEMORY, NULL));
}

static bool note_change(struct tx *tx, int64_t journal, int64_t id, struct view old_value, struct view new_value, struct fail *fail)
{
    struct buffer old_row, new_row;
    buffer_init(&old_row, VARIABLE_BYTES_MAX * 8);
    buffer_init(&new_row, VARIABLE_BYTES_MAX * 8);
    struct buffer *rows[] = {&old_row, &new_row};
    struct view values[] = {old_value, new_value};
    for (int i = 0; i < 2; i++) {
        buffer_add(rows[i], VIEW("{\"value\":"));
        json_write_text(rows[i], values[i]);
        buffer_add_char(rows[i], '}');
    }
    bool ok = !old_row.failed && !new_row.failed &&
              store_journal_note(tx, journal, VIEW("ext_variable"), id, buffer_view(&old_row), buffer_view(&new_row), fail);
    buffer_free(&old_row);
    buffer_free(&new_row);
    return ok;
}

bool ext_variable_set_tx(struct tx *tx, const struct ext_vault *vault, struct view name, struct view value, int64_t journal,
                         bool *ret_found, struct fail *fail)
{
    char text[VARIABLE_NAME_MAX];
    struct view canonical;
    *ret_found = false;
    if (!ext_name_canonical(name, text, sizeof text, &canonical)) {
        return true;
    }
    if (value.len > VARIABLE_BYTES_MAX) {
        return fail_set(fail, FAIL_INVALID_DATA, "a variable's value has at most %d bytes", VARIABLE_BYTES_MAX);
    }
    struct variable_row row;
    struct buffer old_value, new_value;
    buffer_init(&old_value, VARIABLE_BYTES_MAX * 2);
    buffer_init(&new_value, VARIABLE_BYTES_MAX * 2);
    bool ok = find_variable(tx, canonical, &row, &old_value, fail);
    if (ok && row.found && !ext_type_fits(view_of(row.type), value)) {
        ok = fail_set(fail, FAIL_INVALID_DATA, "the value for the variable \"%.*s\" does not fit its type %s", VIEW_ARGS(name), row.type);
    }
    if (ok && row.found) {
        ok = stored_form(vault, &row, canonical, value, &new_value, fail);
        struct store_param params[] = {store_text(new_value.data ? buffer_view(&new_value) : VIEW("")), store_int(row.id)};
        ok = ok && tx_exec(tx, "UPDATE ext_variable SET value = ? WHERE id = ?", params, 2, fail);
        ok = ok && (!journal || note_change(tx, journal, row.id, buffer_view(&old_value), buffer_view(&new_value), fail));
        *ret_found = ok;
    }
    buffer_free(&old_value);
    buffer_free(&new_value);
    return ok;
}

// ---- becoming secret ----------------------------------------------------------------------------

static bool seal_plain(struct tx *tx, const struct ext_vault *vault, struct view canonical, struct fail *fail)
{
    struct variable_row row;
    struct buffer value, sealed;
    buffer_init(&value, VARIABLE_BYTES_MAX * 2);
    buffer_init(&sealed, VARIABLE_BYTES_MAX * 2);
    bool ok = find_variable(tx, canonical, &row, &value, fail);
    if (ok && row.found && !row.secret && value.len) {
        row.secret = true;
        ok = stored_form(vault, &row, canonical, buffer_view(&value), &sealed, fail);
        struct store_param params[] = {store_text(buffer_view(&sealed)), store_int(row.id)};
        ok = ok && tx_exec(tx, "UPDATE ext_variable SET value = ?, secret = 1 WHERE id = ?", params, 2, fail);
    }
    buffer_free(&sealed);
    buffer_free(&value);
    return ok;
}

bool ext_variables_seal_tx(struct tx *tx, const struct ext_vault *vault, const struct ext_package *package, struct fail *fail)
{
    bool ok = true;
    for (int i = 0; ok && i < package->variable_count; i++) {
        char joined[VARIABLE_NAME_MAX], text[VARIABLE_NAME_MAX];
        struct view canonical;
        int len = snprintf(joined, sizeof joined, "%.*s.%.*s", VIEW_ARGS(package->namespace), VIEW_ARGS(package->variables[i].api_name));
        if (package->variables[i].secret && len > 0 && (size_t)len < sizeof joined &&
            ext_name_canonical((struct view){joined, (size_t)len}, text, sizeof text, &canonical)) {
            ok = seal_plain(tx, vault, canonical, fail);
        }
    }
    return ok;
}
