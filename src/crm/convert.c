// SPDX-License-Identifier: Apache-2.0
// Values of a request become what is stored. One function a kind; each says yes with a parameter, or no with the row error Zoho gives.
//
// What is lenient: look-ups come as a bare id or as {"id":…}; an empty text clears a field. Deluge scripts do more all the time: numbers
// and booleans as text ("12", "true"), dates as date values. REST (session->strict) has each field's JSON type, and the forms of phones and
// websites. A number is no text, a date text is yyyy-MM-dd, a date and time text is ISO 8601, lists and maps go only where a list or a map
// is expected (spec/crm-api.md §2.8).
#include "crm/item.h"

#include <math.h>

enum { JSON_VALUE_BYTES_MAX = 1 << 20, EMAIL_BYTES_MAX = 256, EXACT_MILLIONS = 1000000 };

static bool refuse_type(const struct crm_field *field, struct crm_row_error *error)
{
    *error = (struct crm_row_error){.problem = CRM_ROW_TYPE, .api_name = field->api_name, .expected = field->type->expected};
    if (field->kind == CRM_KIND_JSON) {
        error->expected = field->array ? "jsonarray" : "jsonobject";
    }
    return false;
}

static bool refuse_length(const struct crm_field *field, struct crm_row_error *error)
{
    *error = (struct crm_row_error){.problem = CRM_ROW_LENGTH, .api_name = field->api_name, .length = field->length};
    return false;
}

bool crm_id_read(struct value id, int64_t *ret_id)
{
    int64_t number;
    if (id.type == VALUE_NUMBER) {
        number = id.number;
    } else if (id.type == VALUE_TEXT) {
        struct view text = view_trim(value_view(id));
        if (text.len == 0 || text.len > 19 || text.data[0] < '0' || text.data[0] > '9' || !view_to_int64(text, &number)) {
            return false;
        }
    } else {
        return false;
    }
    if (number <= 0) {
        return false;
    }
    *ret_id = number;
    return true;
}

// ---- texts --------------------------------------------------------------------------------------

static bool is_email_char(unsigned char c)
{
    return c > ' ' && c != 127 && !strchr("()<>[]:;,\\\"@", c);
}

// One @, something before it, a dot inside what follows. Letters beyond ASCII are fine: Zoho takes internationalised addresses.
bool crm_email_valid(struct view text)
{
    ptrdiff_t at = view_find_char(text, '@');
    if (at < 1 || text.len > EMAIL_BYTES_MAX) {
        return false;
    }
    struct view host = view_from(text, (size_t)at + 1);
    ptrdiff_t dot = view_find_char(host, '.');
    for (size_t i = 0; i < text.len; i++) {
        if (i != (size_t)at && !is_email_char((unsigned char)text.data[i])) {
            return false;
        }
    }
    return dot > 0 && host.data[host.len - 1] != '.' && view_find(host, VIEW("..")) < 0;
}

// Letters count as digits ("1-800-FLOWERS"); what stands between them is what people write. GUESS: a shorter form of the pattern on Zoho's
// page.
static bool is_phone(struct view text)
{
    bool any = false;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        bool letter = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
        any |= letter;
        if (!letter && (!strchr(" +-.()/,;#*:", c) || (c == '+' && any))) {
            return false;
        }
    }
    return any;
}

// [http://]host.name[:port][/…], without blanks.
static bool is_website(struct view text)
{
    static const char *const schemes[] = {"http://", "https://", "ftp://"};
    for (size_t i = 0; i < BASE_COUNT(schemes); i++) {
        if (view_starts_nocase(text, view_of(schemes[i]))) {
            text = view_from(text, strlen(schemes[i]));
            break;
        }
    }
    size_t host = 0, dots = 0;
    while (host < text.len && !strchr("/?#", text.data[host])) {
        unsigned char c = (unsigned char)text.data[host];
        bool dot = c == '.' && host > 0 && text.data[host - 1] != '.';
        dots += dot;
        if (c <= ' ' || c == 127 || (strchr("\"'<>()[]{}\\^`|,;@=!$%&*+", c)) || (c == '.' && !dot)) {
            return false;
        }
        host++;
    }
    for (size_t i = host; i < text.len; i++) {
        if ((unsigned char)text.data[i] <= ' ') {
            return false;
        }
    }
    return dots > 0 && text.data[host - 1] != '.';
}

static bool has_form(const struct crm_convert *convert, const struct crm_field *field, struct view text)
{
    switch (field->type->expected[0]) {
    case 'e': // "email"
        return crm_email_valid(text);
    case 'p': // "phone"
        return !convert->session->strict || is_phone(text);
    case 'w': // "website"
        return !convert->session->strict || is_website(text);
    default:
        return true;
    }
}

