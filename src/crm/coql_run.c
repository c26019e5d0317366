// SPDX-License-Identifier: Apache-2.0
// Running COQL (spec/crm-api.md §2.4): names are found in the metadata, look-up paths become joins, conditions go the way of every search
// (search.c), rows the way of every read (read.c). The statement is put together from quoted names of the metadata and parameters alone.
//
// A path's joins are known only when it is resolved, and joins stand before conditions in SQL: columns, conditions and order are written
// into buffers of their own, and the statement is joined at the end.
#include "crm/coql.h"
#include "crm/reader.h"

enum { SQL_BYTES_MAX = 256 << 10, JOINS_MAX = 15, JOIN_DEPTH_MAX = 2, EXPRESSION_BYTES_MAX = 512, AGGREGATES_VERSION = 4 };

struct join {
    struct view path; // "Account_Name.Parent_Account"
    struct crm_module *module;
    char alias[16];
};

struct coql_run {
    struct crm_session *session;
    const struct coql *query;
    struct crm_module *module;
    struct crm_selection *selection; // given over to the reader
    struct buffer columns, joins, group, order;
    struct join join[JOINS_MAX];
    int join_count;
    int next_index; // of a column in the row
    struct fail *fail;
};

// ---- what is wrong ------------------------------------------------------------------------------

static bool refuse(struct coql_run *run, struct view column, const char *clause)
{
    run->session->details = value_null();
    crm_details_set(run->session, "column_name", column);
    crm_details_set(run->session, "clause", view_of(clause));
    return fail_set(run->fail, FAIL_INVALID_QUERY, NULL);
}

static void put_error(struct crm_session *session, const struct coql_error *error)
{
    session->details = value_null();
    if (error->key) {
        crm_details_set(session, error->key, error->text);
    }
    if (error->line && session->details.type == VALUE_MAP) {
        map_put_text(session->heap, session->details.map, VIEW("line"), value_number(error->line));
        map_put_text(session->heap, session->details.map, VIEW("column"), value_number(error->column));
    }
}

// ---- paths --------------------------------------------------------------------------------------

static struct join *find_join(struct coql_run *run, struct view path)
{
    for (int i = 0; i < run->join_count; i++) {
        if (view_eq_nocase(run->join[i].path, path)) {
            return &run->join[i];
        }
    }
    return NULL;
}

// LEFT JOIN "Accounts" j1 ON j1."id" = t."Account_Name"
static struct join *add_join(struct coql_run *run, struct view path, const char *alias, const struct crm_field *field, struct view target)
{
    struct crm_module *module = field->kind == CRM_KIND_LOOKUP ? crm_module_resolve(run->session, target) : NULL;
    if (!module || run->join_count == JOINS_MAX || !crm_fields_load(run->session, module, run->fail)) {
        return NULL;
    }
    struct join *join = &run->join[run->join_count];
    *join = (struct join){.path = path, .module = module};
    snprintf(join->alias, sizeof join->alias, "j%d", ++run->join_count);
    buffer_printf(&run->joins, " LEFT JOIN %.*s %s ON %s.\"id\"=%s.%.*s", VIEW_ARGS(module->quoted), join->alias, join->alias, alias,
                  VIEW_ARGS(field->quoted));
    return join;
}

// "What_Id->Leads" names the module of a look-up that may point to several.
static struct view cut_target(struct view *part)
{
    ptrdiff_t arrow = view_find(*part, VIEW("->"));
    if (arrow < 0) {
        return VIEW_NONE;
    }
    struct view target = view_from(*part, (size_t)arrow + 2);
    *part = view_slice(*part, 0, (size_t)arrow);
    return target;
}

// The field at the end of a path and the alias of its table; NULL when there is none. "!Leads.Last_Name" is Last_Name of Leads.
static const struct crm_field *resolve(void *arg, struct view path, const char **ret_alias)
{
    struct coql_run *run = arg;
    const struct crm_module *module = run->module;
    const char *alias = "t";
    struct view rest = path;
    if (view_starts(rest, VIEW("!"))) {
        rest = view_from(rest, 1);
        view_cut(&rest, '.');
    }
    const char *start = rest.data;
    for (int depth = 0;; depth++) {
        ptrdiff_t dot = view_find_char(rest, '.');
        struct view part = dot < 0 ? rest : view_slice(rest, 0, (size_t)dot), target = cut_target(&part);
        const struct crm_field *field = crm_field_find(run->session, module, part);
        if (dot < 0 || !field) {
            *ret_alias = alias;
            return target.data ? NULL : field;
        }
        struct view walked = {start, (size_t)(rest.data + dot - start)};
        struct join *join = depth == JOIN_DEPTH_MAX ? NULL : find_join(run, walked);
        if (!join && depth < JOIN_DEPTH_MAX) {
            join = add_join(run, walked, alias, field, target.data ? target : field->lookup);
        }
        if (!join) {
            return NULL;
        }
        module = join->module;
        alias = join->alias;
        rest = view_from(rest, (size_t)dot + 1);
    }
}

