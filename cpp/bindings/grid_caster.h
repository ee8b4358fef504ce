// SPDX-License-Identifier: Apache-2.0
#ifndef grid_caster_h
#define grid_caster_h

#include "disa/core/Geometry.h"

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

namespace pybind11::detail
{

/** \brief `disa.geometry.grid.Grid` on Python's side is `disa::Frame` on this one. */
template <>
struct type_caster<disa::Frame>
{
  PYBIND11_TYPE_CASTER(disa::Frame, const_name("disa.geometry.grid.Grid"));

  bool
  load(handle source, bool)
  {
    if (!hasattr(source, "size") || !hasattr(source, "direction"))
    {
      return false;
    }
    using Numbers = array_t<double, array::c_style | array::forcecast>;
    const auto take = [&](const char * name, auto & into)
    {
      const auto numbers = Numbers::ensure(source.attr(name));
      if (!numbers || numbers.size() != static_cast<ssize_t>(into.size()))
      {
        return false;
      }
      std::copy_n(numbers.data(), into.size(), into.begin());
      return true;
    };
    return take("size", value.size) && take("origin", value.origin) && take("spacing", value.spacing) &&
           take("direction", value.direction);
  }

  static handle
  cast(const disa::Frame & frame, return_value_policy, handle)
  {
    return module_::import("disa.geometry.grid")
      .attr("Grid")
      .attr("of_frame")(frame.size, frame.origin, frame.spacing, frame.direction)
      .release();
  }
};

} // namespace pybind11::detail

#endif
