// SPDX-License-Identifier: Apache-2.0
//
// Numbers: rounding, parts, powers, and the small ones. Rounding works on the shortest decimal text of the double, as Java's BigDecimal
// does with it: 218.49.round(1) is 218.5 although the double lies below. Overflow of NUMBER wraps as Java's long does.
#include "lib/inside.h"

#include <math.h>

// ---- rounding -----------------------------------------------------------------------------------

enum { ROUND_PLACES_MAX = 340 };

// Adds one to the decimal digits at the end of `digits`; true when they overflowed to 1 and zeros.
static bool digits_increment(char *digits, size_t count)
{
    for (size_t i = count; i-- > 0;) {
        if (digits[i] != '9') {
            digits[i]++;
            return false;
        }
        digits[i] = '0';
    }
    return true;
}

double lib_round(double number, int places, enum lib_rounding rounding)
{
    char text[DECIMAL_TEXT_MAX], digits[DECIMAL_TEXT_MAX + 32];
    if (!isfinite(number) || number == 0 || places > ROUND_PLACES_MAX) {
        return number;
    }
    size_t len = decimal_print(text, fabs(number)), count = 0, whole = 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] != '.') {
            digits[count++] = text[i];
        } else {
            whole = count;
        }
    }
    whole = memchr(text, '.', len) == NULL ? count : whole;
    int64_t kept = (int64_t)whole + places;
    if (kept >= (int64_t)count) {
        return number;
    }
    if (kept < 0) {
        return 0;
    }
    bool up = rounding == LIB_HALF_UP && digits[kept] >= '5';
    bool carried = up && digits_increment(digits, (size_t)kept);
    // What is left is kept digits, times ten to minus `places`; strtod reads that exactly.
    char plain[DECIMAL_TEXT_MAX + 64];
    int n = snprintf(plain, sizeof(plain), "%s%.*se%d", carried ? "1" : "0", (int)kept, digits, -places);
    double rounded = 0;
    if (n < 0 || (size_t)n >= sizeof(plain) || !view_to_decimal((struct view){plain, (size_t)n}, &rounded)) {
        return number;
    }
    return number < 0 && rounded != 0 ? -rounded : rounded;
}

// round and truncate: same places, same result types, another rule for the digits that go.
static bool round_number(struct native_call *call, enum lib_rounding rounding)
{
    int64_t places = 0;
    double number;
    if (!arg_decimal(call, 0, &number) || (call->count > 1 && !arg_number(call, 1, &places))) {
        return false;
    }
    if (places < -ROUND_PLACES_MAX || places > ROUND_PLACES_MAX) {
        return native_fail(call, "%s takes between -%d and %d places", call->native->name, ROUND_PLACES_MAX, ROUND_PLACES_MAX);
    }
    if (call->args[0].type == VALUE_NUMBER && places >= 0) {
        return lib_return(call, call->args[0]); // an id of 19 digits is not for a double
    }
    double rounded = lib_round(number, (int)places, rounding);
    // With no places left Zoho prints an integer.
    if (places <= 0 && fabs(rounded) < 0x1p53) {
        return lib_return_number(call, (int64_t)rounded);
    }
    return lib_return_decimal(call, rounded);
}

static bool number_round(struct native_call *call)
{
    return round_number(call, LIB_HALF_UP);
}

static bool number_truncate(struct native_call *call)
{
    return round_number(call, LIB_CUT);
}

// A NUMBER when it fits one; beyond that the decimal itself.
static bool return_whole(struct native_call *call, double number)
{
    if (!(number >= -0x1p63 && number < 0x1p63)) {
        return lib_return_decimal(call, number);
    }
    return lib_return_number(call, (int64_t)number);
}

static bool number_ceil(struct native_call *call)
{
    double number;
    if (call->args[0].type == VALUE_NUMBER) {
        return lib_return(call, call->args[0]);
    }
    return arg_decimal(call, 0, &number) && return_whole(call, ceil(number));
}

static bool number_floor(struct native_call *call)
{
    double number;
    if (call->args[0].type == VALUE_NUMBER) {
        return lib_return(call, call->args[0]);
    }
    return arg_decimal(call, 0, &number) && return_whole(call, floor(number));
}

// The fraction, clean in decimal: 24.6 gives 0.6, not 0.6000000000000014.
static bool number_frac(struct native_call *call)
{
    double number, fraction = 0;
    char text[DECIMAL_TEXT_MAX];
    if (!arg_decimal(call, 0, &number)) {
        return false;
    }
    struct view digits = {text, decimal_print(text, fabs(number))};
    ptrdiff_t point = view_find_char(digits, '.');
    if (point >= 0 && !view_to_decimal((struct view){text + point, digits.len - (size_t)point}, &fraction)) {
        text[point - 1] = '0'; // a reader that wants a digit before the point
        view_to_decimal((struct view){text + point - 1, digits.len - (size_t)point + 1}, &fraction);
    }
    return lib_return_decimal(call, number < 0 && fraction != 0 ? -fraction : fraction);
}

// ---- simple ones --------------------------------------------------------------------------------

