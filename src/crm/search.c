// SPDX-License-Identifier: Apache-2.0
// From a query to SQL conditions: criteria trees, e-mail, phone and word searches, and the equalities that related lists need. Every value
// becomes a parameter and every name comes out of the metadata, already quoted, so nothing that a caller writes is ever part of the SQL
// text.
//
// What the operators mean (spec/crm-api.md §2.3): texts compare without regard to ASCII case; `equals` is the whole text, not a part of it
// (v2's page; the choice is in condition_text); `not_equal` and the comparisons never find a record that leaves the field unset, as SQL has
// it; an unset checkbox counts as false; a look-up matches by id or by the other record's name.
#include "crm/tag.h"

#include <math.h>

enum { WORD_UNITS_MIN = 2, WORD_BYTES_MAX = 255, SQL_PARAMS_START = 16, SQL_PARAMS_MAX = 8192, LIKE_BYTES_MAX = 40000 };

void crm_sql_param(struct crm_sql *sql, struct store_param param)
{
    if (sql->count == sql->room) {
        int room = sql->room ? 2 * sql->room : SQL_PARAMS_START;
        struct store_param *wider = room <= SQL_PARAMS_MAX ? arena_alloc(sql->arena, (size_t)room * sizeof *wider) : NULL;
        if (!wider) {
            sql->text.failed = true;
            return;
        }
        if (sql->count) {
            memcpy(wider, sql->params, (size_t)sql->count * sizeof *wider);
        }
        sql->params = wider;
        sql->room = room;
    }
    sql->params[sql->count++] = param;
}

// ---- one condition ------------------------------------------------------------------------------

struct compiler {
    struct crm_session *session;
    const struct crm_module *module;
    struct crm_sql *sql;
    struct fail *fail;
    crm_resolve_fn *resolve; // NULL: fields of the module
    void *resolve_arg;
};

static const char *alias_of(const struct crm_sql *sql)
{
    return sql->alias ? sql->alias : "t";
}

static const char *const COMPARISONS[CRITERIA_OPERATORS] = {
    [CRITERIA_EQUALS] = "=",       [CRITERIA_NOT_EQUAL] = "<>",  [CRITERIA_GREATER_EQUAL] = ">=",
    [CRITERIA_GREATER_THAN] = ">", [CRITERIA_LESS_EQUAL] = "<=", [CRITERIA_LESS_THAN] = "<",
};

static bool refuse(struct compiler *c, const char *reason, const struct criteria *condition)
{
    c->session->details = value_null();
    crm_details_set(c->session, "reason", view_of(reason));
    if (condition) {
        const char *operator= COMPARISONS[condition->operator];
        crm_details_set(c->session, c->sql->coql ? "column_name" : "api_name", condition->field);
        crm_details_set(c->session, "operator", view_of(c->sql->coql && operator? operator: criteria_operator_name(condition->operator)));
    }
    return fail_set(c->fail, FAIL_INVALID_QUERY, NULL);
}

// COQL tells the value, and of a field that is not there the clause (spec/crm-api.md §2.4).
static bool refuse_value(struct compiler *c, const struct criteria *condition, struct view value)
{
    refuse(c, "the value does not suit the field", condition);
    if (c->sql->coql) {
        crm_details_set(c->session, "value", value);
    }
    return false;
}

static bool refuse_field(struct compiler *c, const struct criteria *condition)
{
    if (!c->sql->coql) {
        return refuse(c, "the field is not available for search", condition);
    }
    c->session->details = value_null();
    crm_details_set(c->session, "column_name", condition->field);
    crm_details_set(c->session, "clause", VIEW("where"));
    return fail_set(c->fail, FAIL_INVALID_QUERY, NULL);
}

// A LIKE pattern in which `text` stands for itself.
static struct view like_pattern(struct arena *arena, const char *before, struct view text, const char *after)
{
    struct buffer pattern;
    buffer_init(&pattern, LIKE_BYTES_MAX);
    buffer_add(&pattern, view_of(before));
    for (size_t i = 0; i < text.len; i++) {
        if (memchr("%_\\", text.data[i], 3)) {
            buffer_add_char(&pattern, '\\');
        }
        buffer_add_char(&pattern, text.data[i]);
    }
    buffer_add(&pattern, view_of(after));
    struct view copy = pattern.failed ? VIEW_NONE : arena_copy(arena, buffer_view(&pattern));
    buffer_free(&pattern);
    return copy;
}

