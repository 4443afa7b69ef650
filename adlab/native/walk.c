/* Walks over SymPy's objects: `postorder` of adlab/text/traversal.py, and what is known of their classes. */

#include "core.h"
#include <string.h>
#include <structmember.h>

PyTypeObject *POW_TYPE, *MUL_TYPE, *ADD_TYPE, *EXP1_TYPE;
PyObject *NEGATIVE_ONE;

static Map classes;                        /* from a class to its place in `known` */
static Known *known;
static int count, room;
static PyObject *ARGS;                     /* the property `Basic.args`, which reads `_args` */
static Py_ssize_t args_at = -1;            /* where `_args` lies in an object; -1 where that is not known */
static PyObject *MARK, *DIVISOR;           /* WrittenMark and DIVISOR of adlab/text/unevaluated.py */
static PyObject *NAME_ARGS, *NAME_COMMUTATIVE;

Known known_class(PyTypeObject *type) {
    int place = map_get(&classes, type);
    return place < 0 ? (Known){OTHER, NULL} : known[place];
}

/* Whether the class takes `args` from Basic. Classes that came later are asked each time, so that none is kept alive. */
static int is_usual(PyTypeObject *type) {
    if (map_get(&classes, type) >= 0) return 1;
    PyObject *found = PyObject_GetAttr((PyObject *)type, NAME_ARGS);
    if (found == NULL) PyErr_Clear();
    Py_XDECREF(found);
    return found == ARGS;
}

PyObject *operands_of(PyObject *node) {
    if (args_at > 0 && is_usual(Py_TYPE(node))) {  /* `Basic.args` returns `self._args` */
        PyObject *operands = *(PyObject **)((char *)node + args_at);
        if (operands != NULL && PyTuple_CheckExact(operands)) return Py_NewRef(operands);
    }
    PyObject *given = PyObject_GetAttr(node, NAME_ARGS);
    if (given == NULL || PyTuple_CheckExact(given)) return given;
    PyObject *operands = PySequence_Tuple(given);
    Py_DECREF(given);
    return operands;
}

PyObject *mark_of(PyObject *node) {
    return PyObject_GetAttr(node, NAME_COMMUTATIVE);
}

int is_written(PyObject *node) {
    PyObject *mark = mark_of(node);
    if (mark == NULL) return -1;
    Py_DECREF(mark);  /* the object keeps it */
    return (PyObject *)Py_TYPE(mark) == MARK;
}

int is_divisor(PyObject *node) {
    PyObject *mark = mark_of(node);
    if (mark == NULL) return -1;
    Py_DECREF(mark);
    return mark == DIVISOR;
}

/* --- postorder ------------------------------------------------------------------------------------------------------------ */

typedef struct { PyObject *node, *operands; int next; } Frame;

/* Every distinct object below the roots, operands before what uses them, in reading order. */
PyObject *core_postorder(PyObject *Py_UNUSED(module), PyObject *roots) {
    PyObject *order = PyList_New(0), *given = PySequence_Fast(roots, "roots");
    Map done = {NULL, NULL, 0, 0};
    Frame *stack = NULL;
    int depth = 0, stack_room = 0;
    if (order == NULL || given == NULL) goto failed;
    for (Py_ssize_t root = 0; root < PySequence_Fast_GET_SIZE(given); root++) {
        PyObject *node = PySequence_Fast_GET_ITEM(given, root);
        for (;;) {
            if (node != NULL && map_get(&done, node) < 0) {  /* a new object: its operands come first */
                PyObject *operands = operands_of(node);
                if (operands == NULL || grown((void **)&stack, &stack_room, depth + 1, sizeof *stack) < 0) {
                    Py_XDECREF(operands);
                    goto failed;
                }
                if (PyTuple_GET_SIZE(operands) > 0) {
                    stack[depth++] = (Frame){node, operands, 0};
                } else {
                    Py_DECREF(operands);
                    if (map_put(&done, node, 1) < 0 || PyList_Append(order, node) < 0) goto failed;
                }
            }
            if (depth == 0) break;
            Frame *top = &stack[depth - 1];
            if (top->next < PyTuple_GET_SIZE(top->operands)) {
                node = PyTuple_GET_ITEM(top->operands, top->next++);
                continue;
            }
            depth--;
            node = NULL;
            Py_DECREF(top->operands);
            if (map_get(&done, top->node) < 0 && (map_put(&done, top->node, 1) < 0 || PyList_Append(order, top->node) < 0)) {
                goto failed;
            }
        }
    }
    PyMem_Free(stack);
    map_free(&done);
    Py_DECREF(given);
    return order;
failed:
    while (depth > 0) Py_DECREF(stack[--depth].operands);
    PyMem_Free(stack);
    map_free(&done);
    Py_XDECREF(given);
    Py_XDECREF(order);
    return NULL;
}

/* --- what Python hands over ----------------------------------------------------------------------------------------------- */

static int classes_from(PyObject *given) {
    PyObject *type, *said;
    Py_ssize_t at = 0;
    while (PyDict_Next(given, &at, &type, &said)) {
        PyObject *primitive;
        int kind;
        if (!PyArg_ParseTuple(said, "iO", &kind, &primitive)) return -1;
        Operation *operation = primitive == Py_None ? NULL : operation_of(primitive);
        if (operation == NULL && PyErr_Occurred()) return -1;
        if (grown((void **)&known, &room, count + 1, sizeof *known) < 0 || map_put(&classes, type, count) < 0) return -1;
        known[count++] = (Known){kind, operation};
        Py_INCREF(type);
    }
    return 0;
}

static PyTypeObject *named_class(PyObject *given, const char *name) {
    PyObject *found = PyDict_GetItemString(given, name);
    if (found == NULL || !PyType_Check(found)) {
        PyErr_Format(PyExc_TypeError, "%s is not a class", name);
        return NULL;
    }
    return (PyTypeObject *)Py_NewRef(found);
}

/* read_args(Basic.args, Basic._args): with it the walk reads a slot where it would call a property. */
PyObject *core_read_args(PyObject *Py_UNUSED(module), PyObject *given) {
    PyObject *property, *slot;
    if (!PyArg_ParseTuple(given, "OO", &property, &slot)) return NULL;
    ARGS = Py_NewRef(property);
    if (Py_IS_TYPE(slot, &PyMemberDescr_Type)) args_at = ((PyMemberDescrObject *)slot)->d_member->offset;
    Py_RETURN_NONE;
}

int walk_init(void) {
    NAME_ARGS = PyUnicode_InternFromString("args");
    NAME_COMMUTATIVE = PyUnicode_InternFromString("is_commutative");
    return NAME_ARGS == NULL || NAME_COMMUTATIVE == NULL ? -1 : 0;
}

int walk_setup(PyObject *given) {
    MARK = helper("Mark");
    DIVISOR = helper("divisor");
    NEGATIVE_ONE = helper("NegativeOne");
    PyObject *listed = helper("classes");
    if (MARK == NULL || DIVISOR == NULL || NEGATIVE_ONE == NULL || listed == NULL) return -1;
    POW_TYPE = named_class(given, "Pow"), MUL_TYPE = named_class(given, "Mul"), ADD_TYPE = named_class(given, "Add");
    EXP1_TYPE = named_class(given, "Exp1");
    if (POW_TYPE == NULL || MUL_TYPE == NULL || ADD_TYPE == NULL || EXP1_TYPE == NULL) return -1;
    return classes_from(listed);
}
