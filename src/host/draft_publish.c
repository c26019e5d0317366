// SPDX-License-Identifier: Apache-2.0
//
// The newest text of an extension becomes a version, through the checks that `sluice ext publish` makes (publish.c). A draft ends with it;
// in a served folder the version is written to the manifest, which is what people find in git.
#include "host/draft.h"

static bool set_version(struct view text, struct view version, struct buffer *out, struct fail *fail)
{
    buffer_init(out, 2 * EXT_FILE_BYTES_MAX);
    return ext_manifest_set_version(text, version, out, fail);
}

// In the files that are about to be published. A zip of the zoho-extension-toolkit has no manifest, and needs none.
static bool write_version(struct draft *draft, struct view version)
{
    struct ext_file *file = (struct ext_file *)ext_files_find(draft->files, VIEW("extension.json"));
    struct buffer out;
    if (!file) {
        return true;
    }
    bool ok = set_version(file->bytes, version, &out, draft->fail);
    struct view text = ok ? arena_copy(&draft->files->arena, buffer_view(&out)) : VIEW_NONE;
    buffer_free(&out);
    file->bytes = text.data ? text : file->bytes;
    return text.data || (ok && fail_set(draft->fail, FAIL_MEMORY, NULL));
}

// In the folder as it is now.
static bool make_version(struct draft_change *change)
{
    const struct view *version = change->request;
    struct buffer out;
    bool ok = set_version(draft_change_manifest(change), *version, &out, change->draft.fail);
    return draft_change_keep(change, &out, ok);
}

static void write_folder(struct host *host, const struct identity *who, struct view namespace, struct view version,
                         const struct host_message *message)
{
    struct fail fail;
    struct draft_change change = {
        .request = &version, .message = message, .make = make_version, .draft = {.host = host, .who = who, .namespace = namespace}};
    if (!draft_change_run(&change, &fail)) {
        host_say(message, LOG_WARN, "extension.json still has the version before: %s", fail.text);
    }
    draft_close(&change.draft);
}

static bool publish_draft(struct draft *draft, struct view version, const struct host_message *message, struct host_published *published,
                          struct fail *fail)
{
    char label[EXT_NAME_MAX];
    if (!write_version(draft, version)) {
        return false;
    }
    snprintf(label, sizeof label, "%.*s", VIEW_ARGS(draft->namespace));
    struct publish_text text = {.files = draft->files, .label = label};
    if (draft->place != DRAFT_FOLDER) {
        text.defaults = (struct ext_defaults){.name = draft->kept.name, .namespace = draft->kept.namespace, .version = version};
        text.revision = draft->place == DRAFT_KEPT ? draft->kept.revision : 0;
    }
    ext_package_free(draft->package); // its texts lie in the files
    draft->package = NULL;
    draft->files = NULL;
    return publish_files(draft->host, draft->who, &text, message, published, fail);
}

static void put_text(struct heap *heap, struct map *map, const char *name, struct view text)
{
    map_put_text(heap, map, view_of(name), value_text(heap, text));
}

// The version behind what is published now.
static void put_next(struct host *host, const struct identity *who, struct view namespace, struct heap *heap, struct map *map)
{
    struct draft draft = {.host = host, .who = who, .namespace = namespace};
    struct fail ignored;
    if (draft_open(&draft, &ignored)) {
        put_text(heap, map, "next_version", draft_next_version(&draft));
    }
    draft_close(&draft);
}

bool host_draft_publish(struct host *host, const struct identity *who, struct view namespace, struct view version,
                        const struct host_message *message, struct heap *heap, struct map *ret_map, struct fail *fail)
{
    struct draft draft = {.host = host, .who = who, .namespace = namespace, .all = true};
    struct host_published published;
    if (!draft_turn(host, fail)) {
        return false;
    }
    bool ok = draft_open(&draft, fail);
    bool opened = ok, in_folder = ok && draft.place == DRAFT_FOLDER;
    version = ok && !version.len ? draft_next_version(&draft) : version;
    if (ok && !ext_version_valid(version)) {
        ok = fail_set(fail, FAIL_INVALID_DATA, "a version looks like 1.0.0");
    }
    ok = ok && publish_draft(&draft, version, message, &published, fail);
    draft_turn_end(host);
    if (ok && in_folder) {
        write_folder(host, who, namespace, version, message);
    }
    if (ok) {
        put_text(heap, ret_map, "namespace", view_of(published.namespace));
        put_text(heap, ret_map, "version", view_of(published.version));
    } else if (opened && fail->code == FAIL_EXISTS) {
        host_say(message, LOG_ERROR, "%s", fail->text);
    }
    if (opened) {
        put_next(host, who, namespace, heap, ret_map);
    }
    draft_close(&draft);
    return ok;
}

// ---- giving a draft up --------------------------------------------------------------------------

static bool discard_tx(struct tx *tx, void *arg, struct fail *fail)
{
    const struct draft *draft = arg;
    return ext_draft_remove_tx(tx, draft->kept.namespace, fail);
}

bool host_draft_discard(struct host *host, const struct identity *who, struct view namespace, struct fail *fail)
{
    struct draft draft = {.host = host, .who = who, .namespace = namespace};
    bool ok = draft_open(&draft, fail);
    if (ok && draft.place != DRAFT_KEPT) {
        ok = fail_set(fail, FAIL_INVALID_DATA, "\"%.*s\" has no draft: %s", VIEW_ARGS(draft.namespace),
                      draft.place == DRAFT_FOLDER ? "its text is in a folder" : "nothing has been changed since it was published");
    }
    ok = ok && store_write(draft.control, discard_tx, &draft, fail);
    if (ok) {
        host_audit(host, who, "ext discard draft", draft.namespace);
    }
    draft_close(&draft);
    return ok;
}
