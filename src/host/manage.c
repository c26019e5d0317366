// SPDX-License-Identifier: Apache-2.0
// Functions as Zoho's functions-management API shows and changes them (spec/platform.md §4): org functions and extensions' ones in one
// list. Changing goes the way of `sluice fn put`; extensions' functions are changed in their source alone. Only administrators come here: a
// script of the org may read secrets of every extension.
#include "host/manage.h"

#include <stdlib.h>

enum { FUNCTIONS_MAX = 20000, LAST_RUNS = 1000, CODE_BYTES_MAX = EXT_FILE_BYTES_MAX + 65536 };

static void put(struct heap *heap, struct value map, const char *key, struct value value)
{
    if (map.type == VALUE_MAP) {
        map_put_text(heap, map.map, view_of(key), value);
    }
}

static struct view member(const struct map *map, const char *key)
{
    return map ? value_view_or(map_get_text(map, view_of(key)), VIEW("")) : VIEW("");
}

// ---- who ----------------------------------------------------------------------------------------

bool manage_may(struct host *host, const struct identity *who, struct host_env **ret_env, struct fail *fail)
{
    struct crm_session session;
    struct heap heap;
    bool admin = false;
    if (!host_env_of(host, who, ret_env, fail)) {
        return false;
    }
    if (who->user_id == 0) { // the super admin, or the owner of the process
        return true;
    }
    heap_init(&heap, 1 << 20, NULL);
    bool ok = host_session_open(host, who, &heap, &session, fail);
    if (ok) {
        ok = crm_user_admin(&session, who->user_id, &admin, fail);
        crm_session_close(&session);
    }
    heap_free(&heap);
    return ok && (admin || fail_set(fail, FAIL_NO_PERMISSION, "only administrators manage functions"));
}

// ---- finding ------------------------------------------------------------------------------------

struct finding {
    struct view name; // as asked
    struct view canonical; // of it; empty: it is a name alone
    int64_t id; // 0: it is no number
    struct managed *managed;
    bool exact; // what was found is what a bare name means first
    int count;
};

static void keep(struct managed *managed, const struct ext_installed_function *row)
{
    struct heap *heap = managed->heap;
    managed->id = row->id;
    managed->namespace = value_view_or(value_text(heap, row->namespace), VIEW(""));
    managed->api_name = value_view_or(value_text(heap, row->api_name), VIEW(""));
    managed->file = value_view_or(value_text(heap, row->file), VIEW(""));
    managed->return_type = value_view_or(value_text(heap, row->return_type), VIEW(""));
    managed->arguments_json = value_view_or(value_text(heap, row->arguments_json), VIEW(""));
    managed->apikey = row->apikey;
    managed->oauth = row->oauth;
    managed->kind = ext_kind_find(row->namespace);
    managed->found = true;
}

// A name alone is a standalone function's, or else the only one's of that name.
static bool look_at_row(void *arg, const struct ext_installed_function *row, struct fail *fail)
{
    struct finding *finding = arg;
    char text[4 * EXT_NAME_MAX], full[4 * EXT_NAME_MAX];
    struct view canonical;
    snprintf(full, sizeof full, "%.*s.%.*s", VIEW_ARGS(row->namespace), VIEW_ARGS(row->api_name));
    bool named = ext_name_canonical(view_of(full), text, sizeof text, &canonical) && view_eq(canonical, finding->canonical);
    if (named || (finding->id && finding->id == row->id)) {
        keep(finding->managed, row);
        finding->exact = true;
    } else if (!finding->exact && view_eq_nocase(row->api_name, finding->name)) {
        keep(finding->managed, row);
        finding->count++;
    }
    return !finding->managed->heap->failed || fail_set(fail, FAIL_MEMORY, NULL);
}

static bool find_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct finding *finding = arg;
    finding->managed->found = finding->exact = false;
    finding->count = 0;
    return ext_functions_tx(tx, VIEW(""), look_at_row, finding, fail);
}

struct reading {
    struct managed *managed;
    struct view canonical;
};

static bool keep_source(void *arg, const struct ext_installed_function *row, struct fail *fail)
{
    struct managed *managed = arg;
    managed->source = value_view_or(value_text(managed->heap, row->source), VIEW(""));
    return !managed->heap->failed || fail_set(fail, FAIL_MEMORY, NULL);
}

