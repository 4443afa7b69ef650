/* Exact numbers during lowering: adlab/graph/exact.py. Whole numbers below 2**30 are handled here, all others by Python. */

#include "core.h"
#include <math.h>

enum { SMALL = 1 << 30, WORD = 53 };  /* whole numbers below SMALL need no Python; bits that a double has */

PyObject *HALF, *MINUS_HALF;
static PyTypeObject *FRACTION;
static PyObject *ABOVE, *BELOW, *P, *Q, *MPF, *TEXT, *TYPED;
static int coprime;  /* whether a Fraction can be made of two whole numbers without looking for common divisors */


/* A part of a Fraction, borrowed from it; NULL where that is no whole number. */
static PyObject *part_of(PyObject *number, PyObject *which) {
    PyObject *part = PyObject_GetAttr(number, which);
    Py_XDECREF(part);  /* the Fraction keeps it */
    return part != NULL && PyLong_CheckExact(part) ? part : NULL;
}

int number_is(PyObject *number, long value) {
    if (PyLong_CheckExact(number)) {
        int overflow;
        long its = PyLong_AsLongAndOverflow(number, &overflow);
        return !overflow && its == value;
    }
    if (PyFloat_Check(number)) return PyFloat_AS_DOUBLE(number) == (double)value;
    if (coprime && Py_IS_TYPE(number, FRACTION)) {
        PyObject *above = part_of(number, ABOVE), *below = part_of(number, BELOW);
        if (above != NULL && below != NULL) return number_is(below, 1) && number_is(above, value);
        PyErr_Clear();
    }
    return PyObject_RichCompareBool(number, value == 0 ? ZERO : value == 1 ? ONE : MINUS_ONE, Py_EQ);
}

int sign_of(PyObject *number) {
    if (PyLong_CheckExact(number)) {
        int overflow;
        long its = PyLong_AsLongAndOverflow(number, &overflow);
        return overflow ? overflow : (its > 0) - (its < 0);
    }
    if (PyFloat_Check(number)) return (PyFloat_AS_DOUBLE(number) > 0) - (PyFloat_AS_DOUBLE(number) < 0);
    if (coprime && Py_IS_TYPE(number, FRACTION)) {
        PyObject *part = part_of(number, ABOVE);
        if (part != NULL) return sign_of(part);
        PyErr_Clear();
    }
    int below = PyObject_RichCompareBool(number, ZERO, Py_LT);
    if (below) return below < 0 ? -2 : -1;
    int above = PyObject_RichCompareBool(number, ZERO, Py_GT);
    return above < 0 ? -2 : above;
}

int is_small(PyObject *number, long *value) {
    int overflow = 1;
    if (PyLong_CheckExact(number)) *value = PyLong_AsLongAndOverflow(number, &overflow);
    return !overflow && -SMALL < *value && *value < SMALL;
}

/* `exact.total` and `exact.product`: a new reference to a number, or to None where the result is too long. */
PyObject *combined(const char *name, PyObject *a, PyObject *b) {
    long first, second;
    if (is_small(a, &first) && is_small(b, &second)) {
        return PyLong_FromLongLong(name[0] == 't' ? (long long)first + second : (long long)first * second);
    }
    PyObject *function = helper(name);
    return function == NULL ? NULL : PyObject_CallFunctionObjArgs(function, a, b, NULL);
}

/* -number; the two halves, which most roots have, are turned into each other. */
PyObject *negated(PyObject *number) {
    return number == MINUS_HALF ? Py_NewRef(HALF) : PyNumber_Negative(number);
}

/* The Fraction above/below of whole numbers without common divisors, below > 0. */
static PyObject *fraction(PyObject *above, PyObject *below) {
    if (!coprime) return PyObject_CallFunctionObjArgs((PyObject *)FRACTION, above, below, NULL);
    PyObject *made = FRACTION->tp_alloc(FRACTION, 0);
    if (made != NULL && (PyObject_SetAttr(made, ABOVE, above) < 0 || PyObject_SetAttr(made, BELOW, below) < 0)) Py_CLEAR(made);
    return made;
}

/* 1/number for a small whole number that has no whole reciprocal; None where Python must say what it is. */
PyObject *reciprocal(PyObject *number) {
    long value;
    if (!is_small(number, &value) || (-2 < value && value < 2)) return Py_NewRef(Py_None);
    PyObject *size = PyNumber_Absolute(number);
    PyObject *made = size == NULL ? NULL : fraction(value < 0 ? MINUS_ONE : ONE, size);
    Py_XDECREF(size);
    return made;
}

