# SPDX-License-Identifier: Apache-2.0
"""Files and objects of others in and out: images, points, transforms, texts."""