static void add_like(struct crm_sql *sql, struct view column, const char *before, struct view text, const char *after)
{
    struct view pattern = like_pattern(sql->arena, before, text, after);
    buffer_printf(&sql->text, "%s.%.*s LIKE ? ESCAPE '\\'", alias_of(sql), VIEW_ARGS(column));
    if (!pattern.data) {
        sql->text.failed = true;
        return;
    }
    crm_sql_param(sql, store_text(pattern));
}

// column OP ?, column BETWEEN ? AND ?, column IN (?,…): the shapes that all scalar kinds share once their values are parameters.
static void add_comparison(struct crm_sql *sql, const struct crm_field *field, const struct criteria *condition,
                           const struct store_param *values)
{
    const char *collate = field->kind == CRM_KIND_TEXT ? " COLLATE NOCASE" : "";
    buffer_printf(&sql->text, "%s.%.*s%s", alias_of(sql), VIEW_ARGS(field->quoted), collate);
    if (condition->operator== CRITERIA_BETWEEN || condition->operator== CRITERIA_NOT_BETWEEN) {
        buffer_add(&sql->text, condition->operator== CRITERIA_BETWEEN ? VIEW(" BETWEEN ? AND ?") : VIEW(" NOT BETWEEN ? AND ?"));
    } else if (condition->operator== CRITERIA_IN || condition->operator== CRITERIA_NOT_IN) {
        buffer_add(&sql->text, condition->operator== CRITERIA_IN ? VIEW(" IN (?") : VIEW(" NOT IN (?"));
        for (int i = 1; i < condition->value_count; i++) {
            buffer_add(&sql->text, VIEW(",?"));
        }
        buffer_add_char(&sql->text, ')');
    } else {
        buffer_printf(&sql->text, " %s ?", COMPARISONS[condition->operator]);
    }
    for (int i = 0; i < condition->value_count; i++) {
        crm_sql_param(sql, values[i]);
    }
}

static bool is_ordering(enum criteria_operator operator)
{
    return (operator>= CRITERIA_GREATER_EQUAL && operator<= CRITERIA_BETWEEN) || operator== CRITERIA_NOT_BETWEEN;
}

static bool is_pattern(enum criteria_operator operator)
{
    return operator== CRITERIA_STARTS_WITH || operator== CRITERIA_LIKE || operator== CRITERIA_NOT_LIKE;
}

// Not on the stack: conditions are compiled inside a recursion on a fiber.
static struct store_param *take_values(struct compiler *c, const struct criteria *condition)
{
    struct store_param *values = arena_alloc(c->sql->arena, (size_t)condition->value_count * sizeof *values);
    if (!values) {
        fail_set(c->fail, FAIL_MEMORY, NULL);
    }
    return values;
}

// Texts take no comparisons by order.
static bool condition_text(struct compiler *c, const struct crm_field *field, const struct criteria *condition)
{
    if (is_ordering(condition->operator)) {
        return refuse(c, "the operator does not suit the field", condition);
    }
    if (condition->operator== CRITERIA_STARTS_WITH) {
        add_like(c->sql, field->quoted, "", condition->values[0], "%");
        return true;
    }
    if (is_pattern(condition->operator)) {
        struct view text = condition->values[0];
        bool before = view_starts(text, VIEW("%")), after = text.len > 1 && view_ends(text, VIEW("%"));
        if (condition->operator== CRITERIA_NOT_LIKE && !(before && after)) { // only '%x%' (spec/crm-api.md §2.4)
            return refuse_value(c, condition, text);
        }
        buffer_add(&c->sql->text, condition->operator== CRITERIA_NOT_LIKE ? VIEW("NOT ") : VIEW(""));
        add_like(c->sql, field->quoted, before ? "%" : "", view_slice(text, before, text.len - before - after), after ? "%" : "");
        return true;
    }
    struct store_param *values = take_values(c, condition);
    for (int i = 0; values && i < condition->value_count; i++) {
        values[i] = store_text(condition->values[i]);
    }
    if (!values) {
        return false;
    }
    add_comparison(c->sql, field, condition, values);
    return true;
}