// Texts only: a number is refused, as REST does, and names the field to the script's author. Dates print as they would in JSON.
static bool store_as_text(const struct crm_convert *convert, const struct crm_field *field, struct value value,
                          struct store_param *ret_param, struct crm_row_error *error)
{
    if (value.type == VALUE_DATE || value.type == VALUE_DATETIME || value.type == VALUE_TIME) {
        struct fail ignored = {0};
        value = value_to_text(convert->session->heap, value, &ignored); // a map's JSON would have shown it as text, too
    }
    if (value.type != VALUE_TEXT) {
        return refuse_type(field, error);
    }
    struct view text = value_view(value);
    // A text is never longer in UTF-16 units than in bytes: most texts need no counting.
    if (text.len > (size_t)field->length && value_text_units(value) > (size_t)field->length) {
        return refuse_length(field, error);
    }
    if (!has_form(convert, field, text)) {
        return refuse_type(field, error);
    }
    *ret_param = store_text(text);
    return true;
}

// ---- numbers ------------------------------------------------------------------------------------

// Decimals that are whole count: JSON from other languages writes 12.0.
static bool read_whole(struct value value, int64_t *ret_number)
{
    if (value.type == VALUE_NUMBER) {
        *ret_number = value.number;
        return true;
    }
    if (value.type == VALUE_DECIMAL && value.decimal == floor(value.decimal) && fabs(value.decimal) < 9e18) {
        *ret_number = (int64_t)value.decimal;
        return true;
    }
    return value.type == VALUE_TEXT && view_to_int64(view_trim(value_view(value)), ret_number);
}

static bool is_digits(struct value value)
{
    struct view text = view_trim(value_view_or(value, VIEW("")));
    text = view_starts(text, VIEW("-")) ? view_from(text, 1) : text;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return false;
        }
    }
    return text.len > 0 || (value.type == VALUE_DECIMAL && value.decimal == floor(value.decimal));
}

// `length` counts digits: 9 for integer, 18 for bigint, which JSON writes as text (spec/crm-api.md §2.8).
static bool store_as_whole(const struct crm_convert *convert, const struct crm_field *field, struct value value,
                           struct store_param *ret_param, struct crm_row_error *error)
{
    int64_t number, bound = 1;
    bool text = convert->session->strict && field->kind == CRM_KIND_INTEGER && value.type == VALUE_TEXT;
    if (text || !read_whole(value, &number)) {
        if (!text && is_digits(value)) { // more than 64 bits hold
            return refuse_length(field, error);
        }
        return refuse_type(field, error);
    }
    for (int i = 0; i < field->length && i < 18; i++) {
        bound *= 10;
    }
    if (field->length < 19 && (number >= bound || number <= -bound)) {
        return refuse_length(field, error);
    }
    *ret_param = store_int(number);
    return true;
}

// Nine digits stand behind the point (§2.8); more are rounded (GUESS) where a double tells them apart.
static double round_decimals(double number)
{
    return fabs(number) < EXACT_MILLIONS ? round(number * 1e9) / 1e9 : number;
}

// `length` counts the digits before the point.
static bool store_as_real(const struct crm_convert *convert, const struct crm_field *field, struct value value,
                          struct store_param *ret_param, struct crm_row_error *error)
{
    double number;
    if (value.type == VALUE_NUMBER) {
        number = (double)value.number;
    } else if (value.type == VALUE_DECIMAL) {
        number = value.decimal;
    } else if (convert->session->strict || value.type != VALUE_TEXT || !view_to_decimal(view_trim(value_view(value)), &number)) {
        return refuse_type(field, error);
    }
    if (!isfinite(number)) {
        return refuse_type(field, error);
    }
    if (fabs(number) >= pow(10, field->length < 300 ? field->length : 300)) {
        return refuse_length(field, error);
    }
    *ret_param = store_real(round_decimals(number));
    return true;
}

static bool store_as_boolean(const struct crm_convert *convert, const struct crm_field *field, struct value value,
                             struct store_param *ret_param, struct crm_row_error *error)
{
    struct view text = convert->session->strict ? VIEW_NONE : value_view_or(value, VIEW_NONE);
    if (value.type == VALUE_BOOL) {
        *ret_param = store_int(value.boolean);
    } else if (view_eq_nocase(text, VIEW("true")) || view_eq_nocase(text, VIEW("false"))) {
        *ret_param = store_int(text.len == 4);
    } else {
        return refuse_type(field, error);
    }
    return true;
}