static bool read_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct reading *reading = arg;
    bool found;
    return ext_function_find_tx(tx, reading->canonical, keep_source, reading->managed, &found, fail);
}

bool manage_find(struct host_env *env, struct view function, struct heap *heap, struct managed *ret_managed, struct fail *fail)
{
    char text[4 * EXT_NAME_MAX], full[4 * EXT_NAME_MAX];
    struct finding finding = {.name = function, .managed = ret_managed};
    *ret_managed = (struct managed){.env = env, .heap = heap};
    if (!view_to_int64(function, &finding.id) && !host_fn_canonical(function, text, &finding.canonical)) {
        finding.canonical = VIEW("");
    }
    if (!store_read(env->env, find_tx, &finding, fail)) {
        return false;
    }
    if (!ret_managed->found || (!finding.exact && finding.count > 1)) {
        return fail_set(fail, FAIL_INVALID_DATA,
                        finding.count > 1 ? "several functions are called \"%.*s\"; name one as KIND.NAME"
                                          : "the function \"%.*s\" does not exist",
                        VIEW_ARGS(view_slice(function, 0, utf8_clamp(function, 2 * EXT_NAME_MAX))));
    }
    struct reading reading = {.managed = ret_managed};
    snprintf(full, sizeof full, "%.*s.%.*s", VIEW_ARGS(ret_managed->namespace), VIEW_ARGS(ret_managed->api_name));
    return ext_name_canonical(view_of(full), text, sizeof text, &reading.canonical) && store_read(env->env, read_tx, &reading, fail);
}

// ---- compiling ----------------------------------------------------------------------------------

struct compiling {
    const struct function_source *source;
    struct function *function;
    struct diagnostics *found;
    struct fail *fail;
    bool ok;
};

static void compile_job(void *arg)
{
    struct compiling *compiling = arg;
    compiling->ok = function_compile(compiling->source, &compiling->function, compiling->found, compiling->fail);
}

static void add_error(struct heap *heap, struct list *list, int line, struct view message)
{
    struct value map = value_map(heap, 2);
    put(heap, map, "line", value_number(line));
    put(heap, map, "message", value_text(heap, message));
    list_add(heap, list, map);
}

static struct value list_errors(const struct compiling *compiling, struct heap *heap)
{
    struct value list = value_list(heap, 4);
    for (int i = 0; list.type == VALUE_LIST && i < compiling->found->count; i++) {
        const struct diagnostic *item = &compiling->found->items[i];
        if (item->level == DIAGNOSTIC_ERROR) {
            add_error(heap, list.list, item->line, item->text);
        }
    }
    if (list.type == VALUE_LIST && list.list->count == 0) {
        add_error(heap, list.list, compiling->fail->line, view_of(compiling->fail->text));
    }
    return list;
}

bool manage_compile(const struct function_source *source, struct heap *heap, struct function **ret_function, struct value *ret_errors,
                    struct fail *fail)
{
    struct arena arena;
    struct compiling compiling = {.source = source, .fail = fail, .found = calloc(1, sizeof *compiling.found)};
    if (!compiling.found) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    arena_init(&arena, 1 << 20);
    compiling.found->arena = &arena;
    fail_clear(fail);
    bool ran = loop_fiber() ? loop_job(compile_job, &compiling, fail) : (compile_job(&compiling), true);
    if (ran && compiling.ok) {
        *ret_function = compiling.function;
    } else if (ran && fail->code == FAIL_COMPILE) {
        *ret_errors = list_errors(&compiling, heap);
        fail_set(fail, FAIL_COMPILE, "the function has compilation errors");
    }
    arena_free(&arena);
    free(compiling.found);
    return ran && compiling.ok;
}

// ---- shapes -------------------------------------------------------------------------------------

static struct value arguments_of(struct heap *heap, const struct lang_function_info *info)
{
    struct value list = value_list(heap, (size_t)info->parameter_count);
    for (int i = 0; list.type == VALUE_LIST && i < info->parameter_count; i++) {
        struct view type = info->parameters[i].type;
        struct value item = value_map(heap, 2);
        put(heap, item, "type", value_text(heap, type.len ? type : VIEW("String")));
        put(heap, item, "name", value_text(heap, info->parameters[i].name));
        list_add(heap, list.list, item);
    }
    return info->parameter_count ? list : value_null();
}