static bool number_abs(struct native_call *call)
{
    struct value v = call->args[0];
    double number;
    if (v.type == VALUE_TEXT && !lib_number_text(value_view(v), &v)) {
        return arg_decimal(call, 0, &number);
    }
    if (v.type == VALUE_NUMBER) {
        return lib_return_number(call, v.number < 0 ? (int64_t)(0 - (uint64_t)v.number) : v.number);
    }
    return lib_return_decimal(call, fabs(v.decimal));
}

static bool number_signum(struct native_call *call)
{
    double number;
    return arg_decimal(call, 0, &number) && lib_return_point(call, (number > 0) - (number < 0));
}

static bool number_is_even(struct native_call *call)
{
    int64_t number;
    return arg_number(call, 0, &number) && lib_return_bool(call, number % 2 == 0);
}

static bool number_is_odd(struct native_call *call)
{
    int64_t number;
    return arg_number(call, 0, &number) && lib_return_bool(call, number % 2 != 0);
}

// max(a,b), min(a,b): the argument as it is, so that numbers stay numbers.
static bool choose(struct native_call *call, bool larger)
{
    double a, b;
    if (!arg_decimal(call, 0, &a) || !arg_decimal(call, 1, &b)) {
        return false;
    }
    struct value left = call->args[0], right = call->args[1];
    bool first = larger ? a >= b : a <= b;
    if (left.type == VALUE_NUMBER && right.type == VALUE_NUMBER) {
        first = larger ? left.number >= right.number : left.number <= right.number;
    }
    return lib_return(call, first ? left : right);
}

static bool number_max(struct native_call *call)
{
    return choose(call, true);
}

static bool number_min(struct native_call *call)
{
    return choose(call, false);
}

// Exact while it fits a NUMBER; repeated squaring.
static bool power_exact(int64_t base, int64_t exponent, int64_t *ret_power)
{
    int64_t power = 1;
    while (exponent > 0) {
        if (exponent % 2 != 0 && __builtin_mul_overflow(power, base, &power)) {
            return false;
        }
        exponent /= 2;
        if (exponent > 0 && __builtin_mul_overflow(base, base, &base)) {
            return false;
        }
    }
    *ret_power = power;
    return true;
}

// Whole powers are exact as long as they fit, as 3.power(2) printing 9 shows.
static bool number_power(struct native_call *call)
{
    struct value base = call->args[0], exponent = call->args[1];
    int64_t exact;
    double b, e;
    if (base.type == VALUE_NUMBER && exponent.type == VALUE_NUMBER && exponent.number >= 0 &&
        power_exact(base.number, exponent.number, &exact)) {
        return lib_return_number(call, exact);
    }
    return arg_decimal(call, 0, &b) && arg_decimal(call, 1, &e) && lib_return_decimal(call, pow(b, e));
}

static bool number_sqrt(struct native_call *call)
{
    double number;
    return arg_decimal(call, 0, &number) && lib_return_decimal(call, sqrt(number));
}

static bool number_nth_root(struct native_call *call)
{
    double number;
    int64_t n;
    if (!arg_decimal(call, 0, &number) || !arg_number(call, 1, &n)) {
        return false;
    }
    double root = number < 0 && n % 2 != 0 ? -pow(-number, 1.0 / (double)n) : pow(number, 1.0 / (double)n);
    double nearest = nearbyint(root); // 16.nthRoot(4) is 2, not 1.9999…
    return lib_return_decimal(call, pow(nearest, (double)n) == number ? nearest : root);
}

static bool number_exp(struct native_call *call)
{
    double number;
    return arg_decimal(call, 0, &number) && lib_return_decimal(call, exp(number));
}

// Zero and below give null: documented for log10, taken over for log.
static bool number_log(struct native_call *call)
{
    double number;
    return arg_decimal(call, 0, &number) && lib_return_decimal(call, number > 0 ? log(number) : NAN);
}

static bool number_log10(struct native_call *call)
{
    double number;
    return arg_decimal(call, 0, &number) && lib_return_decimal(call, number > 0 ? log10(number) : NAN);
}

// Start inclusive, end exclusive; one bound counts from 0, none from 0 to two milliards (old pages: LIKELY).
static bool number_random(struct native_call *call)
{
    double low = 0, high = 2e9;
    if ((call->count == 1 && !arg_decimal(call, 0, &high)) ||
        (call->count == 2 && (!arg_decimal(call, 0, &low) || !arg_decimal(call, 1, &high)))) {
        return false;
    }
    if (!(low <= high) || !isfinite(high - low)) {
        return native_fail(call, "randomNumber needs a start that is not above the end");
    }
    double unit = (double)(random_fast() >> 11) * 0x1p-53; // 53 bits: 0 to below 1
    double drawn = low + unit * (high - low);
    drawn = drawn >= high && high > low ? low : drawn;
    for (int i = 0; i < call->count; i++) {
        if (call->args[i].type == VALUE_DECIMAL) {
            return lib_return_decimal(call, drawn);
        }
    }
    return return_whole(call, floor(drawn));
}

