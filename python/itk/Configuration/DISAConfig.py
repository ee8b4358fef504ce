# SPDX-License-Identifier: Apache-2.0
"""What the module DISA adds to the `itk` namespace; read by ITK's lazy loading."""

depends = ("ITKPyBase", "ITKCommon", "ITKOptimizersv4", "ITKMetricsv4")

_pixels = (("F", "float"), ("D", "double"))


def _images(pixel: str) -> str:
    return f"itk::Image< {pixel},3 >, itk::Image< {pixel},3 >"


def _multi(pixel: str) -> str:
    return f"3, 3, itk::Image< {pixel},3 >"


templates = (
    tuple(
        (
            "DISAImageToImageMetricv4",
            "itk::DISAImageToImageMetricv4",
            f"itkDISAImageToImageMetricv4I{letter}3I{letter}3",
            True,
            _images(pixel),
        )
        for letter, pixel in _pixels
    )
    + tuple(
        (
            f"RegistrationParameterScalesFrom{source}",
            f"itk::RegistrationParameterScalesFrom{source}",
            f"itkRegistrationParameterScalesFrom{source}DISA{letter}3",
            False,
            f"itk::DISAImageToImageMetricv4< {_images(pixel)} >",
        )
        for source in ("PhysicalShift", "IndexShift", "Jacobian")
        for letter, pixel in _pixels
    )
    + tuple(
        (
            "ObjectToObjectMultiMetricv4",
            "itk::ObjectToObjectMultiMetricv4",
            f"itkObjectToObjectMultiMetricv4{letter}3",
            True,
            _multi(pixel),
        )
        for letter, pixel in _pixels
    )
    + tuple(
        (
            f"RegistrationParameterScalesFrom{source}",
            f"itk::RegistrationParameterScalesFrom{source}",
            f"itkRegistrationParameterScalesFrom{source}Multi{letter}3",
            False,
            f"itk::ObjectToObjectMultiMetricv4< {_multi(pixel)} >",
        )
        for source in ("PhysicalShift", "Jacobian")
        for letter, pixel in _pixels
    )
)