// Arguments and return type as the compiler knows them; those of a source that no longer compiles are null.
static void put_signature(struct host_env *env, struct heap *heap, struct value map, struct view canonical)
{
    struct function_table *pin;
    const struct function *function;
    struct fail ignored;
    if (!functions_find(env, canonical, &pin, &function, &ignored)) {
        return;
    }
    if (function) {
        put(heap, map, "return_type", value_text(heap, function->info.return_type));
        put(heap, map, "arguments", arguments_of(heap, &function->info));
    }
    functions_unpin(env, pin);
}

static struct value rest_api(struct heap *heap, bool apikey, bool oauth)
{
    const struct {
        const char *type;
        bool active;
    } ways[] = {{"zapikey", apikey}, {"oauth", oauth}};
    struct value list = value_list(heap, 2);
    for (size_t i = 0; list.type == VALUE_LIST && i < BASE_COUNT(ways); i++) {
        struct value item = value_map(heap, 2);
        put(heap, item, "type", value_text(heap, view_of(ways[i].type)));
        put(heap, item, "active", value_bool(ways[i].active));
        list_add(heap, list.list, item);
    }
    return list;
}

// An extension's functions are called by both names; an org's by the bare one.
static struct value shape(struct heap *heap, const struct ext_installed_function *row)
{
    const char *kind = ext_kind_find(row->namespace);
    struct view category = !kind ? VIEW("extension") : strcmp(kind, "salessignals") == 0 ? VIEW("signals") : view_of(kind);
    struct value map = value_map(heap, 16);
    struct value full = value_text_printf(heap, "%.*s__%.*s", VIEW_ARGS(row->namespace), VIEW_ARGS(row->api_name));
    put(heap, map, "id", value_text_printf(heap, "%lld", (long long)row->id));
    put(heap, map, "name", value_text(heap, row->api_name));
    put(heap, map, "display_name", value_text(heap, row->api_name));
    put(heap, map, "api_name", kind ? value_text(heap, row->api_name) : full);
    put(heap, map, "category", value_text(heap, category));
    put(heap, map, "nameSpace", value_text(heap, row->namespace));
    put(heap, map, "language", value_text(heap, VIEW("Deluge")));
    put(heap, map, "runtime", value_text(heap, VIEW("Deluge 1.0")));
    put(heap, map, "source", value_text(heap, kind ? VIEW("crm") : VIEW("extension")));
    put(heap, map, "return_type", value_null());
    put(heap, map, "arguments", value_null());
    put(heap, map, "rest_api", rest_api(heap, row->apikey, row->oauth));
    put(heap, map, "editable", value_bool(kind != NULL));
    put(heap, map, "modified_time", value_null());
    put(heap, map, "last_used_time", value_null());
    return map;
}

// ---- listing ------------------------------------------------------------------------------------

struct listing {
    const struct host_functions_query *query;
    struct heap *heap;
    struct list *list;
    const struct zone *zone;
    int64_t id; // 0 = all
    int64_t seen;
    bool more;
};

static bool fits(const struct host_functions_query *query, const struct map *map, const struct ext_installed_function *row)
{
    struct view category = query->category;
    if ((category.len && !view_eq_nocase(category, member(map, "category"))) ||
        (query->namespace.len && !view_eq_nocase(query->namespace, row->namespace)) ||
        (query->language.len && !view_eq_nocase(query->language, VIEW("Deluge")))) {
        return false;
    }
    bool found = query->search.len == 0;
    for (size_t i = 0; !found && i + query->search.len <= row->api_name.len; i++) {
        found = view_starts_nocase(view_from(row->api_name, i), query->search);
    }
    return found;
}

