// SPDX-License-Identifier: Apache-2.0
// What a write has left to do: for each of its records the workflow rules that apply, and for each channel one notification of all its
// records. Everything here runs inside the closure that writes, so what is added to crm_pending is there exactly when the write is: an
// acknowledged write's actions survive a crash, a refused one's never were. Criteria are asked by SQL of the record as the transaction sees
// it: behind an insert or update, before a delete.
//
// A write of an install action (an open journal) may be undone, so no rule hears of it.
#include "crm/automation.h"

enum {
    SQL_BYTES_MAX = 64 << 10,
    DETAILS_BYTES_MAX = 4 << 20,
    HAPPENED_BYTES_MAX = 64 << 20,
};

// A condition of a rule as a statement: "is the record with this id like that?".
struct compiled {
    const struct criteria *tree;
    const char *sql; // NULL: it cannot be asked any more (a field is gone), and never holds
    struct store_param *params; // the last one is the id
    int count;
    struct compiled *next;
};

struct told_row {
    int64_t id;
    const struct crm_row_plan *row;
    const bool *changed;
    struct told_row *next;
};

// What one channel hears of this write: one kind of event of one module.
struct told {
    const struct crm_watch *watch;
    const struct crm_module *module;
    enum crm_event event;
    struct told_row *first, *last;
    struct told *next;
};

struct crm_happened {
    struct crm_session *session;
    store_fn *fn;
    void *arg;
    struct arena arena;
    struct compiled *compiled;
    struct told *told, *told_last;
    int64_t added, room; // room: how many more may wait, -1: not asked yet
    bool too_deep;
};

static bool no_memory(struct fail *fail)
{
    return fail_set(fail, FAIL_MEMORY, NULL);
}

// ---- rows of crm_pending ------------------------------------------------------------------------

static bool take_room(struct tx *tx, struct crm_happened *happened, struct fail *fail)
{
    int64_t count = 0;
    bool found;
    if (happened->room < 0) {
        const struct store_param most = store_int(CRM_PENDING_MAX);
        if (!tx_query_int(tx, "SELECT COUNT(*) FROM (SELECT 1 FROM crm_pending LIMIT ?) p", &most, 1, &count, &found, fail)) {
            return false;
        }
        happened->room = CRM_PENDING_MAX - count;
    }
    return happened->room-- > 0 ||
           fail_set(fail, FAIL_LIMIT_EXCEEDED, "%d actions of workflow rules and notifications are waiting, which is the most there may be",
                    CRM_PENDING_MAX);
}

static bool add_pending(struct tx *tx, struct crm_happened *happened, const struct crm_pending *item, struct view details,
                        struct fail *fail)
{
    int64_t id = take_room(tx, happened, fail) ? store_id(tx, fail) : 0;
    const struct store_param row[] = {store_int(id),
                                      store_int(item->kind),
                                      store_int(item->target),
                                      store_int(item->rule_id),
                                      store_text(item->module),
                                      store_int(item->record_id),
                                      store_int(item->depth),
                                      store_text(details)};
    happened->added++;
    return id && tx_exec(tx,
                         "INSERT INTO crm_pending (id, kind, target, rule_id, module, record_id, depth, tries, taken, due_time, details)"
                         " VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, 0, ?)",
                         row, BASE_COUNT(row), fail);
}

// ---- conditions ---------------------------------------------------------------------------------

struct resolving {
    const struct crm_session *session;
    const struct crm_module *module;
};

static const struct crm_field *resolve(void *arg, struct view name, const char **ret_alias)
{
    const struct resolving *resolving = arg;
    *ret_alias = "t";
    return crm_field_find(resolving->session, resolving->module, name);
}

