// SPDX-License-Identifier: Apache-2.0
// `sluice ext new`: a small extension that works, tests included. The files stand in one table with {{namespace}} and {{name}} in them;
// filled in, they are read as any extension is before the first is written, so what is refused later is refused here. When a file cannot be
// written, those before it are taken back.
#include "cli/cli.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES_MAX = 4096, NAME_BYTES_MAX = 100, FILES_BYTES_MAX = 1 << 20 };

static const struct template
{
    const char *path, *text;
}
templates[] = {
    {"extension.json", "{\n"
                       "  \"name\": {{name_json}},\n"
                       "  \"namespace\": \"{{namespace}}\",\n"
                       "  \"version\": \"1.0.0\",\n"
                       "  \"portal\": \"myportal\",\n"
                       "  \"variables\": [\n"
                       "    { \"field_name\": \"API function URL\", \"api_name\": \"apifunctionurl\", \"type\": \"text\" }\n"
                       "  ]\n"
                       "}\n"},
    {"functions/hello.dg", "// Greets whom the parameter `name` names.\n"
                           "string {{namespace}}.hello(string crmAPIRequest)\n"
                           "{\n"
                           "\tname = crmAPIRequest.get(\"params\").get(\"name\");\n"
                           "\treturn \"Hello \" + ifnull(name,\"world\") + \"!\";\n"
                           "}\n"},
    {"functions/create_lead.dg",
     "// Creates a lead from a JSON body: {\"last_name\": …, \"company\": …}.\n"
     "map {{namespace}}.create_lead(string crmAPIRequest)\n"
     "{\n"
     "\tbody = crmAPIRequest.get(\"body\");\n"
     "\tif(body.isEmpty() || body.toMap().get(\"last_name\") == null)\n"
     "\t{\n"
     "\t\treturn {\"crmAPIResponse\":{\"status_code\":400,\"body\":{\"error\":\"last_name is missing\"}}};\n"
     "\t}\n"
     "\tlead = body.toMap();\n"
     "\tresult = zoho.crm.createRecord(\"Leads\",{\"Last_Name\":lead.get(\"last_name\"),\"Company\":lead.get(\"company\")});\n"
     "\tinfo result;\n"
     "\treturn {\"id\":result.get(\"id\")};\n"
     "}\n"},
    {"install/on_installation.dg",
     "// Runs when the extension is installed: stores the URL of hello, with its key, in the variable \"API function URL\".\n"
     "response = zoho.crm.invokeConnector(\"crm.zapikey\",{\"nameSpace\":\"myportal.{{namespace}}\"});\n"
     "url = \"https://platform.zoho.com/crm/v2/functions/{{namespace}}__hello/actions/execute?auth_type=apikey&zapikey=\" + "
     "response.get(\"response\");\n"
     "zoho.crm.invokeConnector(\"crm.set\",{\"apiname\":\"{{namespace}}.apifunctionurl\",\"value\":url});\n"},
    {"tests/hello.json", "{\n"
                         "  \"function\": \"hello\",\n"
                         "  \"tests\": [\n"
                         "    {\n"
                         "      \"name\": \"greets whom the URL names\",\n"
                         "      \"request\": { \"params\": { \"name\": \"Ada\" } },\n"
                         "      \"expect\": { \"status\": 200, \"output\": \"Hello Ada!\" }\n"
                         "    },\n"
                         "    { \"name\": \"greets the world\", \"expect\": { \"output\": \"Hello world!\" } }\n"
                         "  ]\n"
                         "}\n"},
    {"tests/create_lead.json",
     "{\n"
     "  \"function\": \"create_lead\",\n"
     "  \"tests\": [\n"
     "    {\n"
     "      \"name\": \"creates a lead\",\n"
     "      \"request\": { \"body\": { \"last_name\": \"Hopper\", \"company\": \"Navy\" } },\n"
     "      \"expect\": {\n"
     "        \"output\": { \"id\": { \"$matches\": \"^\\\\d+$\" } },\n"
     "        \"records\": { \"Leads\": [ { \"Last_Name\": \"Hopper\", \"Company\": \"Navy\" } ] }\n"
     "      }\n"
     "    },\n"
     "    {\n"
     "      \"name\": \"refuses a lead without a name\",\n"
     "      \"request\": { \"body\": { \"company\": \"Navy\" } },\n"
     "      \"expect\": { \"status\": 400, \"body\": { \"error\": \"last_name is missing\" }, \"records\": { \"Leads\": [] } }\n"
     "    }\n"
     "  ]\n"
     "}\n"},
    {"tests/installation.json", "{\n"
                                "  \"tests\": [\n"
                                "    {\n"
                                "      \"name\": \"installing stores the function's URL\",\n"
                                "      \"expect\": { \"variables\": { \"apifunctionurl\": { \"$contains\": \"zapikey=${zapikey}\" } } }\n"
                                "    }\n"
                                "  ]\n"
                                "}\n"},
    {".gitignore", "sluice-data/\n"},
    {"README.md", "# {{name}}\n"
                  "\n"
                  "An extension for Zoho CRM, namespace `{{namespace}}`.\n"
                  "\n"
                  "    sluice test     # runs tests/*.json, each on an empty CRM of its own\n"
                  "    sluice serve .  # serves the functions; a saved file is live at once\n"
                  "    sluice call {{namespace}}__hello --param name=Ada\n"
                  "\n"
                  "Functions are `functions/*.dg`, one a file. `install/on_installation.dg` runs when the extension is installed.\n"},
};