static bool add_row(void *arg, const struct ext_installed_function *row, struct fail *fail)
{
    struct listing *listing = arg;
    const struct host_functions_query *query = listing->query;
    if (listing->id && listing->id != row->id) {
        return true;
    }
    struct value map = shape(listing->heap, row);
    if (listing->heap->failed) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    if (listing->id || fits(query, map.map, row)) {
        int64_t at = listing->seen++;
        bool before = at < (query->page - 1) * query->per_page, behind = at >= query->page * query->per_page;
        listing->more |= behind;
        if (!before && !behind) {
            list_add(listing->heap, listing->list, map);
        }
    }
    return listing->seen < FUNCTIONS_MAX || fail_set(fail, FAIL_LIMIT_EXCEEDED, "there are more than %d functions", FUNCTIONS_MAX);
}

static bool list_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct listing *listing = arg;
    listing->list->count = 0;
    listing->seen = 0;
    listing->more = false;
    return ext_functions_tx(tx, VIEW(""), add_row, listing, fail);
}

static struct value time_text(const struct listing *listing, int64_t time_ms)
{
    struct buffer text;
    buffer_init(&text, 64);
    calendar_print_iso(&text, time_ms, listing->zone);
    struct value time = value_text(listing->heap, buffer_view(&text));
    buffer_free(&text);
    return time;
}

static void set_time(const struct listing *listing, const char *key, struct view wanted_key, struct view wanted, int64_t time_ms)
{
    for (uint32_t i = 0; i < listing->list->count; i++) {
        const struct map *map = value_as_map(listing->list->items[i]);
        if (view_eq_nocase(value_view_or(map_get_text(map, wanted_key), VIEW("")), wanted)) {
            put(listing->heap, listing->list->items[i], key, time_text(listing, time_ms));
        }
    }
}

static bool add_saved(void *arg, int64_t id, int64_t saved_ms, struct fail *fail)
{
    char digits[21];
    (void)fail;
    set_time(arg, "modified_time", VIEW("id"), (struct view){digits, int64_print(digits, id)}, saved_ms);
    return true;
}

static bool saved_tx(struct tx *tx, void *arg, struct fail *fail)
{
    return ext_saved_times_tx(tx, add_saved, arg, fail);
}

// Oldest first, so the last one stays. The run log names functions as "ns__fn".
static void add_use(void *arg, int64_t sequence, const struct runlog_entry *entry)
{
    const struct listing *listing = arg;
    (void)sequence;
    for (uint32_t i = 0; i < listing->list->count; i++) {
        const struct map *map = value_as_map(listing->list->items[i]);
        char full[4 * EXT_NAME_MAX];
        snprintf(full, sizeof full, "%.*s__%.*s", VIEW_ARGS(member(map, "nameSpace")), VIEW_ARGS(member(map, "name")));
        if (view_eq_nocase(view_of(full), entry->function)) {
            put(listing->heap, listing->list->items[i], "last_used_time", time_text(listing, entry->time_ms));
        }
    }
}

static bool complete(struct host_env *env, struct listing *listing, struct fail *fail)
{
    const struct runlog_query runs = {.org = view_of(env->org), .environment = view_of(env->environment), .limit = LAST_RUNS};
    for (uint32_t i = 0; i < listing->list->count; i++) {
        const struct map *map = value_as_map(listing->list->items[i]);
        char full[4 * EXT_NAME_MAX], text[4 * EXT_NAME_MAX];
        struct view canonical;
        snprintf(full, sizeof full, "%.*s.%.*s", VIEW_ARGS(member(map, "nameSpace")), VIEW_ARGS(member(map, "name")));
        if (ext_name_canonical(view_of(full), text, sizeof text, &canonical)) {
            put_signature(env, listing->heap, listing->list->items[i], canonical);
        }
    }
    return store_read(env->env, saved_tx, listing, fail) && runlog_read(env->host->runlog, &runs, add_use, listing, NULL, fail) &&
           (!listing->heap->failed || fail_set(fail, FAIL_MEMORY, NULL));
}

static bool list(struct host_env *env, struct listing *listing, struct value *ret_list, struct fail *fail)
{
    struct function_table *pin;
    struct value found = value_list(listing->heap, 16);
    listing->list = value_as_list(found);
    if (!listing->list) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    if (!functions_pin(env, &pin, fail)) {
        return false;
    }
    listing->zone = pin->heap.zone;
    functions_unpin(env, pin);
    *ret_list = found;
    return store_read(env->env, list_tx, listing, fail) && complete(env, listing, fail);
}

