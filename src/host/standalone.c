// SPDX-License-Identifier: Apache-2.0
// Functions of an org: put, listed, shown, removed, restored. Several are put all or none: everything is compiled first, on a job. The kind
// is the header's namespace (`string button.name(…)`), else what was asked for, else standalone. Only standalone ones answer keys and
// tokens; the key of their namespace is made with the first of them.
#include "host/inside.h"

#include <stdlib.h>

struct putting {
    struct host *host;
    struct host_env *env;
    const struct host_fn_put *request;
    const struct host_message *message;
    struct arena arena; // of the functions' names
    struct ext_function *functions;
    const char **kinds;
    int64_t *ids;
    bool ok, unfit; // unfit: the one function has errors and is only kept
    struct fail *fail;
};

// ---- compiling ----------------------------------------------------------------------------------

// "button.hello" → "button"; NULL when the header names no kind.
static const char *kind_of_header(const struct lang_function_info *info)
{
    struct view rest = info->name, first = view_cut(&rest, '.');
    return info->has_header && rest.len ? ext_kind_find(first) : NULL;
}

static bool check_flags(const struct putting *putting, const char *kind)
{
    const struct host_fn_put *request = putting->request;
    bool callable = strcmp(kind, "standalone") == 0;
    return callable || (request->apikey != 1 && request->oauth != 1) ||
           fail_set(putting->fail, FAIL_INVALID_DATA, "%s functions answer neither keys nor tokens; they are run by name", kind);
}

// Letters, digits and single underscores: a bare name in a URL must mean this function and no extension's.
bool fn_name_valid(struct view name)
{
    bool good = name.len > 0 && name.len < EXT_NAME_MAX && name.data[name.len - 1] != '_';
    for (size_t i = 0; good && i < name.len; i++) {
        char c = name.data[i] | 0x20;
        bool letter = c >= 'a' && c <= 'z', digit = name.data[i] >= '0' && name.data[i] <= '9';
        bool mark = name.data[i] == '_' && i > 0 && name.data[i - 1] != '_';
        good = letter || mark || (digit && i > 0);
    }
    return good;
}

static bool check_name(const struct putting *putting, const struct host_fn_source *source, struct view name)
{
    return fn_name_valid(name) ||
           fail_set(
               putting->fail, FAIL_INVALID_DATA,
               "%.*s: a function's name has 1 to %d letters, digits and single underscores, and begins with a letter; \"%.*s\" does not "
               "(--name gives another)",
               VIEW_ARGS(source->file), EXT_NAME_MAX - 1, VIEW_ARGS(view_slice(name, 0, utf8_clamp(name, EXT_NAME_MAX))));
}

static bool check_twice(const struct putting *putting, int i)
{
    for (int k = 0; k < i; k++) {
        const struct ext_function *other = &putting->functions[k], *own = &putting->functions[i];
        if (putting->kinds[k] == putting->kinds[i] && view_eq_nocase(other->api_name, own->api_name)) {
            return fail_set(putting->fail, FAIL_INVALID_DATA, "%.*s and %.*s are both %s.%.*s", VIEW_ARGS(other->file),
                            VIEW_ARGS(own->file), putting->kinds[i], VIEW_ARGS(own->api_name));
        }
    }
    return true;
}

static bool take_function(struct putting *putting, int i, const struct function *compiled)
{
    const struct host_fn_put *request = putting->request;
    const struct host_fn_source *source = &request->sources[i];
    const char *kind = kind_of_header(&compiled->info);
    kind = kind ? kind : request->kind ? request->kind : "standalone";
    if (!check_flags(putting, kind)) {
        return false;
    }
    bool callable = strcmp(kind, "standalone") == 0;
    struct view name = request->name.len ? request->name : view_from(view_of(compiled->display), strlen(compiled->namespace) + 2);
    if (!check_name(putting, source, name)) {
        return false;
    }
    putting->kinds[i] = kind;
    putting->functions[i] = (struct ext_function){.api_name = arena_copy(&putting->arena, name),
                                                  .file = source->file,
                                                  .source = source->source,
                                                  .version = compiled->api_version,
                                                  .apikey = callable && request->apikey != 0,
                                                  .oauth = callable && request->oauth != 0};
    return putting->functions[i].api_name.data ? check_twice(putting, i) : fail_set(putting->fail, FAIL_MEMORY, NULL);
}

