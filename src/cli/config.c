// SPDX-License-Identifier: Apache-2.0
// THE settings table. A setting comes, from lowest to highest, from its default here, a line `name = value` of DATA/config, an environment
// variable SLUICE_NAME (dots become underscores), and a flag. A wrong value is an error that names where it stands.
#include "cli/cli.h"

#include "lang/lang.h"
#include "out/out.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

enum setting_type { SETTING_TEXT, SETTING_NUMBER, SETTING_CHOICE };

struct setting {
    const char *name, *flag; // flag: "--listen", NULL = none
    enum setting_type type;
    size_t offset; // in struct cli_settings
    const char *standard; // NULL = none
    const char *choices; // SETTING_CHOICE: "full|normal", the second one is true
    const char *text;
};

#define TEXT(name, flag, member, standard, text)                                                                                           \
    {                                                                                                                                      \
        name, flag, SETTING_TEXT, offsetof(struct cli_settings, member), standard, NULL, text                                              \
    }
#define NUMBER(name, flag, member, standard, text)                                                                                         \
    {                                                                                                                                      \
        name, flag, SETTING_NUMBER, offsetof(struct cli_settings, member), standard, NULL, text                                            \
    }
#define CHOICE(name, flag, member, choices, text)                                                                                          \
    {                                                                                                                                      \
        name, flag, SETTING_CHOICE, offsetof(struct cli_settings, member), NULL, choices, text                                             \
    }

static const struct setting settings_table[] = {
    TEXT("data", "--data", data, "./sluice-data", "data folder"),
    TEXT("listen", "--listen", listen, "127.0.0.1:8080", "address and port; port 0 picks a free one"),
    TEXT("store", "--store", store, "sqlite", "where records are kept: sqlite (files of the data folder), or postgres://USER@HOST/DATABASE"),
    TEXT("server", "--server", server, "", "address of a server elsewhere that commands ask: http://HOST:PORT"),
    TEXT("token", "--token", token, "", "access token for it, of the super admin of the default org (sluice oauth new)"),
    NUMBER("workers", "--workers", workers, NULL, "threads; default: one a core"),
    TEXT("public_url", NULL, public_url, NULL, "what printed URLs start with, when a proxy stands in front"),
    CHOICE("store.sync", NULL, sync_normal, "full|normal",
           "full: every answered write survives a power cut; normal: a killed process only"),
    CHOICE("errors", NULL, errors_http, "zoho|http", "zoho: a script's error answers 200 as at Zoho; http: 500"),
    CHOICE("zoho_hosts", NULL, zoho_hosts_real, "inside|real",
           "inside: scripts' calls to Zoho's CRM hosts are answered here; real: they go out"),
    CHOICE("json_key_order", NULL, json_java_order, "insertion|java-hashmap", "order of keys in replies; java-hashmap is Zoho's"),
    CHOICE("strict", NULL, strict, "false|true", "true: what Zoho's own save refuses is an error"),
    TEXT("outbound.allow", NULL, outbound_allow, "", "private addresses, ranges or host names that invokeurl may reach, comma-separated"),
    TEXT("key.rate", NULL, key_rate, "none", "calls a minute with a namespace's zapikeys: N/minute or none; sluice key set for one of them"),
    TEXT("key.allow", NULL, key_allow, "any",
         "addresses and ranges that calls with zapikeys may come from, comma-separated, or any; sluice key set for one of them"),
    TEXT("proxy.trusted", NULL, proxy_trusted, "",
         "addresses and ranges of proxies whose X-Forwarded-For tells the caller's address and whose X-Forwarded-Proto counts, comma-separated"),
    TEXT("console_hosts", NULL, console_hosts, "", "host names besides this machine's under which the console answers, comma-separated"),
    TEXT("mail.smtp_url", NULL, mail_smtp_url, "",
         "mail server of sendmail: smtp://HOST:PORT or smtps://HOST:PORT; none: scripts cannot mail"),
    TEXT("mail.user", NULL, mail_user, "", "user at the mail server"),
    TEXT("mail.password_file", NULL, mail_password_file, "", "file with that user's password, readable by its owner only"),
    TEXT("mail.from_allowed", NULL, mail_from_allowed, "", "addresses that scripts may send from besides the admin's, comma-separated"),
    TEXT("org.admin_email", NULL, admin_email, "", "e-mail of a new org's super admin"),
    TEXT("org.time_zone", NULL, time_zone, "", "time zone of a new org (default: the machine's)"),
    CHOICE("log.format", NULL, log_format, "text|json", "form of the process's own log lines"),
    TEXT("log.level", NULL, log_level, "info", "error, warn, info or debug"),
};

