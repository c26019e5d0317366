// SPDX-License-Identifier: Apache-2.0
// Planning of inserts and updates (see plan.h): from a map of a request to a statement with parameters, or to the row's error.
//
// A statement names only the columns that are given and the system's own, so an insert of three fields costs three fields. Rows of one call
// that set the same columns share one text, and store keeps prepared statements by their text.
#include "crm/item.h"
#include "crm/shape.h"

enum { SQL_BYTES_MAX = 128 << 10, SYSTEM_COLUMNS = 9 };

// ---- what a row says ----------------------------------------------------------------------------

void crm_row_note(struct crm_write *write, struct crm_row_plan *row, struct crm_row_error *first, const struct crm_row_error *error)
{
    if (first->problem == CRM_ROW_FINE) {
        *first = *error;
        return;
    }
    row->others = row->others ? row->others : arena_alloc(&write->arena, CRM_ROW_ERRORS_MAX * sizeof *row->others);
    if (row->others && row->other_count < CRM_ROW_ERRORS_MAX - 1) {
        row->others[row->other_count++] = *error;
    }
}

static void note_error(struct crm_write *write, struct crm_row_plan *row, const struct crm_row_error *error)
{
    crm_row_note(write, row, &row->error, error);
}

// $se_module names the module of a look-up whose target varies; scripts also write it without the dollar sign.
static void plan_se_module(struct crm_write *write, struct crm_row_plan *row, struct value value)
{
    struct view name = value_view_or(value, VIEW_NONE);
    row->se_module = name.len ? crm_module_resolve(write->session, name) : NULL;
    if (name.len && !row->se_module) {
        struct crm_row_error error = {.problem = CRM_ROW_REFERENCE, .api_name = VIEW("$se_module")};
        note_error(write, row, &error);
    }
}

// {"module":{"api_name":"Leads"},"id":…}: newer versions name the module inside the look-up.
static void plan_inner_module(struct crm_write *write, struct crm_row_plan *row, struct value value)
{
    struct map *map = value_as_map(value);
    struct value module = map ? map_get_text(map, VIEW("module")) : value_null();
    struct map *inner = value_as_map(module);
    struct value name = inner ? map_get_text(inner, VIEW("api_name")) : module;
    if (name.type == VALUE_TEXT) {
        plan_se_module(write, row, name);
    }
}

// Which tags are meant is asked in the closure.
static bool plan_tags(struct crm_write *write, struct crm_row_plan *row, struct value value, struct crm_row_error *error)
{
    value = value_resolve(value);
    row->tags = NULL;
    if (value_is_null(value) || (value.type == VALUE_TEXT && value.len == 0)) {
        return true;
    }
    struct crm_tag_wishes *tags = arena_alloc(&write->arena, sizeof *tags);
    if (!tags) {
        *error = (struct crm_row_error){.problem = CRM_ROW_LENGTH, .api_name = VIEW("Tag"), .length = CRM_RECORD_TAGS_MAX};
        return false;
    }
    row->tags = tags;
    return crm_tags_wish(value, VIEW("Tag"), tags, error);
}

static bool plan_files(struct crm_write *write, struct crm_row_plan *row, const struct crm_field *field, struct value value,
                       struct crm_row_error *error)
{
    struct crm_file_wishes *wishes = row->files;
    while (wishes && wishes->field != field) { // two spellings of one field: the later one counts
        wishes = wishes->next;
    }
    if (!wishes) {
        wishes = arena_alloc(&write->arena, sizeof *wishes);
        if (!wishes) {
            *error = (struct crm_row_error){.problem = CRM_ROW_LENGTH, .api_name = field->api_name, .length = CRM_FIELD_FILES_MAX};
            return false;
        }
        wishes->field = field;
        wishes->next = row->files;
        row->files = wishes;
    }
    return crm_files_wish(value_resolve(value), wishes, error);
}

static void plan_value(struct crm_write *write, struct crm_row_plan *row, const struct crm_field *field, struct value value)
{
    struct crm_convert convert = {.session = write->session, .arena = &write->arena};
    struct crm_row_error error;
    struct store_param param = store_null();
    bool good = field->tags    ? plan_tags(write, row, value, &error)
                : field->files ? plan_files(write, row, field, value, &error)
                               : crm_value_store(&convert, field, value, &param, &error);
    if (!good) {
        note_error(write, row, &error);
        return;
    }
    row->merges |= field->subform.len > 0;
    if (field->se_module) {
        plan_inner_module(write, row, value);
    }
    uint16_t slot = write->slots[field->index];
    if (slot == 0) { // two spellings of one field: the later one counts
        slot = write->slots[field->index] = (uint16_t)++row->count;
        row->given[slot - 1] = field;
    }
    row->values[slot - 1] = param;
}

