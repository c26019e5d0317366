// SPDX-License-Identifier: Apache-2.0
// The end of an installed extension in one org environment: its on-uninstallation script runs under a journal, then one closure takes key,
// functions, variables, connectors and schedules away, and with them, when asked for, its modules, fields, records and values. What is kept
// waits for a later installation. A process that is killed on the way leaves the extension as it was: the journal is undone at the next
// start, and the closure is whole or not at all.
#include "host/install.h"

struct ending {
    struct install in;
    struct arena arena;
    struct ext_package package; // the name and the version, nothing else
    char name[EXT_NAME_MAX]; // as it is spelled here
    struct view source; // of the script
    bool drop_data;
    bool left; // not installed, but modules or values of it were kept
};

static bool find_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct ending *ending = arg;
    struct install *in = &ending->in;
    char spelling[EXT_NAME_MAX];
    if (!ext_spelling_tx(tx, ending->package.namespace, spelling, fail)) {
        return false;
    }
    if (spelling[0]) {
        memcpy(ending->name, spelling, sizeof ending->name);
        ending->package.namespace = view_of(ending->name);
    }
    in->previous[0] = 0;
    ending->left = spelling[0] != 0;
    return ext_installed_tx(tx, ending->package.namespace, in->previous, &in->previous_dev, &in->installed, fail) &&
           ext_uninstall_script_tx(tx, ending->package.namespace, &ending->arena, &ending->source, fail) &&
           (ending->left || crm_modules_left_tx(tx, ending->package.namespace, &ending->left, fail));
}

static bool begin_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct ending *ending = arg;
    return store_journal_begin(tx, &ending->in.journal, fail);
}

// Another process that shares the data base may have installed or upgraded it while the script ran.
static bool is_as_found(struct tx *tx, const struct ending *ending, struct fail *fail)
{
    char version[EXT_NAME_MAX] = "", pending[EXT_NAME_MAX];
    bool dev, installed, busy;
    if (!ext_installed_tx(tx, ending->package.namespace, version, &dev, &installed, fail) ||
        !ext_pending_tx(tx, true, pending, &busy, fail)) {
        return false;
    }
    return (!busy && installed == ending->in.installed && strcmp(version, ending->in.previous) == 0) ||
           fail_set(fail, FAIL_FULL, "\"%.*s\" was changed by another server meanwhile", VIEW_ARGS(ending->package.namespace));
}

static bool end_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct ending *ending = arg;
    struct view namespace = ending->package.namespace;
    if (!is_as_found(tx, ending, fail) || (ending->in.journal && !store_journal_done(tx, ending->in.journal, fail)) ||
        !auth_key_drop_tx(tx, ending->in.host->auth, namespace, fail)) {
        return false;
    }
    return ending->drop_data ? ext_remove_tx(tx, namespace, fail) && crm_modules_drop_tx(tx, namespace, 0, fail)
                             : ext_retire_tx(tx, namespace, fail);
}

// ---- the script ---------------------------------------------------------------------------------

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
    bool ran = loop_fiber() ? loop_job(compile_job, ending, in->fail) : (compile_job(ending), true);
    if (!ran || !in->ok) {
        return in->fail->code == FAIL_NONE ? fail_set(in->fail, FAIL_COMPILE, NULL) : false;
    }
    if (!store_write(in->env->env, begin_tx, ending, in->fail)) {
        return false;
    }
    if (install_run_action(in)) {
        return true;
    }
    install_undo(in);
    return false;
}

// ---- the whole ----------------------------------------------------------------------------------

static bool may_end(const struct ending *ending)
{
    const struct install *in = &ending->in;
    struct view namespace = ending->package.namespace;
    if (!in->installed && !(ending->drop_data && ending->left && !ext_kind_find(namespace))) {
        return fail_set(in->fail, FAIL_NOT_FOUND, "\"%.*s\" is not installed here", VIEW_ARGS(namespace));
    }
    if (in->previous_dev && watch_serves(in->host, in->env, namespace)) {
        return fail_set(in->fail, FAIL_EXISTS, "\"%.*s\" is served from a folder by this server; serve without the folder first",
                        VIEW_ARGS(namespace));
    }
    return true;
}

static void say_ended(const struct ending *ending)
{
    const struct install *in = &ending->in;
    struct view namespace = ending->package.namespace;
    if (ending->drop_data) {
        say(in, LOG_INFO, "%.*s: its modules with their records, its fields and its variables' values are gone", VIEW_ARGS(namespace));
    } else {
        say(in, LOG_INFO, "%.*s: its modules, records and variables' values stay; sluice ext uninstall %.*s --drop-data removes them",
            VIEW_ARGS(namespace), VIEW_ARGS(namespace));
    }
}

static bool end_extension(struct ending *ending, bool force)
{
    struct install *in = &ending->in;
    if (!store_read(in->env->env, find_tx, ending, in->fail) || !may_end(ending)) {
        return false;
    }
    ending->package.version = view_of(in->previous);
    if (ending->source.data && !in->host->options.no_actions && !run_script(ending)) {
        if (!force) {
            return false;
        }
        say(in, LOG_WARN, "%s: the uninstall script failed (%s); going on, as asked", in->folder, in->fail->text);
        fail_clear(in->fail);
    }
    if (!store_write(in->env->env, end_tx, ending, in->fail)) {
        if (in->journal) {
            install_undo(in);
        }
        return false;
    }
    say_ended(ending);
    return true;
}

bool host_ext_uninstall(struct host *host, const struct identity *who, struct view namespace, bool drop_data, bool force,
                        const struct host_message *message, struct fail *fail)
{
    struct host_env *env;
    fail_clear(fail);
    if (!namespace.len || namespace.len >= EXT_NAME_MAX) { // never cut to somebody else's
        return fail_set(fail, FAIL_NOT_FOUND, "\"%.*s\" is not installed here", VIEW_ARGS(namespace));
    }
    struct ending ending = {.drop_data = drop_data};
    ending.in =
        (struct install){.host = host, .folder = ending.name, .message = message, .upgrade = true, .fail = fail}; // isInstall is false
    snprintf(ending.name, sizeof ending.name, "%.*s", VIEW_ARGS(namespace));
    ending.package.namespace = view_of(ending.name);
    ending.in.package = &ending.package;
    if (!host_env_of(host, who, &env, fail)) {
        return false;
    }
    arena_init(&ending.arena, 4 * EXT_FILE_BYTES_MAX);
    bool ok = install_open(&ending.in, env) && end_extension(&ending, force);
    ending.in.package = NULL; // it is not the installation's to free
    install_close(&ending.in);
    arena_free(&ending.arena);
    return host_audit_outcome(host, who, drop_data ? "ext uninstall with data" : "ext uninstall", ending.package.namespace, ok);
}