// ---- columns ------------------------------------------------------------------------------------

static bool suits(enum coql_aggregate aggregate, const struct crm_field *field)
{
    bool number = field->kind == CRM_KIND_INTEGER || field->kind == CRM_KIND_REAL || field->kind == CRM_KIND_BIGINT;
    bool ordered = number || field->kind == CRM_KIND_DATE || field->kind == CRM_KIND_DATETIME;
    return aggregate == COQL_COUNT || (aggregate == COQL_MAX || aggregate == COQL_MIN ? ordered : number);
}

// SUM(t."Amount"); COUNT(*)
static bool write_aggregate(struct coql_run *run, const struct coql_column *column, char out[EXPRESSION_BYTES_MAX],
                            const struct crm_field **ret_field)
{
    const char *alias;
    *ret_field = NULL;
    if (view_eq(column->path, VIEW("*"))) {
        snprintf(out, EXPRESSION_BYTES_MAX, "COUNT(*)");
        return true;
    }
    const struct crm_field *field = resolve(run, column->path, &alias);
    if (!field || !suits(column->aggregate, field)) {
        return refuse(run, column->path, "select");
    }
    snprintf(out, EXPRESSION_BYTES_MAX, "%s(%s.%.*s)", coql_aggregate_name(column->aggregate), alias, VIEW_ARGS(field->quoted));
    *ret_field = column->aggregate == COQL_MAX || column->aggregate == COQL_MIN ? field : NULL;
    return true;
}

static void take_column(struct coql_run *run, const struct crm_field *field, const char *expression)
{
    struct crm_column *column = &run->selection->columns[run->selection->count++];
    *column = (struct crm_column){.field = field, .index = run->next_index++};
    buffer_printf(&run->columns, "%s%s", run->columns.len ? "," : "", expression);
}

static bool add_plain(struct coql_run *run, struct view path)
{
    const char *alias;
    char expression[EXPRESSION_BYTES_MAX];
    const struct crm_field *field = resolve(run, path, &alias);
    if (!field || field->single) { // sub-forms are shown in single records only
        return refuse(run, path, "select");
    }
    snprintf(expression, sizeof expression, "%s.%.*s", alias, VIEW_ARGS(field->quoted));
    take_column(run, field, expression);
    if (field->kind == CRM_KIND_LOOKUP) {
        run->next_index++;
        return crm_name_query(run->session, field, alias, &run->columns, run->fail);
    }
    return true;
}

// Version 4 brought aggregates and GROUP BY (spec/crm-api.md §2.11).
static bool check_version(struct coql_run *run, bool grouped)
{
    if (!grouped || !run->session->strict || run->session->api_version >= AGGREGATES_VERSION) {
        return true;
    }
    run->session->details = value_null();
    crm_details_set(run->session, "clause", run->query->group_count ? VIEW("group by") : VIEW("select"));
    return fail_set(run->fail, FAIL_SYNTAX, NULL);
}

static bool is_grouped(const struct coql_run *run)
{
    bool grouped = run->query->group_count > 0;
    for (int i = 0; i < run->query->column_count; i++) {
        grouped |= run->query->columns[i].aggregate != COQL_PLAIN;
    }
    return grouped;
}

// Beside an aggregate only what is grouped has one value a row.
static bool check_grouped(struct coql_run *run, const struct coql_column *column)
{
    for (int i = 0; i < run->query->group_count; i++) {
        if (view_eq_nocase(run->query->groups[i], column->path)) {
            return true;
        }
    }
    return refuse(run, column->path, "group by");
}

static bool names_id(const struct coql *query)
{
    for (int i = 0; i < query->column_count; i++) {
        if (view_eq_nocase(query->columns[i].path, VIEW("id"))) {
            return true;
        }
    }
    return false;
}