// A row that names its layout must have what the layout says is mandatory (spec/crm-api.md §2.7). Each module has one.
static const struct {
    const char *module, *field;
} LAYOUT_MANDATORY[] = {{"Leads", "Company"}};

static void plan_layout(struct crm_write *write, struct crm_row_plan *row, struct value value)
{
    const struct map *map = value_as_map(value);
    int64_t id = 0;
    struct crm_row_error error = {.problem = CRM_ROW_REFERENCE, .api_name = VIEW("Layout")};
    if (value_is_null(value)) {
        return;
    }
    if (!crm_id_read(map ? map_get_text(map, VIEW("id")) : value, &id)) {
        error = (struct crm_row_error){.problem = CRM_ROW_TYPE, .api_name = VIEW("Layout"), .expected = "jsonobject"};
    }
    row->layout = id == shape_id(write->module->id, SHAPE_LAYOUT);
    if (!row->layout) {
        note_error(write, row, &error);
    }
}

static bool is_layouts(const struct crm_write *write, const struct crm_row_plan *row, const struct crm_field *field)
{
    for (size_t i = 0; row->layout && i < BASE_COUNT(LAYOUT_MANDATORY); i++) {
        if (view_eq(write->module->api_name, view_of(LAYOUT_MANDATORY[i].module)) &&
            view_eq(field->api_name, view_of(LAYOUT_MANDATORY[i].field))) {
            return true;
        }
    }
    return false;
}

// A meeting that recurs must say when to remind of it (§2.7).
static bool is_reminder(const struct crm_write *write, const struct crm_row_plan *row, const struct crm_field *field)
{
    if (!write->session->strict || !view_eq(write->module->api_name, VIEW("Events")) || !view_eq(field->api_name, VIEW("Remind_At"))) {
        return false;
    }
    const struct crm_field *recurs = crm_field_find(write->session, write->module, VIEW("Recurring_Activity"));
    uint16_t slot = recurs ? write->slots[recurs->index] : 0;
    return slot && row->values[slot - 1].type != STORE_NULL;
}

// Takes the row key by key. Names resolve as PRODUCT says: any case, ns.Name, prefixes that nobody owns.
static void plan_values(struct crm_write *write, struct crm_row_plan *row, const struct map *map)
{
    uint32_t cursor = 0;
    for (struct map_entry *entry; (entry = map_next(map, &cursor));) {
        struct view key = value_view_or(entry->key, VIEW_NONE);
        const struct crm_field *field = key.len ? crm_field_find(write->session, write->module, key) : NULL;
        if (write->session->strict && view_eq(key, VIEW("Layout"))) {
            plan_layout(write, row, entry->value);
        } else if (field && field->writable) {
            plan_value(write, row, field, entry->value);
        } else if (!field && (view_eq(key, VIEW("$se_module")) || view_eq(key, VIEW("se_module")))) {
            plan_se_module(write, row, entry->value);
        }
        // Unknown and read-only keys are passed over without a word, as at Zoho.
    }
}

// {"$append_values":{"Languages":true}}: the values of a multi-select come to those that the record has. (Tags: aim_tags.)
static void plan_appends(struct crm_write *write, struct crm_row_plan *row, const struct map *map)
{
    struct value value = map_get_text(map, VIEW("$append_values"));
    const struct map *fields = value_as_map(value);
    if (value_is_null(value)) {
        return;
    }
    if (!fields) {
        struct crm_row_error error = {.problem = CRM_ROW_TYPE, .api_name = VIEW("$append_values"), .expected = "jsonobject"};
        note_error(write, row, &error);
        return;
    }
    row->append = arena_alloc(&write->arena, ((size_t)row->count + 1) * sizeof *row->append);
    uint32_t cursor = 0;
    for (struct map_entry *entry; row->append && (entry = map_next(fields, &cursor));) {
        const struct crm_field *field = crm_field_find(write->session, write->module, value_view_or(entry->key, VIEW("")));
        uint16_t slot = field ? write->slots[field->index] : 0;
        if (entry->value.type != VALUE_BOOL) {
            struct crm_row_error error = {.problem = CRM_ROW_TYPE, .api_name = VIEW("$append_values"), .expected = "boolean"};
            note_error(write, row, &error);
        } else if (slot && field->kind == CRM_KIND_LIST && entry->value.boolean) {
            row->append[slot - 1] = row->merges = true;
        }
    }
}

