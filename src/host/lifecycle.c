// SPDX-License-Identifier: Apache-2.0
// The life of an installed extension: a published version is installed, upgraded and rolled back in one org environment, and its variables
// are set (spec/platform.md §3). What is decided here is which version and which script; the way of an installation is install.c's, the end
// of an extension uninstall.c's.
#include "host/install.h"

// ---- what to install ----------------------------------------------------------------------------

struct fetch {
    struct view namespace, version;
    struct ext_published found;
    struct ext_files *files;
};

static bool fetch_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct fetch *fetch = arg;
    return ext_published_files_tx(tx, fetch->namespace, fetch->version, &fetch->found, &fetch->files, fail);
}

struct parse {
    struct install *in;
    const struct fetch *fetch;
};

static void parse_job(void *arg)
{
    struct parse *parse = arg;
    struct install *in = parse->in;
    const struct ext_published *found = &parse->fetch->found;
    const struct ext_defaults defaults = {.name = found->name, .namespace = found->namespace, .version = found->version};
    in->ok = ext_package_parse(parse->fetch->files, view_of(in->folder), &defaults, &in->package, in->fail);
    if (in->ok) {
        in->package->own_files = parse->fetch->files;
        verify_digest(in->host, in->package, in->digest);
    }
}

// The package of a published version. Its manifest may have been absent or overridden when it was published: what was published counts.
static bool load_published(struct install *in, struct view namespace, struct view version, char label[2 * EXT_NAME_MAX])
{
    struct fetch fetch = {.namespace = namespace, .version = version};
    struct store_env *control;
    if (!host_control(in->host, &control, in->fail) || !store_read(control, fetch_tx, &fetch, in->fail)) {
        return false;
    }
    snprintf(label, 2 * EXT_NAME_MAX, "%.*s@%.*s", VIEW_ARGS(fetch.found.namespace), VIEW_ARGS(fetch.found.version));
    in->folder = label;
    struct parse parse = {in, &fetch};
    bool ran = loop_fiber() ? loop_job(parse_job, &parse, in->fail) : (parse_job(&parse), true);
    if (!ran || !in->ok) {
        ext_files_free(fetch.files);
        return false;
    }
    return true;
}

// ---- deciding -----------------------------------------------------------------------------------

// A served folder would put itself in the place of whatever is installed, with its next save.
static bool refuse_served(const struct install *in)
{
    const char *namespace = in->package->namespace.data;
    return !in->previous_dev || !watch_serves(in->host, in->env, in->package->namespace) ||
           fail_set(in->fail, FAIL_EXISTS,
                    "\"%s\" is served from a folder by this server; save the files there, or serve without the folder first", namespace);
}

static bool refuse_install(const struct install *in)
{
    const char *namespace = in->package->namespace.data;
    if (!in->previous_dev) {
        return fail_set(
            in->fail, FAIL_EXISTS,
            "\"%s\" is installed here in version %s; sluice ext upgrade %s goes to a newer one, --reinstall runs the install action "
            "of this one again",
            namespace, in->previous, namespace);
    }
    return refuse_served(in) &&
           fail_set(in->fail, FAIL_EXISTS,
                    "\"%s\" is installed here from a served folder; sluice ext upgrade %s puts the published version in its place",
                    namespace, namespace);
}

static bool decide_install(struct install *in)
{
    bool same = in->installed && !in->previous_dev && view_eq(view_of(in->previous), in->package->version);
    if (in->installed && !(in->reinstall && same)) {
        return refuse_install(in);
    }
    install_choose_action(in, false);
    return true;
}

static bool decide_upgrade(struct install *in)
{
    const char *namespace = in->package->namespace.data;
    if (!in->installed) {
        return fail_set(in->fail, FAIL_NOT_FOUND, "\"%s\" is not installed here; sluice ext install %s does it", namespace, namespace);
    }
    if (!refuse_served(in)) {
        return false;
    }
    int order = in->previous_dev ? 1 : ext_version_compare(in->package->version, view_of(in->previous));
    if (order == 0) {
        return fail_set(in->fail, FAIL_EXISTS, "version %s of \"%s\" is installed already", in->previous, namespace);
    }
    if (order < 0) {
        return fail_set(in->fail, FAIL_INVALID_DATA,
                        "version %.*s is older than the installed %s; sluice ext rollback %s@%.*s goes back to it",
                        VIEW_ARGS(in->package->version), in->previous, namespace, VIEW_ARGS(in->package->version));
    }
    install_choose_action(in, true);
    return true;
}

