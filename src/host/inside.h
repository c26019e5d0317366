// SPDX-License-Identifier: Apache-2.0
// host's insides: what its files share. One run is one struct run, from run_open to run_close; everything a service needs hangs on it.
#pragma once

#include "host/host.h"
#include "lang/lang.h"
#include "loop/loop.h"
#include "out/out.h"
#include "store/store.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    HOST_ENVS_MAX = 1024, // open org environments
    HOST_RUNS_KEPT = 64, // warm runs a loop keeps
    HOST_SLICE = 20000, // instructions between two looks at the clock: about 200 µs
    HOST_FUNCTIONS_MAX = 100000,
    HOST_HARD_MEMORY = 64 << 20, // above the soft limit: a native may finish what it began
    HOST_EXCHANGE_BYTES_MAX = 96 << 20,
    HOST_REFRESHES = 64,
    HOST_AGAIN_MAX = 16,
};
#define HOST_DEFAULT_ORG "default"

// ---- functions: canonical name → compiled unit --------------------------------------------------

struct function {
    char canonical[4 * EXT_NAME_MAX];
    char namespace[EXT_NAME_MAX];
    char display[4 * EXT_NAME_MAX]; // "ns__fn" with the case of the source
    char version[EXT_NAME_MAX]; // of the extension, for the run log
    int64_t id;
    int api_version; // 1 or 2
    bool apikey, oauth;
    struct figures *figures; // see figures.c; NULL: not counted
    uint64_t source_hash; // of what was compiled; 0 for what is not stored
    struct unit *unit;
    const struct lang_function *code;
    struct lang_function_info info;
    struct lang_parameter *declared; // from the manifest, for bodies without header
    struct arena arena; // of `declared`
};

// What is known of an environment at one metadata version: replaced whole when the version moves on, freed when the last run lets go.
struct function_table {
    int64_t env_version;
    int pins; // under host_env.mutex
    struct table functions; // canonical → struct function
    struct heap heap; // of the two below
    struct value admin; // REST user object of the super admin; constant, runs share its texts
    struct value request_v2, request_v1; // the members of both request objects in order, values null; constant
    struct list *namespaces; // installed, NULL before the first use
};

struct host_env {
    struct host *host;
    char org[AUTH_NAME_MAX], environment[16];
    int64_t org_number;
    bool sandbox;
    struct store_env *env;
    struct crm *crm;
    atomic_bool installing; // one installation at a time
    int64_t undo_journal; // of an installation that failed and could not be undone then, 0 = none; its extension:
    char undo_namespace[EXT_NAME_MAX];
    atomic_bool pending; // a write has added to crm_pending since the last look
    int64_t pending_next_ms; // when the next of it is due; automation.c's alone
    bool bulk_running; // a fiber does bulk jobs; loop 0's alone, and so is the rest
    int64_t bulk_left; // a job that the end of the process has interrupted
    int64_t again[HOST_AGAIN_MAX]; // actions that it has
    int again_count;
    atomic_bool refreshing[HOST_REFRESHES]; // one refresh of a connection's token at a time, by the hash of its name
    pthread_mutex_t mutex; // guards `functions`, its pins and tables; never held over a give-way
    struct function_table *functions;
};

struct host {
    struct host_options options;
    char address[128], public_url[256];
    int64_t limits[HOST_LIMITS];
    struct store *store;
    struct seal *seal;
    struct auth *auth;
    struct runlog *runlog;
    pthread_mutex_t mutex; // guards `envs` and `watched`
    struct host_env *envs[HOST_ENVS_MAX];
    int env_count;
    void (*dispatch)(void *user, struct exchange *exchange);
    void *dispatch_user;
    atomic_llong memory_bytes; // of all runs, counted a run at its maximum
    struct watched_folder *watched;
    atomic_bool saving; // a draft or a served folder is being changed by somebody in the console
    struct { // the writer of keys' last uses, keys.c; but for `fibers` loop 0's alone
        atomic_int fibers;
        bool closing, flushing;
        struct loop_event *wake, *done;
    } keys;
    struct { // functions that run by the clock, scheduler.c; but for `started` and `running` loop 0's alone
        atomic_bool started, closing;
        struct loop_event wake, *done;
        int fibers;
        struct scheduled *running; // guarded by `mutex`
    } scheduler;
    struct { // what workflow rules and channels have left to do, automation.c; but for `started` loop 0's alone
        atomic_bool started, closing;
        struct loop_event wake, *done;
        int fibers, running;
        struct delivery *first; // that are being done
    } automation;
    const struct host_answers *answers; // of tests, else NULL
    struct kept_ring *kept; // see kept.c; NULL: nothing is kept
    struct figures_table *counted; // see figures.c; NULL: nothing is counted
};

