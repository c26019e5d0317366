// SPDX-License-Identifier: Apache-2.0
// Checking a whole package before anything of it is published or installed: every script is compiled and every error said, with file, line
// and column; names, modules, widgets and install actions too. On a job, because compiling wants a large stack.
#include "host/inside.h"

#include <stdlib.h>

void host_say(const struct host_message *message, enum log_level level, const char *format, ...)
{
    char text[FAIL_TEXT_MAX + 512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (message && message->line) {
        message->line(message->user, level, text);
    }
}

void verify_say(const struct verify *verify, const struct fail *fail)
{
    struct fail placed = *fail;
    if (!placed.line && verify->files) {
        ext_files_locate(verify->files, &placed);
    }
    host_say(verify->message, LOG_ERROR, "%s%s%s:%d:%d: error: %s", verify->label, placed.file[0] ? "/" : "", placed.file,
             placed.line ? placed.line : 1, placed.column ? placed.column : 1, placed.text);
}

// What one check found, said and noted: the first failure is the one that the whole ends with.
static bool note(struct verify *verify, bool good, const struct fail *fail)
{
    if (!good) {
        verify_say(verify, fail);
        if (verify->fail->code == FAIL_NONE) {
            *verify->fail = *fail;
        }
    }
    return good;
}

// ---- scripts ------------------------------------------------------------------------------------

static void say_diagnostics(const struct verify *verify, struct view file, const struct diagnostics *found)
{
    for (int i = 0; i < found->count; i++) {
        const struct diagnostic *item = &found->items[i];
        if (item->level == DIAGNOSTIC_ERROR) {
            host_say(verify->message, LOG_ERROR, "%s%s%.*s:%d:%d: error: %.*s", verify->label, verify->label[0] ? "/" : "", VIEW_ARGS(file),
                     item->line, item->column, VIEW_ARGS(item->text));
        }
    }
}

bool verify_source(struct verify *verify, const struct function_source *source, struct function **ret_function)
{
    struct arena arena;
    struct diagnostics *found = calloc(1, sizeof *found);
    arena_init(&arena, 4 << 20);
    if (!found) {
        return fail_set(verify->fail, FAIL_MEMORY, NULL);
    }
    found->arena = &arena;
    struct fail fail = {0};
    bool ok = function_compile(source, ret_function, found, &fail);
    if (!ok && found->errors) {
        say_diagnostics(verify, source->file, found);
    } else if (!ok) {
        host_say(verify->message, LOG_ERROR, "%s%s%.*s:1:1: error: %s", verify->label, verify->label[0] ? "/" : "", VIEW_ARGS(source->file),
                 fail.text);
    }
    if (!ok && verify->fail->code == FAIL_NONE) {
        *verify->fail = fail;
    }
    free(found);
    arena_free(&arena);
    return ok;
}

struct function_source function_source_of(struct view namespace, const struct ext_function *function, bool strict)
{
    return (struct function_source){
        .namespace = namespace,
        .api_name = function->api_name,
        .file = function->file,
        .source = function->source,
        .return_type = function->return_type,
        .arguments = function->arguments,
        .argument_count = function->argument_count,
        .arguments_declared = function->arguments_declared,
        .api_version = function->version,
        .strict = strict,
    };
}

// Compiles every function, so that all errors are said at once; fills names, versions and return types that the manifest left open.
static bool compile_functions(struct verify *verify)
{
    struct ext_package *package = verify->package;
    bool all = true;
    for (int i = 0; i < package->function_count; i++) {
        struct ext_function *function = &package->functions[i];
        struct function_source source = function_source_of(package->namespace, function, verify->strict);
        struct function *compiled;
        if (!verify_source(verify, &source, &compiled)) {
            all = false;
            continue;
        }
        if (!function->api_name.len) {
            struct view display = view_of(compiled->display);
            function->api_name = arena_copy(&package->arena, view_from(display, package->namespace.len + 2));
        }
        function->version = compiled->api_version;
        function_free(compiled);
    }
    return all;
}

bool verify_action(struct verify *verify, struct view source, struct view file, struct function **ret_function)
{
    static const struct ext_argument arguments[] = {{{"installParamMap", 15}, {"map", 3}}};
    struct function_source action = {
        .namespace = verify->package->namespace,
        .api_name = VIEW("install_action"),
        .file = file,
        .source = source,
        .return_type = VIEW("void"),
        .arguments = arguments,
        .argument_count = 1,
        .arguments_declared = true,
        .api_version = 2,
        .strict = verify->strict,
    };
    *ret_function = NULL;
    return !source.data || verify_source(verify, &action, ret_function);
}

static bool compile_actions(struct verify *verify)
{
    const struct ext_package *package = verify->package;
    const struct {
        struct view source, file;
    } actions[] = {{package->on_installation, package->on_installation_file},
                   {package->on_update, package->on_update_file},
                   {package->on_uninstallation, package->on_uninstallation_file}};
    bool all = true;
    for (size_t i = 0; i < BASE_COUNT(actions); i++) {
        struct function *compiled;
        all &= verify_action(verify, actions[i].source, actions[i].file, &compiled);
        function_free(compiled);
    }
    return all;
}

// ---- the whole ----------------------------------------------------------------------------------

// "module SMS_Texts, field Direction: …": where the field stands.
static void place_field(const struct ext_package *package, struct fail *fail)
{
    struct fail probe = *fail;
    ptrdiff_t at = view_find(view_of(fail->text), VIEW(", field "));
    struct view name = at < 0 ? VIEW_NONE : view_from(view_of(fail->text), (size_t)at + sizeof ", field " - 1);
    name = view_cut(&name, ':');
    if (name.len) {
        snprintf(probe.text, sizeof probe.text, "\"%.*s\"", VIEW_ARGS(name));
        ext_files_locate(package->files, &probe);
        fail->line = probe.line;
        fail->column = probe.column;
    }
}

// crm speaks of modules; people look for files. A module that fails in the same way alone is the one.
static void name_module_file(const struct ext_package *package, struct fail *fail)
{
    const struct list *modules = value_as_list(package->modules);
    for (uint32_t i = 0; modules && i < modules->count; i++) {
        struct list alone = {.items = &modules->items[i], .count = 1};
        struct fail found = {0};
        struct value list = {.type = VALUE_LIST, .list = &alone};
        if (!crm_modules_check(list, package->namespace, (struct heap *)&package->heap, &found) && strcmp(found.text, fail->text) == 0) {
            struct view file = value_view_or(value_as_list(package->module_files)->items[i], VIEW("modules"));
            snprintf(fail->file, sizeof fail->file, "%.*s", VIEW_ARGS(file));
            place_field(package, fail);
            return;
        }
    }
}

static bool check_modules(struct verify *verify)
{
    struct ext_package *package = verify->package;
    struct fail fail = {0};
    bool good = crm_modules_check(package->modules, package->namespace, &package->heap, &fail);
    if (!good) {
        name_module_file(package, &fail);
    }
    return note(verify, good, &fail);
}

static bool check_widgets(struct verify *verify)
{
    const struct list *widgets = value_as_list(verify->package->widgets);
    bool all = true;
    for (uint32_t i = 0; widgets && i < widgets->count; i++) {
        struct fail fail = {0};
        all &= note(verify, ext_package_check_widget(verify->package, widgets->items[i], &fail), &fail);
    }
    return all;
}

// Goes on after a failure: every mistake is told at once. Names need what the compiler said, and schedules need all functions.
bool verify_package(struct verify *verify)
{
    const struct ext_package *package = verify->package;
    struct fail fail = {0};
    fail_clear(verify->fail);
    verify->files = package->files;
    bool good = compile_functions(verify);
    bool named = good && note(verify, ext_package_check_names(package, &fail), &fail);
    good = compile_actions(verify) && named;
    good = check_modules(verify) && good;
    fail_clear(&fail);
    good = note(verify, ext_connectors_check(package, &fail), &fail) && good;
    fail_clear(&fail);
    good = (!named || package->mistakes || note(verify, ext_schedules_check(package, &fail), &fail)) && good;
    good = (!verify->publishing || check_widgets(verify)) && good;
    return good || (verify->fail->code == FAIL_NONE ? fail_set(verify->fail, FAIL_COMPILE, NULL) : false);
}

// A chain of HMACs over everything that is installed: equal digests mean that there is nothing to do.
void verify_digest(const struct host *host, const struct ext_package *package, char ret_digest[EXT_DIGEST_LEN + 1])
{
    uint8_t mac[SEAL_HMAC_BYTES] = {0};
    struct buffer part;
    struct fail ignored;
    buffer_init(&part, EXT_PACKAGE_BYTES_MAX);
    const struct value values[] = {package->manifest, package->modules, package->seeds, package->connectors};
    const int count = package->function_count;
    const struct view actions[] = {package->on_installation, package->on_update, package->on_uninstallation};
    for (size_t i = 0; i < BASE_COUNT(actions); i++) {
        buffer_reset(&part);
        buffer_add(&part, (struct view){(char *)mac, sizeof mac});
        buffer_add(&part, actions[i].data ? VIEW("+") : VIEW("-")); // an empty script is not none
        buffer_add(&part, actions[i]);
        seal_hmac(host->seal, buffer_view(&part), mac);
    }
    for (int i = -1; i < count + (int)BASE_COUNT(values); i++) {
        buffer_reset(&part);
        buffer_add(&part, (struct view){(char *)mac, sizeof mac});
        if (i < 0) {
            buffer_add(&part, VIEW(SLUICE_VERSION));
        } else if (i < count) {
            buffer_add(&part, package->functions[i].file);
            buffer_add_char(&part, '\n');
            buffer_add(&part, package->functions[i].source);
        } else {
            json_write(&part, values[i - count], NULL, &ignored);
        }
        seal_hmac(host->seal, buffer_view(&part), mac);
    }
    hex_print(ret_digest, mac, sizeof mac);
    ret_digest[EXT_DIGEST_LEN] = 0;
    buffer_free(&part);
}
