// SPDX-License-Identifier: Apache-2.0
// An extension's own connectors: files of connectors/ that say where another service is, how it wants to be authorised, and which calls a
// script makes of it (spec/platform.md §3). Checked when the package is read, kept a row an API with everything that a call needs.
//
//     {"api_name":"calendly","authorisation":{"type":"bearer"},
//      "apis":[{"api_name":"getevent","method":"GET","url":"https://api.calendly.com/scheduled_events/${event_id}"}]}
#include "ext/inside.h"

enum { APIS_MAX = 500, URL_BYTES_MAX = 8192 };

static struct view text_of(const struct map *map, const char *key)
{
    return map ? value_view_or(map_get_text(map, view_of(key)), VIEW("")) : VIEW("");
}

static bool is_name(struct view name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        if (!((c | 0x20) >= 'a' && (c | 0x20) <= 'z') && !(((c >= '0' && c <= '9') || c == '_') && i > 0)) {
            return false;
        }
    }
    return name.len > 0 && name.len < EXT_NAME_MAX;
}

static bool one_of(struct view word, const char *const *words)
{
    for (; *words; words++) {
        if (view_eq_nocase(word, view_of(*words))) {
            return true;
        }
    }
    return false;
}

// Every "${" is closed and holds a name.
static bool check_template(struct view text)
{
    for (ptrdiff_t at; (at = view_find(text, VIEW("${"))) >= 0;) {
        text = view_from(text, (size_t)at + 2);
        ptrdiff_t end = view_find_char(text, '}');
        if (end < 1 || !is_name(view_slice(text, 0, (size_t)end))) {
            return false;
        }
    }
    return true;
}

static bool check_api(struct view connector, const struct map *api, struct fail *fail)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE", NULL};
    struct view name = text_of(api, "api_name"), method = text_of(api, "method"), url = text_of(api, "url");
    struct view file = VIEW("connectors");
    if (!is_name(name)) {
        return package_fail(fail, file, "each of \"apis\" of \"%.*s\" needs an \"api_name\" of letters, digits and underscores",
                            VIEW_ARGS(connector));
    }
    if (method.len && !one_of(method, methods)) {
        return package_fail(fail, file, "%.*s.%.*s: the method is GET, POST, PUT, PATCH or DELETE", VIEW_ARGS(connector), VIEW_ARGS(name));
    }
    if ((!view_starts_nocase(url, VIEW("https://")) && !view_starts_nocase(url, VIEW("http://"))) || url.len > URL_BYTES_MAX) {
        return package_fail(fail, file, "%.*s.%.*s: the url must begin with https:// and have at most %d bytes", VIEW_ARGS(connector),
                            VIEW_ARGS(name), URL_BYTES_MAX);
    }
    return check_template(url) ||
           package_fail(fail, file, "%.*s.%.*s: a placeholder of the url is written ${name}", VIEW_ARGS(connector), VIEW_ARGS(name));
}

static bool check_connector(const struct map *map, struct fail *fail)
{
    static const char *const types[] = {"none", "api-key", "bearer", "basic", "oauth2", NULL};
    struct view name = text_of(map, "api_name"), file = VIEW("connectors");
    const struct map *authorisation = value_as_map(map_get_text(map, VIEW("authorisation")));
    const struct list *apis = value_as_list(map_get_text(map, VIEW("apis")));
    struct view type = text_of(authorisation, "type");
    if (!is_name(name)) {
        return package_fail(fail, file, "a connector needs an \"api_name\" of letters, digits and underscores");
    }
    if (!apis || apis->count == 0 || apis->count > APIS_MAX) {
        return package_fail(fail, file, "the connector \"%.*s\" needs \"apis\", at most %d", VIEW_ARGS(name), APIS_MAX);
    }
    if (type.len && !one_of(type, types)) {
        return package_fail(fail, file, "%.*s: the type of the authorisation is none, api-key, bearer, basic or oauth2", VIEW_ARGS(name));
    }
    for (uint32_t i = 0; i < apis->count; i++) {
        const struct map *api = value_as_map(apis->items[i]);
        if (!(api ? check_api(name, api, fail)
                  : package_fail(fail, file, "each of \"apis\" of \"%.*s\" must be an object", VIEW_ARGS(name)))) {
            return false;
        }
    }
    return true;
}

bool ext_connectors_check(const struct ext_package *package, struct fail *fail)
{
    const struct list *list = value_as_list(package->connectors);
    for (uint32_t i = 0; list && i < list->count; i++) {
        const struct map *map = value_as_map(list->items[i]);
        if (!check_connector(map, fail)) {
            return false;
        }
        for (uint32_t k = 0; k < i; k++) {
            if (view_eq_nocase(text_of(value_as_map(list->items[k]), "api_name"), text_of(map, "api_name"))) {
                return package_fail(fail, VIEW("connectors"), "the connector \"%.*s\" is there twice", VIEW_ARGS(text_of(map, "api_name")));
            }
        }
    }
    return true;
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
