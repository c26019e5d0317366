// SPDX-License-Identifier: Apache-2.0
// Converting a lead (spec/crm-api.md §1.1, §2.10): an account of its company, a contact of its person, and a deal if one is asked for. What
// hung on the lead moves on to them; the lead itself stays, marked, and leaves lists.
//
// New records are planned on the caller's fiber from what the lead holds, and written in one closure with everything else: a deal that is
// refused takes the account and the contact back with it. Records of one conversion point at each other; as their ids are known only
// inside the closure, these look-ups are set there, by an update after each insert.
#include "crm/automation.h"

enum { SMALL_SQL_BYTES = 512 };

enum part { ACCOUNT, CONTACT, DEAL, PARTS };

// Zoho's default mapping of lead fields (GUESS where the names differ: it can be changed in an org's settings).
struct mapping {
    const char *from, *to;
};
static const struct mapping ACCOUNT_FIELDS[] = {
    {"Company", "Account_Name"},  {"Owner", "Owner"},
    {"Industry", "Industry"},     {"Annual_Revenue", "Annual_Revenue"},
    {"Rating", "Rating"},         {"No_of_Employees", "Employees"},
    {"Phone", "Phone"},           {"Fax", "Fax"},
    {"Website", "Website"},       {"Street", "Billing_Street"},
    {"City", "Billing_City"},     {"State", "Billing_State"},
    {"Zip_Code", "Billing_Code"}, {"Country", "Billing_Country"},
};
static const struct mapping CONTACT_FIELDS[] = {
    {"Owner", "Owner"},
    {"Salutation", "Salutation"},
    {"First_Name", "First_Name"},
    {"Last_Name", "Last_Name"},
    {"Designation", "Title"},
    {"Email", "Email"},
    {"Secondary_Email", "Secondary_Email"},
    {"Email_Opt_Out", "Email_Opt_Out"},
    {"Phone", "Phone"},
    {"Mobile", "Mobile"},
    {"Fax", "Fax"},
    {"Skype_ID", "Skype_ID"},
    {"Twitter", "Twitter"},
    {"Lead_Source", "Lead_Source"},
    {"Description", "Description"},
    {"Street", "Mailing_Street"},
    {"City", "Mailing_City"},
    {"State", "Mailing_State"},
    {"Zip_Code", "Mailing_Zip"},
    {"Country", "Mailing_Country"},
};
static const struct mapping DEAL_FIELDS[] = {{"Owner", "Owner"}, {"Lead_Source", "Lead_Source"}};

static const struct {
    const char *key, *quoted; // of `values` and of the answer; also the module
    const char *name; // quoted name field
    const struct mapping *fields;
    size_t field_count;
} PART_ROWS[PARTS] = {
    {"Accounts", "\"Accounts\"", "\"Account_Name\"", ACCOUNT_FIELDS, BASE_COUNT(ACCOUNT_FIELDS)},
    {"Contacts", "\"Contacts\"", "\"Full_Name\"", CONTACT_FIELDS, BASE_COUNT(CONTACT_FIELDS)},
    {"Deals", "\"Deals\"", "\"Deal_Name\"", DEAL_FIELDS, BASE_COUNT(DEAL_FIELDS)},
};

struct part_plan {
    bool wanted; // there will be such a record
    bool written; // by us: made anew, or an old one that is overwritten
    int64_t old_id; // of a record that `values` names
    struct crm_write write;
    // by the closure
    int64_t id;
    struct view name;
};

enum trouble { TROUBLE_NONE, TROUBLE_NO_LEAD, TROUBLE_CONVERTED, TROUBLE_NO_RECORD, TROUBLE_ROW };

struct conversion {
    struct crm_session *session;
    struct arena arena;
    int64_t lead_id, assign_to, now_ms;
    const struct map *lead, *values;
    struct part_plan parts[PARTS];
    enum part attachments_to;
    // what stands in the way; the closure sets it
    enum trouble trouble;
    enum part trouble_part;
};

// ---- planning -----------------------------------------------------------------------------------