bool host_functions_list(struct host *host, const struct identity *who, const struct host_functions_query *query, struct heap *heap,
                         struct value *ret_list, bool *ret_more, struct fail *fail)
{
    struct host_env *env;
    struct listing listing = {.query = query, .heap = heap};
    if (!manage_may(host, who, &env, fail) || !list(env, &listing, ret_list, fail)) {
        return false;
    }
    *ret_more = listing.more;
    return true;
}

bool host_function_get(struct host *host, const struct identity *who, struct view function, struct heap *heap, struct value *ret_map,
                       struct fail *fail)
{
    const struct host_functions_query first = {.page = 1, .per_page = 1};
    struct host_env *env;
    struct managed managed;
    struct listing listing = {.query = &first, .heap = heap};
    struct value one;
    if (!manage_may(host, who, &env, fail) || !manage_find(env, function, heap, &managed, fail)) {
        return false;
    }
    listing.id = managed.id;
    if (!list(env, &listing, &one, fail)) {
        return false;
    }
    *ret_map = one.list->count ? one.list->items[0] : value_null();
    return one.list->count || fail_set(fail, FAIL_INVALID_DATA, "the function does not exist");
}

// ---- code ---------------------------------------------------------------------------------------

static void write_parameter(struct buffer *out, int *count, struct view type, struct view name)
{
    buffer_printf(out, "%s%.*s %.*s", (*count)++ ? ", " : "", VIEW_ARGS(type.len ? type : VIEW("String")), VIEW_ARGS(name));
}

// "string standalone.f(String a, String crmAPIRequest)\n{\n". The request object that a body reads is declared, and so keeps the function's
// version.
static void write_header(struct buffer *out, const struct managed *managed, const struct function *function)
{
    const struct lang_function_info *info = &function->info;
    int count = 0;
    buffer_printf(out, "%.*s %.*s.%.*s(", VIEW_ARGS(info->return_type), VIEW_ARGS(managed->namespace), VIEW_ARGS(managed->api_name));
    for (int i = 0; i < info->parameter_count; i++) {
        write_parameter(out, &count, info->parameters[i].type, info->parameters[i].name);
    }
    if (count == 0 && function->api_version == 1) {
        write_parameter(out, &count, VIEW("map"), VIEW("requestMap"));
    } else if (count == 0 && info->reads_request_v2) {
        write_parameter(out, &count, VIEW("string"), VIEW("crmAPIRequest"));
    }
    buffer_add(out, VIEW(")\n{\n"));
}

bool host_function_code(struct host *host, const struct identity *who, struct view function, struct heap *heap, struct value *ret_text,
                        struct fail *fail)
{
    struct host_env *env;
    struct managed managed;
    struct function_table *pin;
    const struct function *compiled = NULL;
    struct buffer out;
    char full[4 * EXT_NAME_MAX], text[4 * EXT_NAME_MAX];
    struct view canonical;
    if (!manage_may(host, who, &env, fail) || !manage_find(env, function, heap, &managed, fail)) {
        return false;
    }
    snprintf(full, sizeof full, "%.*s.%.*s", VIEW_ARGS(managed.namespace), VIEW_ARGS(managed.api_name));
    if (!ext_name_canonical(view_of(full), text, sizeof text, &canonical) || !functions_find(env, canonical, &pin, &compiled, fail)) {
        return false;
    }
    buffer_init(&out, CODE_BYTES_MAX);
    bool bare = compiled && !compiled->info.has_header;
    if (bare) {
        write_header(&out, &managed, compiled);
    }
    buffer_add(&out, managed.source);
    if (bare) {
        buffer_add(&out, managed.source.len && managed.source.data[managed.source.len - 1] == '\n' ? VIEW("}\n") : VIEW("\n}\n"));
    }
    functions_unpin(env, pin);
    *ret_text = value_text(heap, buffer_view(&out));
    bool failed = out.failed || heap->failed;
    buffer_free(&out);
    return !failed || fail_set(fail, FAIL_MEMORY, NULL);
}

// ---- changing -----------------------------------------------------------------------------------

