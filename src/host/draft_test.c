// SPDX-License-Identifier: Apache-2.0
// A test that somebody makes in the console, of a run for example: a new file in tests/ of the folder that the extension is served from.
#include "host/inside.h"

#include <unistd.h>

enum { TEST_NAME_MAX = 100 };

static bool is_name(struct view name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-')) {
            return false;
        }
    }
    return name.len > 0 && name.len <= TEST_NAME_MAX;
}

// It has a list "tests"; whether they pass, and are tests at all, `sluice test` says.
static bool is_test(struct view source)
{
    struct heap heap;
    struct value value;
    struct fail ignored;
    heap_init(&heap, 8 * EXT_FILE_BYTES_MAX, NULL);
    bool is = json_read(&heap, source, &value, &ignored) && value_as_map(value) && value_as_list(map_get_text(value.map, VIEW("tests")));
    heap_free(&heap);
    return is;
}

struct saving {
    const char *folder;
    struct view path, source;
    struct fail *fail;
    bool ok;
};

static void save_job(void *arg)
{
    struct saving *saving = arg;
    char file[HOST_FOLDER_MAX + TEST_NAME_MAX + 32];
    snprintf(file, sizeof file, "%s/%.*s", saving->folder, VIEW_ARGS(saving->path));
    saving->ok = access(file, F_OK) == 0 ? fail_set(saving->fail, FAIL_EXISTS, "%.*s is there already", VIEW_ARGS(saving->path))
                                         : ext_file_write(saving->folder, saving->path, saving->source, saving->fail);
}

static bool save(struct saving *saving)
{
    bool ran = loop_fiber() ? loop_job(save_job, saving, saving->fail) : (save_job(saving), true);
    return ran && saving->ok;
}

bool host_draft_test(struct host *host, const struct identity *who, struct view namespace, struct view name, struct view source,
                     struct heap *heap, struct value *ret_map, struct fail *fail)
{
    struct host_env *env;
    char folder[HOST_FOLDER_MAX], path[TEST_NAME_MAX + 16];
    if (!is_name(name)) {
        return fail_set(fail, FAIL_INVALID_DATA, "a test's name is made of letters, digits, _ and -, at most %d", TEST_NAME_MAX);
    }
    if (source.len > EXT_FILE_BYTES_MAX || !is_test(source)) {
        return fail_set(fail, FAIL_INVALID_DATA, "\"source\" must be JSON with a list \"tests\", at most %d bytes", EXT_FILE_BYTES_MAX);
    }
    if (!host_env_of(host, who, &env, fail)) {
        return false;
    }
    bool served = watch_folder(host, env, namespace, folder);
    snprintf(path, sizeof path, "tests/%.*s.json", VIEW_ARGS(name));
    if (served && !save(&(struct saving){.folder = folder, .path = view_of(path), .source = source, .fail = fail})) {
        return false;
    }
    struct value map = value_map(heap, 2);
    if (map.type == VALUE_MAP) {
        map_put_text(heap, map.map, VIEW("file"), value_text(heap, view_of(path)));
        map_put_text(heap, map.map, VIEW("folder"), served ? value_text(heap, view_of(folder)) : value_null());
    }
    *ret_map = map;
    return !heap->failed || fail_set(fail, FAIL_MEMORY, NULL);
}
