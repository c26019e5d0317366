// SPDX-License-Identifier: Apache-2.0
//
// The newest text of an extension, for the console's developer pages. It is in the folder that this server serves, or in a draft, or in the
// newest published version, in this order. Reading goes on after mistakes: what somebody has saved with errors is what he wants to see, so
// a script that does not compile still has a name, by its header or its file.
#include "host/draft.h"

#include <stdlib.h>

enum { DRAFT_ARENA_BYTES_MAX = 8 << 20, SAVE_WAIT_MS = 60000, SAVE_POLL_MS = 10 };

// ---- names --------------------------------------------------------------------------------------

struct view draft_short_name(struct view namespace, struct view name)
{
    struct view rest = view_from(name, namespace.len);
    if (view_starts_nocase(name, namespace) && (view_starts(rest, VIEW("__")) || view_starts(rest, VIEW(".")))) {
        return view_from(rest, rest.data[0] == '.' ? 1 : 2);
    }
    return name;
}

struct view draft_action_file(struct view name)
{
    static const struct {
        struct view name, file;
    } rows[] = {{VIEW("on_installation"), VIEW("install/on_installation.dg")},
                {VIEW("on_update"), VIEW("install/on_update.dg")},
                {VIEW("on_uninstallation"), VIEW("install/on_uninstallation.dg")}};
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        if (view_eq(name, rows[i].name)) {
            return rows[i].file;
        }
    }
    return VIEW("");
}