struct making {
    const char *folder;
    char namespace[EXT_NAME_MAX];
    char name[NAME_BYTES_MAX + 1];
    bool folder_made;
    int written;
    struct ext_files *files;
};

// ---- names --------------------------------------------------------------------------------------

// Of the folder, however it was named; "." is the current one.
static bool read_base(const char *folder, char *ret_base, size_t size)
{
    char real[PATH_BYTES_MAX], path[PATH_BYTES_MAX];
    snprintf(path, sizeof path, "%s", realpath(folder, real) ? real : folder);
    size_t len = strlen(path);
    while (len > 0 && path[len - 1] == '/') {
        path[--len] = 0;
    }
    const char *slash = strrchr(path, '/');
    return snprintf(ret_base, size, "%s", slash ? slash + 1 : path) < (int)size;
}

static bool is_letter(char c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

// "my-extension" → namespace "myextension", name "My Extension".
static void make_names(struct making *making, const char *base)
{
    size_t len = 0, name_len = 0;
    bool start = true;
    for (const char *c = base; *c; c++) {
        bool word = is_letter(*c) || (*c >= '0' && *c <= '9') || (unsigned char)*c >= 0x80;
        if (word && (unsigned char)*c < 0x80 && (len || is_letter(*c)) && len < sizeof making->namespace - 1) {
            making->namespace[len++] = is_letter(*c) ? (char)(*c | 0x20) : *c;
        }
        if (word && name_len < NAME_BYTES_MAX - 1) {
            if (start && name_len) {
                making->name[name_len++] = ' ';
            }
            making->name[name_len++] = start && *c >= 'a' && *c <= 'z' ? (char)(*c & ~0x20) : *c;
        }
        start = !word;
    }
    making->namespace[len] = 0;
    making->name[utf8_clamp((struct view){making->name, name_len}, NAME_BYTES_MAX)] = 0;
}

static bool choose_names(struct making *making, const struct cli_args *args, struct fail *fail)
{
    char base[PATH_BYTES_MAX];
    const char *namespace = cli_flag(args, "--namespace"), *name = cli_flag(args, "--name");
    if (read_base(making->folder, base, sizeof base)) {
        make_names(making, base);
    }
    if (namespace && snprintf(making->namespace, sizeof making->namespace, "%s", namespace) >= (int)sizeof making->namespace) {
        return fail_set(fail, FAIL_USAGE, "a namespace has at most %d characters", EXT_NAME_MAX - 1);
    }
    if (name && snprintf(making->name, sizeof making->name, "%s", name) >= (int)sizeof making->name) {
        return fail_set(fail, FAIL_USAGE, "a name has at most %d bytes", NAME_BYTES_MAX);
    }
    for (const char *c = making->name; *c; c++) {
        if ((unsigned char)*c < 0x20) {
            return fail_set(fail, FAIL_USAGE, "a name has no control characters");
        }
    }
    if (!making->namespace[0]) {
        return fail_set(fail, FAIL_USAGE, "the folder's name holds no namespace; give one with --namespace");
    }
    return true;
}

// ---- filling in ---------------------------------------------------------------------------------

static void fill(const struct making *making, struct view text, struct buffer *out)
{
    for (ptrdiff_t at; (at = view_find(text, VIEW("{{"))) >= 0;) {
        buffer_add(out, view_slice(text, 0, (size_t)at));
        text = view_from(text, (size_t)at + 2);
        struct view word = view_slice(text, 0, (size_t)view_find(text, VIEW("}}")));
        text = view_from(text, word.len + 2);
        if (view_eq(word, VIEW("name_json"))) {
            json_write_text(out, view_of(making->name));
        } else {
            buffer_add(out, view_of(view_eq(word, VIEW("name")) ? making->name : making->namespace));
        }
    }
    buffer_add(out, text);
}

// In memory, and read as an extension: what is wrong with the names is told now.
static bool fill_all(struct making *making, struct fail *fail)
{
    struct ext_files *files = calloc(1, sizeof *files);
    struct ext_package *package;
    making->files = files;
    if (!files) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    arena_init(&files->arena, FILES_BYTES_MAX);
    files->items = arena_alloc(&files->arena, BASE_COUNT(templates) * sizeof *files->items);
    for (size_t i = 0; files->items && i < BASE_COUNT(templates); i++) {
        struct buffer text;
        buffer_init(&text, FILES_BYTES_MAX);
        fill(making, view_of(templates[i].text), &text);
        files->items[files->count++] =
            (struct ext_file){.path = view_of(templates[i].path), .bytes = arena_copy(&files->arena, buffer_view(&text))};
        buffer_free(&text);
    }
    struct ext_defaults defaults = {.namespace = VIEW("")};
    if (!ext_package_parse(files, view_of(making->folder), &defaults, &package, fail)) {
        fail->code = FAIL_USAGE;
        return false;
    }
    ext_package_free(package);
    return true;
}

// ---- writing ------------------------------------------------------------------------------------

static bool is_empty(const char *folder)
{
    DIR *dir = opendir(folder);
    bool empty = dir != NULL;
    for (struct dirent *entry; empty && (entry = readdir(dir));) {
        empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    }
    if (dir) {
        closedir(dir);
    }
    return empty;
}

static bool make_folder(struct making *making, struct fail *fail)
{
    struct stat info;
    if (mkdir(making->folder, 0777) == 0) {
        making->folder_made = true;
        return true;
    }
    if (errno != EEXIST) {
        return fail_set(fail, FAIL_IO, "%s: %s", making->folder, strerror(errno));
    }
    if (stat(making->folder, &info) != 0 || !S_ISDIR(info.st_mode) || !is_empty(making->folder)) {
        return fail_set(fail, FAIL_EXISTS, "%s is there already and not an empty folder; nothing was made", making->folder);
    }
    return true;
}

// "FOLDER/functions/hello.dg", or the folder of that file.
static bool full_path(const struct making *making, struct view path, bool parent, char out[PATH_BYTES_MAX])
{
    ptrdiff_t slash = view_find_char(path, '/');
    if (parent && slash < 0) {
        return false;
    }
    return snprintf(out, PATH_BYTES_MAX, "%s/%.*s", making->folder, parent ? (int)slash : (int)path.len, path.data) < PATH_BYTES_MAX;
}

static bool write_file(const struct making *making, const struct ext_file *item, struct fail *fail)
{
    char path[PATH_BYTES_MAX];
    if (full_path(making, item->path, true, path) && mkdir(path, 0777) != 0 && errno != EEXIST) {
        return fail_set(fail, FAIL_IO, "%s: %s", path, strerror(errno));
    }
    if (!full_path(making, item->path, false, path)) {
        return fail_set(fail, FAIL_IO, "%s: the path is too long", making->folder);
    }
    FILE *file = fopen(path, "wbx");
    bool ok = file && fwrite(item->bytes.data, 1, item->bytes.len, file) == item->bytes.len;
    ok = (file ? fclose(file) == 0 : false) && ok;
    return ok || fail_set(fail, FAIL_IO, "%s: %s", path, strerror(errno));
}

static void take_back(const struct making *making)
{
    char path[PATH_BYTES_MAX];
    for (int i = making->written; i >= 0; i--) {
        if (i < making->files->count && full_path(making, making->files->items[i].path, false, path)) {
            unlink(path);
        }
        if (i < making->files->count && full_path(making, making->files->items[i].path, true, path)) {
            rmdir(path); // when it is empty by now
        }
    }
    if (making->folder_made) {
        rmdir(making->folder);
    }
}

static bool write_all(struct making *making, struct fail *fail)
{
    if (!make_folder(making, fail)) {
        return false;
    }
    for (; making->written < making->files->count; making->written++) {
        if (!write_file(making, &making->files->items[making->written], fail)) {
            take_back(making);
            return false;
        }
    }
    return true;
}

int verb_ext_new(const struct cli_args *args)
{
    struct making making = {.folder = args->words[0]};
    struct fail fail;
    fail_clear(&fail);
    bool ok = choose_names(&making, args, &fail) && fill_all(&making, &fail) && write_all(&making, &fail);
    if (ok) {
        printf("made the extension %s in %s:\n", making.namespace, making.folder);
        for (int i = 0; i < making.files->count; i++) {
            printf("  %.*s\n", VIEW_ARGS(making.files->items[i].path));
        }
        printf("next:\n  sluice test %s\n  sluice serve %s\n  sluice call %s__hello --param name=Ada\n", making.folder, making.folder,
               making.namespace);
    }
    if (making.files) {
        ext_files_free(making.files);
    }
    return ok ? CLI_OK : cli_failed(&fail);
}
