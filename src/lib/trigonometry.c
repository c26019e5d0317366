// SPDX-License-Identifier: Apache-2.0
//
// Angles, trigonometric and hyperbolic functions; radians throughout. What has no value (asin(2), atanh(1)) is null, as log10 of zero is.
#include "lib/inside.h"

#include <math.h>

// One argument in, one decimal out: the shape of all of them.
#define UNARY(name, expression)                                                                                                            \
    static bool trig_##name(struct native_call *call)                                                                                      \
    {                                                                                                                                      \
        double x;                                                                                                                          \
        return arg_decimal(call, 0, &x) && lib_return_point(call, (expression));                                                           \
    }

UNARY(sin, sin(x))
UNARY(cos, cos(x))
UNARY(tan, tan(x))
UNARY(asin, asin(x))
UNARY(acos, acos(x))
UNARY(atan, atan(x))
UNARY(sinh, sinh(x))
UNARY(cosh, cosh(x))
UNARY(tanh, tanh(x))
UNARY(asinh, asinh(x))
UNARY(acosh, acosh(x))
UNARY(atanh, atanh(x))
UNARY(degrees, x * 180.0 / M_PI)
UNARY(radians, x / 180.0 * M_PI)

static bool trig_atan2(struct native_call *call)
{
    double y, x;
    return arg_decimal(call, 0, &y) && arg_decimal(call, 1, &x) && lib_return_point(call, atan2(y, x));
}

enum { NUMERIC = NATIVE_NUMBERS | NATIVE_TEXT };

#define ROW(name, doc, example)                                                                                                            \
    {                                                                                                                                      \
#name, NUMERIC, 1, 1, 0, 2, trig_##name, "number." #name "() → DECIMAL", doc, example, "SURE builtins §3"                         \
    }

static const struct native rows[] = {
    ROW(sin, "The sine of an angle in radians.", "info 1.sin(); => 0.8414709848078965"),
    ROW(cos, "The cosine of an angle in radians.", "info 1.cos(); => 0.5403023058681398"),
    ROW(tan, "The tangent of an angle in radians.", "info 0.5.tan(); => 0.5463024898437905"),
    ROW(asin, "The angle of a sine; null outside -1 to 1.", "info 0.5.asin(); => 0.5235987755982989"),
    ROW(acos, "The angle of a cosine; null outside -1 to 1.", "info 0.5.acos(); => 1.0471975511965979"),
    ROW(atan, "The angle of a tangent.", "info 0.5.atan(); => 0.4636476090008061"),
    ROW(sinh, "The hyperbolic sine.", "info 1.sinh(); => 1.1752011936438014"),
    ROW(cosh, "The hyperbolic cosine.", "info 1.cosh(); => 1.5430806348152437"),
    ROW(tanh, "The hyperbolic tangent.", "info 0.5.tanh(); => 0.46211715726000974"),
    ROW(asinh, "The inverse hyperbolic sine.", "info 1.asinh(); => 0.881373587019543"),
    ROW(acosh, "The inverse hyperbolic cosine; null below 1.", "info 2.acosh(); => 1.3169578969248166"),
    ROW(atanh, "The inverse hyperbolic tangent; null outside -1 to 1.", "info 0.5.atanh(); => 0.5493061443340548"),
    ROW(degrees, "Radians in degrees.", "info 1.degrees(); => 57.29577951308232"),
    ROW(radians, "Degrees in radians.", "info 90.radians(); => 1.5707963267948966"),
    {"atan2", NUMERIC, 2, 2, 0, 2, trig_atan2, "y.atan2(number x) → DECIMAL", "The angle of the point (x, y).",
     "info 1.atan2(2); => 0.4636476090008061", "SURE builtins §3"},
};

const struct lib_table lib_trigonometry_table = LIB_TABLE(rows);
