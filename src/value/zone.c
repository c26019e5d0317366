// SPDX-License-Identifier: Apache-2.0
//
// zone: finds time zones by name as Java's TimeZone.getTimeZone does, whose answers Zoho's pages show (spec/deluge-builtins.md §4.1): Olson
// ids, three-letter legacy ids, GMT±h[:mm], and GMT for everything else. Found zones are kept for the life of the process under a mutex; a
// zone never changes once it is in the cache, so its users need no lock. glibc's own zone handling, which is global, is not used.
//
// Java takes a zone's present standard time for all of the time before 1900; dates of the year 0019, which Zoho prints, show it.
#include "value/inside.h"
#include "value/zone.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define ZONE_FOLDER "/usr/share/zoneinfo/"
enum { ZONE_FILE_MAX = 64 * 1024, ZONE_CACHE_MAX = 8192 };
static const int64_t JAVA_TABLE_STARTS_S = -2208988800; // 1900-01-01

static struct zone zone_gmt = {.name = "GMT", .name_len = 3, .raw = {.abbreviation = "GMT"}};
static pthread_mutex_t cache_lock = PTHREAD_MUTEX_INITIALIZER;
static struct table cache;

// Java's legacy ids; three of them have no summer time.
static const struct {
    const char *id, *zone;
    int32_t offset_s;
} LEGACY[] = {
    {"ACT", "Australia/Darwin", 0},
    {"AET", "Australia/Sydney", 0},
    {"AGT", "America/Argentina/Buenos_Aires", 0},
    {"ART", "Africa/Cairo", 0},
    {"AST", "America/Anchorage", 0},
    {"BET", "America/Sao_Paulo", 0},
    {"BST", "Asia/Dhaka", 0},
    {"CAT", "Africa/Harare", 0},
    {"CNT", "America/St_Johns", 0},
    {"CST", "America/Chicago", 0},
    {"CTT", "Asia/Shanghai", 0},
    {"EAT", "Africa/Addis_Ababa", 0},
    {"ECT", "Europe/Paris", 0},
    {"EST", NULL, -5 * 3600},
    {"HST", NULL, -10 * 3600},
    {"IET", "America/Indiana/Indianapolis", 0},
    {"IST", "Asia/Kolkata", 0},
    {"JST", "Asia/Tokyo", 0},
    {"MIT", "Pacific/Apia", 0},
    {"MST", NULL, -7 * 3600},
    {"NET", "Asia/Yerevan", 0},
    {"NST", "Pacific/Auckland", 0},
    {"PLT", "Asia/Karachi", 0},
    {"PNT", "America/Phoenix", 0},
    {"PRT", "America/Puerto_Rico", 0},
    {"PST", "America/Los_Angeles", 0},
    {"SST", "Pacific/Guadalcanal", 0},
    {"VST", "Asia/Ho_Chi_Minh", 0},
};

// ---- loading ------------------------------------------------------------------------------------

// A name that can only mean a file below the zone folder, and none of the copies with leap seconds or of the default.
static bool name_is_safe(struct view name)
{
    if (name.len == 0 || name.len >= ZONE_NAME_MAX || name.data[0] == '/' || view_starts(name, VIEW("right/")) ||
        view_starts(name, VIEW("posix")) || view_eq(name, VIEW("localtime")) || view_eq(name, VIEW("Factory"))) {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        bool word = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' || c == '-' || c == '+';
        if (!word && (c != '/' || name.data[i - 1] == '/')) {
            return false;
        }
    }
    return true;
}

// Zone files are small and in the page cache; this runs once a zone and process.
static bool read_file(const char *path, struct buffer *out)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) {
        return false;
    }
    ssize_t got = 0;
    for (char *space; (space = buffer_space(out, 4096));) {
        got = read(file, space, 4096);
        if (got <= 0 && !(got < 0 && errno == EINTR)) {
            break;
        }
        out->len += got > 0 ? (size_t)got : 0;
    }
    close(file);
    return got == 0 && !out->failed;
}

static struct zone *new_zone(struct view name)
{
    struct zone *zone = calloc(1, sizeof *zone);
    if (zone) {
        zone->name_len = name.len < ZONE_NAME_MAX ? name.len : ZONE_NAME_MAX - 1;
        memcpy(zone->name, name.data, zone->name_len);
    }
    return zone;
}