// What is kept although it does not compile has the name and kind that were asked for.
static bool take_unfit(struct putting *putting)
{
    const struct host_fn_put *request = putting->request;
    const char *kind = request->kind ? request->kind : "standalone";
    bool callable = strcmp(kind, "standalone") == 0;
    putting->kinds[0] = kind;
    putting->functions[0] = (struct ext_function){.api_name = request->name,
                                                  .file = request->sources[0].file,
                                                  .source = request->sources[0].source,
                                                  .version = 2,
                                                  .apikey = callable && request->apikey != 0,
                                                  .oauth = callable && request->oauth != 0};
    fail_clear(putting->fail);
    putting->unfit = check_flags(putting, kind) && check_name(putting, &request->sources[0], request->name);
    return putting->unfit;
}

static bool compile_one(struct putting *putting, int i)
{
    const struct host_fn_source *source = &putting->request->sources[i];
    struct function *compiled;
    struct verify verify = {.label = "", .message = putting->message, .strict = putting->host->options.strict, .fail = putting->fail};
    struct function_source function = {.namespace = view_of(putting->request->kind ? putting->request->kind : "standalone"),
                                       .api_name = putting->request->name,
                                       .file = source->file,
                                       .source = source->source,
                                       .strict = verify.strict};
    if (!verify_source(&verify, &function, &compiled)) {
        return putting->request->keep && putting->fail->code == FAIL_COMPILE && take_unfit(putting);
    }
    bool ok = take_function(putting, i, compiled);
    function_free(compiled);
    return ok;
}

static void compile_job(void *arg)
{
    struct putting *putting = arg;
    putting->ok = true;
    for (int i = 0; i < putting->request->count; i++) {
        putting->ok &= compile_one(putting, i);
    }
}

// ---- putting ------------------------------------------------------------------------------------

static bool put_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct putting *putting = arg;
    struct identity where = host_env_identity(putting->env, IDENTITY_ZAPIKEY, VIEW("standalone"));
    for (int i = 0; i < putting->request->count; i++) {
        if (!(putting->unfit ? ext_orgfunction_keep_tx : ext_orgfunction_put_tx)(tx, putting->kinds[i], &putting->functions[i],
                                                                                 &putting->ids[i], fail)) {
            return false;
        }
    }
    return auth_key_make_tx(tx, putting->host->auth, &where, fail);
}

static bool put_all(struct putting *putting)
{
    const struct host_fn_put *request = putting->request;
    size_t count = (size_t)request->count;
    putting->functions = arena_alloc(&putting->arena, count * sizeof *putting->functions);
    putting->kinds = arena_alloc(&putting->arena, count * sizeof *putting->kinds);
    putting->ids = arena_alloc(&putting->arena, count * sizeof *putting->ids);
    if (!putting->functions || !putting->kinds || !putting->ids) {
        return fail_set(putting->fail, FAIL_MEMORY, NULL);
    }
    bool ran = loop_fiber() ? loop_job(compile_job, putting, putting->fail) : (compile_job(putting), true);
    if (!ran || !putting->ok) {
        return putting->fail->code == FAIL_NONE ? fail_set(putting->fail, FAIL_COMPILE, NULL) : false;
    }
    return store_write(putting->env->env, put_tx, putting, putting->fail);
}

bool host_fn_put(struct host *host, const struct identity *who, const struct host_fn_put *request, const struct host_message *message,
                 struct heap *heap, struct value *ret_list, struct fail *fail)
{
    enum { NAMES_BYTES_MAX = 4 << 20 };
    struct putting putting = {.host = host, .request = request, .message = message, .fail = fail};
    fail_clear(fail);
    if (request->count < 1 || request->count > HOST_FN_PUT_MAX) {
        return fail_set(fail, FAIL_INVALID_DATA, "1 to %d functions are put at once", HOST_FN_PUT_MAX);
    }
    if (request->name.len && request->count > 1) {
        return fail_set(fail, FAIL_INVALID_DATA, "a name is for one function, not for several");
    }
    if (request->keep && (request->count > 1 || !request->name.len)) {
        return fail_set(fail, FAIL_INVALID_DATA, "one function with a name is kept with errors");
    }
    if (!host_env_of(host, who, &putting.env, fail)) {
        return false;
    }
    arena_init(&putting.arena, NAMES_BYTES_MAX);
    bool ok = put_all(&putting);
    struct value list = value_list(heap, (size_t)request->count);
    for (int i = 0; ok && list.type == VALUE_LIST && i < request->count; i++) {
        char name[4 * EXT_NAME_MAX];
        snprintf(name, sizeof name, "%s__%.*s", putting.kinds[i], VIEW_ARGS(putting.functions[i].api_name));
        struct value item;
        host_audit(host, who, "fn put", view_of(name));
        ok = host_fn_show(host, who, view_of(name), false, heap, &item, fail);
        list_add(heap, list.list, item);
    }
    arena_free(&putting.arena);
    *ret_list = list;
    return ok && (!heap->failed || fail_set(fail, FAIL_MEMORY, NULL));
}

