// SPDX-License-Identifier: Apache-2.0
//
// Saving in the console. What is served from a folder is written into it, file by file, and installed at once; everything else goes into
// the draft in one closure. Both are read first and written after, so saves of one process take turns, and a draft that another process has
// changed meanwhile is read again: the last save wins, whole.
#include "host/draft.h"

#include <stdlib.h>

enum { ATTEMPTS_MAX = 20 };

// ---- writing ------------------------------------------------------------------------------------

struct applying {
    struct draft *draft;
    const struct draft_file *files;
    int count;
    int64_t before_ms[DRAFT_CHANGES_MAX]; // when each file of the folder was last changed
    bool ok;
};

static void write_job(void *arg)
{
    struct applying *applying = arg;
    const struct draft *draft = applying->draft;
    applying->ok = true;
    for (int i = 0; applying->ok && i < applying->count; i++) {
        applying->before_ms[i] = ext_file_saved_ms(draft->folder, applying->files[i].path);
        applying->ok = ext_file_write(draft->folder, applying->files[i].path, applying->files[i].bytes, draft->fail);
    }
}

// When the text that a save takes the place of was saved; 0: nobody knows.
static int64_t time_before(const struct applying *applying, int index)
{
    const struct draft *draft = applying->draft;
    return draft->place == DRAFT_FOLDER      ? applying->before_ms[index]
           : draft->place == DRAFT_PUBLISHED ? draft->versions[0].published_ms
                                             : 0;
}

// What was there before is kept too, if nobody has saved it here: it came with the version, or from an editor.
static bool keep_saves_tx(struct tx *tx, void *arg, struct fail *fail)
{
    const struct applying *applying = arg;
    const struct draft *draft = applying->draft;
    int64_t now_ms = clock_wall_ms();
    for (int i = 0; i < applying->count; i++) {
        const struct draft_file *file = &applying->files[i];
        const struct ext_file *old = ext_files_find(draft->files, file->path);
        int64_t before_ms = time_before(applying, i);
        if (view_ends(file->path, VIEW(".json"))) {
            continue; // the manifest, a module, a connector: no script
        }
        if (old && !ext_script_save_tx(tx, draft->namespace, file->path, old->bytes, before_ms ? before_ms : now_ms, fail)) {
            return false;
        }
        if (file->bytes.data && !ext_script_save_tx(tx, draft->namespace, file->path, file->bytes, now_ms, fail)) {
            return false;
        }
    }
    return true;
}

static bool apply_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct applying *applying = arg;
    struct draft *draft = applying->draft;
    bool turned = true;
    fail_clear(fail);
    draft->moved = false;
    if (draft->place == DRAFT_PUBLISHED) {
        draft->moved = !ext_draft_begin_tx(tx, &draft->kept, fail) && fail->code == FAIL_DUPLICATE_DATA;
        if (fail->code != FAIL_NONE || !ext_draft_copy_tx(tx, draft->kept.namespace, draft->kept.version, fail)) {
            return false;
        }
    } else if (!ext_draft_turn_tx(tx, draft->kept.namespace, draft->kept.revision, &turned, fail)) {
        return false;
    }
    draft->moved = !turned;
    if (draft->moved) {
        return fail_set(fail, FAIL_EXISTS, "somebody else has saved at the same time; try again");
    }
    for (int i = 0; i < applying->count; i++) {
        if (!ext_draft_put_tx(tx, draft->kept.namespace, applying->files[i].path, applying->files[i].bytes, fail)) {
            return false;
        }
    }
    return ext_draft_check_tx(tx, draft->kept.namespace, fail) && keep_saves_tx(tx, applying, fail);
}

