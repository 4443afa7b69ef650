/* The module `adlab.native._core`. */

#include "core.h"

static PyObject *setup(PyObject *Py_UNUSED(module), PyObject *given) {
    if (!PyDict_Check(given)) {
        PyErr_SetString(PyExc_TypeError, "setup takes a dict of classes, functions and primitives");
        return NULL;
    }
    if (table_setup(given) < 0 || numbers_setup() < 0 || walk_setup(given) < 0) return NULL;
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"setup", setup, METH_O, "Hands over what the core must know of Python; see adlab/graph/quick.py."},
    {"read_args", core_read_args, METH_VARARGS, "Tells how SymPy's objects hold their operands."},
    {"postorder", core_postorder, METH_O, "As `postorder` of adlab/text/traversal.py."},
    {"read_symbols", core_read_symbols, METH_VARARGS, "Tells how SymPy's symbols hold what is known of them."},
    {"survey", core_survey, METH_O, "The classes of the objects in a list that the core does not know, and the symbols among the objects."},
    {"by_name", core_by_name, METH_O, "Symbols by their names, or None where one is out of the ordinary."},
    {"holds", core_holds, METH_VARARGS, "Whether symbols are the very objects that a dict has under their names."},
    {"signed", core_signed, METH_O, "Whether a symbol has a sign."},
    {"floats", core_floats, METH_O, "The doubles of a list of finite floats."},
    {"lower", core_lower, METH_VARARGS, "As `lower` of adlab/graph/lowering.py, to a tape."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_core",
    .m_doc = "The compiled core: lowering, values and adjoints, bit for bit as the readable Python has them.",
    .m_size = -1,
    .m_methods = functions,
};

PyMODINIT_FUNC PyInit__core(void) {
    if (walk_init() < 0 || PyType_Ready(&TapeType) < 0 || PyType_Ready(&ViewType) < 0 || PyType_Ready(&LoweringType) < 0) return NULL;
    PyObject *module = PyModule_Create(&definition);
    if (module != NULL && (PyModule_AddObjectRef(module, "Tape", (PyObject *)&TapeType) < 0
                           || PyModule_AddStringConstant(module, "source", SOURCE) < 0)) Py_CLEAR(module);
    return module;
}
