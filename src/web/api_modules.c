// SPDX-License-Identifier: Apache-2.0
//
// Changing modules and fields over REST (Zoho's descriptions of /settings/modules and /settings/fields). What they may be is crm's; only
// administrators change them.
#include "web/rest.h"

#define CUSTOMIZE "Crm_Implied_Customize_Zoho_CRM"

enum { SEGMENT = 2, FIELDS_PER_CALL_MAX = 5, CUSTOM_MODULES_VERSION = 6 };

// ---- modules ------------------------------------------------------------------------------------

static bool check_version(struct rest *rest)
{
    if (rest_since(rest, REST_CUSTOM_MODULES)) {
        return true;
    }
    rest->details = rest_wrap(rest, "supported_version", value_number(CUSTOM_MODULES_VERSION));
    return fail_set(&rest->answer.fail, FAIL_API_VERSION, NULL);
}

static bool write_module(struct rest *rest, void *arg, const struct map *row, int64_t *id)
{
    (void)arg;
    return crm_custom_module_add(&rest->session, row, id, &rest->answer.fail);
}

void api_module_add(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct rest rest;
    const struct rest_write write = {.key = "modules",
                                     .message = "module created successfully",
                                     .most = 1,
                                     .status = 201,
                                     .adds = true,
                                     .permission = CUSTOMIZE,
                                     .write = write_module};
    if (rest_open(&rest, web, exchange)) {
        bool good = check_version(&rest);
        rest_write_rows(&rest, good, &write);
    }
}

static bool write_module_change(struct rest *rest, void *arg, const struct map *row, int64_t *id)
{
    (void)arg;
    return crm_custom_module_change(&rest->session, *id, row, &rest->answer.fail);
}

// The id of what the path names.
static bool resolve(struct rest *rest, struct value all, struct view name, struct view *ret_id)
{
    bool number = name.len && name.data[0] >= '0' && name.data[0] <= '9'; // no API name begins with a digit
    struct value picked = rest_pick(rest, all, number ? "id" : "api_name", name);
    const struct list *list = value_as_list(picked);
    const struct map *found = list && list->count > 0 ? value_as_map(list->items[0]) : NULL;
    *ret_id = value_view_or(found ? map_get_text(found, VIEW("id")) : value_null(), VIEW_NONE);
    return found != NULL;
}

static bool resolve_module(struct rest *rest, struct view name, struct view *ret_id)
{
    struct value all;
    return crm_modules_list(&rest->session, &all, &rest->answer.fail) &&
           (resolve(rest, all, name, ret_id) || rest_refuse_index(rest, FAIL_INVALID_MODULE, NULL, SEGMENT));
}

void api_module_update(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    struct rest_write write = {.key = "modules",
                               .message = "module updated successfully",
                               .most = CRM_ROWS_MAX,
                               .status = 200,
                               .segment = SEGMENT,
                               .permission = CUSTOMIZE,
                               .write = write_module_change};
    if (rest_open(&rest, web, exchange)) {
        bool good = check_version(&rest) && (!params[0].len || resolve_module(&rest, params[0], &write.id));
        rest_write_rows(&rest, good, &write);
    }
}

// ---- fields -------------------------------------------------------------------------------------

static bool write_field(struct rest *rest, void *arg, const struct map *row, int64_t *id)
{
    const struct view *module = arg;
    return crm_custom_field_add(&rest->session, *module, row, id, &rest->answer.fail);
}

void api_field_add(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct rest rest;
    struct view module;
    const struct rest_write write = {.key = "fields",
                                     .message = "field created",
                                     .most = FIELDS_PER_CALL_MAX,
                                     .status = 201,
                                     .adds = true,
                                     .permission = CUSTOMIZE,
                                     .write = write_field,
                                     .arg = &module};
    if (rest_open(&rest, web, exchange)) {
        bool good = rest_module_param(&rest, &module);
        rest_write_rows(&rest, good, &write);
    }
}

static bool write_field_change(struct rest *rest, void *arg, const struct map *row, int64_t *id)
{
    const struct view *module = arg;
    return crm_custom_field_change(&rest->session, *module, *id, row, &rest->answer.fail);
}