// The parameter that a value stands for; numbers may be written with a fraction against whole fields: 1.0 equals 1.
static bool read_scalar(struct compiler *c, const struct crm_field *field, struct view text, struct store_param *ret_value)
{
    int64_t number;
    double real;
    const struct zone *zone = crm_zone(c->session);
    switch (field->kind) {
    case CRM_KIND_INTEGER:
    case CRM_KIND_BIGINT:
        if (view_to_int64(text, &number)) {
            *ret_value = store_int(number);
            return true;
        }
        break; // 1.5 against an integer is a fair question
    case CRM_KIND_DATE:
        *ret_value = store_text(text);
        return crm_date_read(text);
    case CRM_KIND_DATETIME:
        if (crm_date_read(text)) { // a day stands for its first moment
            bool has_time;
            bool read = calendar_read(text, zone, &number, &has_time);
            *ret_value = store_int(number);
            return read;
        }
        if (!crm_datetime_read(text, zone, &number)) {
            return false;
        }
        *ret_value = store_int(number);
        return true;
    default:
        break;
    }
    if (!view_to_decimal(text, &real) || !isfinite(real)) {
        return false;
    }
    *ret_value = store_real(real);
    return true;
}

// Numbers, dates and times: compared by order, never by prefix.
static bool condition_scalar(struct compiler *c, const struct crm_field *field, const struct criteria *condition)
{
    struct store_param *values = take_values(c, condition);
    if (!values) {
        return false;
    }
    if (is_pattern(condition->operator)) {
        return refuse(c, "the operator does not suit the field", condition);
    }
    for (int i = 0; i < condition->value_count; i++) {
        if (!read_scalar(c, field, condition->values[i], &values[i])) {
            return refuse_value(c, condition, condition->values[i]);
        }
    }
    add_comparison(c->sql, field, condition, values);
    return true;
}

// An unset checkbox is an unticked one.
static bool condition_boolean(struct compiler *c, const struct crm_field *field, const struct criteria *condition)
{
    if (condition->operator!= CRITERIA_EQUALS && condition->operator!= CRITERIA_NOT_EQUAL) {
        return refuse(c, "the operator does not suit the field", condition);
    }
    struct view text = condition->values[0];
    bool truth = view_eq_nocase(text, VIEW("true")) || view_eq(text, VIEW("1"));
    if (!truth && !view_eq_nocase(text, VIEW("false")) && !view_eq(text, VIEW("0"))) {
        return refuse_value(c, condition, condition->values[0]);
    }
    buffer_printf(&c->sql->text, "COALESCE(%s.%.*s,0) = ?", alias_of(c->sql), VIEW_ARGS(field->quoted));
    crm_sql_param(c->sql, store_int(truth == (condition->operator== CRITERIA_EQUALS)));
    return true;
}

// The column that holds a module's names; empty when its records are named by their ids.
static struct view name_column(struct compiler *c, const struct crm_module *target)
{
    return view_eq(target->name_field, VIEW("id")) ? VIEW_NONE : crm_name_quote(c->sql->arena, target->name_field, c->fail);
}

// Users are in the picture: names become ids here, not in SQL.
static void add_user_matches(struct compiler *c, struct view text)
{
    const struct crm_meta *meta = c->session->meta;
    for (int i = 0; i < meta->user_count; i++) {
        if (view_eq_nocase(meta->users[i].full_name, text) || view_eq_nocase(meta->users[i].email, text)) {
            buffer_add(&c->sql->text, VIEW(",?"));
            crm_sql_param(c->sql, store_int(meta->users[i].id));
        }
    }
}

