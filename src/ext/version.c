// SPDX-License-Identifier: Apache-2.0
// Semantic versioning 2.0: MAJOR.MINOR.PATCH, then "-" and a pre-release, then "+" and marks of the build, which say nothing about order.
#include "ext/ext.h"

static size_t count_digits(struct view text)
{
    size_t count = 0;
    while (count < text.len && text.data[count] >= '0' && text.data[count] <= '9') {
        count++;
    }
    return count;
}

// A number without needless zeros.
static bool is_number(struct view part)
{
    return part.len > 0 && count_digits(part) == part.len && (part.len == 1 || part.data[0] != '0');
}

// Parts of letters, digits and "-" between dots; numbers of a pre-release without needless zeros.
static bool is_tail(struct view tail, bool pre_release)
{
    do {
        struct view part = view_cut(&tail, '.');
        if (part.len == 0 || (pre_release && count_digits(part) == part.len && !is_number(part))) {
            return false;
        }
        for (size_t i = 0; i < part.len; i++) {
            char c = part.data[i];
            if (!((c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '-')) {
                return false;
            }
        }
    } while (tail.len);
    return true;
}

struct parts {
    struct view numbers[3], pre_release;
};

static bool split(struct view version, struct parts *parts)
{
    struct view rest = version, build = VIEW_NONE;
    ptrdiff_t plus = view_find_char(rest, '+');
    if (plus >= 0) {
        build = view_from(rest, (size_t)plus + 1);
        rest = view_slice(rest, 0, (size_t)plus);
    }
    ptrdiff_t dash = view_find_char(rest, '-');
    parts->pre_release = dash < 0 ? VIEW_NONE : view_from(rest, (size_t)dash + 1);
    struct view core = dash < 0 ? rest : view_slice(rest, 0, (size_t)dash);
    for (int i = 0; i < 3; i++) {
        parts->numbers[i] = view_cut(&core, '.');
        if (!is_number(parts->numbers[i])) {
            return false;
        }
    }
    return core.len == 0 && version.len > 0 && version.data[version.len - 1] != '.' && (plus < 0 || is_tail(build, false)) &&
           (dash < 0 || is_tail(parts->pre_release, true));
}

bool ext_version_valid(struct view version)
{
    struct parts parts;
    return version.len <= EXT_VERSION_MAX && split(version, &parts);
}

bool ext_version_is_release(struct view version)
{
    struct parts parts;
    return split(version, &parts) && parts.pre_release.len == 0;
}

// By length, then digit by digit: no number is too long.
static int compare_numbers(struct view a, struct view b)
{
    return a.len != b.len ? (a.len < b.len ? -1 : 1) : view_compare(a, b);
}

// Numbers before words; fewer parts before more.
static int compare_pre_releases(struct view a, struct view b)
{
    while (a.len && b.len) {
        struct view left = view_cut(&a, '.'), right = view_cut(&b, '.');
        bool left_number = count_digits(left) == left.len, right_number = count_digits(right) == right.len;
        int order = left_number && right_number   ? compare_numbers(left, right)
                    : left_number != right_number ? (left_number ? -1 : 1)
                                                  : view_compare(left, right);
        if (order) {
            return order;
        }
    }
    return a.len ? 1 : b.len ? -1 : 0;
}

int ext_version_compare(struct view a, struct view b)
{
    struct parts left, right;
    if (!split(a, &left) || !split(b, &right)) { // what older data folders may hold
        return view_compare(a, b);
    }
    for (int i = 0; i < 3; i++) {
        int order = compare_numbers(left.numbers[i], right.numbers[i]);
        if (order) {
            return order;
        }
    }
    if (left.pre_release.len == 0 || right.pre_release.len == 0) {
        return (left.pre_release.len == 0) - (right.pre_release.len == 0);
    }
    return compare_pre_releases(left.pre_release, right.pre_release);
}