static bool compile_tree(struct crm_happened *happened, const struct crm_module *module, struct compiled *compiled, struct fail *fail)
{
    struct resolving resolving = {happened->session, module};
    struct crm_sql sql = {.arena = &happened->arena, .alias = "t"};
    buffer_init(&sql.text, SQL_BYTES_MAX);
    buffer_printf(&sql.text, "SELECT 1 FROM %.*s t WHERE ", VIEW_ARGS(module->quoted));
    bool good = crm_criteria_compile(happened->session, compiled->tree, resolve, &resolving, &sql, fail);
    buffer_add(&sql.text, VIEW(" AND t.\"id\"=?"));
    crm_sql_param(&sql, store_null());
    if (good && !sql.text.failed) {
        compiled->sql = arena_copy(&happened->arena, buffer_view(&sql.text)).data;
        compiled->params = sql.params;
        compiled->count = sql.count;
    }
    buffer_free(&sql.text);
    if (!good && fail->code == FAIL_INVALID_QUERY) {
        happened->session->details = value_null();
        fail_clear(fail);
        return true;
    }
    return compiled->sql || (good ? no_memory(fail) : false);
}

static struct compiled *find_compiled(struct crm_happened *happened, const struct crm_module *module, const struct criteria *tree,
                                      struct fail *fail)
{
    struct compiled *compiled = happened->compiled;
    while (compiled && compiled->tree != tree) {
        compiled = compiled->next;
    }
    if (compiled) {
        return compiled;
    }
    compiled = arena_alloc(&happened->arena, sizeof *compiled);
    if (!compiled) {
        no_memory(fail);
        return NULL;
    }
    *compiled = (struct compiled){.tree = tree, .next = happened->compiled};
    happened->compiled = compiled;
    return compile_tree(happened, module, compiled, fail) ? compiled : NULL;
}

static bool holds(struct tx *tx, struct crm_happened *happened, const struct crm_module *module, const struct criteria *tree, int64_t id,
                  bool *ret_holds, struct fail *fail)
{
    int64_t one;
    *ret_holds = tree == NULL;
    if (!tree) {
        return true;
    }
    struct compiled *compiled = find_compiled(happened, module, tree, fail);
    if (!compiled || !compiled->sql) {
        return compiled != NULL;
    }
    compiled->params[compiled->count - 1] = store_int(id);
    return tx_query_int(tx, compiled->sql, compiled->params, compiled->count, &one, ret_holds, fail);
}

// ---- rules --------------------------------------------------------------------------------------

struct happening { // one record
    const struct crm_module *module;
    enum crm_event event;
    int64_t id;
    const struct crm_row_plan *row;
    const bool *changed;
    struct view record; // of a deleted one: {"record":{…}}, made when the first rule wants it
};

static bool has_changed(const struct crm_row_plan *row, const bool *changed, const struct crm_field *field)
{
    for (int i = 0; row && field && i < row->count; i++) {
        if (row->given[i] == field) {
            return !changed || changed[i];
        }
    }
    return false;
}

// A rule of field_update: have its fields changed, and to what it says?
static bool fields_match(struct tx *tx, struct crm_happened *happened, const struct happening *now, const struct crm_rule *rule,
                         bool *ret_match, struct fail *fail)
{
    bool match = rule->match_all;
    for (int i = 0; i < rule->changed_count && match == rule->match_all; i++) {
        const struct criteria *condition = rule->changed[i];
        bool one = has_changed(now->row, now->changed, crm_field_find(happened->session, now->module, condition->field));
        if (one && condition->operator!= CRITERIA_OPERATORS && !holds(tx, happened, now->module, condition, now->id, &one, fail)) {
            return false;
        }
        match = one;
    }
    *ret_match = match;
    return true;
}

static bool find_part(struct tx *tx, struct crm_happened *happened, const struct happening *now, const struct crm_rule *rule,
                      const struct crm_condition_part **ret_part, struct fail *fail)
{
    bool match = true;
    *ret_part = NULL;
    if (rule->by_field && !fields_match(tx, happened, now, rule, &match, fail)) {
        return false;
    }
    for (int i = 0; match && i < rule->condition_count && !*ret_part; i++) {
        bool one;
        if (!holds(tx, happened, now->module, rule->conditions[i].criteria, now->id, &one, fail)) {
            return false;
        }
        *ret_part = one ? &rule->conditions[i] : NULL;
    }
    return true;
}