static struct value option(const struct conversion *conversion, const char *key)
{
    return conversion->values ? value_resolve(map_get_text(conversion->values, view_of(key))) : value_null();
}

static bool is_true(struct value v)
{
    return (v.type == VALUE_BOOL && v.boolean) || view_eq_nocase(view_trim(value_view_or(v, VIEW(""))), VIEW("true"));
}

// An id, or {"id":…} as newer versions write it; empty texts and maps name nothing.
static bool read_id(struct value v, int64_t *ret_id)
{
    const struct map *map = value_as_map(v);
    return crm_id_read(map ? map_get_text(map, VIEW("id")) : v, ret_id);
}

static bool is_among(const struct list *names, struct view name)
{
    for (uint32_t i = 0; i < names->count; i++) {
        const struct map *map = value_as_map(names->items[i]);
        struct value item = map ? map_get_text(map, VIEW("name")) : names->items[i];
        if (view_eq_nocase(value_view_or(item, VIEW("")), name)) {
            return true;
        }
    }
    return false;
}

// {"carry_over_tags":{"Contacts":["name",…]}}: those of the lead's tags become tags of the other module's record; null when there are none.
static struct value carry_tags(const struct conversion *conversion, enum part part)
{
    struct heap *heap = conversion->session->heap;
    const struct map *carry = value_as_map(option(conversion, "carry_over_tags"));
    const struct list *wanted = carry ? value_as_list(map_get_text(carry, view_of(PART_ROWS[part].key))) : NULL;
    const struct list *tags = value_as_list(map_get_text(conversion->lead, VIEW("Tag")));
    struct value carried = wanted && tags ? value_list(heap, 2) : value_null();
    for (uint32_t i = 0; carried.type == VALUE_LIST && i < tags->count; i++) {
        struct value tag = value_map(heap, 2);
        struct value name = map_get_text(value_as_map(tags->items[i]), VIEW("name"));
        if (tag.type == VALUE_MAP && is_among(wanted, value_view_or(name, VIEW("")))) {
            map_put_text(heap, tag.map, VIEW("name"), name);
            map_put_text(heap, tag.map, VIEW("color_code"), map_get_text(value_as_map(tags->items[i]), VIEW("color_code")));
            list_add(heap, carried.list, tag);
        }
    }
    return carried.type == VALUE_LIST && carried.list->count ? carried : value_null();
}

static struct value map_lead(const struct conversion *conversion, enum part part)
{
    struct heap *heap = conversion->session->heap;
    struct value row = value_map(heap, PART_ROWS[part].field_count + 2);
    for (size_t i = 0; row.type == VALUE_MAP && i < PART_ROWS[part].field_count; i++) {
        struct value value = map_get_text(conversion->lead, view_of(PART_ROWS[part].fields[i].from));
        if (!value_is_null(value)) {
            map_put_text(heap, row.map, view_of(PART_ROWS[part].fields[i].to), value);
        }
    }
    struct value tags = carry_tags(conversion, part);
    if (row.type == VALUE_MAP && !value_is_null(tags)) {
        map_put_text(heap, row.map, VIEW("Tag"), tags);
    }
    if (row.type == VALUE_MAP && conversion->assign_to) {
        map_put_text(heap, row.map, VIEW("Owner"), crm_id_text(heap, conversion->assign_to));
    }
    return row;
}

static bool plan_part(struct conversion *conversion, enum part part, const struct map *given, struct fail *fail)
{
    struct crm_session *session = conversion->session;
    struct part_plan *plan = &conversion->parts[part];
    struct value row = map_lead(conversion, part), rows = value_list(session->heap, 1);
    if (row.type != VALUE_MAP || rows.type != VALUE_LIST) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    uint32_t cursor = 0;
    for (struct map_entry *entry; given && (entry = map_next(given, &cursor));) {
        map_put(session->heap, row.map, entry->key, entry->value);
    }
    if (plan->old_id) {
        map_put_text(session->heap, row.map, VIEW("id"), crm_id_text(session->heap, plan->old_id));
    }
    list_add(session->heap, rows.list, row);
    plan->wanted = plan->written = true;
    plan->write = (struct crm_write){.session = session, .insert = plan->old_id == 0, .now_ms = conversion->now_ms};
    arena_init(&plan->write.arena, CRM_SCRATCH_BYTES_MAX);
    return crm_module_find(session, view_of(PART_ROWS[part].key), &plan->write.module, fail) &&
           crm_plan_rows(&plan->write, rows.list, fail);
}

