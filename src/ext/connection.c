// SPDX-License-Identifier: Apache-2.0
// Connections: an org's stored authorisations for other services and for Zoho's own hosts (spec/platform.md §4). What may be shown is a
// JSON definition; what may not, secrets and the access token of the day, is sealed for org, environment and connection. Names are one
// whatever their case.
#include "ext/inside.h"

enum { SECRETS_BYTES_MAX = 65536, CONNECTIONS_MAX = 10000, PURPOSE_BYTES_MAX = 512 };

static struct view purpose_of(const struct ext_vault *vault, struct view name, const char *part, char out[PURPOSE_BYTES_MAX])
{
    int len = snprintf(out, PURPOSE_BYTES_MAX, "connection/%s/%s/%.*s/%s", vault->org, vault->environment, VIEW_ARGS(name), part);
    for (int i = 0; i < len && i < PURPOSE_BYTES_MAX; i++) {
        out[i] = out[i] >= 'A' && out[i] <= 'Z' ? (char)(out[i] | 0x20) : out[i];
    }
    return (struct view){out, (size_t)len};
}

static bool seal_json(const struct ext_vault *vault, struct view name, const char *part, struct value json, struct buffer *sealed,
                      struct fail *fail)
{
    char purpose[PURPOSE_BYTES_MAX];
    struct buffer plain;
    buffer_init(&plain, SECRETS_BYTES_MAX);
    buffer_init(sealed, SECRETS_BYTES_MAX + SEAL_OVERHEAD);
    bool ok =
        json_write(&plain, json, NULL, fail) &&
        (!plain.failed || fail_set(fail, FAIL_INVALID_DATA, "the secrets of a connection take at most %d bytes", SECRETS_BYTES_MAX)) &&
        seal_lock(vault->seal, purpose_of(vault, name, part, purpose), buffer_view(&plain), sealed, fail);
    buffer_free(&plain);
    return ok;
}

// An empty cell is null.
static bool open_json(const struct ext_vault *vault, struct view name, const char *part, struct view sealed, struct heap *heap,
                      struct value *ret_json, struct fail *fail)
{
    char purpose[PURPOSE_BYTES_MAX];
    struct buffer plain;
    *ret_json = value_null();
    if (!sealed.len) {
        return true;
    }
    buffer_init(&plain, SECRETS_BYTES_MAX + SEAL_OVERHEAD);
    bool ok = seal_unlock(vault->seal, purpose_of(vault, name, part, purpose), sealed, &plain, fail) &&
              json_read(heap, buffer_view(&plain), ret_json, fail);
    buffer_free(&plain);
    return ok;
}

static bool is_word(struct view word)
{
    for (size_t i = 0; i < word.len; i++) {
        char c = word.data[i];
        bool inner = (c >= '0' && c <= '9') || c == '_' || c == '-';
        if (!((c | 0x20) >= 'a' && (c | 0x20) <= 'z') && !(inner && i > 0)) {
            return false;
        }
    }
    return word.len > 0 && word.len < EXT_NAME_MAX;
}

bool ext_connection_name_valid(struct view name)
{
    struct view rest = name, first = view_cut(&rest, '.');
    return is_word(first) && (first.len == name.len || is_word(rest));
}

bool ext_connection_complete_tx(struct tx *tx, struct view name, struct heap *heap, struct map *definition, bool *ret_found,
                                struct fail *fail)
{
    struct view connector = name, namespace = view_cut(&connector, '.');
    struct value authorisation = value_null();
    *ret_found = true;
    if (!connector.len) {
        return true;
    }
    if (!ext_connector_authorisation_tx(tx, namespace, connector, heap, &authorisation, ret_found, fail)) {
        return false;
    }
    const struct map *from = value_as_map(authorisation);
    uint32_t cursor = 0;
    for (struct map_entry *entry; from && (entry = map_next(from, &cursor));) {
        struct view key = value_view_or(entry->key, VIEW(""));
        if (value_is_null(map_get_text(definition, key)) && !map_put(heap, definition, entry->key, entry->value)) {
            return fail_set(fail, FAIL_MEMORY, NULL);
        }
    }
    return true;
}

bool ext_connection_put_tx(struct tx *tx, const struct ext_vault *vault, const struct ext_connection *connection, struct fail *fail)
{
    struct buffer definition, sealed;
    buffer_init(&definition, SECRETS_BYTES_MAX);
    bool ok = json_write(&definition, connection->definition, NULL, fail) && (!definition.failed || fail_set(fail, FAIL_MEMORY, NULL));
    ok = seal_json(vault, connection->name, "secrets", connection->secrets, &sealed, fail) && ok;
    if (ok) {
        struct store_param row[] = {store_text(connection->name), store_text(buffer_view(&definition)), store_blob(buffer_view(&sealed)),
                                    store_int(clock_wall_ms()), store_text(connection->name)};
        ok = tx_exec(tx, "DELETE FROM ext_connection WHERE lower(name) = lower(?)", &row[4], 1, fail) &&
             tx_exec(tx, "INSERT INTO ext_connection (name, definition, secrets, token, created_ms) VALUES (?, ?, ?, NULL, ?)", row, 4,
                     fail);
    }
    buffer_free(&definition);
    buffer_free(&sealed);
    return ok;
}