// The environment of an org; opens it when it is not open yet (gives way). FAIL_NOT_FOUND for an org or environment that does not exist.
bool host_env_find(struct host *host, int64_t org_number, bool sandbox, struct host_env **ret_env, struct fail *fail);
bool host_env_of(struct host *host, const struct identity *who, struct host_env **ret_env, struct fail *fail);
bool host_env_default(struct host *host, struct host_env **ret_env, struct fail *fail);
// Opens every environment of every org in turn and calls `each`.
bool host_envs_each(struct host *host, bool (*each)(void *arg, struct host_env *env, struct fail *fail), void *arg, struct fail *fail);
// The identity of an environment itself: for keys, install actions, schedules.
struct identity host_env_identity(const struct host_env *env, enum identity_kind kind, struct view namespace);
// The data base that spans orgs; opened when first asked for (gives way).
bool host_control(struct host *host, struct store_env **ret_control, struct fail *fail);
// The same, but it is not made: *ret_there false where nothing has needed it yet.
bool host_control_known(struct host *host, struct store_env **ret_control, bool *ret_there, struct fail *fail);

// Finds and pins; the pin keeps the table, its functions and cached values alive. *ret_function NULL when there is none of that name. Gives
// way on a miss.
bool functions_find(struct host_env *env, struct view canonical, struct function_table **ret_pin, const struct function **ret_function,
                    struct fail *fail);
// The same inside a pinned table.
bool functions_find_in(struct host_env *env, struct function_table *pin, struct view canonical, const struct function **ret_function,
                       struct fail *fail);
bool functions_pin(struct host_env *env, struct function_table **ret_pin, struct fail *fail);
void functions_unpin(struct host_env *env, struct function_table *pin);
void functions_drop(struct host_env *env); // host_close

// One stored function's source → struct function. Compiles on a job when on a fiber.
struct function_source {
    struct view namespace, api_name, file, source, return_type;
    const struct ext_argument *arguments;
    int argument_count;
    bool arguments_declared;
    int api_version; // 0 = decide
    bool strict;
};
bool function_compile(const struct function_source *source, struct function **ret_function, struct diagnostics *diagnostics,
                      struct fail *fail);
// One function of an extension as what is compiled; texts borrow from it.
struct function_source function_source_of(struct view namespace, const struct ext_function *function, bool strict);
void function_free(struct function *function);

// ---- runs ---------------------------------------------------------------------------------------

struct host_nested {
    int depth; // 0 = called from outside
    int64_t deadline_ns;
    int64_t statements_left;
    int *outgoing_left; // shared by the whole family of runs
    int64_t journal; // of an install action, 0 = none; it is the journal of:
    const struct host_env *journal_env;
    int workflow_depth; // rules that led here, one the other's action
};
// The journal that writes for this caller belong to: an install action may write by calling our own URLs. 0 = none, or another environment's.
int64_t nested_journal(const struct host_nested *nested, const struct identity *who);