// t."X" IN (NULL,?,…): ids as they are, names through the other module.
static bool condition_lookup(struct compiler *c, const struct crm_field *field, const struct criteria *condition)
{
    bool negative = condition->operator== CRITERIA_NOT_EQUAL || condition->operator== CRITERIA_NOT_IN;
    const char *alias = alias_of(c->sql);
    if (is_ordering(condition->operator) || is_pattern(condition->operator)) {
        return refuse(c, "the operator does not suit the field", condition);
    }
    const struct crm_module *target = field->kind == CRM_KIND_LOOKUP ? crm_module_resolve(c->session, field->lookup) : NULL;
    struct view names = target ? name_column(c, target) : VIEW_NONE;
    struct buffer *text = &c->sql->text;
    buffer_printf(text, "%s.%.*s %s (0", alias, VIEW_ARGS(field->quoted), negative ? "NOT IN" : "IN");
    for (int i = 0; i < condition->value_count; i++) {
        int64_t id;
        struct view value = condition->values[i];
        if (view_to_int64(value, &id)) {
            buffer_add(text, VIEW(",?"));
            crm_sql_param(c->sql, store_int(id));
        } else if (field->kind == CRM_KIND_USER) {
            add_user_matches(c, value);
        }
    }
    buffer_add_char(text, ')');
    for (int i = 0; names.data && i < condition->value_count; i++) {
        int64_t id;
        if (!view_to_int64(condition->values[i], &id)) {
            buffer_printf(text, " %s %s.%.*s %s (SELECT n.\"id\" FROM %.*s n WHERE n.%.*s = ? COLLATE NOCASE)", negative ? "AND" : "OR",
                          alias, VIEW_ARGS(field->quoted), negative ? "NOT IN" : "IN", VIEW_ARGS(target->quoted), VIEW_ARGS(names));
            crm_sql_param(c->sql, store_text(condition->values[i]));
        }
    }
    return true;
}

// A multi-select is stored as a JSON list of texts: `A;B` equals it when it holds A and B.
static bool condition_list(struct compiler *c, const struct crm_field *field, const struct criteria *condition)
{
    struct crm_sql *sql = c->sql;
    bool negative = condition->operator== CRITERIA_NOT_EQUAL || condition->operator== CRITERIA_NOT_IN;
    bool prefix = condition->operator== CRITERIA_STARTS_WITH;
    bool any = condition->operator== CRITERIA_IN || condition->operator== CRITERIA_NOT_IN;
    if (is_ordering(condition->operator) || (!prefix && is_pattern(condition->operator))) {
        return refuse(c, "the operator does not suit the field", condition);
    }
    const char *join = any ? " OR " : " AND ";
    int parts = 0;
    buffer_add(&sql->text, negative ? VIEW("NOT (") : VIEW("("));
    for (int i = 0; i < condition->value_count; i++) {
        struct view rest = condition->values[i];
        while (rest.len > 0 && parts < CRITERIA_VALUES_MAX) {
            struct view part = any || prefix ? rest : view_cut(&rest, ';');
            struct buffer json;
            buffer_init(&json, LIKE_BYTES_MAX);
            json_write_text(&json, part);
            struct view quoted = buffer_view(&json);
            buffer_add(&sql->text, view_of(parts++ ? join : ""));
            add_like(sql, field->quoted, "%", prefix ? view_slice(quoted, 0, quoted.len - 1) : quoted, "%");
            buffer_free(&json);
            rest = any || prefix ? VIEW_NONE : rest;
        }
    }
    buffer_add(&sql->text, parts ? VIEW(")") : VIEW("1=0)"));
    return true;
}

// Tags are stored by id and asked for by name: LIKE '%"id"%'. A tag that is not there matches nothing.
static bool condition_tags(struct compiler *c, const struct crm_field *field, const struct criteria *condition)
{
    bool negative = condition->operator== CRITERIA_NOT_EQUAL || condition->operator== CRITERIA_NOT_IN;
    if (is_ordering(condition->operator) || is_pattern(condition->operator)) {
        return refuse(c, "the operator does not suit the field", condition);
    }
    for (int i = 0; i < condition->value_count; i++) {
        buffer_printf(
            &c->sql->text,
            "%s%s.%.*s %s COALESCE((SELECT '%%\"' || CAST(g.id AS TEXT) || '\"%%' FROM crm_object g WHERE g.kind = ? AND g.module = ? "
            "AND lower(g.name) = lower(?)),'')",
            i == 0 ? "" : (negative ? " AND " : " OR "), alias_of(c->sql), VIEW_ARGS(field->quoted), negative ? "NOT LIKE" : "LIKE");
        crm_sql_param(c->sql, store_text(CRM_TAG_KIND));
        crm_sql_param(c->sql, store_text(field->module));
        crm_sql_param(c->sql, store_text(condition->values[i]));
    }
    return true;
}

