// SPDX-License-Identifier: Apache-2.0
//
// Results of rows, and writes of settings row by row (rest.h). A row's error carries where it stood from version 3 on: "$.roles[0].name"
// (spec/crm-api.md §2.1, §2.5).
#include "web/rest.h"

void rest_send_results(struct rest *rest, bool good, const char *key, struct value results, int done)
{
    if (good) {
        rest_status_of_rows(rest, results, done);
    }
    rest_send(rest, good, good ? rest_wrap(rest, key, results) : value_null());
}

void rest_send_rows(struct rest *rest, bool good, struct value results, int done)
{
    rest_send_results(rest, good, "data", results, done);
}

void rest_send_list(struct rest *rest, bool good, const char *key, struct value list)
{
    const struct list *items = value_as_list(list);
    if (good && items && items->count == 0) {
        rest_send_empty(rest, 204);
        return;
    }
    rest_send(rest, good, rest_wrap(rest, key, list));
}

bool rest_path_done(struct rest *rest, bool done, int segment)
{
    bool absent = !done && rest->answer.fail.code == FAIL_NOT_FOUND;
    return absent ? rest_refuse_index(rest, FAIL_INVALID_DATA, "the id given seems to be invalid", segment) : done;
}

// ---- writing row by row -------------------------------------------------------------------------

static bool refuse_member(struct rest *rest, enum fail_code code, const char *key, const char *message)
{
    rest_refuse(rest, code, "api_name", view_of(key));
    return fail_set(&rest->answer.fail, code, message ? "%s" : NULL, message);
}

static bool read_id(struct rest *rest, const struct rest_write *write, const struct map *row, int64_t *ret_id)
{
    struct value id = map_get_text(row, VIEW("id"));
    if (write->id.data) {
        return rest_id(rest, write->id, write->segment, ret_id);
    }
    if (value_is_null(id)) {
        return refuse_member(rest, FAIL_MANDATORY_NOT_FOUND, "id", NULL);
    }
    return crm_id_read(id, ret_id) || refuse_member(rest, FAIL_INVALID_DATA, "id", "the id given seems to be invalid");
}

static bool write_row(struct rest *rest, const struct rest_write *write, struct value value, int64_t *ret_id)
{
    const struct map *row = value_as_map(value);
    int64_t id = 0;
    if (!row) {
        return rest_refuse(rest, FAIL_INVALID_DATA, "expected_data_type", VIEW("jsonobject"));
    }
    if (!write->adds && !read_id(rest, write, row, &id)) {
        return false;
    }
    if (!write->write(rest, write->arg, row, &id)) {
        bool absent = rest->answer.fail.code == FAIL_NOT_FOUND && !write->id.data;
        return absent ? refuse_member(rest, FAIL_INVALID_DATA, "id", "the id given seems to be invalid") : false;
    }
    *ret_id = id;
    return true;
}

// The failure as the result of a row; the next row begins without it.
static struct value take_error(struct rest *rest, const char *key, uint32_t index)
{
    struct heap *heap = &rest->answer.heap;
    struct value details = rest->details.type == VALUE_MAP ? rest->details : rest->session.details;
    struct map *map = value_as_map(details);
    struct value name = map ? map_get_text(map, VIEW("api_name")) : value_null();
    if (map && name.type == VALUE_TEXT && rest_since(rest, REST_RESOURCE_INDEX)) { // crm may say where it stands inside the row
        struct view inside = value_view_or(map_get_text(map, VIEW("json_path")), VIEW(""));
        struct value path = inside.len ? value_text_printf(heap, "$.%s[%u]%.*s", key, index, VIEW_ARGS(inside))
                                       : value_text_printf(heap, "$.%s[%u].%.*s", key, index, VIEW_ARGS(value_view(name)));
        map_put_text(heap, map, VIEW("json_path"), path);
    }
    struct value row = rest_envelope(rest);
    rest->details = value_null();
    rest->session.details = value_null();
    fail_clear(&rest->answer.fail);
    return row;
}

// Is the failure about this row? What is wrong with the path or with this program is not.
static bool is_rows_own(const struct rest *rest)
{
    struct value details = rest->details.type == VALUE_MAP ? rest->details : rest->session.details;
    const struct map *map = value_as_map(details);
    return fail_status(rest->answer.fail.code) == 400 && map &&
           !(value_is_null(map_get_text(map, VIEW("api_name"))) && value_is_null(map_get_text(map, VIEW("id"))));
}

void rest_write_rows(struct rest *rest, bool good, const struct rest_write *write)
{
    struct heap *heap = &rest->answer.heap;
    struct map *body;
    struct value rows = value_null(), results = value_list(heap, 4);
    good = good && (!write->permission || crm_settings_may(&rest->session, write->permission, &rest->answer.fail)) &&
           rest_body(rest, &body) && rest_rows(rest, body, write->key, write->id.data ? 1 : write->most, &rows);
    for (uint32_t i = 0; good && i < rows.list->count && results.type == VALUE_LIST; i++) {
        int64_t id = 0;
        if (write_row(rest, write, rows.list->items[i], &id)) {
            list_add(heap, results.list, rest_result_id(rest, id, write->message));
        } else if (is_rows_own(rest) || (!write->id.data && fail_status(rest->answer.fail.code) == 400)) {
            list_add(heap, results.list, take_error(rest, write->key, i));
        } else {
            good = rest_path_done(rest, false, write->segment);
        }
    }
    rest_send_results(rest, good, write->key, results, write->status);
}

void rest_send_done(struct rest *rest, bool good, const char *key, int64_t id, const char *message)
{
    struct value results = value_list(&rest->answer.heap, 1);
    bool own = !good && is_rows_own(rest);
    if ((good || own) && results.type == VALUE_LIST) {
        list_add(&rest->answer.heap, results.list, good ? rest_result_id(rest, id, message) : take_error(rest, key, 0));
    }
    rest_send_results(rest, good || own, key, results, 200);
}