// ---- values -------------------------------------------------------------------------------------

static bool set_choice(const struct setting *row, struct cli_settings *settings, struct view value, const char *where, struct fail *fail)
{
    struct view rest = view_of(row->choices), first = view_cut(&rest, '|');
    bool second = view_eq_nocase(value, rest);
    if (!second && !view_eq_nocase(value, first)) {
        return fail_set(fail, FAIL_USAGE, "%s: %s must be %s", where, row->name, row->choices);
    }
    if (strcmp(row->name, "log.format") == 0) {
        settings->log_format = second ? "json" : "text";
    } else {
        *(bool *)((char *)settings + row->offset) = second;
    }
    return true;
}

static bool set_value(const struct setting *row, struct cli_settings *settings, struct view value, const char *where, struct fail *fail)
{
    char *member = (char *)settings + row->offset;
    if (row->type == SETTING_CHOICE) {
        return set_choice(row, settings, value, where, fail);
    }
    if (row->type == SETTING_NUMBER) {
        int64_t number;
        if (!view_to_int64(value, &number) || number < 1 || number > 64) {
            return fail_set(fail, FAIL_USAGE, "%s: %s must be a number from 1 to 64", where, row->name);
        }
        *(int64_t *)member = number;
        return true;
    }
    struct view copy = arena_copy(&settings->arena, value);
    if (!copy.data || memchr(value.data ? value.data : "", 0, value.len)) {
        return fail_set(fail, FAIL_USAGE, "%s: %s cannot be used", where, row->name);
    }
    *(const char **)member = copy.data;
    return true;
}

static bool set_limit(struct cli_settings *settings, struct view name, struct view value, const char *where, struct fail *fail)
{
    for (int i = 0; i < HOST_LIMITS; i++) {
        const struct host_limit_row *row = &host_limits[i];
        if (!view_eq(name, view_of(row->name))) {
            continue;
        }
        int64_t number;
        if (!view_to_int64(value, &number) || number < row->lowest || number > row->highest) {
            return fail_set(fail, FAIL_USAGE, "%s: %s must be a number from %lld to %lld", where, row->name, (long long)row->lowest,
                            (long long)row->highest);
        }
        settings->limits[i] = number;
        return true;
    }
    return fail_set(fail, FAIL_USAGE, "%s: there is no limit \"%.*s\"; see sluice docs limits", where, VIEW_ARGS(name));
}

bool settings_limit(struct cli_settings *settings, const char *assignment, struct fail *fail)
{
    struct view value = view_of(assignment), name = view_cut(&value, '=');
    return set_limit(settings, view_trim(name), view_trim(value), "--limit", fail);
}

static bool set_by_name(struct cli_settings *settings, struct view name, struct view value, const char *where, struct fail *fail)
{
    if (view_starts(name, VIEW("limit."))) {
        return set_limit(settings, view_from(name, 6), value, where, fail);
    }
    for (size_t i = 0; i < BASE_COUNT(settings_table); i++) {
        if (view_eq(name, view_of(settings_table[i].name))) {
            return set_value(&settings_table[i], settings, value, where, fail);
        }
    }
    return fail_set(fail, FAIL_USAGE, "%s: there is no setting \"%.*s\"; see sluice docs config", where, VIEW_ARGS(name));
}

// ---- sources ------------------------------------------------------------------------------------