// The statement that returns nothing of a type, for functions that are made empty; NULL: no such type.
static const char *empty_return(struct view type)
{
    static const struct {
        const char *type, *statement;
    } rows[] = {{"void", ""},
                {"string", "return \"\";\n"},
                {"text", "return \"\";\n"},
                {"map", "return Map();\n"},
                {"list", "return List();\n"},
                {"int", "return 0;\n"},
                {"bigint", "return 0;\n"},
                {"float", "return 0.0;\n"},
                {"decimal", "return 0.0;\n"},
                {"bool", "return false;\n"},
                {"boolean", "return false;\n"},
                {"date", "return null;\n"},
                {"file", "return null;\n"},
                {"collection", "return null;\n"}};
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        if (view_eq_nocase(type, view_of(rows[i].type))) {
            return rows[i].statement;
        }
    }
    return NULL;
}

static const char *kind_of(const struct map *metadata)
{
    struct view name = member(metadata, "category").len ? member(metadata, "category") : member(metadata, "nameSpace");
    char text[EXT_NAME_MAX];
    snprintf(text, sizeof text, "%.*s", VIEW_ARGS(name.len ? name : VIEW("standalone")));
    for (char *c = text; *c; c++) {
        *c = *c == ' ' ? '_' : *c; // "Related List"
    }
    return view_eq_nocase(name, VIEW("signals")) ? "salessignals" : ext_kind_find(view_of(text));
}

// Puts one and gives its id.
static bool put_one(struct host *host, const struct identity *who, struct host_fn_put *request, struct host_fn_source *source,
                    int64_t *ret_id, struct fail *fail)
{
    struct heap heap;
    struct value put_ones;
    request->sources = source;
    request->count = 1;
    heap_init(&heap, 4 * EXT_FILE_BYTES_MAX, NULL);
    bool ok = host_fn_put(host, who, request, NULL, &heap, &put_ones, fail) &&
              (crm_id_read(map_get_text(value_as_map(put_ones.list->items[0]), VIEW("id")), ret_id) || fail_set(fail, FAIL_INTERNAL, NULL));
    heap_free(&heap);
    return ok;
}

bool host_function_create(struct host *host, const struct identity *who, const struct map *metadata, int64_t *ret_id, struct fail *fail)
{
    char source_text[1024], full[4 * EXT_NAME_MAX];
    struct view name = member(metadata, "api_name"), type = member(metadata, "return_type"), language = member(metadata, "language");
    const char *kind = kind_of(metadata), *statement = empty_return(type.len ? type : VIEW("void"));
    struct host_env *env;
    struct heap heap;
    struct managed managed;
    struct fail ignored;
    name = name.len ? name : member(metadata, "name");
    if (!manage_may(host, who, &env, fail)) {
        return false;
    }
    if (!fn_name_valid(name)) {
        return fail_set(fail, name.len ? FAIL_INVALID_DATA : FAIL_MANDATORY_NOT_FOUND, "api_name");
    }
    if (!kind || !statement || (language.len && !view_eq_nocase(language, VIEW("deluge")))) {
        return fail_set(fail, FAIL_INVALID_DATA, "%s", !kind ? "category" : !statement ? "return_type" : "language");
    }
    snprintf(full, sizeof full, "%s.%.*s", kind, VIEW_ARGS(name));
    heap_init(&heap, 4 * EXT_FILE_BYTES_MAX, NULL);
    bool taken = manage_find(env, view_of(full), &heap, &managed, &ignored) && managed.kind == kind;
    heap_free(&heap);
    if (taken) {
        return fail_set(fail, FAIL_EXISTS, "the function %s is there already", full);
    }
    snprintf(source_text, sizeof source_text, "%.*s %s()\n{\n%s}\n", VIEW_ARGS(type.len ? type : VIEW("void")), full, statement);
    struct host_fn_source source = {.file = VIEW("script.ds"), .source = view_of(source_text)};
    struct host_fn_put request = {.kind = kind, .name = name, .apikey = -1, .oauth = -1};
    return put_one(host, who, &request, &source, ret_id, fail);
}

static bool find_own(struct host *host, const struct identity *who, struct view function, struct heap *heap, struct managed *ret_managed,
                     struct fail *fail)
{
    struct host_env *env;
    return manage_may(host, who, &env, fail) && manage_find(env, function, heap, ret_managed, fail) &&
           (ret_managed->kind ||
            fail_set(fail, FAIL_NO_PERMISSION, "functions of the extension \"%.*s\" are changed by a new version of it",
                     VIEW_ARGS(ret_managed->namespace)));
}