// A field is named by its id or its API name.
static bool resolve_field(struct rest *rest, struct view module, struct view name, struct view *ret_id)
{
    struct value all;
    return crm_fields_list(&rest->session, module, &all, &rest->answer.fail) &&
           (resolve(rest, all, name, ret_id) || rest_refuse_index(rest, FAIL_INVALID_DATA, "the id given seems to be invalid", SEGMENT));
}

void api_field_update(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    struct view module;
    struct rest_write write = {.key = "fields",
                               .message = "field updated",
                               .most = FIELDS_PER_CALL_MAX,
                               .status = 200,
                               .segment = SEGMENT,
                               .permission = CUSTOMIZE,
                               .write = write_field_change,
                               .arg = &module};
    if (rest_open(&rest, web, exchange)) {
        bool good = rest_module_param(&rest, &module) && (!params[0].len || resolve_field(&rest, module, params[0], &write.id));
        rest_write_rows(&rest, good, &write);
    }
}

void api_field_delete(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    struct view module, text;
    int64_t id = 0;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    bool good = crm_settings_may(&rest.session, CUSTOMIZE, &rest.answer.fail) && rest_module_param(&rest, &module) &&
                resolve_field(&rest, module, params[0], &text) && rest_id(&rest, text, SEGMENT, &id) &&
                crm_custom_field_delete(&rest.session, module, id, &rest.answer.fail);
    if (!good && rest.answer.fail.code == FAIL_NOT_ALLOWED) {
        char why[FAIL_TEXT_MAX];
        snprintf(why, sizeof why, "%s", rest.answer.fail.text);
        good = rest_refuse_index(&rest, FAIL_NOT_ALLOWED, why, SEGMENT);
    }
    rest_send_done(&rest, rest_path_done(&rest, good, SEGMENT), "fields", id, "field deleted");
}

// ---- values of pick lists -----------------------------------------------------------------------

// What stands in the field's own description, with the layout that shows it: the one there is.
static bool read_values(struct rest *rest, struct view name, struct value *ret_list)
{
    struct heap *heap = &rest->answer.heap;
    struct view module, id;
    struct value fields, layouts, layout = value_map(heap, 3), associations = value_list(heap, 1);
    if (!rest_module_param(rest, &module) || !resolve_field(rest, module, name, &id) ||
        !crm_fields_list(&rest->session, module, &fields, &rest->answer.fail) ||
        !crm_layouts_list(&rest->session, module, &layouts, &rest->answer.fail)) {
        return false;
    }
    const struct list *all = value_as_list(layouts);
    const struct map *shown = all && all->count ? value_as_map(all->items[0]) : NULL;
    static const char *const keys[] = {"api_name", "name", "id"};
    for (size_t i = 0; shown && layout.type == VALUE_MAP && i < BASE_COUNT(keys); i++) {
        map_put_text(heap, layout.map, view_of(keys[i]), map_get_text(shown, view_of(keys[i])));
    }
    if (associations.type == VALUE_LIST) {
        list_add(heap, associations.list, layout);
    }
    const struct list *picked = value_as_list(rest_pick(rest, fields, "id", id));
    const struct map *field = picked && picked->count ? value_as_map(picked->items[0]) : NULL;
    *ret_list = field ? map_get_text(field, VIEW("pick_list_values")) : value_null();
    const struct list *values = value_as_list(*ret_list);
    for (uint32_t i = 0; values && i < values->count; i++) {
        struct map *value = value_as_map(values->items[i]);
        map_put_text(heap, value, VIEW("colour_code"), value_null());
        map_put_text(heap, value, VIEW("layout_associations"), associations);
    }
    return true;
}

void api_pick_list_values(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    struct value list = value_null();
    if (rest_open(&rest, web, exchange)) {
        bool good = read_values(&rest, params[0], &list);
        rest_send_list(&rest, good, "pick_list_values", list);
    }
}

void api_global_picklists(struct web *web, struct exchange *exchange, const struct view *params)
{
    (void)params;
    struct rest rest;
    if (rest_open(&rest, web, exchange)) {
        rest_send(&rest, fail_set(&rest.answer.fail, FAIL_NOT_SUPPORTED, "global pick lists are not supported; a field has its own values"),
                  value_null());
    }
}