struct run {
    struct host *host;
    struct host_env *env; // NULL only in `sluice run` without data
    struct function_table *pin;
    const struct function *function; // the one that was called
    struct exchange *exchange;
    struct heap heap;
    struct vm *vm;
    struct crm_session session;
    bool session_open;
    struct value params, arguments; // of the request, null until bound
    struct value user; // see run_user, null until asked for
    struct value request_v2, request_v1;
    bool bound;
    struct lang_host lang_host;
    int64_t counted_bytes; // of host.memory_bytes
    int64_t begun_ns;
    int64_t deadline_ns; // may be drawn nearer from another thread (run_hurry): read it with run_deadline_ns
    int64_t time_ms; // what it was given
    struct value returned; // by call_run
    struct trace *trace; // of a run that tests a function, else NULL
    int64_t statements_max;
    int outgoing_left;
    int *outgoing; // own counter, or the parent's
    int depth;
    int64_t journal; // of an install action, 0 = none
    int workflow_depth; // rules that led here
    volatile int interrupt;
    bool trigger_noted; // the log says that triggers of writes start nothing
    struct buffer log; // JSON list of {line,text}, without brackets
    struct list *log_values; // info lines as values, for v1.0 replies; in the heap
    size_t log_bytes;
    bool log_cut;
    void (*on_log)(void *user, int line, struct view text);
    void *on_log_user;
    struct buffer calls; // services and requests, see kept.h
    int call_count;
    struct buffer out; // reply bytes before they go to the arena
    struct run *next; // of the loop's warm ones
    struct run *live_next, *live_before; // of those in flight, see watchdog.c
    int live_list;
};

struct run_options {
    struct host_env *env;
    struct function_table *pin; // given over to the run
    const struct function *function;
    struct exchange *exchange;
    int64_t journal;
    int workflow_depth;
    int64_t time_ms; // wall time it may take, 0 = LIMIT_TIME_MS
};
struct run *run_open(struct host *host, const struct run_options *options, struct fail *fail);
void run_close(struct run *run);
void runs_drop(void); // the warm ones, when the process ends
bool run_bind(struct run *run, struct fail *fail); // crmAPIRequest and requestMap, once a run
void run_bind_file(struct run *run, struct view bytes); // `sluice run --file`: file_content of both request objects
int64_t run_left_ms(const struct run *run);
static inline int64_t run_deadline_ns(const struct run *run)
{
    return __atomic_load_n(&run->deadline_ns, __ATOMIC_RELAXED);
}
void run_hurry(struct run *run, int64_t ms); // from any thread while the run lives: it has at most so much left
bool run_log_list(struct run *run, struct heap *heap, struct value *ret_log, struct fail *fail); // its log, list of {line,text}
// Builds and binds crmAPIRequest and requestMap, fills named parameters, calls the function.
bool run_call(struct run *run, struct value *ret_value, struct fail *fail);
void run_log(struct run *run, int line, struct view text);
// The run's CRM session, opened at first use.
bool run_session(struct run *run, struct crm_session **ret_session, struct fail *fail);
bool run_namespace_installed(void *run, struct view namespace);
bool run_count_outgoing(struct run *run, struct fail *fail);
struct ext_vault run_vault(const struct run *run); // for the values of variables

// ---- tests --------------------------------------------------------------------------------------

// Asks host->answers; without them nothing is answered. See struct host_answers.
bool answers_request(struct run *run, const struct out_request *request, bool last, struct heap *heap, bool *ret_answered,
                     struct out_response *ret_response, struct fail *fail);
void answers_ended(const struct run *run, const char *trigger, const struct fail *fail); // after the exchange has its outcome
void answers_refused(const struct host *host, const struct exchange *exchange, const struct fail *fail);

// ---- installing ---------------------------------------------------------------------------------

// Says a line of an installation or a publication.
void host_say(const struct host_message *message, enum log_level level, const char *format, ...) BASE_PRINTF(3, 4);
// A package to be checked; errors are said as LABEL/FILE:LINE:COL: error: …, all of them.
struct verify {
    struct ext_package *package;
    const char *label; // the folder or zip, for messages
    const struct host_message *message;
    const struct ext_files *files; // where lines of errors are looked up; set by verify_package
    bool strict, publishing; // publishing: also what only a published version must have
    struct fail *fail; // of the first error
};
bool verify_package(struct verify *verify); // on a job, or off the loops
void verify_say(const struct verify *verify, const struct fail *fail); // one error
bool verify_source(struct verify *verify, const struct function_source *source, struct function **ret_function); // one script
// Compiles an install action; *ret_function NULL when source.data is.
bool verify_action(struct verify *verify, struct view source, struct view file, struct function **ret_function);
// Over all that is installed: equal digests mean the same version of the same files.
void verify_digest(const struct host *host, const struct ext_package *package, char ret_digest[EXT_DIGEST_LEN + 1]);
// The files of a zip that an extension consists of, without the one folder that all may lie in. The heap holds what is unpacked meanwhile.
bool publish_unpack(struct view zip, struct heap *heap, struct ext_files **ret_files, struct fail *fail);
// Files that are in memory already, as people publish them in the console: as a version that is new (FAIL_EXISTS).
struct publish_text {
    struct ext_files *files; // given over
    const char *label; // for messages
    struct ext_defaults defaults;
    int64_t revision; // of the draft that ends with it, 0 = none; FAIL_EXISTS when it is not that any more
};
bool publish_files(struct host *host, const struct identity *who, const struct publish_text *text, const struct host_message *message,
                   struct host_published *ret_published, struct fail *fail);
