// SPDX-License-Identifier: Apache-2.0
// An extension's own connectors as rows (spec/platform.md §3): one for each API, with everything that a call of it needs, so that a call is
// one look-up. What a file of connectors/ may say is in connector_check.c.
//
//     {"api_name":"calendly","authorisation":{"type":"bearer"},
//      "apis":[{"api_name":"getevent","method":"GET","url":"https://api.calendly.com/scheduled_events/${event_id}"}]}
#include "ext/inside.h"

static struct view text_of(const struct map *map, const char *key)
{
    return map ? value_view_or(map_get_text(map, view_of(key)), VIEW("")) : VIEW("");
}

// ---- rows ---------------------------------------------------------------------------------------

// {"authorisation":…,"api":…}: what a call needs.
static bool write_definition(const struct map *connector, struct value api, struct heap *heap, struct buffer *out, struct fail *fail)
{
    struct value definition = value_map(heap, 2);
    if (definition.type != VALUE_MAP) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    map_put_text(heap, definition.map, VIEW("authorisation"), map_get_text(connector, VIEW("authorisation")));
    map_put_text(heap, definition.map, VIEW("api"), api);
    return json_write(out, definition, NULL, fail) && (!out->failed || fail_set(fail, FAIL_MEMORY, NULL));
}

static bool put_api(struct tx *tx, struct ext_package *package, const struct map *connector, struct value api, struct fail *fail)
{
    struct buffer definition;
    buffer_init(&definition, EXT_FILE_BYTES_MAX);
    bool ok = write_definition(connector, api, &package->heap, &definition, fail);
    if (ok) {
        struct store_param row[] = {store_text(package->namespace), store_text(text_of(connector, "api_name")),
                                    store_text(text_of(value_as_map(api), "api_name")), store_text(buffer_view(&definition))};
        ok = tx_exec(tx, "INSERT INTO ext_connector (namespace, name, api, definition) VALUES (?, lower(?), lower(?), ?)", row, 4, fail);
    }
    buffer_free(&definition);
    return ok;
}

bool ext_connectors_install_tx(struct tx *tx, const struct ext_package *package, struct fail *fail)
{
    struct store_param key = store_text(package->namespace);
    const struct list *list = value_as_list(package->connectors);
    if (!tx_exec(tx, "DELETE FROM ext_connector WHERE namespace = ?", &key, 1, fail)) {
        return false;
    }
    for (uint32_t i = 0; list && i < list->count; i++) {
        const struct map *connector = value_as_map(list->items[i]);
        const struct list *apis = value_as_list(map_get_text(connector, VIEW("apis")));
        for (uint32_t k = 0; apis && k < apis->count; k++) {
            if (!put_api(tx, (struct ext_package *)package, connector, apis->items[k], fail)) {
                return false;
            }
        }
    }
    return true;
}

bool ext_connector_find_tx(struct tx *tx, const struct ext_connector_name *name, struct heap *heap, struct value *ret_definition,
                           bool *ret_found, struct fail *fail)
{
    struct store_param key[] = {store_text(name->namespace), store_text(name->connector), store_text(name->connector),
                                store_text(name->api)};
    struct rows *rows;
    fail_clear(fail);
    if (!tx_query(tx,
                  "SELECT definition, name FROM ext_connector WHERE lower(namespace) = lower(?) AND (name = lower(?) OR ? = '') AND api = "
                  "lower(?) LIMIT 1",
                  key, 4, &rows, fail)) {
        return false;
    }
    bool found = rows_next(rows, fail), ok = fail->code == FAIL_NONE;
    struct value definition = value_null();
    if (found) {
        ok = json_read(heap, rows_text(rows, 0), &definition, fail);
        if (ok && definition.type == VALUE_MAP) {
            map_put_text(heap, definition.map, VIEW("name"), value_text(heap, rows_text(rows, 1)));
        }
    }
    rows_close(rows);
    *ret_definition = definition;
    *ret_found = found;
    return ok;
}

bool ext_connector_authorisation_tx(struct tx *tx, struct view namespace, struct view connector, struct heap *heap,
                                    struct value *ret_authorisation, bool *ret_found, struct fail *fail)
{
    struct store_param key[] = {store_text(namespace), store_text(connector)};
    struct rows *rows;
    fail_clear(fail);
    if (!tx_query(tx, "SELECT definition FROM ext_connector WHERE lower(namespace) = lower(?) AND name = lower(?) LIMIT 1", key, 2, &rows,
                  fail)) {
        return false;
    }
    struct value definition = value_null();
    bool found = rows_next(rows, fail), ok = fail->code == FAIL_NONE && (!found || json_read(heap, rows_text(rows, 0), &definition, fail));
    rows_close(rows);
    if (ok) {
        *ret_authorisation = definition.type == VALUE_MAP ? map_get_text(definition.map, VIEW("authorisation")) : value_null();
        *ret_found = found;
    }
    return ok;
}