static bool load_file(struct cli_settings *settings, struct fail *fail)
{
    char path[4096], where[4200];
    char *data;
    size_t len;
    snprintf(path, sizeof path, "%s/config", settings->data);
    if (access(path, F_OK) != 0) {
        return true;
    }
    if (!cli_read_file(path, 1 << 20, &data, &len, fail)) {
        return false;
    }
    struct view rest = {data, len};
    bool ok = true;
    for (int line = 1; ok && rest.len; line++) {
        struct view value = view_trim(view_cut(&rest, '\n'));
        if (value.len && value.data[0] != '#') {
            struct view name = view_trim(view_cut(&value, '='));
            snprintf(where, sizeof where, "%s:%d", path, line);
            ok = set_by_name(settings, name, view_trim(value), where, fail);
        }
    }
    free(data);
    return ok;
}

static const char *environment_name(const char *name, char out[64])
{
    size_t len = (size_t)snprintf(out, 64, "SLUICE_%s", name);
    for (size_t i = 0; i < len && i < 63; i++) {
        out[i] = out[i] == '.' ? '_' : out[i] >= 'a' && out[i] <= 'z' ? (char)(out[i] - 32) : out[i];
    }
    return out;
}

static bool load_environment(struct cli_settings *settings, struct fail *fail)
{
    char name[64];
    for (size_t i = 0; i < BASE_COUNT(settings_table); i++) {
        const char *value = getenv(environment_name(settings_table[i].name, name));
        if (value && *value && !set_value(&settings_table[i], settings, view_of(value), name, fail)) {
            return false;
        }
    }
    for (int i = 0; i < HOST_LIMITS; i++) {
        char limit[64], text[80];
        snprintf(text, sizeof text, "limit.%s", host_limits[i].name);
        const char *value = getenv(environment_name(text, limit));
        if (value && *value && !set_limit(settings, view_of(host_limits[i].name), view_of(value), limit, fail)) {
            return false;
        }
    }
    return true;
}

static bool load_flags(const struct cli_args *args, struct cli_settings *settings, struct fail *fail)
{
    for (size_t i = 0; i < BASE_COUNT(settings_table); i++) {
        const char *flag = settings_table[i].flag, *value = flag ? cli_flag(args, flag) : NULL;
        if (value && !set_value(&settings_table[i], settings, view_of(value), flag, fail)) {
            return false;
        }
    }
    return true;
}

// The rules of keys in general are read here to be refused early; host reads them again.
static bool check_key_settings(const struct cli_settings *settings, struct fail *fail)
{
    enum { PROXIES_MAX = 64 };
    struct address_range proxies[PROXIES_MAX];
    struct auth_key_rules rules;
    struct fail why;
    int rate, count;
    if (!auth_rate_read(view_of(settings->key_rate), &rate, &why)) {
        return fail_set(fail, FAIL_USAGE, "key.rate: %s", why.text);
    }
    if (!auth_allow_read(view_of(settings->key_allow), &rules, &why)) {
        return fail_set(fail, FAIL_USAGE, "key.allow: %s", why.text);
    }
    return address_list_read(view_of(settings->proxy_trusted), proxies, PROXIES_MAX, &count, &why) ||
           fail_set(fail, FAIL_USAGE, "proxy.trusted: %s", why.text);
}

// The URL may hold a password: no message repeats it.
static bool is_server(const struct cli_settings *settings)
{
    struct view store = view_of(settings->store);
    return view_starts(store, VIEW("postgres://")) || view_starts(store, VIEW("postgresql://"));
}

static bool check_settings(const struct cli_settings *settings, struct fail *fail)
{
    if (strcmp(settings->store, "sqlite") != 0 && !is_server(settings)) {
        return fail_set(fail, FAIL_USAGE, "store must be sqlite or a URL that begins with postgres://");
    }
    if (settings->time_zone[0] && !zone_exists(view_of(settings->time_zone))) {
        return fail_set(fail, FAIL_USAGE, "org.time_zone: there is no time zone \"%s\"", settings->time_zone);
    }
    struct view smtp = view_of(settings->mail_smtp_url);
    if (smtp.len && !view_starts_nocase(smtp, VIEW("smtp://")) && !view_starts_nocase(smtp, VIEW("smtps://"))) {
        return fail_set(fail, FAIL_USAGE, "mail.smtp_url must be smtp://HOST:PORT or smtps://HOST:PORT");
    }
    return check_key_settings(settings, fail) && out_allow_check(view_of(settings->outbound_allow), fail);
}

