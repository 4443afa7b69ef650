/* `lower` of adlab/graph/lowering.py as a whole, and what it shares with the readable Lowering where that takes over an object:
   the numbers and positions, as mappings from id(), and the builder. `adlab/graph/quick.py` makes the two ends meet. */

#include "core.h"
#include <structmember.h>

enum { NUMBERS, POSITIONS, NEGATIVE, ROUNDED, SUBTRACTED };

typedef struct {
    PyObject_HEAD
    Lowering *lowering;
    int kind;
} View;

static Entry *viewed(View *view, PyObject *key) {
    void *address = PyLong_AsVoidPtr(key);
    int place = address == NULL ? -1 : map_get(&view->lowering->map, address);
    return place < 0 ? NULL : &view->lowering->entries[place];
}

/* What the mapping holds at this key, a new reference; NULL without an exception where it holds nothing. */
static PyObject *held(View *view, PyObject *key) {
    Entry *entry = viewed(view, key);
    if (entry == NULL) return NULL;
    if (view->kind == NUMBERS) return Py_XNewRef(entry->number);
    if (view->kind == ROUNDED || view->kind == SUBTRACTED) {
        return (view->kind == ROUNDED ? entry->rounded : entry->subtracted) ? Py_NewRef(Py_True) : NULL;
    }
    int position = view->kind == POSITIONS ? entry->position : entry->negative;
    return position < 0 ? NULL : PyLong_FromLong(position);
}

static PyObject *view_item(PyObject *self, PyObject *key) {
    PyObject *found = held((View *)self, key);
    if (found == NULL && !PyErr_Occurred()) PyErr_SetObject(PyExc_KeyError, key);
    return found;
}

static PyObject *view_get(PyObject *self, PyObject *key) {
    PyObject *found = held((View *)self, key);
    return found != NULL || PyErr_Occurred() ? found : Py_NewRef(Py_None);
}

static int view_contains(PyObject *self, PyObject *key) {
    PyObject *found = held((View *)self, key);
    Py_XDECREF(found);
    return found != NULL ? 1 : PyErr_Occurred() ? -1 : 0;
}

static int view_set(PyObject *self, PyObject *key, PyObject *value) {
    View *view = (View *)self;
    void *address = PyLong_AsVoidPtr(key);
    if (value == NULL || (address == NULL && PyErr_Occurred())) {
        if (value == NULL) PyErr_SetString(PyExc_TypeError, "nothing is taken back");
        return -1;
    }
    int place = entry_of(view->lowering, address);
    if (place < 0) return -1;
    Entry *entry = &view->lowering->entries[place];
    if (view->kind == NUMBERS) {
        set_number(entry, Py_NewRef(value));
    } else if (view->kind == ROUNDED) {
        entry->rounded = 1;
    } else {
        long position = PyLong_AsLong(value);
        if (position < 0 || position >= view->lowering->nodes.count) {
            if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "no such node");
            return -1;
        }
        *(view->kind == POSITIONS ? &entry->position : &entry->negative) = (int)position;
    }
    return 0;
}

static PyObject *view_add(PyObject *self, PyObject *key) {
    return view_set(self, key, Py_True) < 0 ? NULL : Py_NewRef(Py_None);
}

static void view_dealloc(PyObject *self) {
    Py_XDECREF(((View *)self)->lowering);
    PyObject_Free(self);
}

static PyMethodDef view_methods[] = {
    {"get", view_get, METH_O, "What is held there, or None."},
    {"add", view_add, METH_O, "Adds to a set."},
    {NULL, NULL, 0, NULL},
};
static PyMappingMethods view_mapping = {.mp_subscript = view_item, .mp_ass_subscript = view_set};
static PySequenceMethods view_sequence = {.sq_contains = view_contains};

PyTypeObject ViewType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "adlab.native._core.View",
    .tp_doc = "Numbers or positions by the id of a SymPy object.",
    .tp_basicsize = sizeof(View),
    .tp_dealloc = view_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_methods = view_methods,
    .tp_as_mapping = &view_mapping,
    .tp_as_sequence = &view_sequence,
};

/* --- the builder ---------------------------------------------------------------------------------------------------------- */