// NULL when there is no such zone, or its file is malformed.
static struct zone *load_zone(struct view name)
{
    char path[sizeof ZONE_FOLDER + ZONE_NAME_MAX];
    struct buffer bytes;
    if (!name_is_safe(name)) {
        return NULL;
    }
    snprintf(path, sizeof path, ZONE_FOLDER "%.*s", VIEW_ARGS(name));
    buffer_init(&bytes, ZONE_FILE_MAX);
    struct zone *zone = read_file(path, &bytes) ? new_zone(name) : NULL;
    if (zone && !tzif_read(zone, buffer_view(&bytes))) {
        tzif_free(zone);
        free(zone);
        zone = NULL;
    }
    buffer_free(&bytes);
    return zone;
}

static struct zone *fixed_zone(struct view name, int32_t offset_s)
{
    struct zone *zone = new_zone(name);
    if (zone) {
        zone->raw = (struct zone_type){.offset_s = offset_s, .abbreviation = zone->name};
    }
    return zone;
}

// ---- names --------------------------------------------------------------------------------------

// One or two digits, no sign, at most `max`.
static bool two_digits(struct view text, int max, int *ret_number)
{
    int64_t number;
    if (text.len == 0 || text.len > 2 || text.data[0] == '-' || text.data[0] == '+' || !view_to_int64(text, &number) || number > max) {
        return false;
    }
    *ret_number = (int)number;
    return true;
}

// GMT±h, GMT±hh, GMT±h:mm, GMT±hh:mm, GMT±hmm, GMT±hhmm
static bool read_custom(struct view name, int32_t *ret_offset_s)
{
    int hours, minutes = 0;
    if (!view_starts(name, VIEW("GMT")) || name.len < 5 || (name.data[3] != '+' && name.data[3] != '-')) {
        return false;
    }
    struct view rest = view_from(name, 4), hour = rest, minute = VIEW_NONE;
    ptrdiff_t colon = view_find_char(rest, ':');
    if (colon >= 0) {
        hour = view_slice(rest, 0, (size_t)colon);
        minute = view_from(rest, (size_t)colon + 1);
    } else if (rest.len > 2) {
        hour = view_slice(rest, 0, rest.len - 2);
        minute = view_from(rest, rest.len - 2);
    }
    if (!two_digits(hour, 23, &hours) || ((colon >= 0 || minute.len > 0) && (minute.len != 2 || !two_digits(minute, 59, &minutes)))) {
        return false;
    }
    *ret_offset_s = (name.data[3] == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
    return true;
}

static const struct zone *cache_get(struct view name)
{
    pthread_mutex_lock(&cache_lock);
    const struct zone *zone = cache.cap ? table_get(&cache, name) : NULL;
    pthread_mutex_unlock(&cache_lock);
    return zone;
}

// Keeps `zone` under `name`, unless another thread was faster: then that one's zone is used.
static const struct zone *cache_put(struct view name, struct zone *zone)
{
    if (!zone) {
        return &zone_gmt;
    }
    pthread_mutex_lock(&cache_lock);
    if (cache.max == 0) {
        table_init(&cache, ZONE_CACHE_MAX, false);
    }
    const struct zone *kept = table_get(&cache, name);
    if (!kept && table_put(&cache, name, zone)) {
        kept = zone;
    }
    pthread_mutex_unlock(&cache_lock);
    if (kept != zone) {
        tzif_free(zone);
        free(zone);
    }
    return kept ? kept : &zone_gmt;
}

// A fixed offset under its canonical name, so that the cache stays small whatever spellings come.
static const struct zone *custom_zone(int32_t offset_s)
{
    char text[16];
    int32_t distance = offset_s < 0 ? -offset_s : offset_s;
    if (offset_s == 0) {
        return &zone_gmt;
    }
    snprintf(text, sizeof text, "GMT%c%02d:%02d", offset_s < 0 ? '-' : '+', (int)(distance / 3600 % 100), (int)(distance / 60 % 60));
    const struct zone *known = cache_get(view_of(text));
    return known ? known : cache_put(view_of(text), fixed_zone(view_of(text), offset_s));
}

static struct zone *load_legacy(struct view name, bool *ret_legacy)
{
    *ret_legacy = false;
    for (size_t i = 0; i < BASE_COUNT(LEGACY) && name.len == 3; i++) {
        if (memcmp(name.data, LEGACY[i].id, 3) == 0) {
            *ret_legacy = true;
            struct zone *zone = LEGACY[i].zone ? load_zone(view_of(LEGACY[i].zone)) : fixed_zone(name, LEGACY[i].offset_s);
            if (zone) {
                snprintf(zone->name, sizeof zone->name, "%s", LEGACY[i].id); // Java keeps the id that was asked for
                zone->name_len = 3;
            }
            return zone;
        }
    }
    return NULL;
}

// Unknown names are not cached: there is no end of them.
const struct zone *zone_find(struct view name)
{
    int32_t offset_s;
    bool legacy;
    const struct zone *known = cache_get(name);
    if (known) {
        return known;
    }
    if (read_custom(name, &offset_s)) {
        return custom_zone(offset_s);
    }
    struct zone *zone = load_legacy(name, &legacy);
    return cache_put(name, legacy ? zone : load_zone(name));
}

// Legacy and custom ids are known to zone_find but no Olson ids.
bool zone_exists(struct view name)
{
    if (cache_get(name)) {
        return name_is_safe(name) && !view_starts(name, VIEW("GMT+")) && !view_starts(name, VIEW("GMT-"));
    }
    struct zone *zone = load_zone(name);
    bool exists = zone != NULL;
    if (zone) {
        tzif_free(zone);
        free(zone);
    }
    return exists;
}

// The machine's zone: $TZ when it names one, else where /etc/localtime points, else what /etc/timezone says.
static const struct zone *find_local(void)
{
    struct view name = view_of(getenv("TZ"));
    name = view_starts(name, VIEW(":")) ? view_from(name, 1) : name;
    if (zone_exists(name)) {
        return zone_find(name);
    }
    char path[256];
    ssize_t len = readlink("/etc/localtime", path, sizeof path);
    struct view link = {path, len > 0 ? (size_t)len : 0};
    ptrdiff_t folder = view_find(link, VIEW("zoneinfo/"));
    if (folder >= 0 && zone_exists(view_from(link, (size_t)folder + 9))) {
        return zone_find(view_from(link, (size_t)folder + 9));
    }
    struct buffer bytes;
    buffer_init(&bytes, ZONE_FILE_MAX);
    name = read_file("/etc/timezone", &bytes) ? view_trim(buffer_view(&bytes)) : VIEW_NONE;
    const struct zone *zone = zone_exists(name) ? zone_find(name) : zone_find(VIEW("UTC"));
    buffer_free(&bytes);
    return zone;
}

static const struct zone *local_zone;

static void set_local(void)
{
    local_zone = find_local();
}

const struct zone *zone_local(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, set_local);
    return local_zone;
}