// Runs no script: the older version's knows nothing of the newer one.
static bool decide_rollback(struct install *in)
{
    const char *namespace = in->package->namespace.data;
    if (!in->installed) {
        return fail_set(in->fail, FAIL_NOT_FOUND, "\"%s\" is not installed here", namespace);
    }
    if (!refuse_served(in)) {
        return false;
    }
    if (!in->previous_dev && ext_version_compare(in->package->version, view_of(in->previous)) >= 0) {
        return fail_set(in->fail, FAIL_INVALID_DATA, "version %.*s is not older than the installed %s; sluice ext upgrade %s goes forward",
                        VIEW_ARGS(in->package->version), in->previous, namespace);
    }
    in->rollback = true;
    return true;
}

static bool decide(struct install *in, enum host_install_kind kind)
{
    switch (kind) {
    case HOST_INSTALL:
        return decide_install(in);
    case HOST_UPGRADE:
        return decide_upgrade(in);
    default:
        return decide_rollback(in);
    }
}

struct before {
    struct view namespace;
    char name[EXT_NAME_MAX]; // as it is spelled here
    char version[EXT_NAME_MAX];
    bool installed, found;
};

// The newest of the history is what is installed now, unless that is a served folder, which has no history.
static bool before_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct before *before = arg;
    bool dev = false;
    before->found = false;
    return ext_spelling_tx(tx, before->namespace, before->name, fail) &&
           ext_installed_tx(tx, before->namespace, before->version, &dev, &before->installed, fail) &&
           (!before->installed || ext_history_tx(tx, view_of(before->name), dev ? 0 : 1, before->version, &before->found, fail));
}

// Without a version a rollback goes to the one that was installed before.
static bool choose_version(struct install *in, const struct host_install *request, struct before *before, struct view *ret_version)
{
    *ret_version = request->version;
    if (request->kind != HOST_ROLLBACK || request->version.len) {
        return true;
    }
    if (!store_read(in->env->env, before_tx, before, in->fail)) {
        return false;
    }
    *ret_version = view_of(before->version);
    if (!before->installed) {
        return fail_set(in->fail, FAIL_NOT_FOUND, "\"%.*s\" is not installed here", VIEW_ARGS(request->namespace));
    }
    return before->found ||
           fail_set(in->fail, FAIL_NOT_FOUND,
                    "no version of \"%.*s\" was installed here before this one; sluice ext rollback %.*s@VERSION names one",
                    VIEW_ARGS(request->namespace), VIEW_ARGS(request->namespace));
}

static bool install_version(struct install *in, const struct host_install *request, char label[2 * EXT_NAME_MAX])
{
    struct before before = {.namespace = request->namespace};
    struct view version;
    return choose_version(in, request, &before, &version) && load_published(in, request->namespace, version, label) && install_look(in) &&
           decide(in, request->kind) && install_package(in);
}

static void say_rolled_back(const struct install *in)
{
    say(in, LOG_INFO, "%s: no script ran; records, values and key are as they were; modules and fields that %s brought stay", in->folder,
        in->previous_dev ? "the served folder" : in->previous);
}

bool host_ext_install(struct host *host, const struct identity *who, const struct host_install *request, const struct host_message *message,
                      struct host_published *ret_installed, struct fail *fail)
{
    static const char *const actions[] = {"ext install", "ext upgrade", "ext rollback"};
    char label[2 * EXT_NAME_MAX] = "";
    struct install in = {.host = host, .message = message, .reinstall = request->reinstall, .variables = request->variables, .fail = fail};
    struct host_env *env;
    fail_clear(fail);
    if (!host_env_of(host, who, &env, fail)) {
        return false;
    }
    bool ok = install_open(&in, env) && install_version(&in, request, label);
    if (ok && in.rollback) {
        say_rolled_back(&in);
    }
    if (ok) {
        *ret_installed = (struct host_published){.is_new = true};
        snprintf(ret_installed->namespace, sizeof ret_installed->namespace, "%.*s", VIEW_ARGS(in.package->namespace));
        snprintf(ret_installed->version, sizeof ret_installed->version, "%.*s", VIEW_ARGS(in.package->version));
    }
    install_close(&in);
    return host_audit_outcome(host, who, actions[request->kind], label[0] ? view_of(label) : request->namespace, ok);
}

// ---- settings -----------------------------------------------------------------------------------

struct setting {
    struct ext_vault vault;
    struct view namespace;
    char name[3 * EXT_NAME_MAX]; // "ns__variable"
    struct view value;
    bool installed, found;
};