// Account and contact: the one that is named, else a new one; without a company there is no account. A deal only if there is a map for it.
static bool plan_parts(struct conversion *conversion, struct fail *fail)
{
    bool overwrite = is_true(option(conversion, "overwrite"));
    bool company = view_trim(value_view_or(map_get_text(conversion->lead, VIEW("Company")), VIEW(""))).len > 0;
    for (enum part part = ACCOUNT; part < PARTS; part++) {
        struct part_plan *plan = &conversion->parts[part];
        struct value given = option(conversion, PART_ROWS[part].key);
        const struct map *map = part == DEAL ? value_as_map(given) : NULL;
        bool named = read_id(given, &plan->old_id);
        bool new = !named && (part == CONTACT || (part == ACCOUNT && company) || (part == DEAL && map && map->count));
        plan->wanted = named || new;
        if ((new || (named && overwrite && part != DEAL)) && !plan_part(conversion, part, map, fail)) {
            return false;
        }
    }
    const struct map *target = value_as_map(option(conversion, "move_attachments_to"));
    struct view name = target ? crm_map_view(target, "api_name") : value_view_or(option(conversion, "move_attachments_to"), VIEW(""));
    conversion->attachments_to = CONTACT;
    for (enum part part = ACCOUNT; part < PARTS; part++) {
        if (conversion->parts[part].wanted && view_eq_nocase(name, view_of(PART_ROWS[part].key))) {
            conversion->attachments_to = part;
        }
    }
    return true;
}

// ---- inside the closure: the records ------------------------------------------------------------

static bool stop_at(struct conversion *conversion, enum trouble trouble, enum part part, struct fail *fail)
{
    conversion->trouble = trouble;
    conversion->trouble_part = part;
    return fail_set(fail, FAIL_INVALID_DATA, NULL); // takes back what this closure has done
}

static bool check_lead(struct tx *tx, struct conversion *conversion, struct fail *fail)
{
    struct store_param id = store_int(conversion->lead_id);
    int64_t converted = 0;
    bool found = false;
    if (!tx_query_int(tx, "SELECT COALESCE(\"Converted__s\",0) FROM \"Leads\" WHERE \"id\"=?", &id, 1, &converted, &found, fail)) {
        return false;
    }
    if (!found || converted) {
        return stop_at(conversion, found ? TROUBLE_CONVERTED : TROUBLE_NO_LEAD, CONTACT, fail);
    }
    return true;
}

static bool write_part(struct tx *tx, struct conversion *conversion, enum part part, struct fail *fail)
{
    struct part_plan *plan = &conversion->parts[part];
    plan->id = plan->old_id;
    if (!plan->written) {
        return true;
    }
    struct crm_row_plan *row = &plan->write.rows[0];
    row->late = (struct crm_row_error){0};
    if (row->error.problem == CRM_ROW_FINE &&
        !(plan->write.insert ? crm_row_insert(tx, &plan->write, row, fail) : crm_row_update(tx, &plan->write, row, fail))) {
        return false;
    }
    if (row->error.problem != CRM_ROW_FINE || row->late.problem != CRM_ROW_FINE) {
        return stop_at(conversion, row->late.problem == CRM_ROW_NO_RECORD ? TROUBLE_NO_RECORD : TROUBLE_ROW, part, fail);
    }
    plan->id = row->id;
    return true;
}

