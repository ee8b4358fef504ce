// SPDX-License-Identifier: Apache-2.0
// Compiled only to be looked at: check_vtables.py reads the size of each probe's vtable, which is its base's. The wheel
// shows the vtables of these classes; it hides those of most templates, ImageToImageMetricv4's among them.
#include "itkDataObject.h"
#include "itkImage.h"
#include "itkMultiThreaderBase.h"
#include "itkProcessObject.h"
#include "itkTransform.h"

template <typename TBase>
struct Probe : public TBase
{
  ~Probe() override {}
};

using FloatImage = itk::Image<float, 3>;
using DoubleImage = itk::Image<double, 3>;

template struct Probe<itk::Object>;
template struct Probe<itk::DataObject>;
template struct Probe<itk::ProcessObject>;
template struct Probe<itk::MultiThreaderBase>;
template struct Probe<itk::Transform<double, 3, 3>>;
template struct Probe<FloatImage>;
template struct Probe<DoubleImage>;
