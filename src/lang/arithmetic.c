// SPDX-License-Identifier: Apache-2.0
//
// + - * / % and the signs, as Zoho computes (spec/deluge-language.md §4.2, §4.3; PRODUCT.md "Language decisions"): NUMBER is a 64-bit
// integer that wraps, DECIMAL an IEEE double; text swallows whatever is added to it; the difference of two dates is milliseconds; null is
// an error except beside text. Numeric text counts as its number where only a number makes sense.
//
// The texts of failures are what scripts and their authors meet: they are Zoho's to the letter, with the operator in them.

#include "lang/operate.h"

#include <math.h>

// JSON and form fields bring numbers as text; where only a number makes sense, text that is one counts as it (PRODUCT.md "Language
// decisions").
bool operate_number(struct value v, struct value *ret_number)
{
    if (v.type == VALUE_NUMBER || v.type == VALUE_DECIMAL) {
        *ret_number = v;
        return true;
    }
    if (v.type != VALUE_TEXT) {
        return false;
    }
    struct view text = view_trim(value_view(v));
    int64_t number;
    double decimal;
    if (view_to_int64(text, &number)) {
        *ret_number = value_number(number);
        return true;
    }
    if (view_to_decimal(text, &decimal)) {
        *ret_number = value_decimal(decimal);
        return true;
    }
    return false;
}

static double as_decimal(struct value number)
{
    return number.type == VALUE_NUMBER ? (double)number.number : number.decimal;
}

// DATE and DATE-TIME are both instants; the type only says how they print.
static bool is_date(struct value v)
{
    return v.type == VALUE_DATE || v.type == VALUE_DATETIME;
}

// null beside anything but text. The operator in the words is what authors look for in their script.
static bool null_fail(struct fail *fail, const char *operator)
{
    return fail_set(fail, FAIL_SCRIPT, "Null value occurred while performing %s operation", operator);
}

// In this one text Zoho calls a date a TIMESTAMP, whatever it is.
static const char *sum_type_name(struct value v)
{
    return is_date(v) ? "TIMESTAMP" : operate_type_name(v);
}

// Operands that have no sum or difference, as a date and a number (§4.2: addDay() is the way).
static bool types_fail(struct fail *fail, struct value left, struct value right, const char *operator)
{
    return fail_set(fail, FAIL_SCRIPT, "Left expression is of type %s and right expression is of type %s and operator %s is not valid",
                    sum_type_name(left), sum_type_name(right), operator);
}

// Wrapping arithmetic, as Java's long has it; unsigned because signed overflow is undefined.
static int64_t wrap_add(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}
static int64_t wrap_subtract(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}
static int64_t wrap_multiply(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a * (uint64_t)b);
}

// ---- + ------------------------------------------------------------------------------------------

// The printed forms, one behind the other. Texts are not printed first: the usual case copies nothing but the right side.
static bool concat(struct heap *heap, struct value left, struct value right, struct value *ret_value, struct fail *fail)
{
    fail->code = FAIL_NONE;
    struct value a = left.type == VALUE_TEXT ? left : value_to_text(heap, left, fail);
    struct value b = right.type == VALUE_TEXT ? right : value_to_text(heap, right, fail);
    if (a.type != VALUE_TEXT || b.type != VALUE_TEXT) {
        // A printed form that would be too deep has set the failure; a missing one is the memory limit, which the VM reports.
        *ret_value = value_null();
        return fail->code == FAIL_NONE;
    }
    *ret_value = value_text_concat(heap, a, b);
    return true;
}

// Lists, maps and files have no sum but the one of their printed forms (§4.2, GUESS).
static bool adds_as_text(struct value v)
{
    return v.type == VALUE_TEXT || v.type == VALUE_LIST || v.type == VALUE_MAP || v.type == VALUE_COLLECTION || v.type == VALUE_FILE ||
           v.type == VALUE_FRESH;
}

// Text decides before anything else: "a" + null is no error, null + 1 is one (§4.2).
bool arithmetic_add(struct heap *heap, struct value left, struct value right, struct value *ret_value, struct fail *fail)
{
    if (left.type == VALUE_TEXT || right.type == VALUE_TEXT) {
        return concat(heap, left, right, ret_value, fail);
    }
    if (left.type == VALUE_NUMBER && right.type == VALUE_NUMBER) {
        *ret_value = value_number(wrap_add(left.number, right.number));
        return true;
    }
    if (left.type == VALUE_NULL || right.type == VALUE_NULL) {
        return null_fail(fail, "+");
    }
    if (adds_as_text(left) || adds_as_text(right)) {
        return concat(heap, left, right, ret_value, fail);
    }
    struct value a, b;
    if (!operate_number(left, &a) || !operate_number(right, &b)) {
        return types_fail(fail, left, right, "+");
    }
    *ret_value = value_decimal(as_decimal(a) + as_decimal(b));
    return true;
}

// ---- - * / % ------------------------------------------------------------------------------------

// Which of Zoho's two texts appears depends on the other operand (§4.3, the two that are known).
static bool cast_fail(struct fail *fail, struct value culprit, struct value other)
{
    const char *to = other.type == VALUE_NUMBER ? "BIGINT" : "DECIMAL, NUMBER, DATE, DATE-TIME";
    return fail_set(fail, FAIL_SCRIPT, "'%s' can not be cast to '[%s]'", value_type_name(culprit), to);
}