static bool apply_log(const struct cli_settings *settings, struct fail *fail)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    for (int i = 0; i < 4; i++) {
        if (strcmp(settings->log_level, names[i]) == 0) {
            log_open((enum log_level)i, strcmp(settings->log_format, "json") == 0);
            return true;
        }
    }
    return fail_set(fail, FAIL_USAGE, "log.level must be error, warn, info or debug");
}

bool settings_load(const struct cli_args *args, bool with_file, struct cli_settings *ret_settings, struct fail *fail)
{
    struct cli_settings settings = {.log_format = "text", .workers = sysconf(_SC_NPROCESSORS_ONLN)};
    arena_init(&settings.arena, 1 << 20);
    for (size_t i = 0; i < BASE_COUNT(settings_table); i++) {
        if (settings_table[i].type == SETTING_TEXT) {
            *(const char **)((char *)&settings + settings_table[i].offset) = settings_table[i].standard;
        }
    }
    for (int i = 0; i < HOST_LIMITS; i++) {
        settings.limits[i] = host_limits[i].standard;
    }
    settings.workers = settings.workers < 1 ? 1 : settings.workers > 64 ? 64 : settings.workers;
    const char *data = cli_flag(args, "--data"), *from_environment = getenv("SLUICE_DATA");
    settings.data = data ? data : from_environment && *from_environment ? from_environment : settings.data; // where the file lies
    settings.org = cli_flag(args, "--org");
    settings.sandbox = cli_flag(args, "--sandbox") != NULL;
    if ((with_file && !load_file(&settings, fail)) || !load_environment(&settings, fail) || !load_flags(args, &settings, fail) ||
        !check_settings(&settings, fail) || !apply_log(&settings, fail)) {
        arena_free(&settings.arena);
        return false;
    }
    *ret_settings = settings;
    return true;
}

void settings_free(struct cli_settings *settings)
{
    arena_free(&settings->arena);
}

struct host_options settings_host_options(const struct cli_settings *settings)
{
    return (struct host_options){
        .data_folder = settings->data,
        .store_url = is_server(settings) ? settings->store : NULL,
        .sync_normal = settings->sync_normal,
        .errors_http = settings->errors_http,
        .zoho_hosts_real = settings->zoho_hosts_real,
        .json_java_order = settings->json_java_order,
        .strict = settings->strict,
        .outbound_allow = view_of(settings->outbound_allow),
        .mail_smtp_url = view_of(settings->mail_smtp_url),
        .mail_user = view_of(settings->mail_user),
        .mail_password_file = view_of(settings->mail_password_file),
        .mail_from_allowed = view_of(settings->mail_from_allowed),
        .admin_email = view_of(settings->admin_email),
        .key_rate = view_of(settings->key_rate),
        .key_allow = view_of(settings->key_allow),
        .proxy_trusted = view_of(settings->proxy_trusted),
        .console_hosts = view_of(settings->console_hosts),
        .time_zone = view_of(settings->time_zone),
        .listen_address = settings->listen,
        .public_url = settings->public_url,
        .limits = settings->limits,
    };
}

void settings_print(FILE *out)
{
    fprintf(out, "# Settings\n\nA line `name = value` in DATA/config, an environment variable, or a flag; the later wins.\n\n"
                 "| setting | environment | flag | default | what |\n|---|---|---|---|---|\n");
    char name[64];
    for (size_t i = 0; i < BASE_COUNT(settings_table); i++) {
        const struct setting *row = &settings_table[i];
        struct view rest = view_of(row->choices), first = view_cut(&rest, '|');
        fprintf(out, "| %s | %s | %s | %.*s | %s%s%s |\n", row->name, environment_name(row->name, name), row->flag ? row->flag : "",
                VIEW_ARGS(row->choices ? first : view_of(row->standard ? row->standard : "")), row->text, row->choices ? "; one of " : "",
                row->choices ? row->choices : "");
    }
    fprintf(out, "\nEvery limit of `sluice docs limits` is a setting too: limit.NAME, SLUICE_LIMIT_NAME. The master key's file: "
                 "SLUICE_MASTER_KEY_FILE.\n");
}