// ---- what it must say ---------------------------------------------------------------------------

// What is missing is told before any bad value.
static void miss(struct crm_write *write, struct crm_row_plan *row, struct view api_name)
{
    struct crm_row_error before = row->error;
    row->error = (struct crm_row_error){.problem = CRM_ROW_MANDATORY, .api_name = api_name};
    if (before.problem != CRM_ROW_FINE) {
        note_error(write, row, &before);
    }
}

// Of the field, or inside it.
static bool is_about(const struct crm_row_error *error, struct view api_name)
{
    bool inside = error->path.len > api_name.len && view_starts(error->path, api_name) && error->path.data[api_name.len] == '[';
    return error->problem != CRM_ROW_FINE && (inside || view_eq(error->api_name, api_name));
}

static bool is_refused(const struct crm_row_plan *row, struct view api_name)
{
    bool refused = is_about(&row->error, api_name);
    for (int i = 0; i < row->other_count && !refused; i++) {
        refused = is_about(&row->others[i], api_name);
    }
    return refused;
}

// A missing mandatory field is told before any bad value. An update may leave mandatory fields out, but not clear them.
static void check_mandatory(struct crm_write *write, struct crm_row_plan *row, const struct map *map)
{
    const struct crm_fields *fields = crm_fields_of(write->module);
    for (int i = fields->count - 1; i >= 0; i--) {
        const struct crm_field *field = &fields->items[i];
        uint16_t slot = write->slots[i];
        if ((field->mandatory || is_layouts(write, row, field) || is_reminder(write, row, field)) &&
            (slot ? row->values[slot - 1].type == STORE_NULL : write->insert)) {
            if (slot || !is_refused(row, field->api_name)) { // a bad value is no missing one
                miss(write, row, field->api_name);
            }
        }
        if (field->se_module && slot && row->values[slot - 1].type != STORE_NULL && !row->se_module && row->error.problem == CRM_ROW_FINE) {
            miss(write, row, VIEW("$se_module"));
        }
    }
    if (!write->insert) {
        struct value id = map_get_text(map, VIEW("id"));
        if (value_is_null(id)) {
            if (!write->keyless) {
                miss(write, row, VIEW("id"));
            }
        } else if (!crm_id_read(id, &row->id)) {
            row->error = (struct crm_row_error){.problem = CRM_ROW_NO_RECORD, .api_name = VIEW("id")};
            row->other_count = 0;
        } else {
            row->aimed = true;
        }
    }
}

// ---- statements ---------------------------------------------------------------------------------

struct statement {
    struct buffer text;
    struct crm_row_plan *row;
    bool reuse; // an earlier row's text fits: only parameters are wanted
};

static void bind(struct statement *statement, struct store_param param)
{
    statement->row->params[statement->row->param_count++] = param;
}

static void add_column(struct statement *statement, struct view quoted, struct store_param param)
{
    if (!statement->reuse) {
        buffer_add(&statement->text, VIEW(","));
        buffer_add(&statement->text, quoted);
    }
    bind(statement, param);
}

// What the row gives for a field; NULL when it says nothing of it.
static const struct store_param *given(const struct crm_write *write, const struct crm_row_plan *row, const struct crm_field *field)
{
    uint16_t slot = field ? write->slots[field->index] : 0;
    return slot ? &row->values[slot - 1] : NULL;
}

static struct view text_of(const struct store_param *param)
{
    return param && param->type == STORE_TEXT ? param->text : VIEW_NONE;
}

// First and last name with a blank between, as the read-only Full_Name shows them (spec/crm-api.md §2.6).
static struct store_param join_names(struct crm_write *write, const struct crm_row_plan *row)
{
    const struct crm_fields *fields = crm_fields_of(write->module);
    struct view first = text_of(given(write, row, fields->first_name)), last = text_of(given(write, row, fields->last_name));
    if (first.len == 0) {
        return store_text(last.len ? last : VIEW(""));
    }
    return store_text(arena_printf(&write->arena, "%.*s%s%.*s", VIEW_ARGS(first), last.len ? " " : "", VIEW_ARGS(last)));
}

