// SPDX-License-Identifier: Apache-2.0
//
// Install actions and variables of an extension that is being written. An action is a file of its own, a variable an entry of the manifest.
// The value of a secret is written to neither: it goes to what the caller's environment has installed, sealed, or nowhere.
#include "host/draft.h"

enum { VALUE_BYTES_MAX = 65536, FIELD_NAME_BYTES_MAX = 200 };

static void put(struct heap *heap, struct value map, const char *name, struct value value)
{
    if (map.type == VALUE_MAP) {
        map_put_text(heap, map.map, view_of(name), value);
    }
}

// ---- install actions ----------------------------------------------------------------------------

struct installed {
    const struct draft *draft;
    struct arena *arena;
    struct view uninstall_script;
    char digest[EXT_DIGEST_LEN + 1];
};

static bool look_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct installed *installed = arg;
    struct view namespace = installed->draft->namespace;
    return ext_uninstall_script_tx(tx, namespace, installed->arena, &installed->uninstall_script, fail) &&
           ext_digest_tx(tx, namespace, installed->digest, fail);
}

// The script of an uninstallation is kept with what is installed. The others have run: they are what is installed when all of it is.
static bool is_live(struct draft *draft, const struct ext_file *file, bool *ret_live, struct fail *fail)
{
    struct installed installed = {.draft = draft, .arena = &draft->arena};
    char digest[EXT_DIGEST_LEN + 1];
    if (!store_read(draft->env->env, look_tx, &installed, fail)) {
        return false;
    }
    if (view_eq(draft->wanted, VIEW("on_uninstallation"))) {
        *ret_live = installed.digest[0] && view_eq(installed.uninstall_script, file ? file->bytes : VIEW(""));
        return true;
    }
    verify_digest(draft->host, draft->package, digest);
    *ret_live = strcmp(digest, installed.digest) == 0;
    return true;
}

static bool check_action(struct view action, struct fail *fail)
{
    return draft_action_file(action).len ||
           fail_set(fail, FAIL_NOT_FOUND, "there is no action \"%.*s\": on_installation, on_update, on_uninstallation", VIEW_ARGS(action));
}

static bool show_action(struct draft *draft, bool with_source, struct value *ret_map, struct fail *fail)
{
    struct heap *heap = draft->heap;
    struct view path = draft_action_file(draft->wanted);
    const struct ext_file *file = ext_files_find(draft->files, path);
    struct value map = value_map(heap, 8);
    bool live;
    if (!is_live(draft, file, &live, fail)) {
        return false;
    }
    put(heap, map, "namespace", value_text(heap, draft->namespace));
    put(heap, map, "name", value_text(heap, draft->wanted));
    put(heap, map, "file", value_text(heap, path));
    put(heap, map, "live", value_bool(live));
    if (with_source) {
        put(heap, map, "source", value_text(heap, file ? file->bytes : VIEW("")));
    }
    put(heap, map, "diagnostics", draft->findings);
    draft_put_place(draft, map);
    *ret_map = map;
    return !heap->failed || fail_set(fail, FAIL_MEMORY, NULL);
}

static bool read_action(struct host *host, const struct identity *who, struct view namespace, struct view action, bool with_source,
                        struct heap *heap, struct value *ret_map, struct fail *fail)
{
    struct draft draft = {.host = host, .who = who, .namespace = namespace, .wanted = action, .heap = heap};
    bool ok = check_action(action, fail) && draft_open(&draft, fail) && show_action(&draft, with_source, ret_map, fail);
    draft_close(&draft);
    return ok;
}

bool host_draft_action(struct host *host, const struct identity *who, struct view namespace, struct view action, struct heap *heap,
                       struct value *ret_map, struct fail *fail)
{
    return read_action(host, who, namespace, action, true, heap, ret_map, fail);
}

static bool make_action(struct draft_change *change)
{
    const struct host_draft_put *request = change->request;
    struct view path = draft_action_file(request->function);
    bool gone = view_trim(request->source).len == 0, there = ext_files_find(change->draft.files, path) != NULL;
    if (there || !gone) {
        draft_change_add(change, path, gone ? VIEW_NONE : request->source);
    }
    return true;
}

bool host_draft_put_action(struct host *host, const struct identity *who, const struct host_draft_put *request,
                           const struct host_message *message, struct heap *heap, struct value *ret_map, struct fail *fail)
{
    struct draft_change change = {.request = request,
                                  .message = message,
                                  .make = make_action,
                                  .draft = {.host = host, .who = who, .namespace = request->namespace, .wanted = request->function}};
    if (!check_action(request->function, fail)) {
        return false;
    }
    if (!request->source.data) {
        return fail_set(fail, FAIL_INVALID_DATA, "\"source\" must be the script's text");
    }
    bool ok = draft_change_run(&change, fail);
    if (ok) {
        draft_change_audit(&change, "ext save", request->function);
    }
    draft_close(&change.draft);
    return ok && read_action(host, who, request->namespace, request->function, false, heap, ret_map, fail);
}

// ---- variables ----------------------------------------------------------------------------------

static const struct ext_variable *find_variable(const struct draft *draft, struct view name)
{
    for (int i = 0; i < draft->package->variable_count; i++) {
        if (view_eq_nocase(draft->package->variables[i].api_name, name)) {
            return &draft->package->variables[i];
        }
    }
    return NULL;
}