bool install_recover(struct host_env *env, struct fail *fail); // rolls back what a killed process left half installed
void watch_stop(struct host *host);
bool watch_serves(struct host *host, const struct host_env *env, struct view namespace); // from a folder, now
enum { HOST_FOLDER_MAX = 4096 };
// The folders that are served, in no order; NULL behind the last. The namespace is empty of one that could not be installed yet.
const char *watch_at(struct host *host, int index, struct arena *arena, char ret_namespace[EXT_NAME_MAX]);
// The same, and which folder. False: none.
bool watch_folder(struct host *host, const struct host_env *env, struct view namespace, char ret_folder[HOST_FOLDER_MAX]);
// Interrupts natives of runs over their time: every run is entered when it opens and left when it closes.
void watchdog_enter(struct run *run);
void watchdog_leave(struct run *run);
void watchdog_stop(void);
void calllog_close(void); // writes what is left

// ---- request and reply --------------------------------------------------------------------------

// Both request objects from the exchange, in the run's heap. `arguments` (JSON of the parameter of that name, or `sluice run --arguments`)
// is in ret_arguments, null if there is none or it is not an object.
bool request_build(struct run *run, struct value *ret_v2, struct value *ret_v1, struct value *ret_params, struct value *ret_arguments,
                   struct fail *fail);
bool request_templates(struct function_table *table, struct fail *fail);
bool request_is_needed(const struct lang_function_info *info); // reads a request object, or has parameters to fill
// Values for the function's declared parameters, in order; names the one that cannot be converted (FAIL_INVALID_DATA).
bool request_parameters(struct run *run, struct value params, struct value arguments, struct value *values, struct fail *fail);

// The reply of a function that returned `value`, in the style of its version.
bool reply_value(struct run *run, struct value value, struct fail *fail);
// The reply of a run that failed (script error or limit).
void reply_failure(struct run *run, const struct fail *fail);
// Does `value` hold a crmAPIResponse (map, or text that holds one)? Gives its map.
bool reply_is_response(struct run *run, struct value value, struct map **ret_response);
bool reply_output_text(struct run *run, struct value value, struct buffer *out, struct fail *fail); // the envelope's "output", unquoted

// Runs, replies and logs; the caller closes the run. False: fail says why, and the reply says it too.
bool call_run(struct run *run, const char *trigger, struct fail *fail);
// A call that no function ran for, after its caller was known: replies and logs. `trigger` as for call_run.
void call_refuse(struct host *host, struct host_env *env, struct exchange *exchange, struct view name, const char *trigger,
                 const struct fail *fail);

// Of a run that nobody's request started: by the clock, by a workflow rule.
struct exchange exchange_inner(struct arena *arena, const struct host_env *env);

// ---- functions of an org ------------------------------------------------------------------------

bool fn_name_valid(struct view name); // of a function of any kind, without it

// What the compiler has found in a script, as host_editor_check tells it. `compiled`: it compiles; else `why` says why, where nothing was found.
struct value editor_findings(struct heap *heap, const struct diagnostics *found, bool compiled, const struct fail *why);

// ---- schedules ----------------------------------------------------------------------------------

// Before schedules are written in an environment: from now on the scheduler looks there.
bool host_schedules_expect(struct host *host, struct host_env *env, struct fail *fail);
void scheduler_poke(struct host *host); // schedules have changed; any thread

// ---- workflow rules and channels ----------------------------------------------------------------