// Publishing refuses the same later; here nobody has built on it yet.
static bool check_sizes(const struct draft *draft, const struct draft_file *files, int count)
{
    size_t bytes = 0;
    for (int i = 0; i < draft->files->count; i++) {
        bytes += draft->files->items[i].bytes.len;
    }
    for (int i = 0; i < count; i++) {
        bytes += files[i].bytes.len;
        if (files[i].bytes.len > EXT_FILE_BYTES_MAX) {
            return fail_set(draft->fail, FAIL_TOO_LARGE, "%.*s is larger than %d bytes", VIEW_ARGS(files[i].path), EXT_FILE_BYTES_MAX);
        }
        if (!utf8_valid(files[i].bytes)) {
            return fail_set(draft->fail, FAIL_INVALID_DATA, "%.*s is not UTF-8 text", VIEW_ARGS(files[i].path));
        }
    }
    return (bytes <= EXT_PACKAGE_BYTES_MAX && draft->files->count + count <= EXT_FILES_MAX) ||
           fail_set(draft->fail, FAIL_TOO_LARGE, "the extension would have more than %d bytes or %d files", EXT_PACKAGE_BYTES_MAX,
                    EXT_FILES_MAX);
}

bool draft_apply(struct draft *draft, const struct draft_file *files, int count, const struct host_message *message)
{
    struct applying applying = {.draft = draft, .files = files, .count = count};
    char namespace[EXT_NAME_MAX];
    struct fail why;
    draft->moved = false;
    if (!check_sizes(draft, files, count)) {
        return false;
    }
    if (draft->place != DRAFT_FOLDER) {
        return store_write(draft->control, apply_tx, &applying, draft->fail);
    }
    bool ran = loop_fiber() ? loop_job(write_job, &applying, draft->fail) : (write_job(&applying), true);
    if (!ran || !applying.ok) {
        return false;
    }
    if (!store_write(draft->control, keep_saves_tx, &applying, &why)) {
        host_say(message, LOG_WARN, "the save is not in the history: %s", why.text);
    }
    if (!host_folder_install(draft->host, draft->folder, false, message, namespace, &why) && why.code == FAIL_FULL) {
        host_say(message, LOG_ERROR, "%s", why.text); // everything else has been said
    }
    return true;
}

// ---- one change, from reading to writing --------------------------------------------------------

static bool try_change(struct draft_change *change, struct fail *fail)
{
    return draft_open(&change->draft, fail) && change->make(change) &&
           (change->count == 0 || draft_apply(&change->draft, change->files, change->count, change->message));
}

// The draft stays open for what comes after.
bool draft_change_run(struct draft_change *change, struct fail *fail)
{
    const struct draft asked = change->draft;
    bool ok = false;
    if (!draft_turn(asked.host, fail)) {
        return false;
    }
    for (int i = 0; !ok && i < ATTEMPTS_MAX; i++) {
        draft_close(&change->draft);
        change->draft = asked;
        change->count = 0;
        ok = try_change(change, fail);
        if (!change->draft.moved) {
            break;
        }
    }
    draft_turn_end(asked.host);
    return ok;
}

void draft_change_add(struct draft_change *change, struct view path, struct view bytes)
{
    change->files[change->count++] = (struct draft_file){path, bytes};
}

// The manifest as the files here leave it; edits follow each other.
struct view draft_change_manifest(struct draft_change *change)
{
    for (int i = 0; i < change->count; i++) {
        if (view_eq(change->files[i].path, VIEW("extension.json"))) {
            return change->files[i].bytes;
        }
    }
    return draft_manifest(&change->draft);
}

bool draft_change_keep(struct draft_change *change, struct buffer *out, bool good)
{
    struct draft *draft = &change->draft;
    struct view text = good ? arena_copy(&draft->arena, buffer_view(out)) : VIEW_NONE;
    buffer_free(out);
    if (!good) {
        return false;
    }
    for (int i = 0; i < change->count; i++) {
        if (view_eq(change->files[i].path, VIEW("extension.json"))) {
            change->files[i].bytes = text;
            return text.data || fail_set(draft->fail, FAIL_MEMORY, NULL);
        }
    }
    if (!view_eq(text, draft_manifest(draft))) {
        draft_change_add(change, VIEW("extension.json"), text);
    }
    return text.data || fail_set(draft->fail, FAIL_MEMORY, NULL);
}

void draft_change_audit(const struct draft_change *change, const char *action, struct view name)
{
    char subject[3 * EXT_NAME_MAX];
    snprintf(subject, sizeof subject, "%.*s/%.*s", VIEW_ARGS(change->draft.namespace), VIEW_ARGS(name));
    host_audit(change->draft.host, change->draft.who, action, view_of(subject));
}