// A rule without `repeat` runs once for a record.
static bool is_first(struct tx *tx, const struct crm_rule *rule, int64_t record_id, bool *ret_first, struct fail *fail)
{
    *ret_first = true;
    if (rule->repeat) {
        return true;
    }
    const struct store_param row[] = {store_int(store_id(tx, fail)), store_int(rule->id), store_int(record_id)};
    bool done = row[0].integer &&
                tx_exec(tx, "INSERT INTO crm_rule_done (id, rule_id, record_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", row, 3, fail);
    *ret_first = done && tx_changes(tx) > 0;
    return done;
}

// Of a record that will be gone when the actions run.
static bool keep_record(struct tx *tx, struct crm_happened *happened, struct happening *now, struct fail *fail)
{
    struct value record;
    struct buffer json;
    if (now->event != CRM_EVENT_DELETE || now->record.len) {
        return true;
    }
    if (!crm_record_get_tx(tx, happened->session, now->module, now->id, &record, fail)) {
        return false;
    }
    buffer_init(&json, DETAILS_BYTES_MAX);
    buffer_add(&json, VIEW("{\"record\":"));
    bool good = json_write(&json, record, happened->session->meta->zone, fail);
    buffer_add_char(&json, '}');
    now->record = good && !json.failed ? arena_copy(&happened->arena, buffer_view(&json)) : VIEW_NONE;
    buffer_free(&json);
    return now->record.len || (good ? no_memory(fail) : false);
}

static bool run_rule(struct tx *tx, struct crm_happened *happened, struct happening *now, const struct crm_rule *rule, struct fail *fail)
{
    const struct crm_condition_part *part;
    bool first = false;
    if (!find_part(tx, happened, now, rule, &part, fail) || (part && !is_first(tx, rule, now->id, &first, fail))) {
        return false;
    }
    if (!part || !first) {
        return true;
    }
    if (happened->session->workflow_depth >= CRM_WORKFLOW_DEPTH_MAX) {
        happened->too_deep = true;
        return true;
    }
    if (!keep_record(tx, happened, now, fail)) {
        return false;
    }
    for (int i = 0; i < part->action_count; i++) {
        const struct crm_pending item = {.kind = part->actions[i].kind,
                                         .target = part->actions[i].id,
                                         .rule_id = rule->id,
                                         .record_id = now->id,
                                         .depth = happened->session->workflow_depth + 1,
                                         .module = now->module->api_name};
        if (!add_pending(tx, happened, &item, now->record.len ? now->record : VIEW("{}"), fail)) {
            return false;
        }
    }
    return true;
}

// ---- channels -----------------------------------------------------------------------------------

static bool watch_wants(const struct crm_watch *watch, struct view module, enum crm_event event)
{
    for (int i = 0; i < watch->event_count; i++) {
        if ((watch->events[i].events & event) && view_eq_nocase(watch->events[i].module, module)) {
            return true;
        }
    }
    return false;
}

// Edits may have to change certain fields to be told.
static bool selection_matches(const struct crm_happened *happened, const struct happening *now, const struct crm_watch *watch)
{
    for (int i = 0; now->event == CRM_EVENT_EDIT && i < watch->field_count; i++) {
        const struct crm_watch_fields *fields = &watch->fields[i];
        int count = 0;
        if (!view_eq_nocase(fields->module, now->module->api_name)) {
            continue;
        }
        for (int k = 0; k < fields->count; k++) {
            count += has_changed(now->row, now->changed, crm_field_find(happened->session, now->module, fields->names[k]));
        }
        if (fields->all ? count < fields->count : count == 0) {
            return false;
        }
    }
    return true;
}

