// SPDX-License-Identifier: Apache-2.0
//
// Which modules do scripts name that the CRM does not have? Names are taken where there can be no doubt: a text literal that is the whole
// argument at the place where the function's signature says `TEXT module` or `TEXT parent_module` (host/services.c). The answer is the
// CRM's own: a script asks it for each name, as the checked scripts would when they run. Modules of an extension that is not installed yet
// are read from its folder.
#include "cli/modules.h"

#include "ext/ext.h"
#include "lang/lang.h"
#include "loop/loop.h"

#include <stdlib.h>
#include <sys/stat.h>

enum { MODULES_PLACES_MAX = 100000, MODULES_NAMES_MAX = 10000, MODULES_BYTES_MAX = 64 << 20 };

struct place {
    struct view path, name;
    int line, column;
};

struct modules {
    struct arena arena;
    struct place *places;
    int count, room;
    struct table asked; // names, each once; the value is `unknown` once the CRM said so
    struct ext_package *package; // whose files are collected
    struct fields *fields;
    const char *path;
    const struct cli_args *args;
    const char *data;
    struct fail fail;
    bool done;
};

static char known, unknown;

struct modules *modules_new(void)
{
    struct modules *modules = calloc(1, sizeof *modules);
    if (modules) {
        arena_init(&modules->arena, MODULES_BYTES_MAX);
        table_init(&modules->asked, MODULES_NAMES_MAX, false);
        modules->fields = fields_new();
    }
    if (modules && !modules->fields) {
        modules_free(modules);
        return NULL;
    }
    return modules;
}

void modules_free(struct modules *modules)
{
    if (modules) {
        modules_enter(modules, NULL);
        fields_free(modules->fields);
        table_free(&modules->asked);
        arena_free(&modules->arena);
        free(modules->places);
        free(modules);
    }
}

bool modules_enter(struct modules *modules, const char *folder)
{
    struct fail fail;
    if (modules->package) {
        ext_package_free(modules->package);
        modules->package = NULL;
    }
    return folder && ext_package_read(folder, &modules->package, &fail);
}

// ---- collecting ---------------------------------------------------------------------------------

struct view modules_parameter(const char *signature, int index)
{
    struct view rest = view_of(signature);
    view_cut(&rest, '(');
    struct view parameters = view_cut(&rest, ')'), parameter = VIEW_NONE;
    for (int i = 0; i <= index; i++) {
        parameter = view_trim(view_cut(&parameters, ','));
    }
    return parameter;
}

static bool takes_module(const char *signature, int index)
{
    struct view parameter = modules_parameter(signature, index);
    return view_eq(parameter, VIEW("TEXT module")) || view_eq(parameter, VIEW("TEXT parent_module"));
}

struct view modules_bare_name(struct view name)
{
    ptrdiff_t at = view_find_char(name, '.');
    if (at >= 0) {
        return view_from(name, (size_t)at + 1);
    }
    at = view_find(name, VIEW("__"));
    return at > 0 ? view_from(name, (size_t)at + 2) : name;
}

// A prefix that no installed extension owns means the extension's own module (PRODUCT, "What a function gets").
static bool is_own(const struct modules *modules, struct view name)
{
    const struct list *list = modules->package ? value_as_list(modules->package->modules) : NULL;
    for (uint32_t i = 0; list && i < list->count; i++) {
        const struct map *map = value_as_map(list->items[i]);
        struct value api_name = map ? map_get_text(map, VIEW("api_name")) : value_null();
        if (view_eq_nocase(modules_bare_name(value_view_or(api_name, VIEW(""))), modules_bare_name(name))) {
            return true;
        }
    }
    return false;
}

static bool make_room(struct modules *modules)
{
    if (modules->count < modules->room) {
        return true;
    }
    int room = modules->room ? modules->room * 2 : 64;
    struct place *more = room <= MODULES_PLACES_MAX * 2 ? realloc(modules->places, (size_t)room * sizeof *more) : NULL;
    if (!more) {
        return false;
    }
    modules->places = more;
    modules->room = room;
    return true;
}

// searchRecords finds users, too, who are no module elsewhere (host/svc_records.c).
static bool is_users(const struct native *native, const struct lang_literal *literal)
{
    return view_ends(view_of(native->name), VIEW("searchRecords")) && view_eq_nocase(literal->text, VIEW("users"));
}

static void add_place(void *arg, const struct lang_literal *literal)
{
    struct modules *modules = arg;
    const struct native *native = native_set_find(host_natives(), literal->function);
    if (!native || !native->signature || !takes_module(native->signature, literal->index) || is_own(modules, literal->text) ||
        is_users(native, literal)) {
        return;
    }
    struct place place = {arena_copy(&modules->arena, view_of(modules->path)), arena_copy(&modules->arena, literal->text), literal->line,
                          literal->column};
    if (place.path.data && place.name.data && make_room(modules) && table_put(&modules->asked, place.name, &known)) {
        modules->places[modules->count++] = place;
    }
}