// The name as the answer gives it; also whether a record that was named is there.
static bool read_name(struct tx *tx, struct conversion *conversion, enum part part, struct fail *fail)
{
    struct part_plan *plan = &conversion->parts[part];
    char sql[SMALL_SQL_BYTES];
    struct store_param id = store_int(plan->id);
    struct rows *rows;
    snprintf(sql, sizeof sql, "SELECT %s FROM %s WHERE \"id\"=?", PART_ROWS[part].name, PART_ROWS[part].quoted);
    if (!tx_query(tx, sql, &id, 1, &rows, fail)) {
        return false;
    }
    bool found = rows_next(rows, fail);
    plan->name = found ? arena_copy(&conversion->arena, rows_text(rows, 0)) : VIEW_NONE;
    rows_close(rows);
    if (fail->code != FAIL_NONE) {
        return false;
    }
    return found || stop_at(conversion, TROUBLE_NO_RECORD, part, fail);
}

// Sets a look-up of a record of ours; an old record keeps what it has.
static bool point(struct tx *tx, struct conversion *conversion, enum part part, const char *field, enum part to, struct fail *fail)
{
    struct part_plan *plan = &conversion->parts[part], *target = &conversion->parts[to];
    char sql[SMALL_SQL_BYTES];
    if (!plan->wanted || !target->wanted) {
        return true;
    }
    struct crm_row_at at = {view_of(PART_ROWS[part].key), view_of(PART_ROWS[part].quoted), plan->id};
    struct store_param params[] = {store_int(target->id), store_int(plan->id)};
    snprintf(sql, sizeof sql, "UPDATE %s SET \"%s\"=? WHERE \"id\"=? AND \"%s\" IS NULL", PART_ROWS[part].quoted, field, field);
    return crm_row_change(tx, conversion->session->journal, &at, sql, params, 2, fail);
}

// ---- inside the closure: what hung on the lead --------------------------------------------------

// Rows that `select` finds (the lead's id and the last row's are its parameters), each changed by `update`, whose last parameter is the
// row's id.
struct move {
    const char *table, *quoted, *select, *update;
    struct store_param params[4];
    int param_count; // before the row's id
};

static bool move_rows(struct tx *tx, const struct conversion *conversion, const struct move *move, struct fail *fail)
{
    int64_t last = 0;
    for (;;) {
        struct store_param search[] = {store_int(conversion->lead_id), store_int(last)}, params[BASE_COUNT(move->params) + 1];
        bool found = false;
        if (!tx_query_int(tx, move->select, search, 2, &last, &found, fail)) {
            return false;
        }
        if (!found) {
            return true;
        }
        struct crm_row_at at = {view_of(move->table), view_of(move->quoted), last};
        memcpy(params, move->params, sizeof move->params);
        params[move->param_count] = store_int(last);
        if (!crm_row_change(tx, conversion->session->journal, &at, move->update, params, move->param_count + 1, fail)) {
            return false;
        }
    }
}

#define HANGS_ON(table, field)                                                                                                             \
    "SELECT \"id\" FROM \"" table "\" WHERE \"" field "\"=? AND \"$se_module\"='Leads' AND \"id\">? ORDER BY \"id\" LIMIT 1"
#define ACTIVITY(table)                                                                                                                    \
    {                                                                                                                                      \
        table, "\"" table "\"", HANGS_ON(table, "What_Id"),                                                                                \
            "UPDATE \"" table "\" SET \"Who_Id\"=?, \"What_Id\"=?, \"$se_module\"=? WHERE \"id\"=?", {person, business, business_module},  \
            3                                                                                                                              \
    }

