/* What reading a formula asks of every object and every variable: adlab/inputs.py, and `Function.evaluator`.

   These functions answer where there is nothing to refuse. Everywhere else the readable Python looks at each symbol again, and
   says what is wrong. */

#include "core.h"
#include <math.h>
#include <string.h>
#include <structmember.h>

static PyTypeObject *SYMBOL;
static Py_ssize_t facts_at = -1;           /* where `_assumptions` lies in an object */
static PyObject *NAME;
static PyObject *COMMUTATIVE[2], *EXTENDED_REAL[2], *NONNEGATIVE[2], *NONPOSITIVE[2];  /* a fact, and its property */

/* A fact about a symbol, as its property gives it: a new reference to True, False or None. */
static PyObject *fact(PyObject *symbol, PyObject *const *name) {
    PyObject *facts = facts_at > 0 ? *(PyObject **)((char *)symbol + facts_at) : NULL;
    PyObject *found = facts != NULL && PyDict_Check(facts) ? PyDict_GetItemWithError(facts, name[0]) : NULL;
    if (found != NULL || PyErr_Occurred()) return Py_XNewRef(found);
    return PyObject_GetAttr(symbol, name[1]);
}

static int fact_is(PyObject *symbol, PyObject *const *name, PyObject *value) {
    PyObject *found = fact(symbol, name);
    Py_XDECREF(found);
    return found == NULL ? -1 : found == value;
}

/* survey(order): the classes of the objects that the core does not know, and the objects that are symbols, in order. */
PyObject *core_survey(PyObject *Py_UNUSED(module), PyObject *order) {
    PyObject *types = PySet_New(NULL), *symbols = PyList_New(0), *last = NULL;
    int failed = types == NULL || symbols == NULL || !PyList_Check(order);
    for (Py_ssize_t k = 0; !failed && k < PyList_GET_SIZE(order); k++) {
        PyObject *node = PyList_GET_ITEM(order, k), *type = (PyObject *)Py_TYPE(node);
        if (type != last && known_class(Py_TYPE(node)).kind == OTHER) failed = PySet_Add(types, type) < 0;
        last = type;
        if (!failed && PyType_IsSubtype(Py_TYPE(node), SYMBOL)) failed = PyList_Append(symbols, node) < 0;
    }
    PyObject *both = failed ? NULL : PyTuple_Pack(2, types, symbols);
    if (both == NULL && !PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, "an order is a list");
    Py_XDECREF(types);
    Py_XDECREF(symbols);
    return both;
}

/* by_name(symbols): a dict from the names, where every symbol is an ordinary real variable and has a printable name of its own;
   else None. */
PyObject *core_by_name(PyObject *Py_UNUSED(module), PyObject *given) {
    PyObject *symbols = PySequence_Fast(given, "symbols"), *names = symbols == NULL ? NULL : PyDict_New();
    int good = names == NULL ? -1 : 1;
    Py_ssize_t count = symbols == NULL ? 0 : PySequence_Fast_GET_SIZE(symbols);
    for (Py_ssize_t k = 0; good == 1 && k < count; k++) {
        PyObject *symbol = PySequence_Fast_GET_ITEM(symbols, k);
        if (!Py_IS_TYPE(symbol, SYMBOL)) good = 0;
        if (good == 1) good = fact_is(symbol, COMMUTATIVE, Py_True);
        if (good == 1) {
            int unreal = fact_is(symbol, EXTENDED_REAL, Py_False);
            good = unreal < 0 ? -1 : !unreal;
        }
        PyObject *name = good == 1 ? PyObject_GetAttr(symbol, NAME) : NULL;
        if (good == 1) good = name == NULL ? -1 : PyUnicode_CheckExact(name) && PyUnicode_IsIdentifier(name);
        if (good == 1 && PyDict_SetItem(names, name, symbol) < 0) good = -1;
        Py_XDECREF(name);
    }
    if (good == 1 && PyDict_GET_SIZE(names) != count) good = 0;
    Py_XDECREF(symbols);
    if (good == 1) return names;
    Py_XDECREF(names);
    return good < 0 ? NULL : Py_NewRef(Py_None);
}

