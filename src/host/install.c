// SPDX-License-Identifier: Apache-2.0
// Publishing and installing a folder. The order keeps a broken folder from ever touching what serves: read and compile everything on a job,
// then one closure for modules, functions, variables and key, then the install action under a journal. When the action fails, the journal
// is undone and the rows that were there before come back in one closure; a killed process is finished the same way at the next start
// (install_recover).
#include "host/install.h"

enum { INSTALL_WAIT_MS = 60000, INSTALL_POLL_MS = 20 };

// ---- reading and compiling (on a job) -----------------------------------------------------------

static struct verify verify_of(struct install *in)
{
    return (struct verify){
        .package = in->package, .label = in->folder, .message = in->message, .strict = in->host->options.strict, .fail = in->fail};
}

static void read_job(void *arg)
{
    struct install *in = arg;
    in->ok = ext_package_read(in->folder, &in->package, in->fail);
    if (in->ok) {
        verify_digest(in->host, in->package, in->digest);
    } else {
        say(in, LOG_ERROR, "%s%s%s:%d:%d: error: %s", in->folder, in->fail->file[0] ? "/" : "", in->fail->file,
            in->fail->line ? in->fail->line : 1, in->fail->column ? in->fail->column : 1, in->fail->text);
    }
}

// Leaves the action that is to run in in->action; an action that the package does not have is none.
static void check_job(void *arg)
{
    struct install *in = arg;
    struct verify verify = verify_of(in);
    function_free(in->action);
    in->action = NULL;
    in->ok = verify_package(&verify) && verify_action(&verify, in->action_source, in->action_file, &in->action);
}

static bool run_job(struct install *in, void (*fn)(void *arg))
{
    return (loop_fiber() ? loop_job(fn, in, in->fail) : (fn(in), true)) && in->ok;
}

// ---- the closures -------------------------------------------------------------------------------

static bool look_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct install *in = arg;
    struct view namespace = in->package->namespace;
    in->previous[0] = 0;
    return ext_installed_tx(tx, namespace, in->previous, &in->previous_dev, &in->installed, fail) &&
           ext_digest_tx(tx, namespace, in->known_digest, fail) &&
           ext_action_done_tx(tx, namespace, in->package->version, &in->action_done, fail) &&
           ext_seeded_tx(tx, namespace, &in->seeded, false, fail);
}

static struct identity key_place(const struct install *in)
{
    return host_env_identity(in->env, IDENTITY_ZAPIKEY, in->package->namespace);
}

// Served folders have no history: their version is what lies in the folder.
static bool note_version(struct tx *tx, const struct install *in, struct fail *fail)
{
    const struct ext_package *package = in->package;
    return in->dev || (in->rollback ? ext_history_back_tx(tx, package->namespace, package->version, fail)
                                    : ext_history_add_tx(tx, package->namespace, package->version, fail));
}

// Processes that share a data base do not see each other's turns, but what is pending.
static bool refuse_busy(struct tx *tx, struct fail *fail)
{
    char namespace[EXT_NAME_MAX];
    bool busy;
    if (!ext_pending_tx(tx, true, namespace, &busy, fail)) {
        return false;
    }
    return !busy || fail_set(fail, FAIL_FULL, "the installation of \"%s\" by another server is still running", namespace);
}

static bool install_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct install *in = arg;
    struct identity where = key_place(in);
    struct ext_package *package = in->package;
    in->journal = 0;
    if (!refuse_busy(tx, fail)) {
        return false;
    }
    if (in->action) {
        int64_t before_id = store_id(tx, fail);
        if (!before_id || !store_journal_begin(tx, &in->journal, fail) ||
            !ext_pending_begin_tx(tx, package->namespace, in->journal, before_id, fail)) {
            return false;
        }
    }
    const struct ext_vault vault = {.seal = in->host->seal, .org = in->env->org, .environment = in->env->environment};
    return crm_modules_install_tx(tx, package->namespace, package->modules, in->journal, &package->heap, fail) &&
           ext_variables_seal_tx(tx, &vault, package, fail) && ext_install_tx(tx, package, in->dev, view_of(in->digest), fail) &&
           install_set_variables(tx, in, &vault, fail) && auth_key_make_tx(tx, in->host->auth, &where, fail) &&
           (in->action || note_version(tx, in, fail));
}

static bool succeed_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct install *in = arg;
    struct view namespace = in->package->namespace;
    return store_journal_done(tx, in->journal, fail) && ext_pending_commit_tx(tx, namespace, fail) &&
           ext_action_mark_tx(tx, namespace, in->package->version, fail) && note_version(tx, in, fail);
}