// ---- functions ----------------------------------------------------------------------------------

static bool put_entry(struct draft_change *change, const struct ext_manifest_function *function)
{
    struct buffer out;
    buffer_init(&out, 2 * EXT_FILE_BYTES_MAX);
    return draft_change_keep(change, &out, ext_manifest_put_function(draft_change_manifest(change), function, &out, change->draft.fail));
}

struct naming {
    const struct draft *draft;
    const struct ext_function *function;
    struct draft_script script;
    bool ok;
};

static void name_job(void *arg)
{
    struct naming *naming = arg;
    struct diagnostics *found = calloc(1, sizeof *found);
    struct arena arena;
    struct fail why;
    naming->ok = found != NULL;
    if (found) {
        arena_init(&arena, 1 << 20);
        found->arena = &arena;
        draft_name_script(naming->draft, naming->function, &naming->script, found, &why);
        arena_free(&arena);
    }
    free(found);
}

// A script whose header or file would give the function another name gets an entry in the manifest, which counts more.
static bool pin_name(struct draft_change *change, struct view name, const struct ext_function *function)
{
    struct draft *draft = &change->draft;
    struct naming naming = {.draft = draft, .function = function};
    bool ran = loop_fiber() ? loop_job(name_job, &naming, draft->fail) : (name_job(&naming), true);
    if (!ran || !naming.ok) {
        return ran ? fail_set(draft->fail, FAIL_MEMORY, NULL) : false;
    }
    const struct ext_manifest_function entry = {
        .api_name = name, .file = function->file, .apikey = EXT_ACCESS_KEEP, .oauth = EXT_ACCESS_KEEP};
    return view_eq_nocase(view_of(naming.script.name), name) || put_entry(change, &entry);
}

struct view draft_free_path(struct draft *draft, const char *folder, struct view name, const char *ending)
{
    struct view path = VIEW_NONE;
    for (int i = 1; i < EXT_FILES_MAX; i++) {
        path = i == 1 ? arena_printf(&draft->arena, "%s/%.*s.%s", folder, VIEW_ARGS(name), ending)
                      : arena_printf(&draft->arena, "%s/%.*s_%d.%s", folder, VIEW_ARGS(name), i, ending);
        bool taken = false;
        for (int k = 0; !taken && k < draft->files->count; k++) {
            taken = view_eq_nocase(draft->files->items[k].path, path);
        }
        if (!taken) {
            break;
        }
    }
    return path;
}

static bool describe_new(struct draft_change *change, struct ext_function *function)
{
    struct draft *draft = &change->draft;
    if (!((const struct host_draft_put *)change->request)->source.data) {
        return fail_set(draft->fail, FAIL_NOT_FOUND, "\"%.*s\" has no function \"%.*s\"", VIEW_ARGS(draft->namespace),
                        VIEW_ARGS(draft->wanted));
    }
    if (!fn_name_valid(draft->wanted)) {
        return fail_set(draft->fail, FAIL_INVALID_DATA,
                        "a function's name has 1 to %d letters, digits and single underscores, and begins with a letter", EXT_NAME_MAX - 1);
    }
    *function = (struct ext_function){.file = draft_free_path(draft, "functions", draft->wanted, "dg"), .apikey = true, .oauth = true};
    return function->file.data || fail_set(draft->fail, FAIL_MEMORY, NULL);
}

// A manifest may name itself as a script.
static bool check_file(const struct draft *draft, struct view file)
{
    return !view_eq(file, VIEW("extension.json")) ||
           fail_set(draft->fail, FAIL_INVALID_DATA,
                    "extension.json says that it is itself the script of this function; it is not written over");
}

