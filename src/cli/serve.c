// SPDX-License-Identifier: Apache-2.0
// `sluice serve`: host and web on the loops, the folders installed and watched, the lines others wait for on standard output (PRODUCT,
// Commands).
#include "cli/cli.h"

#include "loop/loop.h"
#include "web/web.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { STOP_POLL_MS = 10 };

struct serving {
    const struct cli_args *args;
    struct cli_settings settings;
    struct host *host;
    struct web *web;
    char control[4096];
    struct host_message message;
    struct buffer urls;
    int code;
    bool stopping;
};

static void print_line(void *user, enum log_level level, const char *text)
{
    (void)user;
    if (level != LOG_DEBUG) {
        printf("%s\n", text);
        fflush(stdout);
    }
}

static bool is_loopback(const char *address)
{
    return strncmp(address, "127.", 4) == 0 || strncmp(address, "localhost:", 10) == 0 || strncmp(address, "[::1]:", 6) == 0;
}

// A folder that does not compile stays watched: its last good version serves, and the next save may mend it.
static bool install_folder(struct serving *serving, const char *folder, struct fail *fail)
{
    char namespace[EXT_NAME_MAX] = "";
    struct identity owner;
    if (!host_folder_install(serving->host, folder, cli_flag(serving->args, "--reinstall") != NULL, &serving->message, namespace,
                             fail)) {
        char manifest[4200];
        snprintf(manifest, sizeof manifest, "%s/extension.json", folder);
        if (access(manifest, R_OK) != 0) {
            return false; // no extension at all: a wrong path
        }
        fail_clear(fail);
    } else if (!host_org_owner(serving->host, VIEW(""), false, &owner, fail) ||
               !host_function_urls(serving->host, &owner, view_of(namespace), true, &serving->urls, fail)) {
        return false;
    }
    return host_folder_watch(serving->host, folder, namespace, &serving->message, fail);
}

static bool open_all(struct serving *serving, struct fail *fail)
{
    struct host_options options = settings_host_options(&serving->settings);
    options.outbound_loopback = serving->args->word_count > 0 && is_loopback(serving->settings.listen);
    if (!host_open(&options, &serving->host, fail)) {
        return false;
    }
    snprintf(serving->control, sizeof serving->control, "%s/control.sock", serving->settings.data);
    struct web_options web = {.host = serving->host,
                              .listen = serving->settings.listen,
                              .control_path = serving->control,
                              .connections_max = 60000,
                              .on_exchange = host_log_exchange};
    if (!web_open(&web, &serving->web, fail)) {
        return false;
    }
    host_set_address(serving->host, web_address(serving->web));
    for (int i = 0; i < serving->args->word_count; i++) {
        if (!install_folder(serving, serving->args->words[i], fail)) {
            return false;
        }
    }
    return true;
}

static void close_all(struct serving *serving)
{
    if (serving->web) {
        web_stop(serving->web);
        host_schedules_stop(serving->host);
        struct fail fail;
        while (web_busy(serving->web) > 0 && loop_sleep(STOP_POLL_MS, &fail)) { // each run has its time limit, so this ends
        }
        web_close(serving->web);
    }
    if (serving->host) {
        host_close(serving->host);
    }
    loop_stop();
}

static void stop_serving(void *arg)
{
    struct serving *serving = arg;
    if (!serving->stopping) {
        serving->stopping = true;
        close_all(serving);
    }
}

// The last line but one, where this binary has a console.
static void print_console(struct serving *serving)
{
    char link[AUTH_SESSION_LEN + 1];
    struct fail fail;
    if (!web_has_console()) {
        return;
    }
    if (host_link_new(serving->host, NULL, VIEW(""), link, &fail)) {
        printf("console %s/console/sign-in?link=%s\n", host_public_url(serving->host), link);
    } else {
        log_line(LOG_ERROR, "console", "no sign-in link: %s", fail.text);
    }
}

static void start_serving(void *arg)
{
    struct serving *serving = arg;
    struct fail fail;
    fail_clear(&fail);
    if (!open_all(serving, &fail)) {
        serving->code = cli_failed(&fail);
        serving->stopping = true;
        close_all(serving);
        return;
    }
    printf("listening on http://%s\n", web_address(serving->web));
    fputs(buffer_text(&serving->urls), stdout);
    print_console(serving);
    puts("ready");
    fflush(stdout);
    host_schedules_start(serving->host);
    loop_on_stop(stop_serving, serving);
}

int verb_serve(const struct cli_args *args)
{
    struct serving *serving = calloc(1, sizeof *serving);
    struct fail fail;
    if (!serving) {
        return CLI_FAILED;
    }
    serving->args = args;
    serving->message.line = print_line;
    buffer_init(&serving->urls, 64 << 20);
    if (!settings_load(args, true, &serving->settings, &fail)) {
        cli_failed(&fail);
        free(serving);
        return CLI_USAGE;
    }
    if (!loop_start((int)serving->settings.workers, &fail) || !loop_run(start_serving, serving, &fail)) {
        serving->code = cli_failed(&fail);
    }
    int code = serving->code;
    buffer_free(&serving->urls);
    settings_free(&serving->settings);
    free(serving);
    return code;
}