static bool undo_extension(struct tx *tx, const struct auth *auth, struct view namespace, struct fail *fail)
{
    bool first;
    int64_t before_id;
    return ext_pending_rollback_tx(tx, namespace, &first, &before_id, fail) && crm_modules_drop_tx(tx, namespace, before_id, fail) &&
           (!first || auth_key_drop_tx(tx, auth, namespace, fail));
}

struct undo {
    const struct auth *auth;
    int64_t journal;
    struct view namespace;
};

static bool undo_tx(struct tx *tx, void *arg, struct fail *fail)
{
    const struct undo *undo = arg;
    return store_journal_undo(tx, undo->journal, fail) && undo_extension(tx, undo->auth, undo->namespace, fail);
}

void install_undo(struct install *in)
{
    struct host_env *env = in->env;
    struct undo undo = {in->host->auth, in->journal, in->package->namespace};
    struct fail fail;
    if (!store_write(env->env, undo_tx, &undo, &fail)) {
        env->undo_journal = in->journal;
        snprintf(env->undo_namespace, sizeof env->undo_namespace, "%.*s", VIEW_ARGS(undo.namespace));
        say(in, LOG_ERROR, "%s: what the script changed could not be undone now and will be later: %s", in->folder, fail.text);
    }
    in->journal = 0;
}

// What could not be undone before is in the way of everything else.
static bool undo_left(struct host_env *env, struct fail *fail)
{
    struct undo undo = {env->host->auth, env->undo_journal, view_of(env->undo_namespace)};
    if (env->undo_journal && !store_write(env->env, undo_tx, &undo, fail)) {
        return false;
    }
    env->undo_journal = 0;
    return true;
}

static bool find_pending_tx(struct tx *tx, void *arg, struct fail *fail)
{
    char *namespace = arg;
    bool found;
    namespace[0] = 0;
    if (!ext_pending_tx(tx, false, namespace, &found, fail)) {
        return false;
    }
    namespace[0] = found ? namespace[0] : 0;
    return true;
}

struct recover {
    struct host *host;
    char namespace[EXT_NAME_MAX];
};

// Another process may have done it since it was seen.
static bool recover_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct recover *recover = arg;
    if (!find_pending_tx(tx, recover->namespace, fail)) {
        return false;
    }
    return !recover->namespace[0] || undo_extension(tx, recover->host->auth, view_of(recover->namespace), fail);
}

bool install_recover(struct host_env *env, struct fail *fail)
{
    struct recover recover = {.host = env->host};
    if (!store_env_recover(env->env, fail)) { // elsewhere store has undone the journals when it opened the environment
        return false;
    }
    for (;;) {
        if (!store_read(env->env, find_pending_tx, recover.namespace, fail)) {
            return false;
        }
        if (!recover.namespace[0]) {
            return true;
        }
        log_line(LOG_WARN, "install", "namespace=%s the last installation did not end and is undone", recover.namespace);
        if (!store_write(env->env, recover_tx, &recover, fail)) {
            return false;
        }
    }
}

// ---- the install action -------------------------------------------------------------------------

static struct value install_parameters(const struct install *in, struct run *run)
{
    struct heap *heap = &run->heap;
    struct value arguments = value_map(heap, 1), map = value_map(heap, 4);
    if (heap->failed) {
        return value_null();
    }
    const struct map *admin = run->pin ? value_as_map(run->pin->admin) : NULL;
    map_put_text(heap, map.map, VIEW("organizationId"), value_text_printf(heap, "%lld", (long long)(60000000000 + in->env->org_number)));
    map_put_text(heap, map.map, VIEW("installerId"), admin ? value_copy(heap, map_get_text(admin, VIEW("id")), in->fail) : value_null());
    map_put_text(heap, map.map, VIEW("isInstall"), value_bool(!in->upgrade));
    map_put_text(heap, map.map, VIEW("previousVersion"), in->upgrade ? value_text(heap, view_of(in->previous)) : value_null());
    map_put_text(heap, arguments.map, VIEW("installParamMap"), map);
    return arguments;
}

static void say_script_log(void *user, int line, struct view text)
{
    const struct install *in = user;
    say(in, LOG_INFO, "%s: %s:%d: %.*s", in->folder, in->action->info.unit ? unit_file(in->action->info.unit) : "install action", line,
        VIEW_ARGS(text));
}

