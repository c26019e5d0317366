// SPDX-License-Identifier: Apache-2.0
// The life of an installed extension: a published version is installed, upgraded, rolled back and uninstalled in one org environment (spec/
// platform.md §3). What is decided here is which version and which script; the way of an installation is install.c's.
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

static bool refuse_install(struct install *in)
{
    const char *namespace = in->package->namespace.data;
    if (in->previous_dev) {
        return fail_set(in->fail, FAIL_EXISTS,
                        "\"%s\" is installed here from a served folder; sluice ext upgrade %s puts the published "
                        "version in its place",
                        namespace, namespace);
    }
    return fail_set(in->fail, FAIL_EXISTS,
                    "\"%s\" is installed here in version %s; use sluice ext upgrade, or --reinstall to run its "
                    "install action again",
                    namespace, in->previous);
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
    int order = in->previous_dev ? 1 : ext_version_compare(in->package->version, view_of(in->previous));
    if (order == 0) {
        return fail_set(in->fail, FAIL_EXISTS, "\"%s\" is in version %s already", namespace, in->previous);
    }
    if (order < 0) {
        return fail_set(in->fail, FAIL_INVALID_DATA, "version %.*s is older than the installed %s; sluice ext rollback %s goes back",
                        VIEW_ARGS(in->package->version), in->previous, namespace);
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
    if (!in->previous_dev && ext_version_compare(in->package->version, view_of(in->previous)) >= 0) {
        return fail_set(in->fail, FAIL_INVALID_DATA, "version %.*s is not older than the installed %s; use sluice ext upgrade",
                        VIEW_ARGS(in->package->version), in->previous);
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
    char version[EXT_NAME_MAX];
    bool found;
};

static bool before_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct before *before = arg;
    return ext_history_tx(tx, before->namespace, 1, before->version, &before->found, fail);
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
    return before->found ||
           fail_set(in->fail, FAIL_NOT_FOUND, "no version of \"%.*s\" was installed here before this one", VIEW_ARGS(request->namespace));
}

static bool install_version(struct install *in, const struct host_install *request, char label[2 * EXT_NAME_MAX])
{
    struct before before = {.namespace = request->namespace};
    struct view version;
    return choose_version(in, request, &before, &version) && load_published(in, request->namespace, version, label) && install_look(in) &&
           decide(in, request->kind) && install_package(in);
}

bool host_ext_install(struct host *host, const struct identity *who, const struct host_install *request, const struct host_message *message,
                      struct host_published *ret_installed, struct fail *fail)
{
    static const char *const actions[] = {"ext install", "ext upgrade", "ext rollback"};
    char label[2 * EXT_NAME_MAX] = "";
    struct install in = {.host = host, .message = message, .reinstall = request->reinstall, .fail = fail};
    struct host_env *env;
    fail_clear(fail);
    if (!host_env_of(host, who, &env, fail)) {
        return false;
    }
    bool ok = install_open(&in, env) && install_version(&in, request, label);
    if (ok) {
        *ret_installed = (struct host_published){.is_new = true};
        snprintf(ret_installed->namespace, sizeof ret_installed->namespace, "%.*s", VIEW_ARGS(in.package->namespace));
        snprintf(ret_installed->version, sizeof ret_installed->version, "%.*s", VIEW_ARGS(in.package->version));
    }
    install_close(&in);
    return host_audit_outcome(host, who, actions[request->kind], label[0] ? view_of(label) : request->namespace, ok);
}

// ---- the end ------------------------------------------------------------------------------------

struct ending {
    struct install in;
    struct arena arena;
    struct ext_package package; // the name and nothing else
    struct view source; // of the script
    bool drop_data;
};

static bool find_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct ending *ending = arg;
    struct install *in = &ending->in;
    return ext_installed_tx(tx, ending->package.namespace, in->previous, &in->previous_dev, &in->installed, fail) &&
           ext_uninstall_script_tx(tx, ending->package.namespace, &ending->arena, &ending->source, fail);
}

static bool begin_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct ending *ending = arg;
    return store_journal_begin(tx, &ending->in.journal, fail);
}

static bool undo_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct ending *ending = arg;
    return store_journal_undo(tx, ending->in.journal, fail);
}

static bool end_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct ending *ending = arg;
    struct view namespace = ending->package.namespace;
    if (ending->in.journal && !store_journal_done(tx, ending->in.journal, fail)) {
        return false;
    }
    if (!auth_key_drop_tx(tx, ending->in.host->auth, namespace, fail)) {
        return false;
    }
    return ending->drop_data ? ext_remove_tx(tx, namespace, fail) && crm_modules_drop_tx(tx, namespace, 0, fail)
                             : ext_retire_tx(tx, namespace, fail);
}