void modules_collect(struct modules *modules, const char *path, struct view source)
{
    modules->path = path;
    lang_literals(source, VIEW("zoho.crm."), add_place, modules);
    fields_collect(modules->fields, modules->package, path, source);
}

// ---- asking -------------------------------------------------------------------------------------

// Nothing is written, and a module without records answers as well as a full one.
static const char question[] = "map sluice.unknown_modules(list names)\n"
                               "{\n"
                               "\tunknown = List();\n"
                               "\tfor each  name in names\n"
                               "\t{\n"
                               "\t\tif(zoho.crm.getRecordById(name,1).get(\"code\") == \"INVALID_MODULE\")\n"
                               "\t\t{\n"
                               "\t\t\tunknown.add(name);\n"
                               "\t\t}\n"
                               "\t}\n"
                               "\treturn {\"unknown\":unknown};\n"
                               "}\n";

static struct value question_arguments(struct modules *modules, struct heap *heap)
{
    struct value map = value_map(heap, 1), list = value_list(heap, 16);
    size_t cursor = 0;
    struct view name;
    void *value;
    while (list.type == VALUE_LIST && table_next(&modules->asked, &cursor, &name, &value)) {
        list_add(heap, list.list, value_text(heap, name));
    }
    if (map.type == VALUE_MAP) {
        map_put_text(heap, map.map, VIEW("names"), list);
    }
    return map;
}

bool modules_question(struct host *host, struct view source, struct heap *heap, struct value arguments, struct value *ret_answer,
                      struct fail *fail)
{
    struct arena arena;
    arena_init(&arena, MODULES_BYTES_MAX);
    struct exchange exchange = {
        .arena = &arena,
        .method = VIEW("GET"),
        .path = VIEW("/"),
        .body_read = true,
        .local = true,
        .identity = {.kind = IDENTITY_ZAPIKEY, .org = "default", .environment = "production", .namespace = "standalone", .org_number = 1},
    };
    random_hex(exchange.id, HOST_ID_LEN);
    struct host_script script = {.file = "modules", .source = source, .exchange = &exchange, .arguments = arguments};
    struct host_script_result result = {0};
    struct value answer = value_null();
    bool done = host_script_run(host, &script, heap, &result, fail);
    if (done && (!json_read(heap, value_view_or(result.output, VIEW("")), &answer, fail) || answer.type != VALUE_MAP)) {
        done = fail_set(fail, FAIL_INTERNAL, "the CRM did not say which modules and fields it has");
    }
    arena_free(&arena);
    if (done) {
        *ret_answer = answer;
    }
    return done;
}

static bool ask_host(struct modules *modules, struct host *host)
{
    struct heap heap;
    struct value answer;
    heap_init(&heap, MODULES_BYTES_MAX, NULL);
    bool done = modules_question(host, (struct view){question, sizeof question - 1}, &heap, question_arguments(modules, &heap), &answer,
                                 &modules->fail);
    const struct list *list = done ? value_as_list(map_get_text(answer.map, VIEW("unknown"))) : NULL;
    for (uint32_t i = 0; list && done && i < list->count; i++) {
        done = table_put(&modules->asked, value_view_or(list->items[i], VIEW("")), &unknown) || fail_set(&modules->fail, FAIL_MEMORY, NULL);
    }
    heap_free(&heap);
    return done && fields_ask(modules->fields, host, &modules->fail);
}

static void ask_on_loop(void *arg)
{
    struct modules *modules = arg;
    struct cli_settings settings;
    struct host *host;
    if (settings_load(modules->args, modules->data != NULL, &settings, &modules->fail)) {
        struct host_options options = settings_host_options(&settings);
        options.data_folder = modules->data;
        if (host_open(&options, &host, &modules->fail)) {
            modules->done = ask_host(modules, host);
            host_close(host);
        }
        settings_free(&settings);
    }
    loop_stop();
}

bool modules_ask(struct modules *modules, const struct cli_args *args, const char *data, const struct modules_visitor *missing,
                 struct fail *fail)
{
    struct stat info;
    if (modules->count == 0 && fields_count(modules->fields) == 0) {
        return true;
    }
    if (data && stat(data, &info) != 0) {
        return fail_set(fail, FAIL_IO, "%s: there is no data folder here", data);
    }
    modules->args = args;
    modules->data = data;
    fail_clear(&modules->fail);
    if (!loop_start(1, fail) || !loop_run(ask_on_loop, modules, fail)) {
        return false;
    }
    if (!modules->done) {
        *fail = modules->fail;
        return false;
    }
    for (int i = 0; i < modules->count; i++) {
        const struct place *place = &modules->places[i];
        if (table_get(&modules->asked, place->name) == &unknown) {
            missing->module(missing->arg, place->path.data, place->line, place->column, place->name);
        }
    }
    fields_report(modules->fields, missing->field, missing->arg);
    return true;
}