static bool make_put(struct draft_change *change)
{
    struct draft *draft = &change->draft;
    const struct host_draft_put *put = change->request;
    struct ext_function function;
    if (draft->found >= 0) {
        function = draft->package->functions[draft->found];
    } else if (!describe_new(change, &function)) {
        return false;
    }
    struct view name = draft->found >= 0 ? view_of(draft->scripts[draft->found].name) : draft->wanted;
    if (!check_file(draft, function.file)) {
        return false;
    }
    if (put->source.data) {
        function.source = put->source;
        draft_change_add(change, function.file, put->source);
        if (!pin_name(change, name, &function)) {
            return false;
        }
    }
    const struct ext_manifest_function entry = {.api_name = name, .file = function.file, .apikey = put->apikey, .oauth = put->oauth};
    bool switched = put->apikey != EXT_ACCESS_KEEP || put->oauth != EXT_ACCESS_KEEP;
    return !switched || put_entry(change, &entry);
}

struct access {
    const struct host_draft_put *put;
    struct view canonical;
    bool found;
};

static bool access_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct access *access = arg;
    return ext_function_access_tx(tx, access->canonical, access->put->apikey, access->put->oauth, &access->found, fail);
}

// At once, in every environment of the org that has it.
static bool switch_installed(const struct draft_change *change, struct fail *fail)
{
    const struct draft *draft = &change->draft;
    const struct host_draft_put *put = change->request;
    char full[4 * EXT_NAME_MAX], text[4 * EXT_NAME_MAX];
    struct access access = {.put = put};
    if (put->apikey == EXT_ACCESS_KEEP && put->oauth == EXT_ACCESS_KEEP) {
        return true;
    }
    snprintf(full, sizeof full, "%.*s.%.*s", VIEW_ARGS(draft->namespace), VIEW_ARGS(draft->wanted));
    if (!ext_name_canonical(view_of(full), text, sizeof text, &access.canonical)) {
        return true;
    }
    for (int sandbox = 0; sandbox < 2; sandbox++) {
        struct host_env *env;
        if (!host_env_find(draft->host, draft->env->org_number, sandbox == 1, &env, fail)) {
            if (sandbox == 1 && fail->code == FAIL_NOT_FOUND) {
                break;
            }
            return false;
        }
        if (!store_write(env->env, access_tx, &access, fail)) {
            return false;
        }
    }
    fail_clear(fail);
    return true;
}

bool host_draft_put(struct host *host, const struct identity *who, const struct host_draft_put *request, const struct host_message *message,
                    struct heap *heap, struct value *ret_map, struct fail *fail)
{
    struct draft_change change = {.request = request,
                                  .message = message,
                                  .make = make_put,
                                  .draft = {.host = host, .who = who, .namespace = request->namespace, .wanted = request->function}};
    bool ok = draft_change_run(&change, fail) && switch_installed(&change, fail);
    if (ok) {
        draft_change_audit(&change, "ext save", change.draft.wanted);
    }
    ok = ok && draft_show_function(host, who, request->namespace, request->function, false, heap, ret_map, fail);
    draft_close(&change.draft);
    return ok;
}

static bool make_drop(struct draft_change *change)
{
    struct draft *draft = &change->draft;
    struct buffer out;
    if (draft->found < 0) {
        return fail_set(draft->fail, FAIL_NOT_FOUND, "\"%.*s\" has no function \"%.*s\"", VIEW_ARGS(draft->namespace),
                        VIEW_ARGS(draft->wanted));
    }
    struct view file = draft->package->functions[draft->found].file;
    if (!check_file(draft, file)) {
        return false;
    }
    buffer_init(&out, 2 * EXT_FILE_BYTES_MAX);
    if (!draft_change_keep(change, &out, ext_manifest_drop_function(draft_change_manifest(change), file, &out, draft->fail))) {
        return false;
    }
    draft_change_add(change, file, VIEW_NONE);
    return true;
}

bool host_draft_drop(struct host *host, const struct identity *who, struct view namespace, struct view function,
                     const struct host_message *message, struct fail *fail)
{
    struct draft_change change = {
        .message = message, .make = make_drop, .draft = {.host = host, .who = who, .namespace = namespace, .wanted = function}};
    bool ok = draft_change_run(&change, fail);
    if (ok) {
        draft_change_audit(&change, "ext remove function", change.draft.wanted);
    }
    draft_close(&change.draft);
    return ok;
}