/* holds(names, symbols): whether each of the symbols is the very object that `names` has under its name. */
PyObject *core_holds(PyObject *Py_UNUSED(module), PyObject *given) {
    PyObject *names, *symbols;
    if (!PyArg_ParseTuple(given, "O!O!", &PyDict_Type, &names, &PyList_Type, &symbols)) return NULL;
    for (Py_ssize_t k = 0; k < PyList_GET_SIZE(symbols); k++) {
        PyObject *symbol = PyList_GET_ITEM(symbols, k), *name = PyObject_GetAttr(symbol, NAME);
        PyObject *known = name == NULL ? NULL : PyDict_GetItemWithError(names, name);
        Py_XDECREF(name);
        if (known != symbol) {
            if (PyErr_Occurred()) return NULL;
            Py_RETURN_FALSE;
        }
    }
    Py_RETURN_TRUE;
}

/* signed(symbols): whether a symbol has a sign. Each declared sign makes it nonnegative or nonpositive. */
PyObject *core_signed(PyObject *Py_UNUSED(module), PyObject *symbols) {
    if (!PyTuple_Check(symbols)) Py_RETURN_TRUE;
    for (Py_ssize_t k = 0; k < PyTuple_GET_SIZE(symbols); k++) {
        PyObject *symbol = PyTuple_GET_ITEM(symbols, k);
        if (!PyType_IsSubtype(Py_TYPE(symbol), SYMBOL)) Py_RETURN_TRUE;
        int above = fact_is(symbol, NONNEGATIVE, Py_True), below = above ? 0 : fact_is(symbol, NONPOSITIVE, Py_True);
        if (above || below) return above < 0 || below < 0 ? NULL : Py_NewRef(Py_True);
    }
    Py_RETURN_FALSE;
}

/* floats(list): the doubles of a list of finite floats, as a bytearray; None where it holds anything else. */
PyObject *core_floats(PyObject *Py_UNUSED(module), PyObject *given) {
    if (!PyList_CheckExact(given)) Py_RETURN_NONE;
    Py_ssize_t count = PyList_GET_SIZE(given);
    PyObject *made = PyByteArray_FromStringAndSize(NULL, count * (Py_ssize_t)sizeof(double));
    if (made == NULL) return NULL;
    double *each = (double *)(void *)PyByteArray_AS_STRING(made);
    for (Py_ssize_t k = 0; k < count; k++) {
        PyObject *number = PyList_GET_ITEM(given, k);
        if (!PyFloat_CheckExact(number) || !isfinite(PyFloat_AS_DOUBLE(number))) {
            Py_DECREF(made);
            Py_RETURN_NONE;
        }
        each[k] = PyFloat_AS_DOUBLE(number);
    }
    return made;
}

static int named(PyObject **fact, const char *property) {
    fact[0] = PyUnicode_InternFromString(property + strlen("is_"));
    fact[1] = PyUnicode_InternFromString(property);
    return fact[0] == NULL || fact[1] == NULL ? -1 : 0;
}

/* read_symbols(Symbol, Basic._assumptions): how SymPy's symbols hold what is known of them. */
PyObject *core_read_symbols(PyObject *Py_UNUSED(module), PyObject *given) {
    PyObject *type, *slot;
    if (!PyArg_ParseTuple(given, "O!O", &PyType_Type, &type, &slot)) return NULL;
    SYMBOL = (PyTypeObject *)Py_NewRef(type);
    if (Py_IS_TYPE(slot, &PyMemberDescr_Type)) facts_at = ((PyMemberDescrObject *)slot)->d_member->offset;
    NAME = PyUnicode_InternFromString("name");
    if (NAME == NULL || named(COMMUTATIVE, "is_commutative") < 0 || named(EXTENDED_REAL, "is_extended_real") < 0
        || named(NONNEGATIVE, "is_nonnegative") < 0 || named(NONPOSITIVE, "is_nonpositive") < 0) return NULL;
    Py_RETURN_NONE;
}