static bool set_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct setting *setting = arg;
    char version[EXT_NAME_MAX];
    bool dev;
    setting->found = false;
    return ext_installed_tx(tx, setting->namespace, version, &dev, &setting->installed, fail) &&
           (!setting->installed ||
            ext_variable_set_tx(tx, &setting->vault, view_of(setting->name), setting->value, 0, &setting->found, fail));
}

// "variable", or as `ext show` and scripts write it: "ns__variable", "ns.variable".
static bool name_variable(struct setting *setting, struct view variable)
{
    struct view rest = view_from(variable, setting->namespace.len);
    if (view_starts_nocase(variable, setting->namespace) && (view_starts(rest, VIEW("__")) || view_starts(rest, VIEW(".")))) {
        variable = view_from(rest, rest.data[0] == '.' ? 1 : 2);
    }
    int len = snprintf(setting->name, sizeof setting->name, "%.*s__%.*s", VIEW_ARGS(setting->namespace), VIEW_ARGS(variable));
    return len > 0 && (size_t)len < sizeof setting->name;
}

bool host_ext_set(struct host *host, const struct identity *who, struct view namespace, struct view variable, struct view value,
                  struct fail *fail)
{
    struct host_env *env;
    struct setting setting = {.namespace = namespace, .value = value, .installed = true};
    if (!host_env_of(host, who, &env, fail)) {
        return false;
    }
    setting.vault = (struct ext_vault){.seal = host->seal, .org = env->org, .environment = env->environment};
    if (name_variable(&setting, variable) && !store_write(env->env, set_tx, &setting, fail)) {
        return false;
    }
    if (!setting.installed) {
        return fail_set(fail, FAIL_NOT_FOUND, "\"%.*s\" is not installed here", VIEW_ARGS(namespace));
    }
    if (!setting.found) {
        return fail_set(fail, FAIL_NOT_FOUND, "\"%.*s\" has no variable \"%.*s\" here; sluice ext show %.*s lists them",
                        VIEW_ARGS(namespace), VIEW_ARGS(variable), VIEW_ARGS(namespace));
    }
    return host_audit_outcome(host, who, "ext set", view_of(setting.name), true);
}

// As an installation is told them, under its journal: they go with it when its action fails.
bool install_set_variables(struct tx *tx, const struct install *in, const struct ext_vault *vault, struct fail *fail)
{
    struct setting setting = {.namespace = in->package->namespace};
    uint32_t cursor = 0;
    for (struct map_entry *entry; in->variables && (entry = map_next(in->variables, &cursor)) != NULL;) {
        struct view name = value_view_or(entry->key, VIEW(""));
        if (!value_is_text(entry->value)) {
            return fail_set(fail, FAIL_INVALID_DATA, "the value of \"%.*s\" must be text", VIEW_ARGS(name));
        }
        setting.found = false;
        if (name_variable(&setting, name) &&
            !ext_variable_set_tx(tx, vault, view_of(setting.name), value_view(entry->value), in->journal, &setting.found, fail)) {
            return false;
        }
        if (!setting.found) {
            return fail_set(fail, FAIL_INVALID_DATA, "\"%.*s\" has no variable \"%.*s\"", VIEW_ARGS(setting.namespace), VIEW_ARGS(name));
        }
    }
    return true;
}

bool host_ext_variables(struct host *host, struct view namespace, struct view version, struct heap *heap, struct value *ret_list,
                        struct fail *fail)
{
    char label[2 * EXT_NAME_MAX] = "";
    struct install in = {.host = host, .fail = fail};
    fail_clear(fail);
    struct value list = value_list(heap, 4);
    bool ok = load_published(&in, namespace, version, label);
    for (int i = 0; ok && !heap->failed && i < in.package->variable_count; i++) {
        const struct ext_variable *variable = &in.package->variables[i];
        struct value map = value_map(heap, 5);
        if (map.type == VALUE_MAP && list_add(heap, list.list, map)) {
            map_put_text(heap, map.map, VIEW("api_name"), value_text(heap, variable->api_name));
            map_put_text(heap, map.map, VIEW("field_name"), value_text(heap, variable->field_name));
            map_put_text(heap, map.map, VIEW("type"), value_text(heap, variable->type));
            map_put_text(heap, map.map, VIEW("value"), value_text(heap, variable->secret ? VIEW("") : variable->value));
            map_put_text(heap, map.map, VIEW("secret"), value_bool(variable->secret));
        }
    }
    ext_package_free(in.package);
    *ret_list = list;
    return ok && (!heap->failed || fail_set(fail, FAIL_MEMORY, NULL));
}
