// SPDX-License-Identifier: Apache-2.0
// The people of the console: an e-mail address, a role, a password as scrypt made it. Rows of control, because an account is nobody's
// org's. What is compared with a password takes the same time whether there is such an account or not.
#include "auth/inside.h"

#include <openssl/evp.h>

// 32 MB and some tens of milliseconds a password.
enum { SCRYPT_N = 1 << 15, SCRYPT_R = 8, SCRYPT_P = 1, SCRYPT_BYTES_MAX = 64 << 20 };

// ---- roles --------------------------------------------------------------------------------------

static const char *const role_names[] = {"", "viewer", "developer", "admin"};

const char *auth_role_name(enum auth_role role)
{
    return role <= AUTH_ROLE_ADMIN ? role_names[role] : "";
}

bool auth_role_find(struct view name, enum auth_role *ret_role, struct fail *fail)
{
    for (size_t i = AUTH_ROLE_VIEWER; i < BASE_COUNT(role_names); i++) {
        if (view_eq_nocase(name, view_of(role_names[i]))) {
            *ret_role = (enum auth_role)i;
            return true;
        }
    }
    return fail_set(fail, FAIL_INVALID_DATA, "a role is viewer, developer or admin");
}

// ---- passwords ----------------------------------------------------------------------------------

static atomic_int hashing;

struct hash_job {
    struct view password;
    const uint8_t *salt;
    uint8_t hash[AUTH_HASH_BYTES];
    bool good;
};

static void run_job(void *arg)
{
    struct hash_job *job = arg;
    job->good = EVP_PBE_scrypt(job->password.data, job->password.len, job->salt, AUTH_SALT_BYTES, SCRYPT_N, SCRYPT_R, SCRYPT_P,
                               SCRYPT_BYTES_MAX, job->hash, sizeof job->hash) == 1;
}

static bool hash_password(struct hash_job *job, struct fail *fail)
{
    bool good = atomic_fetch_add(&hashing, 1) < AUTH_HASHES_MAX || fail_set(fail, FAIL_TOO_MANY, "too many people sign in at once");
    good = good && loop_job(run_job, job, fail);
    atomic_fetch_sub(&hashing, 1);
    return good && (job->good || fail_set(fail, FAIL_MEMORY, NULL));
}

bool auth_password_make(struct view password, struct auth_password *ret_password, struct fail *fail)
{
    struct hash_job job = {.password = password, .salt = ret_password->salt};
    if (password.len < AUTH_PASSWORD_LEAST || password.len > AUTH_PASSWORD_MOST || !utf8_valid(password)) {
        return fail_set(fail, FAIL_INVALID_DATA, "a password has %d to %d bytes", AUTH_PASSWORD_LEAST, AUTH_PASSWORD_MOST);
    }
    random_bytes(ret_password->salt, sizeof ret_password->salt);
    if (!hash_password(&job, fail)) {
        return false;
    }
    memcpy(ret_password->hash, job.hash, sizeof job.hash);
    return true;
}

bool auth_password_check(const struct auth_password *password, struct view text, bool *ret_right, struct fail *fail)
{
    static const uint8_t nobody[AUTH_SALT_BYTES];
    struct hash_job job = {.password = view_slice(text, 0, AUTH_PASSWORD_MOST + 1), .salt = password ? password->salt : nobody};
    if (!hash_password(&job, fail)) {
        return false;
    }
    *ret_right = password && seal_equal(job.hash, password->hash, sizeof job.hash);
    return true;
}

// ---- accounts -----------------------------------------------------------------------------------

bool auth_email_read(struct view text, char ret_email[AUTH_EMAIL_MAX], struct fail *fail)
{
    ptrdiff_t at = view_find_char(text, '@');
    bool good = text.len < AUTH_EMAIL_MAX && at > 0 && (size_t)at + 1 < text.len && utf8_valid(text);
    for (size_t i = 0; good && i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        good = c > ' ' && c != 0x7f && !strchr("\"<>,;\\/", c);
    }
    if (!good) {
        return fail_set(fail, FAIL_INVALID_DATA, "this is no e-mail address");
    }
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        ret_email[i] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    ret_email[text.len] = 0;
    return true;
}

static struct store_param blob(const void *bytes, size_t len)
{
    return store_blob((struct view){bytes, len});
}