static bool add_columns(struct coql_run *run, bool grouped)
{
    const struct coql *query = run->query;
    for (int i = 0; i < query->column_count; i++) {
        const struct coql_column *column = &query->columns[i];
        char expression[EXPRESSION_BYTES_MAX];
        const struct crm_field *field;
        if (column->aggregate == COQL_PLAIN) {
            if ((grouped && !check_grouped(run, column)) || !add_plain(run, column->path)) {
                return false;
            }
            continue;
        }
        if (!write_aggregate(run, column, expression, &field)) {
            return false;
        }
        take_column(run, field, expression);
    }
    if (!grouped && !names_id(query) && !add_plain(run, VIEW("id"))) { // always there (spec/crm-api.md §2.4)
        return false;
    }
    run->selection->se_column = -1;
    if (!grouped && crm_fields_of(run->module)->se_module) {
        run->selection->se_column = run->next_index++;
        buffer_add(&run->columns, VIEW(",t.\"$se_module\""));
    }
    return true;
}

// An alias shows as it is; a column of the module under its own name, a path and an aggregate as they were written.
static void fill_keys(const struct coql_run *run, struct crm_reader *reader)
{
    struct heap *heap = run->session->heap;
    for (int i = 0; i < reader->selection->count; i++) {
        const struct coql_column *column = i < run->query->column_count ? &run->query->columns[i] : NULL;
        const struct crm_field *field = reader->selection->columns[i].field;
        if (!column) {
            reader->keys[i] = VALUE_TEXT_LITERAL(heap, "id");
        } else if (column->alias.len) {
            reader->keys[i] = value_text(heap, column->alias);
        } else if (column->aggregate != COQL_PLAIN) {
            reader->keys[i] = value_text_printf(heap, "%s(%.*s)", coql_aggregate_name(column->aggregate), VIEW_ARGS(column->path));
        } else {
            bool plain = view_find_char(column->path, '.') < 0;
            reader->keys[i] = value_text(heap, plain ? field->api_name : column->path);
        }
    }
}

// ---- GROUP BY and ORDER BY ----------------------------------------------------------------------

static bool add_groups(struct coql_run *run)
{
    for (int i = 0; i < run->query->group_count; i++) {
        const char *alias;
        const struct crm_field *field = resolve(run, run->query->groups[i], &alias);
        if (!field || field->kind == CRM_KIND_JSON || field->kind == CRM_KIND_LIST) {
            return refuse(run, run->query->groups[i], "group by");
        }
        buffer_printf(&run->group, "%s%s.%.*s", i ? "," : " GROUP BY ", alias, VIEW_ARGS(field->quoted));
    }
    return true;
}

static const struct coql_column *find_alias(const struct coql_run *run, struct view name)
{
    for (int i = 0; i < run->query->column_count; i++) {
        if (run->query->columns[i].alias.len && view_eq_nocase(run->query->columns[i].alias, name)) {
            return &run->query->columns[i];
        }
    }
    return NULL;
}

// By a column's alias, or by a field.
static bool add_order(struct coql_run *run, const struct coql_order *order, bool grouped, const char *comma)
{
    const char *direction = order->descending ? "DESC" : "ASC", *alias;
    char expression[EXPRESSION_BYTES_MAX];
    const struct crm_field *field;
    const struct coql_column *column = find_alias(run, order->path);
    if (column && column->aggregate != COQL_PLAIN) {
        if (!write_aggregate(run, column, expression, &field)) {
            return false;
        }
        buffer_printf(&run->order, "%s%s %s", comma, expression, direction);
        return true;
    }
    struct view path = column ? column->path : order->path;
    field = resolve(run, path, &alias);
    bool sortable = field && field->kind != CRM_KIND_JSON && field->kind != CRM_KIND_LIST;
    if (!sortable || (grouped && !check_grouped(run, &(struct coql_column){.path = path}))) {
        return refuse(run, order->path, "order by");
    }
    buffer_printf(&run->order, "%s%s.%.*s%s %s", comma, alias, VIEW_ARGS(field->quoted),
                  field->kind == CRM_KIND_TEXT ? " COLLATE NOCASE" : "", direction);
    return true;
}