// Zoho's operators of each data type, which REST keeps to (spec/crm-api.md §2.3); scripts may ask more. Version 2 had two.
static bool operator_allowed(const struct crm_session *session, const struct crm_field *field, enum criteria_operator operator)
{
    const char *type = field->type->name;
    bool list = field->kind == CRM_KIND_LIST, choice = strcmp(type, "picklist") == 0 || strcmp(type, "autonumber") == 0;
    if (session->api_version == 2) {
        return operator== CRITERIA_EQUALS || operator== CRITERIA_STARTS_WITH;
    }
    switch (operator) {
    case CRITERIA_STARTS_WITH:
        return list || (field->kind == CRM_KIND_TEXT && !choice);
    case CRITERIA_IN:
        return field->kind != CRM_KIND_BOOLEAN && strcmp(type, "textarea") != 0;
    default:
        return true; // orders are told from texts where the condition is made
    }
}

// The kind of the field decides which operators there are.
static bool compile_condition(struct compiler *c, const struct criteria *condition)
{
    const struct crm_field *field =
        c->resolve ? c->resolve(c->resolve_arg, condition->field, &c->sql->alias) : crm_field_find(c->session, c->module, condition->field);
    if (!field) {
        return refuse_field(c, condition);
    }
    if (!c->resolve && c->session->strict && !operator_allowed(c->session, field, condition->operator)) {
        return refuse(c, "the operator does not suit the field", condition);
    }
    if (condition->operator== CRITERIA_IS_NULL || condition->operator== CRITERIA_NOT_NULL) {
        buffer_printf(&c->sql->text, "%s.%.*s %s", alias_of(c->sql), VIEW_ARGS(field->quoted),
                      condition->operator== CRITERIA_IS_NULL ? "IS NULL" : "IS NOT NULL");
        return true;
    }
    switch (field->kind) {
    case CRM_KIND_TEXT:
        return condition_text(c, field, condition);
    case CRM_KIND_BOOLEAN:
        return condition_boolean(c, field, condition);
    case CRM_KIND_LOOKUP:
    case CRM_KIND_USER:
        return condition_lookup(c, field, condition);
    case CRM_KIND_LIST:
        return condition_list(c, field, condition);
    case CRM_KIND_JSON:
        if (field->tags) {
            return condition_tags(c, field, condition);
        }
        return refuse_field(c, condition);
    default:
        return condition_scalar(c, field, condition);
    }
}

// Recursion is bounded by CRM_CRITERIA_DEPTH_MAX: the parser refused deeper trees.
static bool compile(struct compiler *c, const struct criteria *node)
{
    if (node->kind == CRITERIA_CONDITION) {
        buffer_add_char(&c->sql->text, '(');
        bool done = compile_condition(c, node);
        buffer_add_char(&c->sql->text, ')');
        return done;
    }
    buffer_add_char(&c->sql->text, '(');
    for (const struct criteria *member = node->first; member; member = member->next) {
        if (member != node->first) {
            buffer_add(&c->sql->text, node->kind == CRITERIA_AND ? VIEW(" AND ") : VIEW(" OR "));
        }
        if (!compile(c, member)) {
            return false;
        }
    }
    buffer_add_char(&c->sql->text, ')');
    return true;
}

bool crm_criteria_compile(struct crm_session *session, const struct criteria *tree, crm_resolve_fn *resolve, void *arg, struct crm_sql *sql,
                          struct fail *fail)
{
    struct compiler compiler = {.session = session, .sql = sql, .fail = fail, .resolve = resolve, .resolve_arg = arg};
    bool done = compile(&compiler, tree);
    sql->alias = NULL;
    return done && (!sql->text.failed || fail_set(fail, FAIL_MEMORY, NULL));
}

