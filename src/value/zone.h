// SPDX-License-Identifier: Apache-2.0
//
// zone: what a time zone holds; seen by zone.c, which finds and caches zones, and tzif.c, which reads the system's files.
#pragma once

#include "value/value.h"

enum {
    ZONE_NAME_MAX = 64,
    ZONE_TRANSITIONS_MAX = 2000,
    ZONE_TYPES_MAX = 256,
    ZONE_LETTERS_MAX = 512,
};

struct zone_type {
    int32_t offset_s;
    bool dst;
    const char *abbreviation; // NUL-terminated, inside the zone
};

// One change-over of a POSIX TZ rule: a day of the year in one of three spellings, and a local time on it.
struct zone_change {
    char kind; // 'M' month, week, weekday; 'J' day 1–365 without 29 February; 'D' day 0–365
    int month, week, day;
    int32_t time_s;
};

// What holds behind the last transition of the table.
struct zone_rule {
    bool present, has_dst;
    struct zone_type standard, summer;
    char standard_name[16], summer_name[16];
    struct zone_change start, end; // of summer time
};

struct zone {
    char name[ZONE_NAME_MAX];
    size_t name_len;
    uint32_t transitions;
    int64_t *times_s; // when a type begins to hold, ascending
    uint8_t *type_of; // which one
    struct zone_type *types;
    uint32_t types_count;
    char *letters; // the abbreviations
    struct zone_type raw; // today's standard time: Java's answer for everything before 1900
    struct zone_rule rule;
};

// Reads the bytes of a TZif file (version 2 or later) into `zone`, whose arrays are malloc'ed. False when they are malformed.
bool tzif_read(struct zone *zone, struct view bytes);
void tzif_free(struct zone *zone); // what tzif_read took, also after a failure
// The type that a rule gives for an instant.
const struct zone_type *tzif_rule_type(const struct zone_rule *rule, int64_t seconds);