// ---- looking ------------------------------------------------------------------------------------

// "hello", "standalone.hello", "button__hello": without a kind a standalone one is meant. False: longer than any.
bool host_fn_canonical(struct view name, char out[4 * EXT_NAME_MAX], struct view *ret_canonical)
{
    char joined[4 * EXT_NAME_MAX];
    if (BASE_LIKELY(view_find_char(name, '.') >= 0 || view_find(name, VIEW("__")) >= 0)) {
        return ext_name_canonical(name, out, 4 * EXT_NAME_MAX, ret_canonical);
    }
    int len = snprintf(joined, sizeof joined, "standalone.%.*s", VIEW_ARGS(name));
    return len > 0 && (size_t)len < sizeof joined &&
           ext_name_canonical((struct view){joined, (size_t)len}, out, 4 * EXT_NAME_MAX, ret_canonical);
}

struct looking {
    struct host_env *env;
    struct heap *heap;
    struct list *list;
    struct view canonical; // of one function
    bool found;
    const char *key;
};

static struct value shape(struct looking *looking, const struct ext_installed_function *row)
{
    struct heap *heap = looking->heap;
    struct value map = value_map(heap, 12);
    if (heap->failed) {
        return map;
    }
    bool callable = view_eq(row->namespace, VIEW("standalone")) && (row->apikey || row->oauth);
    map_put_text(heap, map.map, VIEW("id"), value_text_printf(heap, "%lld", (long long)row->id));
    map_put_text(heap, map.map, VIEW("api_name"), value_text(heap, row->api_name));
    map_put_text(heap, map.map, VIEW("kind"), value_text(heap, row->namespace));
    map_put_text(heap, map.map, VIEW("name"), value_text_printf(heap, "%.*s.%.*s", VIEW_ARGS(row->namespace), VIEW_ARGS(row->api_name)));
    map_put_text(heap, map.map, VIEW("version"), value_text(heap, row->version == 1 ? VIEW("1.0") : VIEW("2.0")));
    map_put_text(heap, map.map, VIEW("apikey"), value_bool(row->apikey));
    map_put_text(heap, map.map, VIEW("oauth"), value_bool(row->oauth));
    map_put_text(heap, map.map, VIEW("url"),
                 callable ? value_text_printf(heap, "%s%s/crm/v2/functions/%.*s/actions/execute?auth_type=apikey&zapikey=%s",
                                              looking->env->host->public_url, looking->env->sandbox ? "/sandbox" : "",
                                              VIEW_ARGS(row->api_name), looking->key)
                          : value_null());
    map_put_text(heap, map.map, VIEW("live"), value_bool(true));
    if (row->source.data) {
        map_put_text(heap, map.map, VIEW("source"), value_text(heap, row->source));
    }
    return map;
}

static bool add_row(void *arg, const struct ext_installed_function *row, struct fail *fail)
{
    struct looking *looking = arg;
    return !ext_kind_find(row->namespace) || list_add(looking->heap, looking->list, shape(looking, row)) ||
           fail_set(fail, FAIL_MEMORY, NULL);
}

static struct map *find_row(const struct looking *looking, int64_t id)
{
    for (uint32_t i = 0; i < looking->list->count; i++) {
        struct map *map = looking->list->items[i].map;
        int64_t other;
        if (crm_id_read(map_get_text(map, VIEW("id")), &other) && other == id) {
            return map;
        }
    }
    return NULL;
}

// The newest save has errors: it is what is shown, and not what answers.
static bool add_unfit(void *arg, const struct ext_installed_function *row, bool first, struct fail *fail)
{
    struct looking *looking = arg;
    struct heap *heap = looking->heap;
    if (first && !add_row(looking, row, fail)) {
        return false;
    }
    struct map *map = find_row(looking, row->id);
    if (!map) {
        return true;
    }
    map_put_text(heap, map, VIEW("live"), value_bool(false));
    map_put_text(heap, map, VIEW("source"), value_text(heap, row->source));
    if (first) {
        map_put_text(heap, map, VIEW("url"), value_null());
    }
    return !heap->failed || fail_set(fail, FAIL_MEMORY, NULL);
}

