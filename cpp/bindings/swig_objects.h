// SPDX-License-Identifier: Apache-2.0
#ifndef swig_objects_h
#define swig_objects_h

#include "itkSmartPointer.h"

#include <pybind11/pybind11.h>

/** \brief Hands an object to Python as the itk package's own proxies hold it: a pointer of the named SWIG type that
 * owns one reference. The caller has registered that reference. */
pybind11::object to_swig(void * pointer, const char * type);

/** \brief The pointer inside a proxy of the itk package, or null if it is not of that SWIG type. */
void * from_swig(const pybind11::handle & proxy, const char * type);

/** \brief An object of ITK as the pointer to a base class that a proxy of the itk package keeps in `this`. */
template <typename TBase, typename TObject>
pybind11::object
hand_over(const itk::SmartPointer<TObject> & object, const char * type)
{
  TBase * base = object.GetPointer();
  object->Register();
  return to_swig(base, type);
}

#endif