static void compile_job(void *arg)
{
    struct ending *ending = arg;
    struct install *in = &ending->in;
    struct verify verify = {.package = &ending->package, .label = in->folder, .message = in->message, .fail = in->fail};
    in->ok = verify_action(&verify, ending->source, VIEW("install/on_uninstallation.dg"), &in->action);
}

// What the script did is undone when it fails.
static bool run_script(struct ending *ending)
{
    struct install *in = &ending->in;
    struct fail undo;
    bool ran = loop_fiber() ? loop_job(compile_job, ending, in->fail) : (compile_job(ending), true);
    if (!ran || !in->ok || !store_write(in->env->env, begin_tx, ending, in->fail)) {
        return false;
    }
    if (install_run_action(in)) {
        return true;
    }
    if (!store_write(in->env->env, undo_tx, ending, &undo)) {
        say(in, LOG_ERROR, "%s: what the script changed could not be undone now and will be at the next start: %s", in->folder, undo.text);
    }
    in->journal = 0;
    return false;
}

static bool end_extension(struct ending *ending, bool force)
{
    struct install *in = &ending->in;
    struct view namespace = ending->package.namespace;
    if (!store_read(in->env->env, find_tx, ending, in->fail)) {
        return false;
    }
    if (!in->installed) {
        return fail_set(in->fail, FAIL_NOT_FOUND, "\"%.*s\" is not installed here", VIEW_ARGS(namespace));
    }
    if (in->previous_dev && watch_serves(in->host, in->env, namespace)) {
        return fail_set(in->fail, FAIL_EXISTS,
                        "\"%.*s\" is being served from its folder; stop the server, or take the folder off its command line",
                        VIEW_ARGS(namespace));
    }
    ending->package.version = view_of(in->previous);
    if (ending->source.data && !run_script(ending)) {
        if (!force) {
            return false;
        }
        say(in, LOG_WARN, "%s: the uninstall script failed (%s); going on, as asked", in->folder, in->fail->text);
        fail_clear(in->fail);
    }
    return store_write(in->env->env, end_tx, ending, in->fail);
}

bool host_ext_uninstall(struct host *host, const struct identity *who, struct view namespace, bool drop_data, bool force,
                        const struct host_message *message, struct fail *fail)
{
    char name[EXT_NAME_MAX];
    struct host_env *env;
    snprintf(name, sizeof name, "%.*s", VIEW_ARGS(namespace));
    struct ending ending = {.in = {.host = host, .folder = name, .message = message, .upgrade = true, .fail = fail},
                            .drop_data = drop_data}; // isInstall is false
    ending.package.namespace = view_of(name);
    ending.in.package = &ending.package;
    fail_clear(fail);
    if (!host_env_of(host, who, &env, fail)) {
        return false;
    }
    arena_init(&ending.arena, 4 * EXT_FILE_BYTES_MAX);
    bool ok = install_open(&ending.in, env) && end_extension(&ending, force);
    ending.in.package = NULL; // it is not the installation's to free
    install_close(&ending.in);
    arena_free(&ending.arena);
    return host_audit_outcome(host, who, drop_data ? "ext uninstall with data" : "ext uninstall", view_of(name), ok);
}

// ---- settings -----------------------------------------------------------------------------------

struct setting {
    struct ext_vault vault;
    char name[3 * EXT_NAME_MAX];
    struct view value;
    bool found;
};

static bool set_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct setting *setting = arg;
    return ext_variable_set_tx(tx, &setting->vault, view_of(setting->name), setting->value, 0, &setting->found, fail);
}

bool host_ext_set(struct host *host, const struct identity *who, struct view namespace, struct view variable, struct view value,
                  struct fail *fail)
{
    struct host_env *env;
    struct setting setting = {.value = value};
    if (!host_env_of(host, who, &env, fail)) {
        return false;
    }
    setting.vault = (struct ext_vault){.seal = host->seal, .org = env->org, .environment = env->environment};
    int len = snprintf(setting.name, sizeof setting.name, "%.*s__%.*s", VIEW_ARGS(namespace), VIEW_ARGS(variable));
    if (len > 0 && (size_t)len < sizeof setting.name && !store_write(env->env, set_tx, &setting, fail)) {
        return false;
    }
    if (!setting.found) {
        return fail_set(fail, FAIL_NOT_FOUND, "\"%.*s\" has no variable \"%.*s\" here; sluice ext show %.*s lists them",
                        VIEW_ARGS(namespace), VIEW_ARGS(variable), VIEW_ARGS(namespace));
    }
    return host_audit_outcome(host, who, "ext set", view_of(setting.name), true);
}
