# SPDX-License-Identifier: Apache-2.0
"""What the package raises: one line that says what is wrong, what was expected and what to do."""

from __future__ import annotations


class DISAError(RuntimeError):
    """Base of every error of this package; a RuntimeError, as ITK and SimpleITK raise."""


class ImageError(DISAError, ValueError):
    """An image or a feature volume that cannot be used."""


class ImageTypeError(ImageError, TypeError):
    """Something else in place of an image or a feature volume, for which ITK and SimpleITK raise TypeError."""


class ModelError(DISAError, ValueError):
    """A model that is missing, foreign, or cannot be run."""


class RegistrationError(DISAError):
    """A registration that cannot be set up or run."""


class SettingError(RegistrationError, ValueError):
    """A setting of a metric that is out of its range."""


class ConfigError(DISAError, ValueError):
    """Settings of a training run that cannot be used."""


class TrainingError(DISAError):
    """A training run that cannot go on, or cannot write what it made."""


class OutputError(DISAError):
    """A result that cannot be written."""


class InstallationError(DISAError, ImportError):
    """A package beside this one that is missing, or does not fit it."""


class ImageWarning(UserWarning):
    """An image that was not read as it stands: one line that says what was done with it."""