static bool is_word(char c)
{
    return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

// Blanks and comments.
static struct view skip_blank(struct view text)
{
    for (;;) {
        text = view_trim(text);
        ptrdiff_t end;
        if (view_starts(text, VIEW("//"))) {
            end = view_find_char(text, '\n');
        } else if (view_starts(text, VIEW("/*"))) {
            end = view_find(text, VIEW("*/"));
            end = end < 0 ? end : end + 1;
        } else {
            return text;
        }
        text = end < 0 ? VIEW("") : view_from(text, (size_t)end + 1);
    }
}

static struct view take_word(struct view *text)
{
    size_t len = 0;
    while (len < text->len && is_word(text->data[len])) {
        len++;
    }
    struct view word = view_slice(*text, 0, len);
    *text = skip_blank(view_from(*text, len));
    return word;
}

// Behind the bracket that closes the one here.
static struct view skip_brackets(struct view text)
{
    int depth = 0;
    for (size_t i = 0; i < text.len; i++) {
        depth += (text.data[i] == '(') - (text.data[i] == ')');
        if (depth == 0) {
            return skip_blank(view_from(text, i + 1));
        }
    }
    return VIEW("");
}

// "string shop.order(map crmAPIRequest) {" → "order"; empty: the script does not begin like that.
static struct view header_name(struct view source)
{
    struct view rest = skip_blank(source), type = take_word(&rest), name = take_word(&rest);
    if (!type.len || !name.len || !view_starts(rest, VIEW("(")) || !view_starts(skip_brackets(rest), VIEW("{"))) {
        return VIEW("");
    }
    for (size_t i = name.len; i > 0; i--) {
        if (name.data[i - 1] == '.') {
            return view_from(name, i);
        }
    }
    ptrdiff_t at = view_find(name, VIEW("__"));
    return at > 0 ? view_from(name, (size_t)at + 2) : name;
}

// "functions/order.dg" → "order"
static struct view stem_of(struct view file)
{
    for (ptrdiff_t slash; (slash = view_find_char(file, '/')) >= 0;) {
        file = view_from(file, (size_t)slash + 1);
    }
    size_t len = file.len;
    while (len > 0 && file.data[len - 1] != '.') {
        len--;
    }
    return len > 1 ? view_slice(file, 0, len - 1) : file;
}

// Without compiling, which takes its time.
static void name_quickly(const struct ext_function *function, struct draft_script *ret_script)
{
    struct view header = function->api_name.len ? function->api_name : header_name(function->source);
    struct view name = header.len ? header : stem_of(function->file);
    snprintf(ret_script->name, sizeof ret_script->name, "%.*s", VIEW_ARGS(name));
}

void draft_name_script(const struct draft *draft, const struct ext_function *function, struct draft_script *ret_script,
                       struct diagnostics *found, struct fail *ret_why)
{
    struct function_source source = function_source_of(draft->namespace, function, draft->host->options.strict);
    struct function *compiled = NULL;
    fail_clear(ret_why);
    name_quickly(function, ret_script);
    if (function_compile(&source, &compiled, found, ret_why)) {
        struct view name = view_from(view_of(compiled->display), draft->namespace.len + 2);
        snprintf(ret_script->name, sizeof ret_script->name, "%.*s", VIEW_ARGS(name));
    }
    ret_script->api_version = compiled ? compiled->api_version : function->version;
    ret_script->errors = compiled ? 0 : found->errors ? found->errors : 1;
    function_free(compiled);
}

// ---- where it is --------------------------------------------------------------------------------

// Of a folder that could not be installed yet: what its manifest says.
static void read_namespace(const char *folder, char ret_namespace[EXT_NAME_MAX])
{
    struct arena arena;
    struct heap heap;
    struct view text;
    struct value manifest;
    struct fail ignored;
    arena_init(&arena, 2 * EXT_ASSET_BYTES_MAX);
    heap_init(&heap, 8 * EXT_FILE_BYTES_MAX, NULL);
    if (ext_file_read(folder, VIEW("extension.json"), &arena, &text, &ignored) && text.data &&
        json_read(&heap, text, &manifest, &ignored) && manifest.type == VALUE_MAP) {
        snprintf(ret_namespace, EXT_NAME_MAX, "%.*s", VIEW_ARGS(value_view_or(map_get_text(manifest.map, VIEW("namespace")), VIEW(""))));
    }
    heap_free(&heap);
    arena_free(&arena);
}

const char *draft_find_folder(struct host *host, struct view namespace, struct arena *arena)
{
    char own[EXT_NAME_MAX];
    const char *folder;
    for (int i = 0; (folder = watch_at(host, i, arena, own)) != NULL; i++) {
        if (!own[0]) {
            read_namespace(folder, own);
        }
        if (view_eq_nocase(view_of(own), namespace)) {
            return folder;
        }
    }
    return NULL;
}

static void find_folder_job(void *arg)
{
    struct draft *draft = arg;
    draft->folder = draft_find_folder(draft->host, draft->namespace, &draft->arena);
    draft->ok = true;
}

static bool keep_draft(void *arg, const struct ext_draft *kept, struct fail *fail)
{
    struct draft *draft = arg;
    (void)fail;
    draft->kept = *kept;
    draft->place = DRAFT_KEPT;
    return true;
}

static bool keep_version(void *arg, const struct ext_published *version, struct fail *fail)
{
    enum { VERSIONS_FIRST = 16 };
    struct draft *draft = arg;
    int count = draft->version_count;
    if (count == 0 || (count >= VERSIONS_FIRST && (count & (count - 1)) == 0)) {
        struct ext_published *more = arena_alloc(&draft->arena, (size_t)(count ? 2 * count : VERSIONS_FIRST) * sizeof *more);
        if (!more) {
            return fail_set(fail, FAIL_MEMORY, NULL);
        }
        if (count) {
            memcpy(more, draft->versions, (size_t)count * sizeof *more);
        }
        draft->versions = more;
    }
    struct ext_published *own = &draft->versions[draft->version_count++];
    *own = (struct ext_published){.namespace = arena_copy(&draft->arena, version->namespace),
                                  .name = arena_copy(&draft->arena, version->name),
                                  .version = arena_copy(&draft->arena, version->version),
                                  .published_ms = version->published_ms};
    return (own->namespace.data && own->name.data && own->version.data) || fail_set(fail, FAIL_MEMORY, NULL);
}

static bool find_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct draft *draft = arg;
    draft->place = draft->folder ? DRAFT_FOLDER : DRAFT_PUBLISHED;
    draft->version_count = 0;
    if (!ext_published_tx(tx, draft->namespace, keep_version, draft, fail) ||
        (!draft->folder && !ext_drafts_tx(tx, draft->namespace, &draft->arena, keep_draft, draft, fail))) {
        return false;
    }
    if (draft->folder) {
        return true;
    }
    if (draft->place == DRAFT_PUBLISHED) {
        if (draft->version_count == 0) {
            return fail_set(fail, FAIL_NOT_FOUND, "there is no extension with the namespace \"%.*s\" to edit here",
                            VIEW_ARGS(draft->namespace));
        }
        const struct ext_published *newest = &draft->versions[0];
        draft->kept = (struct ext_draft){.namespace = newest->namespace, .name = newest->name, .version = newest->version};
    }
    draft->namespace = draft->kept.namespace;
    struct view version = draft->place == DRAFT_KEPT ? VIEW("") : draft->kept.version;
    if (!ext_source_files_tx(tx, draft->namespace, version, draft->all, &draft->files, fail)) {
        return false;
    }
    if (draft->all || ext_files_find(draft->files, VIEW("extension.json"))) {
        return true;
    }
    ext_files_free(draft->files); // without a manifest the pages in app/ say what it is
    draft->files = NULL;
    return ext_source_files_tx(tx, draft->namespace, version, true, &draft->files, fail);
}