// Notes go to the contact, attachments where they are wanted; activities are with the contact about the deal or the account; campaigns and
// products are the contact's, unless it has them already.
static bool move_children(struct tx *tx, const struct conversion *conversion, struct fail *fail)
{
    const struct part_plan *parts = conversion->parts;
    enum part about = parts[DEAL].wanted ? DEAL : ACCOUNT, files = conversion->attachments_to;
    struct store_param person = store_int(parts[CONTACT].id);
    struct store_param business = parts[about].wanted ? store_int(parts[about].id) : store_null();
    struct store_param business_module = parts[about].wanted ? store_text(view_of(PART_ROWS[about].key)) : store_null();
    const struct move moves[] = {
        {"Notes",
         "\"Notes\"",
         HANGS_ON("Notes", "Parent_Id"),
         "UPDATE \"Notes\" SET \"Parent_Id\"=?, \"$se_module\"=? WHERE \"id\"=?",
         {person, store_text(VIEW("Contacts"))},
         2},
        {"Attachments",
         "\"Attachments\"",
         HANGS_ON("Attachments", "Parent_Id"),
         "UPDATE \"Attachments\" SET \"Parent_Id\"=?, \"$se_module\"=? WHERE \"id\"=?",
         {store_int(parts[files].id), store_text(view_of(PART_ROWS[files].key))},
         2},
        ACTIVITY("Tasks"),
        ACTIVITY("Events"),
        ACTIVITY("Calls"),
        {"crm_relation",
         "crm_relation",
         "SELECT id FROM crm_relation WHERE parent_id=? AND id>? ORDER BY id LIMIT 1",
         "UPDATE crm_relation SET parent_id=?, parent_module='Contacts' WHERE NOT EXISTS (SELECT 1 FROM crm_relation o WHERE o.parent_id=? "
         "AND o.child_id=crm_relation.child_id) AND id=?",
         {person, person},
         2},
        {"crm_relation",
         "crm_relation",
         "SELECT id FROM crm_relation WHERE child_id=? AND id>? ORDER BY id LIMIT 1",
         "UPDATE crm_relation SET child_id=?, child_module='Contacts' WHERE NOT EXISTS (SELECT 1 FROM crm_relation o WHERE o.child_id=? "
         "AND o.parent_id=crm_relation.parent_id) AND id=?",
         {person, person},
         2},
    };
    for (size_t i = 0; i < BASE_COUNT(moves); i++) {
        if (!move_rows(tx, conversion, &moves[i], fail)) {
            return false;
        }
    }
    return true;
}

static bool mark_lead(struct tx *tx, const struct conversion *conversion, struct fail *fail)
{
    const struct part_plan *parts = conversion->parts;
    struct crm_row_at at = {VIEW("Leads"), VIEW("\"Leads\""), conversion->lead_id};
    struct store_param params[] = {store_int(conversion->now_ms), parts[ACCOUNT].wanted ? store_int(parts[ACCOUNT].id) : store_null(),
                                   store_int(parts[CONTACT].id),  parts[DEAL].wanted ? store_int(parts[DEAL].id) : store_null(),
                                   store_int(conversion->now_ms), store_int(conversion->session->user_id),
                                   store_int(conversion->lead_id)};
    return crm_row_change(tx, conversion->session->journal, &at,
                          "UPDATE \"Leads\" SET \"Converted__s\"=1, \"Converted_Date_Time\"=?, \"Converted_Account\"=?, "
                          "\"Converted_Contact\"=?, \"Converted_Deal\"=?, \"Modified_Time\"=?, \"Modified_By\"=? WHERE \"id\"=?",
                          params, BASE_COUNT(params), fail);
}

static bool convert(struct tx *tx, void *arg, struct fail *fail)
{
    struct conversion *conversion = arg;
    fail_clear(fail);
    conversion->trouble = TROUBLE_NONE;
    if (!crm_meta_check(conversion->session, fail) || !check_lead(tx, conversion, fail)) {
        return false;
    }
    for (enum part part = ACCOUNT; part < PARTS; part++) {
        if (conversion->parts[part].wanted && (!write_part(tx, conversion, part, fail) || !read_name(tx, conversion, part, fail))) {
            return false;
        }
    }
    return point(tx, conversion, CONTACT, "Account_Name", ACCOUNT, fail) && point(tx, conversion, DEAL, "Account_Name", ACCOUNT, fail) &&
           point(tx, conversion, DEAL, "Contact_Name", CONTACT, fail) && move_children(tx, conversion, fail) &&
           mark_lead(tx, conversion, fail);
}