// ---- dates --------------------------------------------------------------------------------------

// Reads exactly `digits` digits at *at.
static bool read_digits(struct view text, size_t *at, int digits, int *ret_number)
{
    int number = 0;
    for (int i = 0; i < digits; i++, (*at)++) {
        if (*at >= text.len || text.data[*at] < '0' || text.data[*at] > '9') {
            return false;
        }
        number = number * 10 + (text.data[*at] - '0');
    }
    *ret_number = number;
    return true;
}

static bool read_char(struct view text, size_t *at, char c)
{
    if (*at >= text.len || text.data[*at] != c) {
        return false;
    }
    (*at)++;
    return true;
}

static bool read_day(struct view text, size_t *at, struct civil *civil)
{
    return read_digits(text, at, 4, &civil->year) && read_char(text, at, '-') && read_digits(text, at, 2, &civil->month) &&
           read_char(text, at, '-') && read_digits(text, at, 2, &civil->day) && civil->year >= 1 && civil->month >= 1 &&
           civil->month <= 12 && civil->day >= 1 && civil->day <= calendar_month_days(civil->year, civil->month);
}

bool crm_date_read(struct view text)
{
    struct civil civil = {0};
    size_t at = 0;
    return read_day(text, &at, &civil) && at == text.len;
}

// "+05:30", "-0800", "Z" at *at; *ret_found false when nothing is there.
static bool read_offset(struct view text, size_t *at, int *ret_minutes, bool *ret_found)
{
    int hours, minutes;
    *ret_minutes = 0;
    *ret_found = *at < text.len;
    if (!*ret_found || read_char(text, at, 'Z')) {
        return true;
    }
    int sign = read_char(text, at, '-') ? -1 : read_char(text, at, '+') ? 1 : 0;
    if (sign == 0 || !read_digits(text, at, 2, &hours)) {
        return false;
    }
    read_char(text, at, ':');
    if (!read_digits(text, at, 2, &minutes) || hours > 18 || minutes > 59) {
        return false;
    }
    *ret_minutes = sign * (hours * 60 + minutes);
    return true;
}

bool crm_datetime_read(struct view text, const struct zone *zone, int64_t *ret_millis)
{
    struct civil civil = {0};
    size_t at = 0;
    int offset;
    bool zoned;
    if (!read_day(text, &at, &civil) || !read_char(text, &at, 'T') || !read_digits(text, &at, 2, &civil.hour) ||
        !read_char(text, &at, ':') || !read_digits(text, &at, 2, &civil.minute)) {
        return false;
    }
    if (read_char(text, &at, ':') && !read_digits(text, &at, 2, &civil.second)) {
        return false;
    }
    if (read_char(text, &at, '.')) {
        size_t start = at;
        while (at < text.len && text.data[at] >= '0' && text.data[at] <= '9') {
            at++; // records keep whole seconds
        }
        if (at == start) {
            return false;
        }
    }
    if (!read_offset(text, &at, &offset, &zoned) || at != text.len || civil.hour > 23 || civil.minute > 59 || civil.second > 59) {
        return false;
    }
    int64_t millis = calendar_millis(civil, zoned ? NULL : zone);
    *ret_millis = millis - (int64_t)offset * 60000;
    return true;
}

static bool store_as_date(const struct crm_convert *convert, const struct crm_field *field, struct value value,
                          struct store_param *ret_param, struct crm_row_error *error)
{
    if (value.type == VALUE_TEXT && crm_date_read(value_view(value))) {
        *ret_param = store_text(value_view(value));
        return true;
    }
    if (value.type != VALUE_DATE && value.type != VALUE_DATETIME) {
        return refuse_type(field, error);
    }
    struct civil day = calendar_civil(value.millis, convert->session->heap->zone); // a script's dates are midnights of its own zone
    if (day.year < 1 || day.year > 9999) {
        return refuse_type(field, error);
    }
    *ret_param = store_text(arena_printf(convert->arena, "%04d-%02d-%02d", day.year, day.month, day.day));
    return true;
}

static bool store_as_datetime(const struct crm_convert *convert, const struct crm_field *field, struct value value,
                              struct store_param *ret_param, struct crm_row_error *error)
{
    int64_t millis;
    if (value.type == VALUE_DATE || value.type == VALUE_DATETIME) {
        int64_t rest = value.millis % 1000;
        millis = value.millis - (rest < 0 ? rest + 1000 : rest);
    } else if (value.type != VALUE_TEXT || !crm_datetime_read(value_view(value), crm_zone(convert->session), &millis)) {
        return refuse_type(field, error);
    }
    *ret_param = store_int(millis);
    return true;
}