/* `Lowering._number` for a Rational: its number, or NULL and an exception. */
PyObject *ratio_of(PyObject *node) {
    PyObject *above = PyObject_GetAttr(node, P), *below = above == NULL ? NULL : PyObject_GetAttr(node, Q), *made = NULL;
    if (below == NULL || !PyLong_CheckExact(above) || !PyLong_CheckExact(below)) {
        if (!PyErr_Occurred()) made = Py_NewRef(Py_None);
    } else if (number_is(below, 1)) {
        made = Py_NewRef(above);
    } else if (number_is(below, 2) && (number_is(above, 1) || number_is(above, -1))) {
        made = Py_NewRef(number_is(above, 1) ? HALF : MINUS_HALF);
    } else {
        made = fraction(above, below);
    }
    Py_XDECREF(above);
    Py_XDECREF(below);
    return made;
}

/* `exact.decimal` for a Float that is a normal double: its number, or None where Python must look closer. */
PyObject *decimal_of(PyObject *node) {
    PyObject *parts = PyObject_GetAttr(node, MPF), *made = NULL;  /* sign, mantissa, exponent, bits of the mantissa */
    if (parts == NULL) return NULL;
    if (PyTuple_Check(parts) && PyTuple_GET_SIZE(parts) == 4 && PyLong_CheckExact(PyTuple_GET_ITEM(parts, 1))) {
        long sign = PyLong_AsLong(PyTuple_GET_ITEM(parts, 0)), exponent = PyLong_AsLong(PyTuple_GET_ITEM(parts, 2));
        long bits = PyLong_AsLong(PyTuple_GET_ITEM(parts, 3));
        if (!PyErr_Occurred() && 0 < bits && bits <= WORD && -900 < exponent && exponent < 900) {
            double value = ldexp(PyLong_AsDouble(PyTuple_GET_ITEM(parts, 1)), (int)exponent);
            made = PyFloat_FromDouble(sign ? -value : value);
            PyObject *text = made == NULL ? NULL : PyObject_GetAttr(node, TEXT);  /* a Decimal keeps it as it was typed */
            if (text != NULL) Py_SETREF(made, PyObject_CallFunctionObjArgs(TYPED, made, text, NULL));
            else if (made != NULL) PyErr_Clear();
            Py_XDECREF(text);
        }
    }
    Py_DECREF(parts);
    return made != NULL || PyErr_Occurred() ? made : Py_NewRef(Py_None);
}

int is_ratio(PyObject *number) {
    return PyType_IsSubtype(Py_TYPE(number), FRACTION);
}

/* The nearest double of a Fraction, as `float` finds it. 1 if that was done. */
int fraction_as_double(PyObject *number, double *value) {
    if (!Py_IS_TYPE(number, FRACTION)) return 0;
    PyObject *above = PyObject_GetAttr(number, ABOVE), *below = above == NULL ? NULL : PyObject_GetAttr(number, BELOW);
    PyObject *found = below == NULL ? NULL : PyNumber_TrueDivide(above, below);
    Py_XDECREF(above);
    Py_XDECREF(below);
    if (found == NULL) PyErr_Clear();  /* an overflow: `to_float` says which infinity */
    if (found == NULL || !PyFloat_CheckExact(found)) {
        Py_XDECREF(found);
        return 0;
    }
    *value = PyFloat_AS_DOUBLE(found);
    Py_DECREF(found);
    return 1;
}

int numbers_setup(void) {
    PyObject *type = helper("Fraction");
    if (type == NULL || !PyType_Check(type)) return -1;
    FRACTION = (PyTypeObject *)type;
    ABOVE = PyUnicode_InternFromString("_numerator"), BELOW = PyUnicode_InternFromString("_denominator");
    P = PyUnicode_InternFromString("p"), Q = PyUnicode_InternFromString("q"), MPF = PyUnicode_InternFromString("_mpf_");
    TEXT = PyUnicode_InternFromString("text"), TYPED = helper("TypedDecimal");
    PyObject *two = PyLong_FromLong(2);
    if (ABOVE == NULL || BELOW == NULL || P == NULL || Q == NULL || MPF == NULL || TEXT == NULL || TYPED == NULL || two == NULL) return -1;
    coprime = 0;
    HALF = fraction(ONE, two), MINUS_HALF = fraction(MINUS_ONE, two);
    coprime = 1;
    PyObject *half = HALF == NULL ? NULL : fraction(ONE, two);
    coprime = half != NULL && PyObject_RichCompareBool(half, HALF, Py_EQ) == 1;  /* another Python may hold them otherwise */
    PyErr_Clear();
    Py_XDECREF(half);
    Py_DECREF(two);
    return HALF == NULL || MINUS_HALF == NULL ? -1 : 0;
}