// As Java's Long.toHexString: two's complement for negative numbers, no leading zeros.
static bool number_to_hex(struct native_call *call)
{
    int64_t number;
    char text[17];
    if (!arg_number(call, 0, &number)) {
        return false;
    }
    int len = snprintf(text, sizeof(text), "%llx", (unsigned long long)number);
    return lib_return_text(call, (struct view){text, (size_t)len});
}

// ---- the table ----------------------------------------------------------------------------------

enum { NUMERIC = NATIVE_NUMBERS | NATIVE_TEXT };

static const struct native rows[] = {
    {"round", NUMERIC, 1, 2, 0, 4, number_round, "number.round(NUMBER places?) → DECIMAL",
     "Rounded half away from zero to `places` digits behind the point, or before it if negative.",
     "info 218.49.round(1);\ninfo -150.55.round(-2); => 218.5\n-200", "SURE builtins §3"},
    {"truncate", NUMERIC, 1, 2, 0, 4, number_truncate, "number.truncate(NUMBER places?) → DECIMAL",
     "Cut toward zero to `places` digits behind the point.", "info 25.125432.truncate(2);\ninfo 9789.852.truncate(-2); => 25.12\n9700",
     "SURE builtins §3"},
    {"ceil", NUMERIC, 1, 1, 0, 2, number_ceil, "number.ceil() → NUMBER", "The least whole number that is not smaller.",
     "info 25.3.ceil(); => 26", "SURE builtins §3"},
    {"floor", NUMERIC, 1, 1, 0, 2, number_floor, "number.floor() → NUMBER", "The largest whole number that is not larger.",
     "info 10.1.floor(); => 10", "SURE builtins §3"},
    {"frac", NUMERIC, 1, 1, 0, 4, number_frac, "number.frac() → DECIMAL", "What stands behind the point, with the sign.",
     "info 24.6.frac(); => 0.6", "SURE builtins §3"},
    {"abs", NUMERIC, 1, 1, 0, 1, number_abs, "number.abs() → NUMBER or DECIMAL", "Without sign.", "info abs(-25.7); => 25.7",
     "SURE builtins §3"},
    {"signum", NUMERIC, 1, 1, 0, 1, number_signum, "number.signum() → DECIMAL", "1, 0 or -1 by the sign.", "info (-12).signum(); => -1.0",
     "SURE builtins §3"},
    {"isEven", NUMERIC, 1, 1, 0, 1, number_is_even, "number.isEven() → BOOLEAN", "Can it be divided by two?", "info 1234.isEven(); => true",
     "SURE builtins §1"},
    {"isOdd", NUMERIC, 1, 1, 0, 1, number_is_odd, "number.isOdd() → BOOLEAN", "Is a one left over when it is divided by two?",
     "info isOdd(111); => true", "SURE builtins §1"},
    {"max", NUMERIC, 2, 2, 0, 1, number_max, "number.max(number other) → number", "The larger of the two.", "info 100.max(200); => 200",
     "SURE builtins §3"},
    {"min", NUMERIC, 2, 2, 0, 1, number_min, "number.min(number other) → number", "The smaller of the two.", "info min(100,200); => 100",
     "SURE builtins §3"},
    {"power", NUMERIC, 2, 2, 0, 3, number_power, "number.power(number exponent) → number", "The number raised to a power.",
     "info 3.power(2); => 9", "SURE builtins §3"},
    {"sqrt", NUMERIC, 1, 1, 0, 2, number_sqrt, "number.sqrt() → DECIMAL", "The square root; null of a negative number.",
     "info sqrt(25); => 5", "LIKELY builtins §3"},
    {"nthRoot", NUMERIC, 2, 2, 0, 3, number_nth_root, "number.nthRoot(NUMBER n) → DECIMAL", "The n-th root.", "info 27.nthRoot(3); => 3",
     "GUESS builtins §3"},
    {"exp", NUMERIC, 1, 1, 0, 2, number_exp, "number.exp() → DECIMAL", "Euler's number raised to this one.", "info exp(0); => 1",
     "SURE builtins §3"},
    {"log", NUMERIC, 1, 1, 0, 2, number_log, "number.log() → DECIMAL", "The natural logarithm; null for zero and below.",
     "info log(1); => 0", "SURE builtins §3; null LIKELY"},
    {"log10", NUMERIC, 1, 1, 0, 2, number_log10, "number.log10() → DECIMAL", "The logarithm to the base of ten; null for zero and below.",
     "info 81.log10(); => 1.9084850188786497", "SURE builtins §3"},
    {"randomNumber", 0, 0, 2, 0, 3, number_random, "randomNumber(number start?, number end?) → number",
     "A random number from `start` up to but without `end`; decimal if a bound is.", "info randomNumber(7,8); => 7",
     "SURE builtins §3; fewer bounds LIKELY"},
    {"toHex", NUMERIC, 1, 1, 0, 2, number_to_hex, "number.toHex() → TEXT", "Hexadecimal digits, lower case.", "info 255.toHex(); => ff",
     "LIKELY builtins §3"},
};

const struct lib_table lib_number_table = LIB_TABLE(rows);