void automation_start(struct host *host); // on a fiber of loop 0
void automation_stop(struct host *host); // waits for what is being done: a function for its time limit, requests are broken off
void automation_poke(void *env); // crm's hook of an environment: something was added
// A request of ours that no run makes, if it is for our own address or a Zoho host name that is answered here: *ret_ours.
bool nested_post(struct host *host, const struct host_env *env, const struct out_request *request, int workflow_depth, struct heap *heap,
                 bool *ret_ours, struct out_response *ret_response, struct fail *fail);

// ---- keys ---------------------------------------------------------------------------------------

bool keys_open(struct host *host, struct fail *fail); // the rules of the settings
bool keys_used(void *host); // for auth: writes last uses some seconds later
void keys_close(struct host *host); // writes what is left
// The namespace that a script means by "portal.namespace", "namespace" or "vcrm_<portal>", where it may be told that one's key (DESIGN
// security 3): an extension's own, a standalone function's any. Empty: none.
bool keys_asked(struct run *run, struct view asked, char ret_namespace[AUTH_NAME_MAX], struct fail *fail);

// ---- audit --------------------------------------------------------------------------------------

// Notes an action of `who` (NULL: the program itself) on what `subject` names, in the audit log of control. Call it when the action is over,
// on a fiber, outside closures: it gives way. action: the command ("key rotate", "ext publish"); no secret may stand in subject. It cannot
// fail: what cannot be written goes to the process log.
void host_audit(struct host *host, const struct identity *who, const char *action, struct view subject); // it was done
// The same, telling whether it was done or failed; gives `good` back.
bool host_audit_outcome(struct host *host, const struct identity *who, const char *action, struct view subject, bool good);

// ---- OAuth ---------------------------------------------------------------------------------------

struct auth_terms oauth_terms(const struct host *host);
// The members of the token endpoint's answer.
bool oauth_put_tokens(const struct host_env *env, struct heap *heap, struct map *map, const struct auth_tokens *tokens);
void oauth_put(struct heap *heap, struct map *map, const char *name, struct view text);
bool oauth_user_active(void *host, const struct identity *who, bool *ret_active, struct fail *fail); // for auth's router
// The caller's user object: the super admin's, or of the user whose token it is. Shared constant or in the run's heap.
bool run_user(struct run *run, struct value *ret_user, struct fail *fail);

// ---- services -----------------------------------------------------------------------------------

struct run *service_run(struct native_call *call); // NULL (and failed) where no platform is: never inside host
extern const struct native services_table[];
extern const size_t services_count;
const struct native *trace_services(void); // the same rows, for native_set_add: each call may be traced. Once a process; NULL without memory
native_fn svc_system_user_email, svc_system_user_name, svc_system_admin_email, svc_system_admin_name, svc_system_ip;
native_fn svc_create_record, svc_update_record, svc_get_record, svc_get_records, svc_search_records, svc_related_records, svc_org_variable;
native_fn svc_get_records_v8, svc_related_records_v8;
native_fn svc_raise_signal, svc_invoke_connector, svc_invokeurl, svc_geturl, svc_posturl, svc_unavailable;
// Is the request for our own address or a Zoho host name that is answered here?
bool nested_is_ours(const struct run *run, const struct out_request *request);
bool nested_is_own(const struct run *run, const struct out_request *request); // our own address, by whatever name of this machine
// Answers it by our own dispatcher on a child fiber; `as` is who asks without a token, NULL: who the request itself says.
bool nested_fetch(struct run *run, const struct out_request *request, const struct identity *as, struct heap *heap,
                  struct out_response *ret_response, struct fail *fail);
// Is it for a Zoho service that is not here? FAIL_SCRIPT names it; what a test answers never gets this far.
bool nested_service(const struct run *run, const struct out_request *request, struct fail *fail);
// A service's failure that the script sees as a value: {"code","details","message","status":"error"}. False (call fails) for faults of the
// machine.
bool service_error(struct native_call *call, const struct fail *fail);

// A saved version of a script as {number, saved_time, source}, in a list that people see.
bool save_show(struct heap *heap, struct list *list, const struct ext_save *save, struct fail *fail);