bool install_run_action(struct install *in)
{
    struct arena arena;
    arena_init(&arena, HOST_EXCHANGE_BYTES_MAX);
    struct exchange exchange = {.arena = &arena, .method = VIEW("POST"), .path = VIEW("/"), .body_read = true, .identity = key_place(in)};
    exchange_make_id(&exchange);
    in->action->id = 0;
    snprintf(in->action->version, sizeof in->action->version, "%.*s", VIEW_ARGS(in->package->version));
    struct run_options options = {.env = in->env, .function = in->action, .exchange = &exchange, .journal = in->journal};
    bool ok = functions_pin(in->env, &options.pin, in->fail);
    struct run *run = ok ? run_open(in->host, &options, in->fail) : NULL;
    if (run) {
        run->on_log = say_script_log;
        run->on_log_user = in;
        ok = run_bind(run, in->fail);
        run->arguments = ok ? install_parameters(in, run) : value_null();
        ok = ok && call_run(run, "install", in->fail);
        if (!ok) {
            say(in, LOG_ERROR, "%s/%s:%d:1: error: %s", in->folder, in->fail->file[0] ? in->fail->file : "install",
                in->fail->line ? in->fail->line : 1, in->fail->text);
        }
        run_close(run);
    } else if (ok) {
        functions_unpin(in->env, options.pin);
        ok = false;
    }
    arena_free(&arena);
    return ok;
}

static bool finish_action(struct install *in)
{
    if (install_run_action(in) && store_write(in->env->env, succeed_tx, in, in->fail)) {
        return true;
    }
    install_undo(in);
    return false;
}

// ---- the whole ----------------------------------------------------------------------------------

bool install_package(struct install *in)
{
    if (!run_job(in, check_job)) {
        return in->fail->code == FAIL_NONE ? fail_set(in->fail, FAIL_COMPILE, NULL) : false;
    }
    bool scheduled = in->package->schedules.type == VALUE_LIST && in->package->schedules.list->count > 0;
    if ((scheduled && !host_schedules_expect(in->host, in->env, in->fail)) || !store_write(in->env->env, install_tx, in, in->fail)) {
        say(in, LOG_ERROR, "%s: %s", in->folder, in->fail->text);
        return false;
    }
    bool ok = !in->action || finish_action(in);
    scheduler_poke(in->host);
    return ok;
}

void install_close(struct install *in)
{
    function_free(in->action);
    ext_package_free(in->package);
    if (in->turn) {
        atomic_store(&in->env->installing, false);
    }
}

// One installation at a time in an environment; the others wait their turn.
bool install_open(struct install *in, struct host_env *env)
{
    in->env = env;
    fail_clear(in->fail);
    for (int64_t waited_ms = 0; atomic_exchange(&env->installing, true); waited_ms += INSTALL_POLL_MS) {
        if (waited_ms >= INSTALL_WAIT_MS) {
            return fail_set(in->fail, FAIL_FULL, "another installation is still running");
        }
        if (!loop_sleep(INSTALL_POLL_MS, in->fail)) {
            return false;
        }
    }
    in->turn = true;
    // Another process may have died since.
    return undo_left(env, in->fail) && (!store_env_shared(env->env) || install_recover(env, in->fail));
}

bool install_look(struct install *in)
{
    return store_read(in->env->env, look_tx, in, in->fail);
}

// ---- served folders -----------------------------------------------------------------------------

// The install action runs once a data folder, again when the version number changes (then on_update, if there is one), or when asked for.
static void choose_action(struct install *in)
{
    const struct ext_package *package = in->package;
    bool upgrade = in->previous[0] && !view_eq(view_of(in->previous), package->version);
    if (in->host->options.no_actions || (in->action_done && !in->reinstall)) {
        return;
    }
    install_choose_action(in, upgrade);
}

void install_choose_action(struct install *in, bool upgrade)
{
    const struct ext_package *package = in->package;
    bool update = upgrade && package->on_update.data;
    in->action_source = update ? package->on_update : package->on_installation;
    in->action_file = update ? package->on_update_file : package->on_installation_file;
    in->upgrade = upgrade;
}

static bool install_folder(struct install *in)
{
    if (!run_job(in, read_job) || !install_look(in)) {
        return in->fail->code == FAIL_NONE ? fail_set(in->fail, FAIL_COMPILE, NULL) : false;
    }
    choose_action(in);
    bool seeds = !in->seeded && in->package->seeds.list->count > 0;
    if (strcmp(in->digest, in->known_digest) == 0 && !in->action_source.data && !seeds) {
        return true; // as it was checked and installed
    }
    return install_package(in) && install_seed(in);
}

bool host_folder_install(struct host *host, const char *folder, bool reinstall, const struct host_message *message,
                         char ret_namespace[EXT_NAME_MAX], struct fail *fail)
{
    struct install in = {.host = host, .folder = folder, .message = message, .dev = true, .reinstall = reinstall, .fail = fail};
    struct host_env *env;
    fail_clear(fail);
    if (!host_env_default(host, &env, fail)) {
        return false;
    }
    bool ok = install_open(&in, env) && install_folder(&in);
    if (ok) {
        snprintf(ret_namespace, EXT_NAME_MAX, "%.*s", VIEW_ARGS(in.package->namespace));
    }
    install_close(&in);
    return ok;
}