static bool tell_watch(struct crm_happened *happened, const struct happening *now, const struct crm_watch *watch, struct fail *fail)
{
    struct told *told = happened->told;
    while (told && (told->watch != watch || told->module != now->module || told->event != now->event)) {
        told = told->next;
    }
    if (!told) {
        told = arena_alloc(&happened->arena, sizeof *told);
        if (!told) {
            return no_memory(fail);
        }
        *told = (struct told){.watch = watch, .module = now->module, .event = now->event};
        *(happened->told ? &happened->told_last->next : &happened->told) = told;
        happened->told_last = told;
    }
    struct told_row *row = arena_alloc(&happened->arena, sizeof *row);
    if (!row) {
        return no_memory(fail);
    }
    *row = (struct told_row){.id = now->id, .row = now->row, .changed = now->changed};
    *(told->first ? &told->last->next : &told->first) = row;
    told->last = row;
    return true;
}

// {"operation":"update","ids":["…"],"fields":[["Last_Name"]]}
static void write_told(const struct told *told, struct buffer *json)
{
    const char *operation = told->event == CRM_EVENT_CREATE ? "insert" : told->event == CRM_EVENT_EDIT ? "update" : "delete";
    buffer_printf(json, "{\"operation\":\"%s\",\"ids\":[", operation);
    for (const struct told_row *row = told->first; row; row = row->next) {
        buffer_printf(json, "%s\"%lld\"", row == told->first ? "" : ",", (long long)row->id);
    }
    buffer_add(json, VIEW("],\"fields\":["));
    for (const struct told_row *row = told->first; row; row = row->next) {
        const char *comma = "";
        buffer_add(json, row == told->first ? VIEW("[") : VIEW(",["));
        for (int i = 0; row->row && i < row->row->count; i++) {
            if (!row->changed || row->changed[i]) {
                buffer_printf(json, "%s\"%.*s\"", comma, VIEW_ARGS(row->row->given[i]->api_name));
                comma = ",";
            }
        }
        buffer_add_char(json, ']');
    }
    buffer_add(json, VIEW("]}"));
}

static bool flush_told(struct tx *tx, struct crm_happened *happened, struct fail *fail)
{
    bool good = true;
    for (const struct told *told = happened->told; good && told; told = told->next) {
        const struct crm_pending item = {.kind = CRM_PENDING_NOTIFY,
                                         .target = told->watch->id,
                                         .module = told->module->api_name,
                                         .depth = happened->session->workflow_depth};
        struct buffer json;
        buffer_init(&json, DETAILS_BYTES_MAX);
        write_told(told, &json);
        good = (!json.failed || no_memory(fail)) && add_pending(tx, happened, &item, buffer_view(&json), fail);
        buffer_free(&json);
    }
    return good;
}

// ---- for the closures ---------------------------------------------------------------------------

bool crm_happened_wants(const struct crm_session *session, const struct crm_module *module, enum crm_event event)
{
    const struct crm_automation *automation = session->happened ? session->meta->automation : NULL;
    for (int i = 0; automation && session->workflow && i < automation->rule_count; i++) {
        if ((automation->rules[i].events & event) && view_eq(automation->rules[i].module, module->api_name)) {
            return true;
        }
    }
    for (int i = 0; automation && i < automation->watch_count; i++) {
        if (watch_wants(&automation->watches[i], module->api_name, event)) {
            return true;
        }
    }
    return false;
}