// What the entry is to say, from what is asked for and what is there.
static bool merge(const struct draft *draft, const struct host_draft_variable *request, struct ext_variable *variable)
{
    struct view name = draft_short_name(draft->namespace, request->api_name), field_name = view_trim(request->field_name);
    const struct ext_variable *old = find_variable(draft, name);
    if (!old && !fn_name_valid(name)) {
        return fail_set(draft->fail, FAIL_INVALID_DATA,
                        "a variable's API name has 1 to %d letters, digits and single underscores, and begins with a letter",
                        EXT_NAME_MAX - 1);
    }
    *variable = old ? *old : (struct ext_variable){.api_name = name, .field_name = name, .type = VIEW("text"), .value = VIEW("")};
    variable->field_name = field_name.len ? field_name : variable->field_name;
    variable->type = request->type.len ? request->type : variable->type;
    variable->value = request->value.data ? request->value : variable->value;
    variable->secret = request->secret < 0 ? variable->secret : request->secret == 1;
    if (variable->field_name.len > FIELD_NAME_BYTES_MAX || variable->value.len > VALUE_BYTES_MAX) {
        return fail_set(draft->fail, FAIL_INVALID_DATA, "a field name has at most %d bytes, a value at most %d", FIELD_NAME_BYTES_MAX,
                        VALUE_BYTES_MAX);
    }
    if (!ext_type_known(variable->type)) {
        return fail_set(draft->fail, FAIL_INVALID_DATA, "there is no type \"%.*s\"", VIEW_ARGS(view_slice(variable->type, 0, 40)));
    }
    return ext_type_fits(variable->type, variable->value) ||
           fail_set(draft->fail, FAIL_INVALID_DATA, "the value does not fit the type %.*s", VIEW_ARGS(variable->type));
}

static bool make_variable(struct draft_change *change)
{
    struct ext_variable variable;
    struct buffer out;
    if (!merge(&change->draft, change->request, &variable)) {
        return false;
    }
    buffer_init(&out, 2 * EXT_FILE_BYTES_MAX);
    return draft_change_keep(change, &out, ext_manifest_put_variable(draft_change_manifest(change), &variable, &out, change->draft.fail));
}

// A secret's value: to what is installed here.
static void set_secret(const struct draft_change *change, struct view api_name)
{
    const struct host_draft_variable *request = change->request;
    const struct draft *draft = &change->draft;
    struct fail fail;
    if (request->value.len == 0 || host_ext_set(draft->host, draft->who, draft->namespace, api_name, request->value, &fail)) {
        return;
    }
    if (fail.code == FAIL_NOT_FOUND) {
        host_say(change->message, LOG_WARN,
                 "the value is not kept: no file holds the value of a secret. Set it in the extension's settings once this version is "
                 "installed");
    } else {
        host_say(change->message, LOG_ERROR, "the value is not set: %s", fail.text);
    }
}

static void show_variable(struct heap *heap, const struct ext_variable *variable, struct value *ret_map)
{
    struct value map = value_map(heap, 6);
    put(heap, map, "api_name", value_text(heap, variable->api_name));
    put(heap, map, "field_name", value_text(heap, variable->field_name));
    put(heap, map, "type", value_text(heap, variable->type));
    put(heap, map, "value", value_text(heap, variable->secret ? VIEW("") : variable->value));
    put(heap, map, "secret", value_bool(variable->secret));
    *ret_map = map;
}

bool host_draft_put_variable(struct host *host, const struct identity *who, const struct host_draft_variable *request,
                             const struct host_message *message, struct heap *heap, struct value *ret_map, struct fail *fail)
{
    struct draft_change change = {.request = request,
                                  .message = message,
                                  .make = make_variable,
                                  .draft = {.host = host, .who = who, .namespace = request->namespace}};
    struct ext_variable variable;
    bool ok = draft_change_run(&change, fail) && merge(&change.draft, request, &variable);
    if (ok) {
        if (variable.secret) {
            set_secret(&change, variable.api_name);
        }
        draft_change_audit(&change, "ext save", variable.api_name);
        show_variable(heap, &variable, ret_map);
    }
    draft_close(&change.draft);
    return ok && (!heap->failed || fail_set(fail, FAIL_MEMORY, NULL));
}

static bool make_drop(struct draft_change *change)
{
    const struct host_draft_variable *request = change->request;
    struct view name = draft_short_name(change->draft.namespace, request->api_name);
    struct buffer out;
    if (!find_variable(&change->draft, name)) {
        return fail_set(change->draft.fail, FAIL_NOT_FOUND, "\"%.*s\" has no variable \"%.*s\"", VIEW_ARGS(change->draft.namespace),
                        VIEW_ARGS(name));
    }
    buffer_init(&out, 2 * EXT_FILE_BYTES_MAX);
    return draft_change_keep(change, &out, ext_manifest_drop_variable(draft_change_manifest(change), name, &out, change->draft.fail));
}

bool host_draft_drop_variable(struct host *host, const struct identity *who, struct view namespace, struct view api_name,
                              const struct host_message *message, struct fail *fail)
{
    const struct host_draft_variable request = {.namespace = namespace, .api_name = api_name};
    struct draft_change change = {
        .request = &request, .message = message, .make = make_drop, .draft = {.host = host, .who = who, .namespace = namespace}};
    bool ok = draft_change_run(&change, fail);
    if (ok) {
        draft_change_audit(&change, "ext remove variable", api_name);
    }
    draft_close(&change.draft);
    return ok;
}