// ---- reading ------------------------------------------------------------------------------------

static void pass_over(void *arg, const struct fail *fail)
{
    (void)arg, (void)fail; // mistakes are said where the whole is checked
}

static bool parse(struct draft *draft)
{
    struct ext_defaults defaults = {.mistake = pass_over};
    if (draft->place == DRAFT_FOLDER && !ext_files_read(draft->folder, draft->all, &draft->files, draft->fail)) {
        return false;
    }
    if (draft->place != DRAFT_FOLDER) {
        defaults.name = draft->kept.name;
        defaults.namespace = draft->kept.namespace;
        defaults.version = draft->kept.version;
    }
    if (!ext_package_parse(draft->files, draft->namespace, &defaults, &draft->package, draft->fail)) {
        return false;
    }
    draft->namespace = arena_copy(&draft->arena, draft->package->namespace);
    return draft->namespace.data || fail_set(draft->fail, FAIL_MEMORY, NULL);
}

static bool is_wanted(const struct draft *draft, int index)
{
    return draft->wanted.len && view_eq_nocase(view_of(draft->scripts[index].name), draft->wanted);
}

static void check_script(struct draft *draft, int index, struct diagnostics *found, struct arena *arena)
{
    struct fail why;
    arena_reset(arena);
    *found = (struct diagnostics){.arena = arena};
    draft_name_script(draft, &draft->package->functions[index], &draft->scripts[index], found, &why);
    if (draft->found < 0 && is_wanted(draft, index)) {
        draft->found = index;
        draft->findings = draft->heap ? editor_findings(draft->heap, found, draft->scripts[index].errors == 0, &why) : value_null();
    }
}

// Only what is wanted is compiled, unless it is not found so: a script's look may deceive.
static void name_scripts(struct draft *draft, struct diagnostics *found, struct arena *arena)
{
    for (int i = 0; i < draft->package->function_count; i++) {
        name_quickly(&draft->package->functions[i], &draft->scripts[i]);
        if (draft->check || (draft->found < 0 && is_wanted(draft, i))) {
            check_script(draft, i, found, arena);
        }
    }
    bool missing = draft->wanted.len && draft->found < 0 && !draft->check && !draft_action_file(draft->wanted).len;
    for (int i = 0; missing && draft->found < 0 && i < draft->package->function_count; i++) {
        check_script(draft, i, found, arena);
    }
}

static void find_action(struct draft *draft, struct diagnostics *found)
{
    struct view path = draft_action_file(draft->wanted);
    const struct ext_file *file = path.len ? ext_files_find(draft->files, path) : NULL;
    struct function *compiled = NULL;
    struct fail why;
    static const struct ext_argument arguments[] = {{{"installParamMap", 15}, {"map", 3}}};
    if (!draft->heap || !path.len) {
        return;
    }
    *found = (struct diagnostics){.arena = found->arena};
    fail_clear(&why);
    struct function_source source = {.namespace = draft->namespace,
                                     .api_name = VIEW("install_action"),
                                     .file = path,
                                     .source = file ? file->bytes : VIEW(""),
                                     .return_type = VIEW("void"),
                                     .arguments = arguments,
                                     .argument_count = 1,
                                     .arguments_declared = true,
                                     .api_version = 2,
                                     .strict = draft->host->options.strict};
    bool ok = !file || function_compile(&source, &compiled, found, &why);
    draft->findings = editor_findings(draft->heap, found, ok, &why);
    function_free(compiled);
}

static void read_job(void *arg)
{
    struct draft *draft = arg;
    struct diagnostics *found = calloc(1, sizeof *found);
    struct arena arena;
    arena_init(&arena, 1 << 20);
    draft->ok = parse(draft);
    draft->scripts = draft->ok ? calloc((size_t)draft->package->function_count + 1, sizeof *draft->scripts) : NULL;
    if (draft->ok && (!found || !draft->scripts)) {
        draft->ok = fail_set(draft->fail, FAIL_MEMORY, NULL);
    }
    if (draft->ok) {
        draft->wanted = draft_short_name(draft->namespace, draft->wanted);
        name_scripts(draft, found, &arena);
        found->arena = &arena;
        find_action(draft, found);
    }
    free(found);
    arena_free(&arena);
}