bool crm_happened_row(struct tx *tx, struct crm_session *session, const struct crm_module *module, enum crm_event event, int64_t id,
                      const struct crm_row_plan *row, const bool *changed, struct fail *fail)
{
    const struct crm_automation *automation = session->meta->automation;
    struct crm_happened *happened = session->happened;
    struct happening now = {.module = module, .event = event, .id = id, .row = row, .changed = changed};
    int64_t now_ms = clock_wall_ms();
    for (int i = 0; session->workflow && i < automation->rule_count; i++) {
        const struct crm_rule *rule = &automation->rules[i];
        if ((rule->events & event) && view_eq(rule->module, module->api_name) && !run_rule(tx, happened, &now, rule, fail)) {
            return false;
        }
    }
    for (int i = 0; i < automation->watch_count; i++) {
        const struct crm_watch *watch = &automation->watches[i];
        if (watch->expiry_ms > now_ms && watch_wants(watch, module->api_name, event) && selection_matches(happened, &now, watch) &&
            !tell_watch(happened, &now, watch, fail)) {
            return false;
        }
    }
    return true;
}

static bool same_value(const struct rows *rows, int column, const struct store_param *param)
{
    enum store_type type = rows_type(rows, column);
    switch (param->type) {
    case STORE_NULL:
        return type == STORE_NULL;
    case STORE_INTEGER:
        return type == STORE_INTEGER && rows_int(rows, column) == param->integer;
    case STORE_REAL:
        return (type == STORE_REAL || type == STORE_INTEGER) && rows_real(rows, column) == param->real;
    default:
        return type == STORE_TEXT && view_eq(rows_text(rows, column), param->text);
    }
}

bool crm_happened_changes(struct tx *tx, const struct crm_write *write, const struct crm_row_plan *row, const bool **ret_changed,
                          struct fail *fail)
{
    bool *changed = arena_alloc(&write->session->happened->arena, (size_t)row->count + 1);
    struct store_param id = store_int(row->id);
    struct rows *rows;
    struct buffer sql;
    if (!changed) {
        return no_memory(fail);
    }
    *ret_changed = changed;
    buffer_init(&sql, SQL_BYTES_MAX);
    buffer_add(&sql, VIEW("SELECT "));
    for (int i = 0; i < row->count; i++) {
        buffer_printf(&sql, "%.*s,", VIEW_ARGS(row->given[i]->quoted));
    }
    buffer_printf(&sql, "\"id\" FROM %.*s WHERE \"id\"=?", VIEW_ARGS(write->module->quoted));
    bool good = !sql.failed ? tx_query(tx, buffer_text(&sql), &id, 1, &rows, fail) : no_memory(fail);
    if (good) {
        fail_clear(fail);
        if (rows_next(rows, fail)) {
            for (int i = 0; i < row->count; i++) {
                changed[i] = !same_value(rows, i, &row->values[i]);
            }
        }
        rows_close(rows);
    }
    buffer_free(&sql);
    return good && fail->code == FAIL_NONE;
}

// May run twice: what the first run has noted is forgotten.
static bool run_closure(struct tx *tx, void *arg, struct fail *fail)
{
    struct crm_happened *happened = arg;
    arena_reset(&happened->arena);
    happened->compiled = NULL;
    happened->told = NULL;
    happened->added = 0;
    happened->room = -1;
    happened->too_deep = false;
    return happened->fn(tx, happened->arg, fail) && flush_told(tx, happened, fail) &&
           (!happened->session->also || happened->session->also(tx, happened->session->also_arg, fail));
}

bool crm_write_commit(struct crm_session *session, store_fn *fn, void *arg, struct fail *fail)
{
    if ((BASE_LIKELY(!session->meta->automation) || session->journal) && !session->also) {
        return store_write(crm_env(session->crm), fn, arg, fail);
    }
    struct crm_happened happened = {.session = session, .fn = fn, .arg = arg};
    arena_init(&happened.arena, HAPPENED_BYTES_MAX);
    session->happened = session->meta->automation && !session->journal ? &happened : NULL;
    bool good = store_write(crm_env(session->crm), run_closure, &happened, fail);
    session->happened = NULL;
    arena_free(&happened.arena);
    if (good && happened.added) {
        crm_tell_pending(session->crm);
    }
    if (good && happened.too_deep && session->warn) {
        session->warn(session->user, VIEW("workflow rules that this write met are not run: they stand behind five others already"));
    }
    return good;
}
