// SPDX-License-Identifier: Apache-2.0
// The directory of organisations, in the data base `control`: number, name and whether there is a sandbox. A key's or token's first half
// carries the number, so the way from a key to its data base is one look-up here, and none for the default org, which is always there.
#include "auth/inside.h"

#define ORG_COLUMNS "number, name, company, admin_email, time_zone, sandbox, created_ms"

const struct store_migration auth_control_migrations[] = {
    {.room = "auth",
     .version = 1,
     .sql =
         "CREATE TABLE auth_org (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, company TEXT NOT NULL, admin_email TEXT NOT NULL,"
         " time_zone TEXT NOT NULL, sandbox INTEGER NOT NULL, created_ms INTEGER NOT NULL);"
         "INSERT INTO auth_org (" ORG_COLUMNS ") VALUES (1, 'default', '', '', '', 0, 0)"},
    {.room = "auth",
     .version = 2,
     .sql = "CREATE TABLE auth_audit (id INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, actor TEXT NOT NULL, org TEXT NOT NULL,"
            " environment TEXT NOT NULL, action TEXT NOT NULL, subject TEXT NOT NULL, outcome TEXT NOT NULL)"},
    {.room = "auth",
     .version = 3, // the console's people, their sessions, and links that make a session once
     .sql = "CREATE TABLE auth_account (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, name TEXT NOT NULL, role INTEGER NOT NULL,"
            " salt BLOB NOT NULL, hash BLOB NOT NULL, created_ms INTEGER NOT NULL, signed_in_ms INTEGER NOT NULL);"
            "CREATE TABLE auth_session (mac BLOB PRIMARY KEY, account_id INTEGER NOT NULL, created_ms INTEGER NOT NULL,"
            " expires_ms INTEGER NOT NULL);"
            "CREATE INDEX auth_session_account ON auth_session (account_id, created_ms);"
            "CREATE TABLE auth_link (mac BLOB PRIMARY KEY, account_id INTEGER NOT NULL, expires_ms INTEGER NOT NULL);"},
    {.room = NULL},
};

static bool is_org_name(struct view name)
{
    enum { ORG_NAME_MAX = 40 };
    if (name.len == 0 || name.len > ORG_NAME_MAX || name.data[0] < 'a' || name.data[0] > 'z') {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_')) {
            return false;
        }
    }
    return true;
}

static void copy_text(char *out, size_t size, struct view text)
{
    snprintf(out, size, "%.*s", VIEW_ARGS(text));
}

static void read_org(struct rows *rows, struct auth_org *org)
{
    *org = (struct auth_org){.number = rows_int(rows, 0), .sandbox = rows_int(rows, 5) != 0, .created_ms = rows_int(rows, 6)};
    copy_text(org->name, sizeof org->name, rows_text(rows, 1));
    copy_text(org->company, sizeof org->company, rows_text(rows, 2));
    copy_text(org->admin_email, sizeof org->admin_email, rows_text(rows, 3));
    copy_text(org->time_zone, sizeof org->time_zone, rows_text(rows, 4));
}

static bool find_org(struct tx *tx, const char *sql, struct store_param key, struct auth_org *ret_org, bool *ret_found, struct fail *fail)
{
    struct rows *rows;
    fail_clear(fail);
    if (!tx_query(tx, sql, &key, 1, &rows, fail)) {
        return false;
    }
    bool found = rows_next(rows, fail);
    if (found) {
        read_org(rows, ret_org);
    }
    rows_close(rows);
    *ret_found = found;
    return found || fail->code == FAIL_NONE;
}

bool auth_org_find_tx(struct tx *tx, struct view name, struct auth_org *ret_org, bool *ret_found, struct fail *fail)
{
    return find_org(tx, "SELECT " ORG_COLUMNS " FROM auth_org WHERE name = ?", store_text(name), ret_org, ret_found, fail);
}

bool auth_org_number_tx(struct tx *tx, int64_t number, struct auth_org *ret_org, bool *ret_found, struct fail *fail)
{
    return find_org(tx, "SELECT " ORG_COLUMNS " FROM auth_org WHERE number = ?", store_int(number), ret_org, ret_found, fail);
}

bool auth_org_add_tx(struct tx *tx, struct auth_org *org, struct fail *fail)
{
    struct view name = view_of(org->name);
    struct auth_org other;
    bool found;
    if (!is_org_name(name)) {
        return fail_set(fail, FAIL_INVALID_DATA, "an org's name has 1 to 40 of a–z, 0–9, - and _, and begins with a letter");
    }
    if (!auth_org_find_tx(tx, name, &other, &found, fail)) {
        return false;
    }
    if (found) {
        return fail_set(fail, FAIL_EXISTS, "there is already an org \"%s\"", org->name);
    }
    if (!tx_query_int(tx, "SELECT max(number) + 1 FROM auth_org", NULL, 0, &org->number, &found, fail)) {
        return false;
    }
    org->created_ms = clock_wall_ms();
    struct store_param row[] = {store_int(org->number),
                                store_text(name),
                                store_text(view_of(org->company)),
                                store_text(view_of(org->admin_email)),
                                store_text(view_of(org->time_zone)),
                                store_int(org->created_ms)};
    return tx_exec(tx,
                   "INSERT INTO auth_org (number, name, company, admin_email, time_zone, sandbox, created_ms) VALUES (?, ?, ?, ?, ?, 0, ?)",
                   row, (int)BASE_COUNT(row), fail);
}

bool auth_org_sandbox_tx(struct tx *tx, int64_t number, struct fail *fail)
{
    struct store_param key = store_int(number);
    return tx_exec(tx, "UPDATE auth_org SET sandbox = 1 WHERE number = ?", &key, 1, fail);
}

bool auth_orgs_tx(struct tx *tx, bool (*each)(void *arg, const struct auth_org *org, struct fail *fail), void *arg, struct fail *fail)
{
    struct rows *rows;
    fail_clear(fail);
    if (!tx_query(tx, "SELECT " ORG_COLUMNS " FROM auth_org ORDER BY number", NULL, 0, &rows, fail)) {
        return false;
    }
    bool ok = true;
    while (ok && rows_next(rows, fail)) {
        struct auth_org org;
        read_org(rows, &org);
        ok = each(arg, &org, fail);
    }
    rows_close(rows);
    return ok && fail->code == FAIL_NONE;
}
