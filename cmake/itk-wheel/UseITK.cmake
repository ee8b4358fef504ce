# SPDX-License-Identifier: Apache-2.0
# Nothing: ITK_LIBRARIES carry what programs need.
