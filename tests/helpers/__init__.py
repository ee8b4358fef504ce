# SPDX-License-Identifier: Apache-2.0
"""What tests share. No test module imports from another one, and none from a conftest, which holds fixtures only."""