// ---- look-ups, lists, maps ----------------------------------------------------------------------

// {"email":…} of a user.
static bool read_user_email(const struct crm_convert *convert, const struct map *map, int64_t *ret_id)
{
    const struct crm_meta *meta = convert->session->meta;
    struct view email = crm_map_view(map, "email");
    for (int i = 0; email.len && i < meta->user_count; i++) {
        if (view_eq_nocase(meta->users[i].email, email)) {
            *ret_id = meta->users[i].id;
            return true;
        }
    }
    return false;
}

// A bare id, or a map that holds one. Whether the record exists is asked inside the closure. A text that is no id is a bad number to Zoho.
static bool store_as_lookup(const struct crm_convert *convert, const struct crm_field *field, struct value value,
                            struct store_param *ret_param, struct crm_row_error *error)
{
    struct map *map = value_as_map(value);
    int64_t id;
    struct value written = map ? map_get_text(map, VIEW("id")) : value;
    bool named = map && field->kind == CRM_KIND_USER && value_is_null(written) && read_user_email(convert, map, &id);
    if (!named && !crm_id_read(written, &id)) {
        refuse_type(field, error);
        error->expected = field->kind == CRM_KIND_USER && value_is_text(written) ? "bigint" : error->expected;
        return false;
    }
    const struct crm_user *user = field->kind == CRM_KIND_USER ? crm_user_find(convert->session->meta, id) : NULL;
    if (field->kind == CRM_KIND_USER && (!user || user->deleted)) {
        *error = (struct crm_row_error){.problem = CRM_ROW_REFERENCE, .api_name = field->api_name};
        return false;
    }
    *ret_param = store_int(id);
    return true;
}

// Lists and maps are kept as JSON text and come back as they were.
static bool store_as_json(const struct crm_convert *convert, const struct crm_field *field, struct value value,
                          struct store_param *ret_param, struct crm_row_error *error)
{
    struct list *list = value_as_list(value);
    struct map *map = value_as_map(value);
    bool array = field->kind == CRM_KIND_LIST || field->array;
    if (value.type == VALUE_FRESH && !list && !map) {
        *ret_param = store_null(); // {} that never became anything
        return true;
    }
    if (array ? !list : !map) {
        return refuse_type(field, error);
    }
    for (uint32_t i = 0; field->kind == CRM_KIND_LIST && i < list->count; i++) {
        if (list->items[i].type != VALUE_TEXT) {
            return refuse_type(field, error);
        }
    }
    struct buffer json;
    struct fail ignored = {0};
    buffer_init(&json, JSON_VALUE_BYTES_MAX);
    bool written = json_write(&json, value, convert->session->heap->zone, &ignored) && !json.failed;
    struct view copy = written ? arena_copy(convert->arena, buffer_view(&json)) : VIEW_NONE;
    buffer_free(&json);
    if (!copy.data) {
        return refuse_length(field, error);
    }
    *ret_param = store_text(copy);
    return true;
}

// Null and the empty text clear a field of any kind.
bool crm_value_store(const struct crm_convert *convert, const struct crm_field *field, struct value value, struct store_param *ret_param,
                     struct crm_row_error *error)
{
    value = value_resolve(value);
    if (value.type == VALUE_NULL || (value.type == VALUE_TEXT && value.len == 0)) {
        *ret_param = store_null();
        return true;
    }
    switch (field->kind) {
    case CRM_KIND_TEXT:
        return store_as_text(convert, field, value, ret_param, error);
    case CRM_KIND_INTEGER:
    case CRM_KIND_BIGINT:
        return store_as_whole(convert, field, value, ret_param, error);
    case CRM_KIND_REAL:
        return store_as_real(convert, field, value, ret_param, error);
    case CRM_KIND_BOOLEAN:
        return store_as_boolean(convert, field, value, ret_param, error);
    case CRM_KIND_DATE:
        return store_as_date(convert, field, value, ret_param, error);
    case CRM_KIND_DATETIME:
        return store_as_datetime(convert, field, value, ret_param, error);
    case CRM_KIND_LOOKUP:
    case CRM_KIND_USER:
        return store_as_lookup(convert, field, value, ret_param, error);
    case CRM_KIND_LIST:
    case CRM_KIND_JSON:
        if (field->subform.len) {
            return crm_items_store(convert, field, value, ret_param, error);
        }
        return store_as_json(convert, field, value, ret_param, error);
    }
    return refuse_type(field, error);
}