// A refusal by the parser becomes details.reason; the message stays Zoho's.
static bool where_criteria(struct compiler *c, struct view criteria)
{
    const struct criteria *tree;
    if (!criteria_parse(c->session->heap, criteria, &tree, c->fail)) {
        if (c->fail->code == FAIL_INVALID_QUERY) {
            char reason[FAIL_TEXT_MAX];
            snprintf(reason, sizeof reason, "%s", c->fail->text);
            return refuse(c, reason, NULL);
        }
        return false;
    }
    return compile(c, tree);
}

// ---- e-mail, phone, word ------------------------------------------------------------------------

static bool is_of_type(const struct crm_field *field, const char *type)
{
    return view_eq(view_of(field->type->name), view_of(type));
}

enum { SPELLINGS_MAX = 4 };

// A phone number may stand with or without its plus, which a URL that is not escaped turns into a blank, and with or without what
// separates its digits: as it is asked for, and as digits alone. Each spelling is found by the field's index.
static int spell_phone(struct compiler *c, struct view text, struct view spellings[SPELLINGS_MAX])
{
    struct arena *arena = c->sql->arena;
    struct view trimmed = view_trim(text);
    char *digits = arena_alloc(arena, text.len + 1);
    size_t len = 0;
    int count = 0;
    for (size_t i = 0; digits && i < text.len; i++) {
        if (text.data[i] >= '0' && text.data[i] <= '9') {
            digits[len++] = text.data[i];
        }
    }
    spellings[count++] = trimmed;
    if (text.len > trimmed.len) {
        spellings[count++] = arena_printf(arena, "+%.*s", VIEW_ARGS(trimmed));
    }
    if (digits && len) {
        spellings[count++] = (struct view){digits, len};
        spellings[count++] = arena_printf(arena, "+%.*s", (int)len, digits);
    }
    return count;
}

// Any of the module's fields of that type equals one of the spellings.
static bool where_typed(struct compiler *c, const char *type, const struct view *spellings, int count)
{
    const struct crm_fields *fields = crm_fields_of(c->module);
    const char *join = "";
    buffer_add_char(&c->sql->text, '(');
    for (int i = 0; i < fields->count; i++) {
        for (int k = 0; k < count && is_of_type(&fields->items[i], type); k++) {
            buffer_printf(&c->sql->text, "%st.%.*s = ? COLLATE NOCASE", join, VIEW_ARGS(fields->items[i].quoted));
            crm_sql_param(c->sql, store_text(spellings[k]));
            join = " OR ";
        }
    }
    buffer_add(&c->sql->text, *join ? VIEW(")") : VIEW("1=0)"));
    return true;
}

// Any text field contains the word.
static bool where_word(struct compiler *c, struct view word)
{
    const struct crm_fields *fields = crm_fields_of(c->module);
    const char *join = "";
    if (word.len > WORD_BYTES_MAX || !utf8_valid(word) || utf8_units(word) < WORD_UNITS_MIN) {
        crm_details_set(c->session, "reason", VIEW("a word has 2 to 255 characters"));
        return fail_set(c->fail, FAIL_INVALID_DATA, NULL);
    }
    buffer_add_char(&c->sql->text, '(');
    for (int i = 0; i < fields->count; i++) {
        if (fields->items[i].kind == CRM_KIND_TEXT) {
            buffer_add(&c->sql->text, view_of(join));
            add_like(c->sql, fields->items[i].quoted, "%", word, "%");
            join = " OR ";
        }
    }
    buffer_add(&c->sql->text, *join ? VIEW(")") : VIEW("1=0)"));
    return true;
}

// ---- equalities ---------------------------------------------------------------------------------