static bool read_row(struct rows *rows, const struct ext_vault *vault, struct heap *heap, struct ext_connection *connection,
                     struct fail *fail)
{
    struct value name = value_text(heap, rows_text(rows, 0));
    connection->name = value_view_or(name, VIEW(""));
    return (!heap->failed || fail_set(fail, FAIL_MEMORY, NULL)) && json_read(heap, rows_text(rows, 1), &connection->definition, fail) &&
           (!vault->seal || (open_json(vault, connection->name, "secrets", rows_text(rows, 2), heap, &connection->secrets, fail) &&
                             open_json(vault, connection->name, "token", rows_type(rows, 3) == STORE_NULL ? VIEW("") : rows_text(rows, 3),
                                       heap, &connection->token, fail)));
}

bool ext_connection_get_tx(struct tx *tx, const struct ext_vault *vault, struct view name, struct heap *heap,
                           struct ext_connection *ret_connection, bool *ret_found, struct fail *fail)
{
    struct store_param key = store_text(name);
    struct rows *rows;
    fail_clear(fail);
    if (!tx_query(tx, "SELECT name, definition, secrets, token FROM ext_connection WHERE lower(name) = lower(?)", &key, 1, &rows, fail)) {
        return false;
    }
    struct ext_connection connection = {.secrets = value_null(), .token = value_null()};
    bool found = rows_next(rows, fail), ok = fail->code == FAIL_NONE && (!found || read_row(rows, vault, heap, &connection, fail));
    rows_close(rows);
    bool installed;
    struct map *definition = found && ok ? value_as_map(connection.definition) : NULL;
    ok = ok && (!definition || ext_connection_complete_tx(tx, connection.name, heap, definition, &installed, fail));
    if (ok) {
        *ret_connection = connection;
        *ret_found = found;
    }
    return ok;
}

// The definitions alone: secrets are not opened.
bool ext_connections_tx(struct tx *tx, struct heap *heap,
                        bool (*each)(void *arg, const struct ext_connection *connection, struct fail *fail), void *arg, struct fail *fail)
{
    static const struct ext_vault closed;
    struct store_param limit = store_int(CONNECTIONS_MAX);
    struct rows *rows;
    fail_clear(fail);
    if (!tx_query(tx, "SELECT name, definition, secrets, token FROM ext_connection ORDER BY name LIMIT ?", &limit, 1, &rows, fail)) {
        return false;
    }
    bool ok = true;
    while (ok && rows_next(rows, fail)) {
        struct ext_connection connection = {.secrets = value_null(), .token = value_null()};
        ok = read_row(rows, &closed, heap, &connection, fail) && each(arg, &connection, fail);
    }
    rows_close(rows);
    return ok && fail->code == FAIL_NONE;
}

bool ext_connection_remove_tx(struct tx *tx, struct view name, bool *ret_found, struct fail *fail)
{
    struct store_param key = store_text(name);
    if (!tx_exec(tx, "DELETE FROM ext_connection WHERE lower(name) = lower(?)", &key, 1, fail)) {
        return false;
    }
    *ret_found = tx_changes(tx) > 0;
    return true;
}

bool ext_connection_lease_tx(struct tx *tx, struct view name, int64_t now_ms, int64_t until_ms, bool *ret_taken, struct fail *fail)
{
    struct store_param row[] = {store_int(until_ms), store_text(name), store_int(now_ms)};
    if (!tx_exec(tx, "UPDATE ext_connection SET lease_ms = ? WHERE lower(name) = lower(?) AND lease_ms < ?", row, 3, fail)) {
        return false;
    }
    *ret_taken = tx_changes(tx) > 0;
    return true;
}

bool ext_connection_release_tx(struct tx *tx, struct view name, int64_t until_ms, struct fail *fail)
{
    struct store_param row[] = {store_text(name), store_int(until_ms)};
    return tx_exec(tx, "UPDATE ext_connection SET lease_ms = 0 WHERE lower(name) = lower(?) AND lease_ms = ?", row, 2, fail);
}

// A refresh token that the service replaced stands in `secrets`; it is kept in the same statement as the token it came with.
bool ext_connection_token_tx(struct tx *tx, const struct ext_vault *vault, const struct ext_connection *connection, int64_t until_ms,
                             bool *ret_kept, struct fail *fail)
{
    struct buffer secrets, token;
    bool ok = seal_json(vault, connection->name, "secrets", connection->secrets, &secrets, fail);
    ok = seal_json(vault, connection->name, "token", connection->token, &token, fail) && ok;
    if (ok) {
        struct store_param row[] = {store_blob(buffer_view(&secrets)), store_blob(buffer_view(&token)), store_text(connection->name),
                                    store_int(until_ms)};
        ok = tx_exec(tx, "UPDATE ext_connection SET secrets = ?, token = ?, lease_ms = 0 WHERE lower(name) = lower(?) AND lease_ms = ?",
                     row, 4, fail);
        *ret_kept = ok && tx_changes(tx) > 0;
    }
    buffer_free(&secrets);
    buffer_free(&token);
    return ok;
}