// Both operands as numbers, or a failure that names the operator or the operand.
static bool read_numbers(struct value left, struct value right, const char *operator, struct value * ret_a, struct value *ret_b,
                         struct fail *fail)
{
    if (left.type == VALUE_NULL || right.type == VALUE_NULL) {
        return null_fail(fail, operator);
    }
    if (is_date(left) || is_date(right)) {
        return types_fail(fail, left, right, operator);
    }
    if (!operate_number(left, ret_a)) {
        return cast_fail(fail, left, right);
    }
    if (!operate_number(right, ret_b)) {
        return cast_fail(fail, right, left);
    }
    return true;
}

// A date, or text in one of the forms that dates are written in: CRM fields are text in ISO form.
static bool date_millis(struct value v, const struct zone *zone, int64_t *ret_millis)
{
    if (is_date(v)) {
        *ret_millis = v.millis;
        return true;
    }
    bool has_time;
    return v.type == VALUE_TEXT && calendar_read(value_view(v), zone, ret_millis, &has_time);
}

// Dates first: their difference is a number, in milliseconds, also between DATE and DATE-TIME.
bool arithmetic_subtract(struct heap *heap, struct value left, struct value right, struct value *ret_value, struct fail *fail)
{
    int64_t from, to;
    if ((is_date(left) || is_date(right)) && date_millis(left, heap->zone, &to) && date_millis(right, heap->zone, &from)) {
        *ret_value = value_number(wrap_subtract(to, from)); // spec/deluge-builtins.md R6
        return true;
    }
    if (left.type == VALUE_TIME && right.type == VALUE_TIME) {
        *ret_value = value_number(left.millis - right.millis);
        return true;
    }
    struct value a, b;
    if (!read_numbers(left, right, "-", &a, &b, fail)) {
        return false;
    }
    bool whole = a.type == VALUE_NUMBER && b.type == VALUE_NUMBER;
    *ret_value = whole ? value_number(wrap_subtract(a.number, b.number)) : value_decimal(as_decimal(a) - as_decimal(b));
    return true;
}

bool arithmetic_multiply(struct heap *heap, struct value left, struct value right, struct value *ret_value, struct fail *fail)
{
    (void)heap;
    struct value a, b;
    if (!read_numbers(left, right, "*", &a, &b, fail)) {
        return false;
    }
    bool whole = a.type == VALUE_NUMBER && b.type == VALUE_NUMBER;
    *ret_value = whole ? value_number(wrap_multiply(a.number, b.number)) : value_decimal(as_decimal(a) * as_decimal(b));
    return true;
}

// §4.3 leaves open what 5 / 2 is. Decided in PRODUCT.md: a whole quotient stays a number, so that counts stay counts; else decimal.
bool arithmetic_divide(struct heap *heap, struct value left, struct value right, struct value *ret_value, struct fail *fail)
{
    (void)heap;
    struct value a, b;
    if (!read_numbers(left, right, "/", &a, &b, fail)) {
        return false;
    }
    if (as_decimal(b) == 0) {
        return fail_set(fail, FAIL_SCRIPT, "Error in performing the Operation / : Divide by zero error");
    }
    if (a.type == VALUE_NUMBER && b.type == VALUE_NUMBER) {
        if (b.number == -1) { // the one quotient that overflows: INT64_MIN / -1 wraps
            *ret_value = value_number(wrap_subtract(0, a.number));
            return true;
        }
        if (a.number % b.number == 0) {
            *ret_value = value_number(a.number / b.number);
            return true;
        }
    }
    *ret_value = value_decimal(as_decimal(a) / as_decimal(b));
    return true;
}

// The sign is the dividend's, as in Java. Whatever is no number, null too, has one text of its own here.
bool arithmetic_remainder(struct heap *heap, struct value left, struct value right, struct value *ret_value, struct fail *fail)
{
    (void)heap;
    struct value a, b;
    if (!operate_number(left, &a) || !operate_number(right, &b)) {
        return fail_set(fail, FAIL_SCRIPT, "On performing mod operation mismatch of data type expressions found"); // seen live, for null
    }
    if (as_decimal(b) == 0) {
        return fail_set(fail, FAIL_SCRIPT, "Error in performing the Operation %% : Divide by zero error");
    }
    if (a.type == VALUE_NUMBER && b.type == VALUE_NUMBER) {
        *ret_value = value_number(b.number == -1 ? 0 : a.number % b.number);
        return true;
    }
    *ret_value = value_decimal(fmod(as_decimal(a), as_decimal(b)));
    return true;
}

// ---- signs --------------------------------------------------------------------------------------

static bool read_signed(struct value operand, const char *operator, struct value * ret_number, struct fail *fail)
{
    if (operand.type == VALUE_NULL) {
        return null_fail(fail, operator);
    }
    if (!operate_number(operand, ret_number)) {
        return cast_fail(fail, operand, value_null());
    }
    return true;
}

bool arithmetic_negate(struct value operand, struct value *ret_value, struct fail *fail)
{
    struct value number;
    if (!read_signed(operand, "-", &number, fail)) {
        return false;
    }
    *ret_value = number.type == VALUE_NUMBER ? value_number(wrap_subtract(0, number.number)) : value_decimal(-number.decimal);
    return true;
}

bool arithmetic_plus(struct value operand, struct value *ret_value, struct fail *fail)
{
    return read_signed(operand, "+", ret_value, fail);
}