// ---- answers ------------------------------------------------------------------------------------

// Version 2 gives bare ids, 6 and later an envelope with names (spec/crm-api.md §2.10).
static struct value make_result(const struct conversion *conversion)
{
    static const enum part ORDER[] = {CONTACT, DEAL, ACCOUNT};
    struct heap *heap = conversion->session->heap;
    bool named = conversion->session->api_version >= 6;
    struct value details = value_map(heap, PARTS);
    for (size_t i = 0; details.type == VALUE_MAP && i < BASE_COUNT(ORDER); i++) {
        const struct part_plan *plan = &conversion->parts[ORDER[i]];
        struct value id = plan->wanted ? crm_id_text(heap, plan->id) : value_null(), pair;
        if (plan->wanted && named && (pair = value_map(heap, 2)).type == VALUE_MAP) {
            map_put_text(heap, pair.map, VIEW("name"), value_text(heap, plan->name));
            map_put_text(heap, pair.map, VIEW("id"), id);
            id = pair;
        }
        map_put_text(heap, details.map, view_of(PART_ROWS[ORDER[i]].key), id);
    }
    return named ? crm_result_row(heap, "SUCCESS", details, "The record has been converted successfully", "success") : details;
}

static struct value make_error(const struct conversion *conversion)
{
    const struct crm_session *session = conversion->session;
    struct value details = value_map(session->heap, 1);
    if (conversion->trouble == TROUBLE_CONVERTED) {
        return crm_result_row(session->heap, "ID_ALREADY_CONVERTED", details, "id already converted", "error");
    }
    if (conversion->trouble == TROUBLE_ROW) {
        const struct crm_row_plan *row = &conversion->parts[conversion->trouble_part].write.rows[0];
        return crm_result_error(session, 0, row->error.problem != CRM_ROW_FINE ? &row->error : &row->late);
    }
    if (conversion->trouble == TROUBLE_NO_RECORD && details.type == VALUE_MAP) {
        map_put_text(session->heap, details.map, VIEW("api_name"),
                     value_text(session->heap, view_of(PART_ROWS[conversion->trouble_part].key)));
    }
    return crm_result_row(session->heap, "INVALID_DATA", details, "the id given seems to be invalid", "error");
}

static bool convert_once(struct crm_session *session, int64_t lead_id, struct value values, struct value *ret_result, struct fail *fail)
{
    struct conversion conversion = {
        .session = session, .lead_id = lead_id, .values = value_as_map(values), .now_ms = clock_wall_ms() / 1000 * 1000};
    struct value lead;
    if (!crm_record_get(session, VIEW("Leads"), lead_id, &lead, fail)) {
        return false;
    }
    conversion.lead = value_as_map(lead);
    if (!conversion.lead) {
        conversion.trouble = TROUBLE_NO_LEAD;
        *ret_result = make_error(&conversion);
        return true;
    }
    read_id(option(&conversion, "assign_to"), &conversion.assign_to);
    arena_init(&conversion.arena, CRM_SCRATCH_BYTES_MAX);
    bool done = plan_parts(&conversion, fail) && crm_write_commit(session, convert, &conversion, fail);
    if (done) {
        *ret_result = make_result(&conversion);
    } else if (conversion.trouble != TROUBLE_NONE && fail->code == FAIL_INVALID_DATA) {
        *ret_result = make_error(&conversion);
        done = true;
    }
    for (enum part part = ACCOUNT; part < PARTS; part++) {
        if (conversion.parts[part].written) {
            arena_free(&conversion.parts[part].write.arena);
        }
    }
    arena_free(&conversion.arena);
    return done;
}

bool crm_lead_convert(struct crm_session *session, int64_t lead_id, struct value values, struct value *ret_result, struct fail *fail)
{
    session->details = value_null();
    return convert_once(session, lead_id, values, ret_result, fail) ||
           (crm_session_retry(session, fail) && convert_once(session, lead_id, values, ret_result, fail));
}