struct view zone_name(const struct zone *zone)
{
    return zone ? (struct view){zone->name, zone->name_len} : VIEW("UTC");
}

// ---- offsets ------------------------------------------------------------------------------------

// Binary search in the table; before and behind it see the top of this file and tzif.c.
static const struct zone_type *type_at(const struct zone *zone, int64_t seconds)
{
    if (seconds < JAVA_TABLE_STARTS_S || (zone->transitions == 0 && !zone->rule.present)) {
        return &zone->raw;
    }
    if (zone->transitions == 0 || seconds >= zone->times_s[zone->transitions - 1]) {
        return zone->rule.present ? tzif_rule_type(&zone->rule, seconds) : &zone->types[zone->type_of[zone->transitions - 1]];
    }
    uint32_t low = 0, high = zone->transitions - 1; // the last transition lies behind `seconds`
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (zone->times_s[middle] > seconds) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return &zone->types[low > 0 ? zone->type_of[low - 1] : 0];
}

int zone_offset_ms(const struct zone *zone, int64_t millis, bool *ret_dst, struct view *ret_abbreviation)
{
    static const struct zone_type utc = {.abbreviation = "UTC"};
    int64_t seconds = millis / 1000 - (millis % 1000 < 0);
    const struct zone_type *type = zone ? type_at(zone, seconds) : &utc;
    if (ret_dst) {
        *ret_dst = type->dst;
    }
    if (ret_abbreviation) {
        *ret_abbreviation = view_of(type->abbreviation);
    }
    return type->offset_s * 1000;
}