// Given fields first, then the system's: owner (unless given), who and when, the full name, the module of $se_module.
static void add_insert_columns(struct crm_write *write, struct statement *statement)
{
    const struct crm_fields *fields = crm_fields_of(write->module);
    struct crm_row_plan *row = statement->row;
    int64_t user = write->session->user_id;
    bind(statement, store_null()); // the id, known in the closure
    for (int i = 0; i < row->count; i++) {
        add_column(statement, row->given[i]->quoted, row->values[i]);
    }
    const struct {
        const struct crm_field *field;
        int64_t value;
    } system[] = {{fields->owner, user},
                  {fields->created_by, user},
                  {fields->modified_by, user},
                  {fields->created_time, write->now_ms},
                  {fields->modified_time, write->now_ms}};
    for (size_t i = 0; i < BASE_COUNT(system); i++) {
        if (system[i].field && write->slots[system[i].field->index] == 0) {
            add_column(statement, system[i].field->quoted, store_int(system[i].value));
        }
    }
    if (fields->full_name) {
        add_column(statement, fields->full_name->quoted, join_names(write, row));
    }
    if (row->se_module && fields->se_module) {
        add_column(statement, VIEW("\"$se_module\""), store_text(row->se_module->api_name));
    }
    if (fields->autonumber) {
        row->number = &row->params[row->param_count];
        add_column(statement, fields->autonumber->quoted, store_null());
    }
}

static void write_insert(struct crm_write *write, struct statement *statement)
{
    struct buffer *text = &statement->text;
    if (!statement->reuse) {
        buffer_add(text, VIEW("INSERT INTO "));
        buffer_add(text, write->module->quoted);
        buffer_add(text, VIEW(" (\"id\""));
    }
    add_insert_columns(write, statement);
    if (!statement->reuse) {
        buffer_add(text, VIEW(") VALUES (?"));
        for (int i = 1; i < statement->row->param_count; i++) {
            buffer_add(text, VIEW(",?"));
        }
        buffer_add_char(text, ')');
    }
}

// Full_Name out of what is given and what the row holds.
static void update_full_name(struct crm_write *write, struct statement *statement)
{
    const struct crm_fields *fields = crm_fields_of(write->module);
    const struct crm_field *parts[] = {fields->first_name, fields->last_name};
    if (!fields->full_name || (!given(write, statement->row, parts[0]) && !given(write, statement->row, parts[1]))) {
        return;
    }
    buffer_printf(&statement->text, ",%.*s=TRIM(", VIEW_ARGS(fields->full_name->quoted));
    for (int i = 0; i < 2; i++) {
        const struct store_param *param = given(write, statement->row, parts[i]);
        if (param) {
            bind(statement, *param);
        }
        buffer_printf(&statement->text, "%sCOALESCE(%.*s,'')", i ? " || ' ' || " : "", VIEW_ARGS(param ? VIEW("?") : parts[i]->quoted));
    }
    buffer_add_char(&statement->text, ')');
}

// "id"="id" keeps the list of assignments from being empty and its commas uniform.
static void write_update(struct crm_write *write, struct statement *statement)
{
    const struct crm_fields *fields = crm_fields_of(write->module);
    struct crm_row_plan *row = statement->row;
    struct buffer *text = &statement->text;
    buffer_printf(text, "UPDATE %.*s SET \"id\"=\"id\"", VIEW_ARGS(write->module->quoted));
    for (int i = 0; i < row->count; i++) {
        buffer_printf(text, ",%.*s=?", VIEW_ARGS(row->given[i]->quoted));
        bind(statement, row->values[i]);
    }
    update_full_name(write, statement);
    if (row->se_module && fields->se_module) {
        buffer_add(text, VIEW(",\"$se_module\"=?"));
        bind(statement, store_text(row->se_module->api_name));
    }
    if (fields->modified_time) {
        buffer_printf(text, ",%.*s=?", VIEW_ARGS(fields->modified_time->quoted));
        bind(statement, store_int(write->now_ms));
    }
    if (fields->modified_by) {
        buffer_printf(text, ",%.*s=?", VIEW_ARGS(fields->modified_by->quoted));
        bind(statement, store_int(write->session->user_id));
    }
    buffer_printf(text, " WHERE \"id\"=? RETURNING %.*s,%.*s", VIEW_ARGS(fields->created_time ? fields->created_time->quoted : VIEW("0")),
                  VIEW_ARGS(fields->created_by ? fields->created_by->quoted : VIEW("0")));
    bind(statement, store_int(row->id));
}