static bool list_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct looking *looking = arg;
    looking->list->count = 0;
    return ext_functions_tx(tx, VIEW(""), add_row, looking, fail) && ext_orgfunction_unfit_tx(tx, VIEW(""), add_unfit, looking, fail);
}

static bool find_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct looking *looking = arg;
    looking->list->count = 0;
    return ext_function_find_tx(tx, looking->canonical, add_row, looking, &looking->found, fail) &&
           ext_orgfunction_unfit_tx(tx, looking->canonical, add_unfit, looking, fail);
}

static bool open_looking(struct host *host, const struct identity *who, struct heap *heap, struct looking *looking,
                         char key[AUTH_KEY_LEN + 1], struct fail *fail)
{
    struct value list = value_list(heap, 8);
    struct fail ignored;
    *looking = (struct looking){.heap = heap, .list = value_as_list(list), .key = key};
    if (!looking->list || !host_env_of(host, who, &looking->env, fail)) {
        return looking->list ? false : fail_set(fail, FAIL_MEMORY, NULL);
    }
    if (who->role == AUTH_ROLE_VIEWER ||
        !host_key_show(host, who, VIEW("standalone"), key, &ignored)) { // none yet, revoked, or not for him
        snprintf(key, AUTH_KEY_LEN + 1, "1003.…");
    }
    return true;
}

bool host_fn_list(struct host *host, const struct identity *who, struct heap *heap, struct value *ret_list, struct fail *fail)
{
    struct looking looking;
    char key[AUTH_KEY_LEN + 1];
    if (!open_looking(host, who, heap, &looking, key, fail) || !store_read(looking.env->env, list_tx, &looking, fail)) {
        return false;
    }
    for (uint32_t i = 0; i < looking.list->count; i++) {
        map_remove(looking.list->items[i].map, value_text(heap, VIEW("source")));
    }
    *ret_list = (struct value){.type = VALUE_LIST, .list = looking.list};
    return true;
}

static bool put_diagnostics(struct heap *heap, struct map *map, struct fail *fail)
{
    struct value checked = value_null(), none = value_list(heap, 0);
    struct view name = value_view_or(map_get_text(map, VIEW("name")), VIEW(""));
    if (!map_get_text(map, VIEW("live")).boolean &&
        !host_editor_check(value_view_or(map_get_text(map, VIEW("source")), VIEW("")), name, heap, &checked, fail)) {
        return false;
    }
    map_put_text(heap, map, VIEW("diagnostics"), value_as_map(checked) ? map_get_text(checked.map, VIEW("diagnostics")) : none);
    return !heap->failed || fail_set(fail, FAIL_MEMORY, NULL);
}

bool host_fn_show(struct host *host, const struct identity *who, struct view name, bool with_source, struct heap *heap,
                  struct value *ret_map, struct fail *fail)
{
    struct looking looking;
    char key[AUTH_KEY_LEN + 1], canonical[4 * EXT_NAME_MAX];
    if (!open_looking(host, who, heap, &looking, key, fail)) {
        return false;
    }
    if (host_fn_canonical(name, canonical, &looking.canonical) && !store_read(looking.env->env, find_tx, &looking, fail)) {
        return false;
    }
    if (looking.list->count == 0) {
        return fail_set(fail, FAIL_NOT_FOUND, "there is no function \"%.*s\"; sluice fn list shows them", VIEW_ARGS(name));
    }
    struct map *map = looking.list->items[0].map;
    if (!put_diagnostics(heap, map, fail)) {
        return false;
    }
    if (!with_source) {
        map_remove(map, value_text(heap, VIEW("source")));
    }
    *ret_map = looking.list->items[0];
    return true;
}

// ---- removing and restoring ---------------------------------------------------------------------

struct change {
    struct view canonical;
    bool found;
};

static bool remove_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct change *change = arg;
    return ext_orgfunction_remove_tx(tx, change->canonical, &change->found, fail);
}

