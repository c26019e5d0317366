// SPDX-License-Identifier: Apache-2.0
// `sluice ext publish`: a folder or a zip of this machine becomes a published version. A server elsewhere cannot see the folder: it gets a
// zip of it.
#include "cli/package.h"

#include "lib/lib.h"

#include <stdlib.h>
#include <sys/stat.h>

static bool is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static bool pack_folder(const char *path, struct heap *heap, struct view *ret_zip, struct fail *fail)
{
    struct ext_files *files;
    struct value map = value_map(heap, 16);
    if (!ext_files_read(path, true, &files, fail)) {
        return false;
    }
    for (int i = 0; map.type == VALUE_MAP && i < files->count; i++) {
        struct value file = value_file(heap, files->items[i].bytes, files->items[i].path, VIEW("application/octet-stream"));
        map_put_text(heap, map.map, files->items[i].path, file);
    }
    bool ok = (map.type == VALUE_MAP && !heap->failed) || fail_set(fail, FAIL_MEMORY, NULL);
    ok = ok && lib_archive_compress(heap, map, ret_zip, fail);
    ext_files_free(files);
    return ok;
}

static bool read_zip(const char *path, struct heap *heap, struct view *ret_zip, struct fail *fail)
{
    char *data;
    size_t len;
    if (!cli_read_file(path, EXT_PACKAGE_BYTES_MAX, &data, &len, fail)) {
        return false;
    }
    char *copy = heap_alloc(heap, len + 1);
    if (copy && len) {
        memcpy(copy, data, len);
    }
    free(data);
    *ret_zip = (struct view){copy, len};
    return copy || fail_set(fail, FAIL_MEMORY, NULL);
}

static void add_param(struct buffer *target, const char *name, const char *value)
{
    if (value) {
        buffer_printf(target, "%c%s=", view_find_char(buffer_view(target), '?') < 0 ? '?' : '&', name);
        form_encode(target, view_of(value), true);
    }
}

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

bool package_publish(struct client *client, const struct cli_args *args, const char *path, struct heap *heap, struct value *ret_answer,
                     struct fail *fail)
{
    char *folder = realpath(path, NULL);
    struct buffer target, body;
    struct view zip;
    if (!folder) {
        return fail_set(fail, FAIL_IO, "%s: there is no such folder or zip", path);
    }
    buffer_init(&target, 65536);
    buffer_init(&body, EXT_PACKAGE_BYTES_MAX + 65536);
    buffer_add(&target, VIEW("/control/ext/publish"));
    add_param(&target, "namespace", cli_flag(args, "--namespace"));
    add_param(&target, "version", cli_flag(args, "--version"));
    bool ok;
    if (client_is_elsewhere(client)) {
        add_param(&target, "file", base_of(folder));
        struct exchange_header type = {VIEW("content-type"), VIEW("application/zip")};
        ok = is_folder(folder) ? pack_folder(folder, heap, &zip, fail) : read_zip(folder, heap, &zip, fail);
        ok = ok && client_json_typed(client, "POST", buffer_view(&target), zip, &type, heap, ret_answer, fail);
    } else {
        buffer_add(&body, VIEW("{\"folder\":"));
        json_write_text(&body, view_of(folder));
        buffer_add_char(&body, '}');
        ok = client_json(client, "POST", buffer_view(&target), buffer_view(&body), heap, ret_answer, fail);
    }
    buffer_free(&body);
    buffer_free(&target);
    free(folder);
    return ok;
}

void package_print_messages(const struct map *answer)
{
    const struct list *lines = answer ? value_as_list(map_get_text(answer, VIEW("messages"))) : NULL;
    for (uint32_t i = 0; lines && i < lines->count; i++) {
        printf("%.*s\n", VIEW_ARGS(cli_text(value_as_map(lines->items[i]), "text")));
    }
}

static int publish(struct client *client, const struct cli_args *args)
{
    struct heap heap;
    struct fail fail;
    struct value answer;
    int code = CLI_OK;
    heap_init(&heap, PACKAGE_HEAP_BYTES_MAX, NULL);
    if (!package_publish(client, args, args->words[0], &heap, &answer, &fail)) {
        code = cli_failed(&fail);
    } else if (cli_flag(args, "--json")) {
        cli_print_json(answer);
    } else {
        const struct map *map = value_as_map(answer);
        bool new = map &&map_get_text(map, VIEW("new")).boolean;
        package_print_messages(map);
        printf("%s %.*s@%.*s\n", new ? "published" : "published already:", VIEW_ARGS(cli_text(map, "namespace")),
               VIEW_ARGS(cli_text(map, "version")));
    }
    heap_free(&heap);
    return code;
}

int verb_ext_publish(const struct cli_args *args)
{
    return client_run(args, publish);
}
