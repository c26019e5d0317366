// SPDX-License-Identifier: Apache-2.0
//
// An extension that begins in the console: a draft with nothing but its name. Its namespace must be free everywhere here, because functions
// of two extensions under one namespace would be each other's.
#include "host/draft.h"

struct making {
    struct host *host;
    struct arena arena;
    struct view name, namespace, manifest;
    const char *folder;
    bool taken, ok;
    struct fail *fail;
};

// ---- is it right, and free ----------------------------------------------------------------------

static bool write_manifest(struct making *making)
{
    struct buffer out;
    buffer_init(&out, EXT_FILE_BYTES_MAX);
    buffer_add(&out, VIEW("{\n  \"name\": "));
    json_write_text(&out, making->name);
    buffer_add(&out, VIEW(",\n  \"namespace\": "));
    json_write_text(&out, making->namespace);
    buffer_add(&out, VIEW(",\n  \"version\": \"1.0.0\"\n}\n"));
    making->manifest = out.failed ? VIEW_NONE : arena_copy(&making->arena, buffer_view(&out));
    buffer_free(&out);
    return making->manifest.data || fail_set(making->fail, FAIL_MEMORY, NULL);
}

// As whoever publishes it later would read it.
static bool check_manifest(struct making *making)
{
    struct ext_files *files = ext_files_new();
    struct ext_package *package = NULL;
    bool ok = files && ext_files_add(files, VIEW("extension.json"), making->manifest, making->fail) &&
              ext_package_parse(files, VIEW("extension"), NULL, &package, making->fail);
    ext_package_free(package);
    ext_files_free(files);
    return files ? ok : fail_set(making->fail, FAIL_MEMORY, NULL);
}

static void check_job(void *arg)
{
    struct making *making = arg;
    making->ok = write_manifest(making) && check_manifest(making);
    making->folder = making->ok ? draft_find_folder(making->host, making->namespace, &making->arena) : NULL;
}

static bool note_version(void *arg, const struct ext_published *version, struct fail *fail)
{
    struct making *making = arg;
    (void)version, (void)fail;
    making->taken = true;
    return true;
}

static bool note_draft(void *arg, const struct ext_draft *draft, struct fail *fail)
{
    struct making *making = arg;
    (void)draft, (void)fail;
    making->taken = true;
    return true;
}

static bool installed_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct making *making = arg;
    char version[EXT_NAME_MAX];
    bool dev, found;
    if (!ext_installed_tx(tx, making->namespace, version, &dev, &found, fail)) {
        return false;
    }
    making->taken |= found;
    return true;
}

static bool look_in(void *arg, struct host_env *env, struct fail *fail)
{
    return store_read(env->env, installed_tx, arg, fail);
}

static bool refuse_taken(const struct making *making, struct fail *fail)
{
    return fail_set(fail, FAIL_EXISTS, "the namespace \"%.*s\" is taken by another extension; choose another",
                    VIEW_ARGS(making->namespace));
}

// ---- making it ----------------------------------------------------------------------------------

static bool make_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct making *making = arg;
    const struct ext_draft draft = {.namespace = making->namespace, .name = making->name, .version = VIEW("1.0.0")};
    making->taken = false;
    if (!ext_published_tx(tx, making->namespace, note_version, making, fail) ||
        !ext_drafts_tx(tx, making->namespace, &making->arena, note_draft, making, fail)) {
        return false;
    }
    return making->taken ? refuse_taken(making, fail)
                         : ext_draft_begin_tx(tx, &draft, fail) &&
                               ext_draft_put_tx(tx, making->namespace, VIEW("extension.json"), making->manifest, fail);
}

static bool make(struct making *making)
{
    struct fail *fail = making->fail;
    struct store_env *control;
    bool ran = loop_fiber() ? loop_job(check_job, making, fail) : (check_job(making), true);
    if (!ran || !making->ok || !host_envs_each(making->host, look_in, making, fail)) {
        return false;
    }
    if (making->folder || making->taken) {
        return refuse_taken(making, fail);
    }
    if (!host_control(making->host, &control, fail) || !store_write(control, make_tx, making, fail)) {
        return fail->code == FAIL_DUPLICATE_DATA ? refuse_taken(making, fail) : false;
    }
    return true;
}

bool host_draft_new(struct host *host, const struct identity *who, struct view name, struct view namespace, struct heap *heap,
                    struct value *ret_map, struct fail *fail)
{
    enum { NAME_BYTES_MAX = 200 };
    struct making making = {.host = host, .name = view_trim(name), .namespace = view_trim(namespace), .fail = fail};
    struct value map = value_map(heap, 3);
    fail_clear(fail);
    if (making.name.len > NAME_BYTES_MAX) {
        return fail_set(fail, FAIL_INVALID_DATA, "the name has at most %d bytes", NAME_BYTES_MAX);
    }
    if (heap->failed) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    arena_init(&making.arena, 4 << 20);
    bool ok = make(&making);
    if (ok) {
        map_put_text(heap, map.map, VIEW("namespace"), value_text(heap, making.namespace));
        map_put_text(heap, map.map, VIEW("name"), value_text(heap, making.name));
        map_put_text(heap, map.map, VIEW("version"), value_text(heap, VIEW("")));
        host_audit(host, who, "ext new", making.namespace);
    }
    arena_free(&making.arena);
    *ret_map = map;
    return ok;
}