// ---- the whole ----------------------------------------------------------------------------------

static bool run_job(struct draft *draft, void (*fn)(void *arg))
{
    return (loop_fiber() ? loop_job(fn, draft, draft->fail) : (fn(draft), true)) && draft->ok;
}

// People look for "extension.json:3:1".
static bool place_failure(struct fail *fail)
{
    if (fail->file[0] && fail->code == FAIL_INVALID_DATA) {
        const struct fail found = *fail;
        fail_set(fail, FAIL_INVALID_DATA, "%s:%d:%d: %s", found.file, found.line ? found.line : 1, found.column ? found.column : 1,
                 found.text);
    }
    return false;
}

bool draft_open(struct draft *draft, struct fail *fail)
{
    draft->fail = fail;
    draft->found = -1;
    draft->findings = value_null();
    fail_clear(fail);
    arena_init(&draft->arena, DRAFT_ARENA_BYTES_MAX);
    draft->namespace = arena_copy(&draft->arena, draft->namespace);
    draft->wanted = draft->wanted.data ? draft->wanted : VIEW("");
    if (!draft->namespace.len) {
        return fail_set(fail, FAIL_NOT_FOUND, "there is no such extension to edit here");
    }
    if (!host_env_of(draft->host, draft->who, &draft->env, fail) || !host_control(draft->host, &draft->control, fail) ||
        !run_job(draft, find_folder_job) || !store_read(draft->control, find_tx, draft, fail)) {
        return false;
    }
    return run_job(draft, read_job) || place_failure(fail);
}

void draft_close(struct draft *draft)
{
    ext_package_free(draft->package);
    ext_files_free(draft->files);
    free(draft->scripts);
    arena_free(&draft->arena);
    draft->package = NULL;
    draft->files = NULL;
    draft->scripts = NULL;
}

struct view draft_manifest(struct draft *draft)
{
    const struct ext_file *file = ext_files_find(draft->files, VIEW("extension.json"));
    struct buffer text;
    struct fail ignored;
    if (file) {
        return file->bytes;
    }
    buffer_init(&text, EXT_FILE_BYTES_MAX);
    bool ok = json_write(&text, draft->package->manifest, NULL, &ignored);
    struct view copy = ok ? arena_copy(&draft->arena, buffer_view(&text)) : VIEW_NONE;
    buffer_free(&text);
    return copy;
}

// "1.2.3" and "1.2.3+build" → "1.2.4", "1.3.0-beta" → "1.3.0".
static struct view behind(struct draft *draft, struct view version)
{
    struct view core = version, rest = core, release = view_cut(&rest, '+'), numbers = release, tail = release;
    numbers = view_cut(&tail, '-');
    if (numbers.len < release.len) {
        return numbers;
    }
    size_t dot = numbers.len;
    while (dot > 0 && numbers.data[dot - 1] != '.') {
        dot--;
    }
    int64_t patch;
    return view_to_int64(view_from(numbers, dot), &patch) && patch < INT64_MAX
               ? arena_printf(&draft->arena, "%.*s%lld", VIEW_ARGS(view_slice(numbers, 0, dot)), (long long)patch + 1)
               : numbers;
}

struct view draft_next_version(const struct draft *draft)
{
    struct view own = draft->package->version;
    if (draft->version_count == 0 || ext_version_compare(own, draft->versions[0].version) > 0) {
        return own;
    }
    return behind((struct draft *)draft, draft->versions[0].version);
}

// ---- turns --------------------------------------------------------------------------------------

bool draft_turn(struct host *host, struct fail *fail)
{
    for (int64_t waited_ms = 0; atomic_exchange(&host->saving, true); waited_ms += SAVE_POLL_MS) {
        if (waited_ms >= SAVE_WAIT_MS) {
            return fail_set(fail, FAIL_FULL, "another save is still being installed; try again");
        }
        if (!loop_sleep(SAVE_POLL_MS, fail)) {
            return false;
        }
    }
    return true;
}

void draft_turn_end(struct host *host)
{
    atomic_store(&host->saving, false);
}