// The id breaks ties, so that pages neither repeat nor skip; without ORDER BY it is the order (spec/crm-api.md §2.4).
static bool add_orders(struct coql_run *run, bool grouped)
{
    for (int i = 0; i < run->query->order_count; i++) {
        if (!add_order(run, &run->query->orders[i], grouped, i ? "," : " ORDER BY ")) {
            return false;
        }
    }
    if (!grouped) {
        buffer_add(&run->order, run->query->order_count ? VIEW(",t.\"id\" ASC") : VIEW(" ORDER BY t.\"id\" ASC"));
    }
    return true;
}

// ---- limits -------------------------------------------------------------------------------------

// Rows a call and rows in all, by version (spec/crm-api.md §2.4).
static const struct {
    int version;
    int64_t rows, total;
} limits[] = {{5, 2000, 100000}, {4, 2000, 10000}, {0, 200, 10000}};

static bool take_limits(struct coql_run *run, int64_t *ret_limit, int64_t *ret_offset)
{
    const struct coql *query = run->query;
    size_t row = 0;
    while (run->session->api_version < limits[row].version) {
        row++;
    }
    *ret_limit = query->limit < 0 ? COQL_ROWS_DEFAULT : query->limit;
    *ret_offset = query->offset < 0 ? 0 : query->offset;
    bool over = *ret_limit > limits[row].rows;
    if (!over && *ret_offset <= limits[row].total - *ret_limit && *ret_limit > 0) {
        return true;
    }
    run->session->details = value_null();
    crm_details_set(run->session, "clause", over || *ret_limit == 0 ? VIEW("limit") : VIEW("offset"));
    return *ret_limit == 0 ? fail_set(run->fail, FAIL_SYNTAX, NULL) : fail_set(run->fail, FAIL_LIMIT_EXCEEDED, NULL);
}

// ---- the whole ----------------------------------------------------------------------------------

// Converted leads are found only when the query asks about them (GUESS: as lists do).
static bool asks_converted(const struct criteria *node)
{
    if (node->kind == CRITERIA_CONDITION) {
        return view_eq_nocase(node->field, VIEW("Converted__s")) || view_eq_nocase(node->field, VIEW("$converted")) ||
               view_starts_nocase(node->field, VIEW("Converted_"));
    }
    for (const struct criteria *member = node->first; member; member = member->next) {
        if (asks_converted(member)) {
            return true;
        }
    }
    return false;
}

// Joins the pieces; `where` holds the conditions and their parameters.
static void write_statement(struct coql_run *run, struct crm_sql *sql, struct view where, int64_t limit, int64_t offset)
{
    bool all = !crm_fields_of(run->module)->converted || asks_converted(run->query->where);
    struct buffer *pieces[] = {&run->columns, &run->joins, &run->group, &run->order};
    for (size_t i = 0; i < BASE_COUNT(pieces); i++) {
        sql->text.failed |= pieces[i]->failed;
    }
    buffer_printf(&sql->text, "SELECT %.*s FROM %.*s t%.*s WHERE %.*s%s%.*s%.*s LIMIT ? OFFSET ?", VIEW_ARGS(buffer_view(&run->columns)),
                  VIEW_ARGS(run->module->quoted), VIEW_ARGS(buffer_view(&run->joins)), VIEW_ARGS(where),
                  all ? "" : " AND COALESCE(t.\"Converted__s\",0) = 0", VIEW_ARGS(buffer_view(&run->group)),
                  VIEW_ARGS(buffer_view(&run->order)));
    crm_sql_param(sql, store_int(limit + 1));
    crm_sql_param(sql, store_int(offset));
}

static bool plan(struct coql_run *run, struct crm_reader *reader)
{
    int64_t limit = 0, offset = 0;
    bool grouped = is_grouped(run);
    struct crm_sql where = {.arena = reader->sql.arena, .coql = true};
    buffer_init(&where.text, SQL_BYTES_MAX);
    bool done = check_version(run, grouped) && add_columns(run, grouped) && add_groups(run) && add_orders(run, grouped) &&
                crm_criteria_compile(run->session, run->query->where, resolve, run, &where, run->fail) && take_limits(run, &limit, &offset);
    if (done) {
        reader->sql.params = where.params;
        reader->sql.count = where.count;
        reader->sql.room = where.room;
        reader->limit = (int)limit;
        write_statement(run, &reader->sql, buffer_view(&where.text), limit, offset);
    }
    buffer_free(&where.text);
    return done;
}

