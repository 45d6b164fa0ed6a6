// SPDX-License-Identifier: Apache-2.0
// For a target that is made of other targets' objects, where CMake asks for a source all the same.
