# SPDX-License-Identifier: Apache-2.0
"""`disa.ImageRegistrationMethod`, SimpleITK's class with one more metric."""