// One equality of a related list: a field, or $se_module beside a look-up that varies.
static bool where_equal(struct compiler *c, struct view key, struct value value)
{
    if (view_eq(key, VIEW("$se_module")) && crm_fields_of(c->module)->se_module && value.type == VALUE_TEXT) {
        buffer_add(&c->sql->text, VIEW("t.\"$se_module\" = ?"));
        crm_sql_param(c->sql, store_text(value_view(value)));
        return true;
    }
    const struct crm_field *field = crm_field_find(c->session, c->module, key);
    struct crm_convert convert = {.session = c->session, .arena = c->sql->arena};
    struct crm_row_error error;
    struct store_param param;
    if (!field || !crm_value_store(&convert, field, value, &param, &error)) {
        crm_details_set(c->session, "api_name", key);
        return fail_set(c->fail, FAIL_INVALID_QUERY, NULL);
    }
    buffer_printf(&c->sql->text, "t.%.*s %s ?%s", VIEW_ARGS(field->quoted), param.type == STORE_NULL ? "IS" : "=",
                  field->kind == CRM_KIND_TEXT ? " COLLATE NOCASE" : "");
    crm_sql_param(c->sql, param);
    return true;
}

static bool where_equals(struct compiler *c, const struct map *equals)
{
    uint32_t cursor = 0;
    const char *join = "";
    for (struct map_entry *entry; (entry = map_next(equals, &cursor)); join = " AND ") {
        buffer_add(&c->sql->text, view_of(join));
        if (!where_equal(c, value_view_or(entry->key, VIEW_NONE), entry->value)) {
            return false;
        }
    }
    return true;
}

// Converted leads stand in lists only when they are asked for (spec/crm-api.md §2.2, §2.3); NULL when all records do.
static const char *where_converted(const struct crm_module *module, struct view wanted)
{
    if (!crm_fields_of(module)->converted || view_eq_nocase(wanted, VIEW("both"))) {
        return NULL;
    }
    return view_eq_nocase(wanted, VIEW("true")) ? "t.\"Converted__s\" = 1" : "COALESCE(t.\"Converted__s\",0) = 0";
}

// Of these ids, and changed since then.
static const char *where_chosen(struct compiler *c, const struct crm_query *query, const char *join)
{
    const struct crm_field *modified = crm_fields_of(c->module)->modified_time;
    struct crm_sql *sql = c->sql;
    if (query->ids) {
        buffer_printf(&sql->text, "%st.\"id\" IN (", join);
        for (int i = 0; i < query->id_count; i++) {
            buffer_add(&sql->text, i ? VIEW(",?") : VIEW("?"));
            crm_sql_param(sql, store_int(query->ids[i]));
        }
        buffer_add_char(&sql->text, ')');
        join = " AND ";
    }
    if (query->modified_after_ms && modified) {
        buffer_printf(&sql->text, "%st.%.*s > ?", join, VIEW_ARGS(modified->quoted));
        crm_sql_param(sql, store_int(query->modified_after_ms));
        join = " AND ";
    }
    return join;
}

bool crm_query_where(struct crm_session *session, const struct crm_module *module, const struct crm_query *query, struct crm_sql *sql,
                     struct fail *fail)
{
    struct compiler compiler = {.session = session, .module = module, .sql = sql, .fail = fail};
    const struct map *equals = value_as_map(query->equals);
    const char *converted = where_converted(module, query->converted);
    bool search = query->criteria.len || query->email.len || query->phone.len || query->word.len || query->tree, done = true;
    const char *join = " WHERE ";
    buffer_add(&sql->text, view_of(search ? join : ""));
    join = search ? " AND " : join;
    if (query->tree) {
        done = compile(&compiler, query->tree);
    } else if (query->criteria.len) {
        done = where_criteria(&compiler, query->criteria);
    } else if (query->email.len) {
        done = where_typed(&compiler, "email", &query->email, 1);
    } else if (query->phone.len) {
        struct view spellings[SPELLINGS_MAX];
        done = where_typed(&compiler, "phone", spellings, spell_phone(&compiler, query->phone, spellings));
    } else if (query->word.len) {
        done = where_word(&compiler, query->word);
    }
    if (done && equals && equals->count) {
        buffer_add(&sql->text, view_of(join));
        join = " AND ";
        done = where_equals(&compiler, equals);
    }
    if (done) {
        join = where_chosen(&compiler, query, join);
    }
    if (done && converted) {
        buffer_printf(&sql->text, "%s%s", join, converted);
    }
    return done && (!sql->text.failed || fail_set(fail, FAIL_MEMORY, NULL));
}