/* The operands as whole numbers, checked. Returns how many they are, or -1. */
static int operands_from(const Nodes *nodes, PyObject *given, int **operands) {
    int count = (int)PyTuple_GET_SIZE(given);
    *operands = PyMem_Malloc(((size_t)count + 1) * sizeof **operands);
    if (*operands == NULL) PyErr_NoMemory();
    for (int k = 0; *operands != NULL && k < count; k++) {
        long operand = PyLong_AsLong(PyTuple_GET_ITEM(given, k));
        if (operand >= 0 && operand < nodes->count) {
            (*operands)[k] = (int)operand;
            continue;
        }
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "an operand is no node");
        PyMem_Free(*operands);
        *operands = NULL;
    }
    return *operands == NULL ? -1 : count;
}

/* cons(primitive, operands, parameter) and find(…), which adds nothing and may return None. */
static PyObject *consed(PyObject *self, PyObject *given, int adding) {
    Nodes *nodes = &((Lowering *)self)->nodes;
    PyObject *primitive, *tuple, *parameter = Py_None;
    int *operands, position;
    if (!PyArg_ParseTuple(given, "OO!|O", &primitive, &PyTuple_Type, &tuple, &parameter)) return NULL;
    Operation *operation = operation_of(primitive);
    int count = operation == NULL ? -1 : operands_from(nodes, tuple, &operands);
    if (count < 0) return NULL;
    if (parameter == Py_None) parameter = NULL;
    position = adding ? nodes_cons(nodes, operation, operands, count, parameter)
                      : nodes_find(nodes, operation, operands, count, parameter);
    PyMem_Free(operands);
    if (position < 0) return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
    return PyLong_FromLong(position);
}

static PyObject *lowering_cons(PyObject *self, PyObject *given) {
    return consed(self, given, 1);
}

static PyObject *lowering_find(PyObject *self, PyObject *given) {
    return consed(self, given, 0);
}

static PyObject *lowering_constant(PyObject *self, PyObject *value) {
    int position = nodes_constant(&((Lowering *)self)->nodes, value);
    return position < 0 ? NULL : PyLong_FromLong(position);
}

static PyObject *lowering_node(PyObject *self, PyObject *given) {
    const Nodes *nodes = &((Lowering *)self)->nodes;
    long position = PyLong_AsLong(given);
    if (position >= 0 && position < nodes->count) return line_node(&nodes->lines[position], nodes->pool);
    if (!PyErr_Occurred()) PyErr_SetString(PyExc_IndexError, "no such node");
    return NULL;
}

static PyObject *lowering_views(PyObject *self, PyObject *Py_UNUSED(nothing)) {
    PyObject *views = PyTuple_New(SUBTRACTED + 1);
    for (int kind = 0; views != NULL && kind <= SUBTRACTED; kind++) {
        View *view = PyObject_New(View, &ViewType);
        if (view == NULL) {
            Py_CLEAR(views);
        } else {
            view->lowering = (Lowering *)Py_NewRef(self);
            view->kind = kind;
            PyTuple_SET_ITEM(views, kind, (PyObject *)view);
        }
    }
    return views;
}

static void lowering_dealloc(PyObject *given) {
    Lowering *self = (Lowering *)given;
    for (int k = 0; k < self->count; k++) Py_XDECREF(self->entries[k].number);
    PyMem_Free(self->entries);
    map_free(&self->map);
    nodes_free(&self->nodes);
    Py_XDECREF(self->order);
    Py_XDECREF(self->python);
    Py_XDECREF(self->make);
    PyObject_Free(given);
}

static PyMethodDef lowering_methods[] = {
    {"cons", lowering_cons, METH_VARARGS, "The position of exactly this node; it is added if it is new."},
    {"find", lowering_find, METH_VARARGS, "The position of exactly this node, or None."},
    {"constant", lowering_constant, METH_O, "The position of a constant."},
    {"node", lowering_node, METH_O, "The Node at a position."},
    {"views", lowering_views, METH_NOARGS, "numbers, positions, negative, rounded, subtracted"},
    {NULL, NULL, 0, NULL},
};

