# SPDX-License-Identifier: Apache-2.0
"""Medulla behind other projects' interfaces."""