// May `row` use the text that `earlier` has? Inserts only: they depend on nothing but the columns.
static bool same_columns(const struct crm_row_plan *row, const struct crm_row_plan *earlier)
{
    return earlier->sql && row->count == earlier->count && !row->se_module == !earlier->se_module &&
           (row->count == 0 || memcmp(row->given, earlier->given, (size_t)row->count * sizeof *row->given) == 0);
}

static bool plan_statement(struct crm_write *write, struct crm_row_plan *row, const struct crm_row_plan *earlier, struct fail *fail)
{
    struct statement statement = {.row = row, .reuse = write->insert && earlier && same_columns(row, earlier)};
    row->params = arena_alloc(&write->arena, ((size_t)row->count + SYSTEM_COLUMNS) * sizeof *row->params);
    if (!row->params) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    buffer_init(&statement.text, SQL_BYTES_MAX);
    if (write->insert) {
        write_insert(write, &statement);
    } else {
        write_update(write, &statement);
    }
    struct view text = statement.text.failed ? VIEW_NONE : arena_copy(&write->arena, buffer_view(&statement.text));
    row->sql = statement.reuse ? earlier->sql : text.data;
    buffer_free(&statement.text);
    return row->sql || fail_set(fail, FAIL_MEMORY, NULL);
}

// Where the closure puts the value of a field; an insert's first parameter is the id.
static struct store_param *place_of(const struct crm_write *write, const struct crm_row_plan *row, const struct crm_field *field)
{
    return &row->params[write->slots[field->index] - (write->insert ? 0 : 1)];
}

// {"$append_values":{"Tag":true}}: in addition to what the record has.
static void aim_late(const struct crm_write *write, struct crm_row_plan *row, const struct map *map)
{
    const struct crm_field *field = crm_fields_of(write->module)->tag;
    if (row->tags && row->params) {
        const struct map *append = value_as_map(map_get_text(map, VIEW("$append_values")));
        row->tags->append = append && crm_map_bool(append, "Tag", false);
        row->tag_param = place_of(write, row, field);
    }
    for (struct crm_file_wishes *wishes = row->files; wishes && row->params; wishes = wishes->next) {
        wishes->param = place_of(write, row, wishes->field);
    }
}

static bool plan_row(struct crm_write *write, struct crm_row_plan *row, struct value value, const struct crm_row_plan *earlier,
                     struct fail *fail)
{
    struct map *map = value_as_map(value);
    if (!map) {
        row->error = (struct crm_row_error){.problem = CRM_ROW_NOT_MAP, .expected = "jsonobject"};
        return true;
    }
    size_t room = map->count < CRM_FIELDS_MAX ? map->count : CRM_FIELDS_MAX;
    row->given = arena_alloc(&write->arena, (room + 1) * sizeof *row->given);
    row->values = arena_alloc(&write->arena, (room + 1) * sizeof *row->values);
    if (!row->given || !row->values) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    plan_values(write, row, map);
    plan_appends(write, row, map);
    check_mandatory(write, row, map);
    bool done = row->error.problem != CRM_ROW_FINE || plan_statement(write, row, earlier, fail);
    aim_late(write, row, map);
    for (int i = 0; i < row->count; i++) {
        write->slots[row->given[i]->index] = 0;
    }
    return done;
}

bool crm_plan_rows(struct crm_write *write, const struct list *rows, struct fail *fail)
{
    write->rows = arena_alloc(&write->arena, ((size_t)rows->count + 1) * sizeof *write->rows);
    if (!write->rows) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    write->count = rows->count;
    const struct crm_row_plan *earlier = NULL;
    for (uint32_t i = 0; i < rows->count; i++) {
        if (!plan_row(write, &write->rows[i], rows->items[i], earlier, fail)) {
            return false;
        }
        earlier = write->rows[i].sql ? &write->rows[i] : earlier;
    }
    return true;
}