PyTypeObject LoweringType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "adlab.native._core.Lowering",
    .tp_doc = "What each SymPy object became, shared with Python.",
    .tp_basicsize = sizeof(Lowering),
    .tp_dealloc = lowering_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_methods = lowering_methods,
};

/* --- a whole formula ------------------------------------------------------------------------------------------------------ */

/* `Lowering.find_subtracted`: the terms of sums that carry a minus sign. */
static int find_subtracted(Lowering *self, PyObject *node) {
    PyObject *terms = operands_of(node);
    int failed = terms == NULL;
    for (Py_ssize_t k = 0; !failed && k < PyTuple_GET_SIZE(terms); k++) {
        PyObject *term = PyTuple_GET_ITEM(terms, k);
        if (!Py_IS_TYPE(term, MUL_TYPE)) continue;
        int place = entry_of(self, term);
        failed = place < 0;
        if (!failed) self->entries[place].subtracted = 1;
    }
    PyObject *first = failed || PyTuple_GET_SIZE(terms) == 0 ? NULL : PyTuple_GET_ITEM(terms, 0);
    if (first != NULL && Py_IS_TYPE(first, MUL_TYPE)) {
        PyObject *factors = operands_of(first);
        int keeps = factors == NULL || PyTuple_GET_SIZE(factors) == 0 || PyTuple_GET_ITEM(factors, 0) == NEGATIVE_ONE;
        int written = keeps ? 0 : is_written(node);
        failed = factors == NULL || written < 0;
        if (written > 0) self->entries[entry_of(self, first)].subtracted = 0;  /* a leading -2*x is one product */
        Py_XDECREF(factors);
    }
    Py_XDECREF(terms);
    return failed ? -1 : 0;
}

static Tape *lowered(Lowering *self, PyObject *expressions, PyObject *variables, PyObject *names) {
    if (nodes_init(&self->nodes, names) < 0 || map_expect(&self->map, PyList_GET_SIZE(self->order)) < 0) return NULL;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(variables); i++) {
        int place = entry_of(self, PyTuple_GET_ITEM(variables, i));
        if (place < 0) return NULL;
        self->entries[place].position = (int)i;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(self->order); i++) {
        PyObject *node = PyList_GET_ITEM(self->order, i);
        if (Py_IS_TYPE(node, ADD_TYPE) && find_subtracted(self, node) < 0) return NULL;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(self->order); i++) {
        if (lower_one(self, PyList_GET_ITEM(self->order, i)) < 0) return NULL;
    }
    int results = (int)PyTuple_GET_SIZE(expressions), k = 0;
    int *outputs = PyMem_Malloc(((size_t)results + 1) * sizeof *outputs);
    if (outputs == NULL) return (Tape *)PyErr_NoMemory();
    while (k < results && (outputs[k] = position_of(self, entry_of(self, PyTuple_GET_ITEM(expressions, k)))) >= 0) k++;
    Tape *tape = k < results ? NULL : nodes_finish(&self->nodes, names, outputs, results);
    PyMem_Free(outputs);
    return tape;
}

/* lower(expressions, variables, names, order, make): the graph as a tape. `make` makes the readable Lowering that shares this. */
PyObject *core_lower(PyObject *Py_UNUSED(module), PyObject *given) {
    PyObject *expressions, *variables, *names, *order, *make;
    if (!PyArg_ParseTuple(given, "O!O!O!O!O", &PyTuple_Type, &expressions, &PyTuple_Type, &variables, &PyTuple_Type, &names,
                          &PyList_Type, &order, &make)) return NULL;
    Lowering *self = PyObject_New(Lowering, &LoweringType);
    if (self == NULL) return NULL;
    memset((char *)self + sizeof(PyObject), 0, sizeof *self - sizeof(PyObject));
    self->order = Py_NewRef(order);
    self->make = Py_NewRef(make);
    int collects = PyGC_Disable();  /* as `paused` does: adlab/graph/collector.py */
    Tape *tape = lowered(self, expressions, variables, names);
    if (collects) PyGC_Enable();
    Py_CLEAR(self->python);  /* the two hold each other */
    Py_DECREF(self);
    return (PyObject *)tape;
}