bool host_fn_remove(struct host *host, const struct identity *who, struct view name, struct fail *fail)
{
    char canonical[4 * EXT_NAME_MAX];
    struct change change = {.found = false};
    struct host_env *env;
    struct view rest;
    if (!host_env_of(host, who, &env, fail)) {
        return false;
    }
    bool named = host_fn_canonical(name, canonical, &change.canonical);
    rest = change.canonical;
    ptrdiff_t mark = named ? view_find(rest, VIEW("__")) : -1;
    named = mark > 0 && ext_kind_find(view_slice(rest, 0, (size_t)mark)); // an extension's function is not the org's to remove
    if (named && !store_write(env->env, remove_tx, &change, fail)) {
        return false;
    }
    if (!change.found) {
        return fail_set(fail, FAIL_NOT_FOUND, "there is no function \"%.*s\" of the org; sluice fn list shows them", VIEW_ARGS(name));
    }
    return host_audit_outcome(host, who, "fn remove", change.canonical, true);
}

struct saves {
    struct heap *heap;
    struct list *list;
    int64_t id, wanted;
    struct value source; // of the wanted one
};

bool save_show(struct heap *heap, struct list *list, const struct ext_save *save, struct fail *fail)
{
    struct value map = value_map(heap, 3);
    struct buffer time;
    if (heap->failed) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    buffer_init(&time, 64);
    calendar_print_iso(&time, save->saved_ms, zone_local());
    map_put_text(heap, map.map, VIEW("number"), value_number(save->number));
    map_put_text(heap, map.map, VIEW("saved_time"), value_text(heap, buffer_view(&time)));
    map_put_text(heap, map.map, VIEW("source"), value_text(heap, save->source));
    buffer_free(&time);
    return list_add(heap, list, map) || fail_set(fail, FAIL_MEMORY, NULL);
}

static bool add_save(void *arg, const struct ext_save *save, struct fail *fail)
{
    struct saves *saves = arg;
    if (save->number == saves->wanted) {
        saves->source = value_text(saves->heap, save->source);
    }
    return save_show(saves->heap, saves->list, save, fail);
}

static bool saves_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct saves *saves = arg;
    saves->list->count = 0;
    return ext_saves_tx(tx, saves->id, add_save, saves, fail);
}

static bool load_saves(struct host *host, const struct identity *who, struct view name, struct saves *saves, struct value *ret_shown,
                       struct fail *fail)
{
    struct host_env *env;
    struct value list = value_list(saves->heap, 8);
    if (!host_fn_show(host, who, name, true, saves->heap, ret_shown, fail) || !host_env_of(host, who, &env, fail)) {
        return false;
    }
    saves->list = value_as_list(list);
    return (saves->list || fail_set(fail, FAIL_MEMORY, NULL)) && crm_id_read(map_get_text(ret_shown->map, VIEW("id")), &saves->id) &&
           store_read(env->env, saves_tx, saves, fail);
}

bool host_fn_history(struct host *host, const struct identity *who, struct view name, struct heap *heap, struct value *ret_list,
                     struct fail *fail)
{
    struct saves saves = {.heap = heap};
    struct value shown;
    if (!load_saves(host, who, name, &saves, &shown, fail)) {
        return false;
    }
    *ret_list = (struct value){.type = VALUE_LIST, .list = saves.list};
    return true;
}

// What was saved under the number becomes the newest save.
bool host_fn_restore(struct host *host, const struct identity *who, struct view name, int64_t number, struct heap *heap,
                     struct value *ret_map, struct fail *fail)
{
    struct saves saves = {.heap = heap, .wanted = number, .source = value_null()};
    struct value shown, list;
    if (!load_saves(host, who, name, &saves, &shown, fail)) {
        return false;
    }
    if (!value_is_text(saves.source)) {
        return fail_set(fail, FAIL_NOT_FOUND, "\"%.*s\" has no version %lld; sluice fn history %.*s lists them", VIEW_ARGS(name),
                        (long long)number, VIEW_ARGS(name));
    }
    const struct map *map = shown.map;
    struct view api_name = value_view_or(map_get_text(map, VIEW("api_name")), VIEW(""));
    struct host_fn_source source = {.file = api_name, .source = value_view(saves.source)};
    struct host_fn_put put = {.sources = &source,
                              .count = 1,
                              .kind = ext_kind_find(value_view_or(map_get_text(map, VIEW("kind")), VIEW(""))),
                              .name = api_name,
                              .apikey = map_get_text(map, VIEW("apikey")).boolean,
                              .oauth = map_get_text(map, VIEW("oauth")).boolean};
    if (!host_fn_put(host, who, &put, NULL, heap, &list, fail)) {
        return false;
    }
    *ret_map = list.list->items[0];
    return true;
}
