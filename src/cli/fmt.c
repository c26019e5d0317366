// SPDX-License-Identifier: Apache-2.0
//
// `sluice fmt`: brings scripts into the canonical layout (lang_format), in place, and prints the names of those it changed. `--check`
// writes nothing; `-` reads standard input and writes standard output. Files with errors are left as they are, with the errors on standard
// error.
//
// A file is written beside itself and renamed over the old one, so that whoever reads it meanwhile, and whoever pulls the plug, finds one
// of the two whole.
#include "cli/cli.h"
#include "cli/walk.h"

#include "lang/lang.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct formatting {
    bool check;
    int failed, changed;
};

static void report(struct formatting *formatting, const char *path, int line, int column, struct view text)
{
    formatting->failed++;
    fprintf(stderr, "%s:%d:%d: error: %.*s\n", path, line, column, VIEW_ARGS(text));
}

static void report_broken(void *arg, const char *path, const char *why)
{
    report(arg, path, 1, 1, view_of(why));
}

// ---- writing ------------------------------------------------------------------------------------

static bool write_all(int fd, struct view text)
{
    while (text.len > 0) {
        ssize_t count = write(fd, text.data, text.len);
        if (count < 0 && errno != EINTR) {
            return false;
        }
        text = view_from(text, count > 0 ? (size_t)count : 0);
    }
    return true;
}

// Mode and, where we may, owner are the old file's.
static bool fill(int fd, const struct stat *old, struct view text)
{
    bool owned = fchown(fd, old->st_uid, old->st_gid) == 0 || errno == EPERM;
    return owned && fchmod(fd, old->st_mode & 07777) == 0 && write_all(fd, text) && fsync(fd) == 0;
}

// Hidden and without a script's ending: nobody who watches the folder takes it for a function.
static bool temporary_name(const char *path, char ret_name[PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    int folder = slash ? (int)(slash - path) + 1 : 0;
    return snprintf(ret_name, PATH_MAX, "%.*s.sluice-fmt-XXXXXX", folder, path) < PATH_MAX;
}

// Through links, so that they stay links.
static bool replace_file(const char *path, struct view text)
{
    char real[PATH_MAX], temporary[PATH_MAX];
    struct stat old;
    if (!realpath(path, real) || stat(real, &old) != 0 || access(real, W_OK) != 0) {
        return false;
    }
    errno = ENAMETOOLONG;
    int fd = temporary_name(real, temporary) ? mkstemp(temporary) : -1;
    if (fd < 0) {
        return false;
    }
    bool done = fill(fd, &old, text);
    done = close(fd) == 0 && done && rename(temporary, real) == 0;
    if (!done) {
        int error = errno;
        unlink(temporary);
        errno = error;
    }
    return done;
}

// ---- one file -----------------------------------------------------------------------------------

static void finish_file(struct formatting *formatting, const char *path, struct view source, struct view result)
{
    bool changed = !view_eq(source, result), standard_input = strcmp(path, "-") == 0;
    formatting->changed += changed;
    if (standard_input && !formatting->check) {
        fwrite(result.data, 1, result.len, stdout);
    } else if (changed && !formatting->check && !replace_file(path, result)) {
        report(formatting, path, 1, 1, view_of(strerror(errno)));
    } else if (changed) {
        puts(path);
    }
}

static void report_findings(struct formatting *formatting, const char *path, const struct diagnostics *found, const struct fail *fail)
{
    for (int i = 0; i < found->count; i++) {
        if (found->items[i].level == DIAGNOSTIC_ERROR) {
            report(formatting, path, found->items[i].line, found->items[i].column, found->items[i].text);
        }
    }
    if (!found->errors) {
        report(formatting, path, fail->line ? fail->line : 1, fail->column ? fail->column : 1, view_of(fail->text));
    }
}

static void format_source(struct formatting *formatting, const char *path, struct view source)
{
    struct fail fail;
    struct arena texts;
    struct buffer result;
    struct diagnostics *found = calloc(1, sizeof *found);
    if (!found) {
        report(formatting, path, 1, 1, VIEW("not enough memory"));
        return;
    }
    fail_clear(&fail);
    arena_init(&texts, 16 << 20);
    buffer_init(&result, SOURCE_BYTES_MAX + 1);
    found->arena = &texts;
    if (lang_format(source, &result, found, &fail)) {
        finish_file(formatting, path, source, buffer_view(&result));
    } else {
        report_findings(formatting, path, found, &fail);
    }
    buffer_free(&result);
    arena_free(&texts);
    free(found);
}

static void format_file(void *arg, const char *path)
{
    struct formatting *formatting = arg;
    char *data;
    size_t len;
    struct fail fail;
    if (!cli_read_file(path, SOURCE_BYTES_MAX, &data, &len, &fail)) {
        report(formatting, path, 1, 1, view_of(fail.text));
        return;
    }
    struct view source = {data, len};
    if (walk_is_application(path, source)) {
        report(formatting, path, 1, 1, VIEW(WALK_APPLICATION_TEXT));
    } else {
        format_source(formatting, path, source);
    }
    free(data);
}

int verb_fmt(const struct cli_args *args)
{
    struct formatting formatting = {.check = cli_flag(args, "--check") != NULL};
    struct walk walk = {.file = format_file, .broken = report_broken, .arg = &formatting};
    for (int i = 0; i < args->word_count; i++) {
        walk_path(&walk, args->words[i]);
    }
    return formatting.failed || (formatting.check && formatting.changed) ? CLI_FAILED : CLI_OK;
}
