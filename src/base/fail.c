// SPDX-License-Identifier: Apache-2.0
// The failure record and its table of codes (fail.def).
#include "base/base.h"

static const struct fail_row {
    const char *symbol, *name, *text;
    int status;
} fail_rows[FAIL_CODES] = {
    [FAIL_NONE] = {"FAIL_NONE", "SUCCESS", "", 200},
#define FAIL(code, name, status, text) [code] = {#code, name, text, status},
#include "base/fail.def"
#undef FAIL
};

bool fail_set_v(struct fail *fail, enum fail_code code, const char *format, va_list args)
{
    fail->code = code;
    fail->line = fail->column = 0;
    fail->file[0] = 0;
    if (format) {
        vsnprintf(fail->text, sizeof fail->text, format, args);
    } else {
        snprintf(fail->text, sizeof fail->text, "%s", fail_rows[code].text);
    }
    fail->text[utf8_clamp(view_of(fail->text), sizeof fail->text - 1)] = 0;
    return false;
}

bool fail_set(struct fail *fail, enum fail_code code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fail_set_v(fail, code, format, args);
    va_end(args);
    return false;
}

void fail_clear(struct fail *fail)
{
    fail->code = FAIL_NONE;
    fail->line = fail->column = 0;
    fail->file[0] = fail->text[0] = 0;
}

const char *fail_name(enum fail_code code)
{
    return fail_rows[code].name;
}

int fail_status(enum fail_code code)
{
    return fail_rows[code].status;
}

const char *fail_default_text(enum fail_code code)
{
    return fail_rows[code].text;
}

const char *fail_symbol(enum fail_code code)
{
    return fail_rows[code].symbol;
}
