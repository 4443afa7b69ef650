/* What is known of each primitive: asked of Python once, by `describe` in adlab/graph/quick.py. */

#include "core.h"
#include <fenv.h>
#include <math.h>
#include <string.h>

PyObject *ADD_P, *SUB_P, *MUL_P, *DIV_P, *NEG_P, *POWI_P, *EXP_P, *SQRT_P, *POW_P, *CONSTANT_P, *INPUT_P;
PyObject *NODE, *HELPERS, *ZERO, *ONE, *MINUS_ONE;
Operation *OP_ADD, *OP_SUB, *OP_MUL, *OP_DIV, *OP_NEG, *OP_POWI, *OP_EXP, *OP_SQRT, *OP_POW, *OP_CONSTANT, *OP_INPUT;

static Map operations;          /* from a primitive to its place in `all` */
static Operation **all;
static int count, room;

/* The functions of the C library that Python's `math` calls, too. All others are called by way of Python. */
static const struct { const char *name; double (*function)(double); } FUNCTIONS[] = {
    {"exp", exp}, {"log", log}, {"sqrt", sqrt}, {"sin", sin}, {"cos", cos}, {"tan", tan}, {"asin", asin}, {"acos", acos},
    {"atan", atan}, {"sinh", sinh}, {"cosh", cosh}, {"tanh", tanh}, {"fabs", fabs},
};

PyObject *helper(const char *name) {
    PyObject *found = PyDict_GetItemString(HELPERS, name);
    if (found == NULL && !PyErr_Occurred()) PyErr_Format(PyExc_RuntimeError, "the compiled core was not given `%s`", name);
    return found;
}

static double (*function_of(const char *name))(double) {
    for (size_t i = 0; i < sizeof FUNCTIONS / sizeof *FUNCTIONS; i++) {
        if (strcmp(FUNCTIONS[i].name, name) == 0) return FUNCTIONS[i].function;
    }
    return NULL;
}

Operation *operation_of(PyObject *primitive) {
    int known = map_get(&operations, primitive);
    if (known >= 0) return all[known];
    PyObject *describe = helper("describe");
    if (describe == NULL) return NULL;
    PyObject *said = PyObject_CallOneArg(describe, primitive);
    if (said == NULL) return NULL;
    Operation *made = PyMem_Calloc(1, sizeof *made);
    const char *name;
    if (made == NULL || grown((void **)&all, &room, count + 1, sizeof *all) < 0) {
        PyErr_NoMemory();
    } else if (PyArg_ParseTuple(said, "isOppi", &made->code, &name, &made->careful, &made->plain, &made->vanishes, &made->arity)
               && map_put(&operations, primitive, count) == 0) {
        made->primitive = Py_NewRef(primitive);
        Py_INCREF(made->careful);
        if (made->code == FUNCTION && (made->function = function_of(name)) == NULL) made->code = PYTHON;
        all[count++] = made;
        Py_DECREF(said);
        return made;
    }
    PyMem_Free(made);
    Py_DECREF(said);
    return NULL;
}

/* The rule of this operation as a tape, a borrowed reference: `rules.pullback` or `rules.partials` in adlab/graph/rules.py. */
Tape *rule_of(Operation *operation, PyObject *parameter, int kind) {
    Rules *rules = &operation->rules[kind];
    Tape **place = NULL;
    if (parameter == NULL) {
        place = &rules->rule;
    } else if (PyLong_CheckExact(parameter)) {
        int overflow;
        long value = PyLong_AsLongAndOverflow(parameter, &overflow);
        if (!overflow && value >= 0 && value < 32) place = &rules->small[value];
    }
    if (place != NULL && *place != NULL) return *place;
    if (place == NULL && rules->others == NULL && (rules->others = PyDict_New()) == NULL) return NULL;
    PyObject *known = place == NULL ? PyDict_GetItemWithError(rules->others, parameter) : NULL;
    if (known != NULL || PyErr_Occurred()) return (Tape *)known;
    PyObject *make = helper("rule");
    if (make == NULL) return NULL;
    fexcept_t flags;  /* of the sweep that asks; SymPy and NumPy, which make the rule, are not to change them */
    fegetexceptflag(&flags, FE_ALL_EXCEPT);
    PyObject *made = PyObject_CallFunction(make, "OOi", operation->primitive, parameter ? parameter : Py_None, kind);
    fesetexceptflag(&flags, FE_ALL_EXCEPT);
    if (made == NULL) return NULL;
    if (!PyObject_TypeCheck(made, &TapeType)) {
        PyErr_SetString(PyExc_TypeError, "a rule is a tape");
        Py_DECREF(made);
        return NULL;
    }
    /* Python may have let another thread make it meanwhile. The first one stays, since that thread is at work with it. */
    if (place != NULL && *place == NULL) {
        *place = (Tape *)made;  /* kept as long as the table */
        return *place;
    }
    PyObject *kept = place != NULL ? (PyObject *)*place : PyDict_SetDefault(rules->others, parameter, made);
    Py_DECREF(made);
    return (Tape *)kept;
}

/* `to_float` in adlab/primitives/primitive.py. */
int as_double(PyObject *constant, double *value) {
    if (PyFloat_Check(constant)) {
        *value = PyFloat_AS_DOUBLE(constant);
        return 0;
    }
    if (PyLong_CheckExact(constant)) {
        *value = PyLong_AsDouble(constant);
        if (!(*value == -1.0 && PyErr_Occurred())) return 0;
        PyErr_Clear();
    }
    if (fraction_as_double(constant, value)) return 0;
    PyObject *convert = helper("to_float");
    PyObject *found = convert == NULL ? NULL : PyObject_CallOneArg(convert, constant);
    if (found == NULL) return -1;
    *value = PyFloat_AsDouble(found);
    Py_DECREF(found);
    return *value == -1.0 && PyErr_Occurred() ? -1 : 0;
}

static int primitive_named(PyObject *given, const char *name, PyObject **primitive, Operation **operation) {
    *primitive = Py_XNewRef(PyDict_GetItemString(given, name));
    if (*primitive == NULL) {
        PyErr_Format(PyExc_KeyError, "%s", name);
        return -1;
    }
    *operation = operation_of(*primitive);
    return *operation == NULL ? -1 : 0;
}

int table_setup(PyObject *given) {
    HELPERS = Py_NewRef(given);
    NODE = Py_XNewRef(PyDict_GetItemString(given, "Node"));
    PyObject *named = PyDict_GetItemString(given, "primitives");
    ZERO = PyLong_FromLong(0), ONE = PyLong_FromLong(1), MINUS_ONE = PyLong_FromLong(-1);
    if (NODE == NULL || named == NULL || ZERO == NULL || ONE == NULL || MINUS_ONE == NULL) {
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_KeyError, "Node or primitives");
        return -1;
    }
    if (primitive_named(named, "add", &ADD_P, &OP_ADD) || primitive_named(named, "sub", &SUB_P, &OP_SUB)
        || primitive_named(named, "mul", &MUL_P, &OP_MUL) || primitive_named(named, "div", &DIV_P, &OP_DIV)
        || primitive_named(named, "neg", &NEG_P, &OP_NEG) || primitive_named(named, "powi", &POWI_P, &OP_POWI)
        || primitive_named(named, "exp", &EXP_P, &OP_EXP) || primitive_named(named, "pow", &POW_P, &OP_POW)
        || primitive_named(named, "sqrt", &SQRT_P, &OP_SQRT) || primitive_named(named, "constant", &CONSTANT_P, &OP_CONSTANT)
        || primitive_named(named, "input", &INPUT_P, &OP_INPUT)) return -1;
    return 0;
}
