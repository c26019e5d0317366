// SPDX-License-Identifier: Apache-2.0
// The `$` keys of a whole record (spec/crm-api.md §2.6): what Zoho says of approval, locking and conversion, here mostly that there is none
// of it; and the layout.
#include "crm/item.h"
#include "crm/reader.h"
#include "crm/shape.h"

enum { CONVERTED_FIELD_VERSION = 6, STATE_LAST_VERSION = 2 }; // spec/crm-api.md §2.11

// {"approve":false,…}: nothing waits for anybody, this CRM has no approval process.
static struct value flags_off(struct heap *heap, const char *const *keys, size_t count)
{
    struct value map = value_map(heap, count);
    for (size_t i = 0; i < count; i++) {
        shape_put(heap, map, keys[i], value_bool(false));
    }
    return map;
}

// What became of a converted lead, out of the fields that the conversion wrote.
static void add_conversion(struct heap *heap, struct value record)
{
    static const struct {
        const char *key, *field;
    } PARTS[] = {{"account", "Converted_Account"}, {"contact", "Converted_Contact"}, {"deal", "Converted_Deal"}};
    struct value converted = record.type == VALUE_MAP ? map_get_text(record.map, VIEW("Converted__s")) : value_null();
    if (converted.type != VALUE_BOOL || !converted.boolean) {
        return;
    }
    struct value detail = value_map(heap, 4);
    for (size_t i = 0; i < BASE_COUNT(PARTS); i++) {
        const struct map *other = value_as_map(map_get_text(record.map, view_of(PARTS[i].field)));
        shape_put(heap, detail, PARTS[i].key, other ? map_get_text(other, VIEW("id")) : value_null());
    }
    shape_put(heap, detail, "convert_date", map_get_text(record.map, VIEW("Converted_Date_Time")));
    shape_put(heap, record, "$converted_detail", detail);
}

// Which of a sub-form's rows are left out: none.
static void add_has_more(const struct crm_reader *reader, struct value record)
{
    const struct crm_fields *fields = crm_fields_of(reader->module);
    struct value more = value_map(reader->heap, 1);
    for (int i = 0; i < fields->count && more.type == VALUE_MAP; i++) {
        if (fields->items[i].subform.len) {
            map_put_text(reader->heap, more.map, crm_field_key(reader->session, &fields->items[i]), value_bool(false));
        }
    }
    shape_put(reader->heap, record, "$has_more", more);
}

// {"name":…,"id":…} of the module's layout, unless the record has another.
static void add_layout(const struct crm_reader *reader, struct value record)
{
    struct heap *heap = reader->heap;
    if (record.type == VALUE_MAP && value_is_null(map_get_text(record.map, VIEW("Layout")))) {
        struct value layout = value_map(heap, 2);
        shape_put(heap, layout, "name", VALUE_TEXT_LITERAL(heap, "Standard"));
        shape_put(heap, layout, "id", crm_id_text(heap, shape_id(reader->module->id, SHAPE_LAYOUT)));
        shape_put(heap, record, "Layout", layout);
    }
}

// What versions differ in: the flag of a converted lead became a field, approval got a state, "$state" went. Scripts see old and new.
static void add_version_keys(const struct crm_reader *reader, struct value record)
{
    const struct crm_session *session = reader->session;
    const struct crm_field *converted = crm_fields_of(reader->module)->converted;
    if (session->api_version < CONVERTED_FIELD_VERSION) {
        bool done = converted && crm_map_bool(record.map, "Converted__s", false);
        shape_put(reader->heap, record, "$converted", value_bool(done));
        if (session->strict) {
            map_remove(record.map, VALUE_TEXT_LITERAL(reader->heap, "Converted__s"));
        }
    }
    bool old = session->api_version <= STATE_LAST_VERSION && session->api_minor == 0;
    if (!old || !session->strict) {
        shape_put(reader->heap, record, "$approval_state", VALUE_TEXT_LITERAL(reader->heap, "approved"));
    }
    if (old) {
        shape_put(reader->heap, record, "$state", VALUE_TEXT_LITERAL(reader->heap, "save"));
    }
}

void crm_record_system(const struct crm_reader *reader, struct value record, struct rows *rows)
{
    static const char *const APPROVAL[] = {"delegate", "approve", "reject", "resubmit"}, *const REVIEW[] = {"approve", "reject",
                                                                                                            "resubmit"};
    static const char *const UNSET[] = {"$review", "$zia_owner_assignment", "$zia_visions", "$wizard_connection_path", "$field_states"};
    static const char *const OFF[] = {"$process_flow", "$locked_for_me", "$orchestration", "$in_merge", "$pathfinder"};
    struct heap *heap = reader->heap;
    shape_put(heap, record, "$currency_symbol", value_text(heap, reader->session->meta->currency_symbol));
    shape_put(heap, record, "$sharing_permission", VALUE_TEXT_LITERAL(heap, "full_access"));
    shape_put(heap, record, "$approved", value_bool(true));
    shape_put(heap, record, "$approval", flags_off(heap, APPROVAL, BASE_COUNT(APPROVAL)));
    shape_put(heap, record, "$review_process", flags_off(heap, REVIEW, BASE_COUNT(REVIEW)));
    shape_put(heap, record, "$editable", value_bool(true));
    shape_put(heap, record, "$converted_detail", value_map(heap, 0));
    for (size_t i = 0; i < BASE_COUNT(OFF); i++) {
        shape_put(heap, record, OFF[i], value_bool(false));
    }
    for (size_t i = 0; i < BASE_COUNT(UNSET); i++) {
        shape_put(heap, record, UNSET[i], value_null());
    }
    if (record.type != VALUE_MAP) {
        return;
    }
    if (crm_fields_of(reader->module)->converted) {
        add_conversion(heap, record);
    }
    add_version_keys(reader, record);
    add_layout(reader, record);
    if (reader->single) {
        add_has_more(reader, record);
    }
    if (reader->selection->se_column >= 0) {
        bool set = rows_type(rows, reader->selection->se_column) == STORE_TEXT;
        shape_put(heap, record, "$se_module", set ? value_text(heap, rows_text(rows, reader->selection->se_column)) : value_null());
    }
}