// A header may leave the kind out, but it may not name another function.
static bool check_header(const struct managed *managed, const struct function *compiled, struct fail *fail)
{
    struct view rest = compiled->info.name, first = view_cut(&rest, '.'), name = rest.len ? rest : first;
    bool same = !compiled->info.has_header ||
                ((!rest.len || view_eq_nocase(first, view_of(managed->kind))) && view_eq_nocase(name, managed->api_name));
    return same || fail_set(fail, FAIL_INVALID_DATA, "the script is of %.*s, the function is %s.%.*s", VIEW_ARGS(compiled->info.name),
                            managed->kind, VIEW_ARGS(managed->api_name));
}

static struct host_fn_put as_it_is(const struct managed *managed)
{
    return (struct host_fn_put){.kind = managed->kind, .name = managed->api_name, .apikey = managed->apikey, .oauth = managed->oauth};
}

bool host_function_save(struct host *host, const struct identity *who, struct view function, struct view source, struct heap *heap,
                        int64_t *ret_id, struct value *ret_errors, struct fail *fail)
{
    struct managed managed;
    struct function *compiled = NULL;
    if (!find_own(host, who, function, heap, &managed, fail)) {
        return false;
    }
    struct function_source wanted = {.namespace = view_of(managed.kind),
                                     .api_name = managed.api_name,
                                     .file = managed.file,
                                     .source = source,
                                     .strict = host->options.strict};
    if (!utf8_valid(source)) {
        return fail_set(fail, FAIL_INVALID_DATA, "the script is not UTF-8 text");
    }
    if (!manage_compile(&wanted, heap, &compiled, ret_errors, fail)) {
        return false;
    }
    bool same = check_header(&managed, compiled, fail);
    function_free(compiled);
    struct host_fn_put request = as_it_is(&managed);
    struct host_fn_source put_source = {.file = managed.file, .source = source};
    return same && put_one(host, who, &request, &put_source, ret_id, fail);
}

bool host_function_update(struct host *host, const struct identity *who, struct view function, const struct map *metadata, int64_t *ret_id,
                          struct fail *fail)
{
    struct managed managed;
    struct heap heap;
    const struct list *ways = value_as_list(map_get_text(metadata, VIEW("rest_api")));
    heap_init(&heap, 4 * EXT_FILE_BYTES_MAX, NULL);
    bool ok = find_own(host, who, function, &heap, &managed, fail);
    struct host_fn_put request = as_it_is(&managed);
    for (uint32_t i = 0; ok && ways && i < ways->count; i++) {
        const struct map *way = value_as_map(ways->items[i]);
        struct value active = way ? map_get_text(way, VIEW("active")) : value_null();
        bool key = view_eq_nocase(member(way, "type"), VIEW("zapikey"));
        if (active.type != VALUE_BOOL || (!key && !view_eq_nocase(member(way, "type"), VIEW("oauth")))) {
            ok = fail_set(fail, FAIL_INVALID_DATA, "rest_api");
            break;
        }
        *(key ? &request.apikey : &request.oauth) = active.boolean;
    }
    struct host_fn_source source = {.file = managed.file, .source = managed.source};
    *ret_id = ok ? managed.id : 0;
    ok = ok && (!ways || put_one(host, who, &request, &source, ret_id, fail));
    heap_free(&heap);
    return ok;
}

bool host_function_delete(struct host *host, const struct identity *who, struct view function, int64_t *ret_id, struct fail *fail)
{
    struct managed managed;
    struct heap heap;
    char full[4 * EXT_NAME_MAX];
    heap_init(&heap, 4 * EXT_FILE_BYTES_MAX, NULL);
    bool ok = find_own(host, who, function, &heap, &managed, fail);
    if (ok) {
        snprintf(full, sizeof full, "%s.%.*s", managed.kind, VIEW_ARGS(managed.api_name));
        *ret_id = managed.id;
        ok = host_fn_remove(host, who, view_of(full), fail);
    }
    heap_free(&heap);
    return ok;
}