static bool run_planned(struct coql_run *run, struct value *ret_list, bool *ret_more)
{
    struct arena arena;
    struct crm_reader reader;
    arena_init(&arena, CRM_SCRATCH_BYTES_MAX);
    crm_reader_open(&reader, run->session, run->module, &arena);
    reader.ids_only = run->session->api_version < 7;
    reader.own = run->selection = crm_selection_new(COQL_COLUMNS_MAX + 1, run->fail);
    reader.selection = reader.own;
    bool done = reader.own && plan(run, &reader) && crm_reader_keys(&reader, 8, run->fail);
    if (done) {
        fill_keys(run, &reader);
        done = crm_reader_run(&reader, run->fail);
    }
    if (done) {
        *ret_list = reader.list;
        *ret_more = reader.more;
    }
    crm_reader_close(&reader);
    arena_free(&arena);
    return done;
}

static bool run_once(struct crm_session *session, const struct coql *query, struct value *ret_list, bool *ret_more, struct fail *fail)
{
    struct coql_run run = {.session = session, .query = query, .fail = fail};
    if (!crm_module_find(session, query->module, &run.module, fail)) {
        return false;
    }
    struct buffer *pieces[] = {&run.columns, &run.joins, &run.group, &run.order};
    for (size_t i = 0; i < BASE_COUNT(pieces); i++) {
        buffer_init(pieces[i], SQL_BYTES_MAX);
    }
    bool done = run_planned(&run, ret_list, ret_more);
    for (size_t i = 0; i < BASE_COUNT(pieces); i++) {
        buffer_free(pieces[i]);
    }
    return done;
}

// ---- include_meta -------------------------------------------------------------------------------

// The field's metadata as settings/fields shows it; lists of modules are kept in `lists`.
static bool find_meta(struct crm_session *session, const struct crm_field *field, struct map *lists, struct value *ret_meta,
                      struct fail *fail)
{
    struct value all = map_get_text(lists, field->module);
    if (value_is_null(all)) {
        if (!crm_fields_list(session, field->module, &all, fail)) {
            return false;
        }
        map_put_text(session->heap, lists, field->module, all);
    }
    const struct list *list = value_as_list(all);
    *ret_meta = value_null();
    for (uint32_t i = 0; list && i < list->count; i++) {
        const struct map *map = value_as_map(list->items[i]);
        if (map && view_eq(crm_map_view(map, "api_name"), field->api_name)) {
            *ret_meta = list->items[i];
        }
    }
    return true;
}

static bool describe_columns(struct coql_run *run, struct map *fields, struct map *lists)
{
    for (int i = 0; i < run->query->column_count; i++) {
        const struct coql_column *column = &run->query->columns[i];
        const char *alias;
        struct value meta;
        const struct crm_field *field = column->aggregate == COQL_PLAIN ? resolve(run, column->path, &alias) : NULL;
        bool plain = view_find_char(column->path, '.') < 0;
        if (!field) {
            continue;
        }
        if (!find_meta(run->session, field, lists, &meta, run->fail)) {
            return false;
        }
        map_put_text(run->session->heap, fields, column->alias.len ? column->alias : plain ? field->api_name : column->path, meta);
    }
    return true;
}

bool crm_coql_fields(struct crm_session *session, struct view text, struct value *ret_fields, struct fail *fail)
{
    const struct coql *query;
    struct coql_error error;
    struct coql_run run = {.session = session, .fail = fail};
    struct value fields = value_map(session->heap, 4), lists = value_map(session->heap, 2);
    if (fields.type != VALUE_MAP || lists.type != VALUE_MAP) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    if (!coql_parse(session->heap, text, &query, &error, fail) || !crm_module_find(session, query->module, &run.module, fail)) {
        return false;
    }
    run.query = query;
    buffer_init(&run.joins, SQL_BYTES_MAX);
    bool done = describe_columns(&run, fields.map, lists.map);
    buffer_free(&run.joins);
    *ret_fields = fields;
    return done;
}

bool crm_coql(struct crm_session *session, struct view text, struct value *ret_list, bool *ret_more, struct fail *fail)
{
    const struct coql *query;
    struct coql_error error;
    session->details = value_null();
    if (!coql_parse(session->heap, text, &query, &error, fail)) {
        put_error(session, &error);
        return false;
    }
    return run_once(session, query, ret_list, ret_more, fail) ||
           (crm_session_retry(session, fail) && run_once(session, query, ret_list, ret_more, fail));
}