bool auth_account_add_tx(struct tx *tx, struct auth_account *account, const struct auth_password *password, struct fail *fail)
{
    int64_t count, id;
    bool found;
    if (!tx_query_int(tx, "SELECT count(*) FROM auth_account", NULL, 0, &count, &found, fail) ||
        !tx_query_int(tx, "SELECT coalesce(max(id), 0) + 1 FROM auth_account", NULL, 0, &id, &found, fail)) {
        return false;
    }
    if (count >= AUTH_ACCOUNTS_MAX) {
        return fail_set(fail, FAIL_LIMIT_EXCEEDED, "there are at most %d accounts; remove one first", AUTH_ACCOUNTS_MAX);
    }
    account->id = id;
    account->created_ms = clock_wall_ms();
    struct store_param row[] = {store_int(id),
                                store_text(view_of(account->email)),
                                store_text(view_of(account->name)),
                                store_int(account->role),
                                blob(password->salt, AUTH_SALT_BYTES),
                                blob(password->hash, AUTH_HASH_BYTES),
                                store_int(account->created_ms)};
    return tx_exec(tx,
                   "INSERT INTO auth_account (id, email, name, role, salt, hash, created_ms, signed_in_ms) VALUES (?, ?, ?, ?, ?, ?, ?, 0)",
                   row, (int)BASE_COUNT(row), fail) ||
           (fail->code == FAIL_DUPLICATE_DATA && fail_set(fail, FAIL_EXISTS, "there is an account of \"%s\" already", account->email));
}

static void read_account(const struct rows *rows, struct auth_account *account)
{
    *account = (struct auth_account){.id = rows_int(rows, 0),
                                     .role = (enum auth_role)rows_int(rows, 3),
                                     .created_ms = rows_int(rows, 4),
                                     .signed_in_ms = rows_int(rows, 5)};
    struct view email = rows_text(rows, 1);
    snprintf(account->email, sizeof account->email, "%.*s", VIEW_ARGS(email));
    struct view name = rows_text(rows, 2);
    snprintf(account->name, sizeof account->name, "%.*s", VIEW_ARGS(name));
}

static void read_blob(const struct rows *rows, int column, uint8_t *out, size_t len)
{
    struct view bytes = rows_text(rows, column);
    memset(out, 0, len);
    memcpy(out, bytes.data, bytes.len < len ? bytes.len : len);
}

#define ACCOUNT_COLUMNS "SELECT id, email, name, role, created_ms, signed_in_ms, salt, hash FROM auth_account "

bool auth_account_find_tx(struct tx *tx, const char *email, struct auth_account *ret_account, struct auth_password *ret_password,
                          bool *ret_found, struct fail *fail)
{
    struct store_param param = store_text(view_of(email));
    struct rows *rows;
    fail_clear(fail);
    if (!tx_query(tx, ACCOUNT_COLUMNS "WHERE email = ?", &param, 1, &rows, fail)) {
        return false;
    }
    *ret_found = rows_next(rows, fail);
    if (*ret_found) {
        read_account(rows, ret_account);
        read_blob(rows, 6, ret_password->salt, AUTH_SALT_BYTES);
        read_blob(rows, 7, ret_password->hash, AUTH_HASH_BYTES);
    }
    rows_close(rows);
    return *ret_found || fail->code == FAIL_NONE;
}

bool auth_account_name_tx(struct tx *tx, int64_t id, struct auth_account *ret_account, bool *ret_found, struct fail *fail)
{
    struct store_param param = store_int(id);
    struct rows *rows;
    fail_clear(fail);
    if (!tx_query(tx, ACCOUNT_COLUMNS "WHERE id = ?", &param, 1, &rows, fail)) {
        return false;
    }
    *ret_found = rows_next(rows, fail);
    if (*ret_found) {
        read_account(rows, ret_account);
    }
    rows_close(rows);
    return *ret_found || fail->code == FAIL_NONE;
}

bool auth_accounts_tx(struct tx *tx, bool (*each)(void *arg, const struct auth_account *account, struct fail *fail), void *arg,
                      struct fail *fail)
{
    struct auth_account account;
    struct rows *rows;
    fail_clear(fail);
    if (!tx_query(tx, ACCOUNT_COLUMNS "ORDER BY email", NULL, 0, &rows, fail)) {
        return false;
    }
    while (rows_next(rows, fail)) {
        read_account(rows, &account);
        if (!each(arg, &account, fail)) {
            break;
        }
    }
    rows_close(rows);
    return fail->code == FAIL_NONE;
}

static bool end_sessions(struct tx *tx, int64_t id, struct fail *fail)
{
    struct store_param param = store_int(id);
    return tx_exec(tx, "DELETE FROM auth_session WHERE account_id = ?", &param, 1, fail) &&
           tx_exec(tx, "DELETE FROM auth_link WHERE account_id = ?", &param, 1, fail);
}

bool auth_account_change_tx(struct tx *tx, const struct auth_account *account, const struct auth_password *password, struct fail *fail)
{
    struct store_param row[] = {store_text(view_of(account->name)), store_int(account->role), blob(password->salt, AUTH_SALT_BYTES),
                                blob(password->hash, AUTH_HASH_BYTES), store_int(account->id)};
    return tx_exec(tx, "UPDATE auth_account SET name = ?, role = ?, salt = ?, hash = ? WHERE id = ?", row, (int)BASE_COUNT(row), fail) &&
           end_sessions(tx, account->id, fail);
}

bool auth_account_remove_tx(struct tx *tx, int64_t id, struct fail *fail)
{
    struct store_param param = store_int(id);
    return end_sessions(tx, id, fail) && tx_exec(tx, "DELETE FROM auth_account WHERE id = ?", &param, 1, fail);
}
