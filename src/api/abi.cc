// SPDX-License-Identifier: Apache-2.0
// The public structs as they were released, on 64-bit hosts: a field may be added at the end of a
// struct that begins with struct_size, nothing else may change.
#include <cstddef>
#include <cstdint>

#include "medulla/backend.h"

#if UINTPTR_MAX == UINT64_MAX

#define MDL_SIZE(type, bytes) static_assert(sizeof(type) == (bytes))
#define MDL_AT(type, field, offset) static_assert(offsetof(type, field) == (offset))

MDL_SIZE(mdl_error, 528);
MDL_AT(mdl_error, struct_size, 0);
MDL_AT(mdl_error, status, 8);
MDL_AT(mdl_error, text, 12);

MDL_SIZE(mdl_allocator, 24);
MDL_AT(mdl_allocator, context, 0);
MDL_AT(mdl_allocator, allocate, 8);
MDL_AT(mdl_allocator, release, 16);

MDL_SIZE(mdl_block, 16);
MDL_AT(mdl_block, data, 0);
MDL_AT(mdl_block, size, 8);

MDL_SIZE(mdl_model_options, 72);
MDL_AT(mdl_model_options, struct_size, 0);
MDL_AT(mdl_model_options, check, 8);
MDL_AT(mdl_model_options, lock_memory, 12);
MDL_AT(mdl_model_options, max_file_bytes, 16);
MDL_AT(mdl_model_options, max_nodes, 24);
MDL_AT(mdl_model_options, max_tensors, 28);
MDL_AT(mdl_model_options, max_tensor_bytes, 32);
MDL_AT(mdl_model_options, allocator, 40);
MDL_AT(mdl_model_options, block, 48);
MDL_AT(mdl_model_options, max_rank, 64);

MDL_SIZE(mdl_quantization, 32);
MDL_AT(mdl_quantization, count, 0);
MDL_AT(mdl_quantization, scales, 8);
MDL_AT(mdl_quantization, zero_points, 16);
MDL_AT(mdl_quantization, axis, 24);

MDL_SIZE(mdl_tensor_info, 136);
MDL_AT(mdl_tensor_info, struct_size, 0);
MDL_AT(mdl_tensor_info, name, 8);
MDL_AT(mdl_tensor_info, dtype, 16);
MDL_AT(mdl_tensor_info, rank, 20);
MDL_AT(mdl_tensor_info, dims, 24);
MDL_AT(mdl_tensor_info, dynamic, 88);
MDL_AT(mdl_tensor_info, bytes, 96);
MDL_AT(mdl_tensor_info, quantization, 104);

MDL_SIZE(mdl_preprocessing, 40);
MDL_AT(mdl_preprocessing, struct_size, 0);
MDL_AT(mdl_preprocessing, layout, 8);
MDL_AT(mdl_preprocessing, count, 16);
MDL_AT(mdl_preprocessing, scale, 24);
MDL_AT(mdl_preprocessing, offset, 32);

MDL_SIZE(mdl_program_options, 112);
MDL_AT(mdl_program_options, struct_size, 0);
MDL_AT(mdl_program_options, isa, 8);
MDL_AT(mdl_program_options, backends, 16);
MDL_AT(mdl_program_options, placement, 24);
MDL_AT(mdl_program_options, numerics, 28);
MDL_AT(mdl_program_options, precision, 32);
MDL_AT(mdl_program_options, memory_budget, 40);
MDL_AT(mdl_program_options, kernels, 48);
MDL_AT(mdl_program_options, keep, 56);
MDL_AT(mdl_program_options, extra_backends, 64);
MDL_AT(mdl_program_options, extra_backend_count, 72);
MDL_AT(mdl_program_options, allocator, 80);
MDL_AT(mdl_program_options, block, 88);
MDL_AT(mdl_program_options, max_arena_bytes, 104);

MDL_SIZE(mdl_memory_need, 72);
MDL_AT(mdl_memory_need, struct_size, 0);
MDL_AT(mdl_memory_need, program_bytes, 8);
MDL_AT(mdl_memory_need, session_bytes, 16);
MDL_AT(mdl_memory_need, packed_bytes, 24);
MDL_AT(mdl_memory_need, arena_bytes, 32);
MDL_AT(mdl_memory_need, arena_bound_bytes, 40);
MDL_AT(mdl_memory_need, scratch_bytes, 48);
MDL_AT(mdl_memory_need, state_bytes, 56);
MDL_AT(mdl_memory_need, stack_bytes, 64);

MDL_SIZE(mdl_thread_pool, 24);
MDL_AT(mdl_thread_pool, context, 0);
MDL_AT(mdl_thread_pool, threads, 8);
MDL_AT(mdl_thread_pool, run, 16);

MDL_SIZE(mdl_session_options, 56);
MDL_AT(mdl_session_options, struct_size, 0);
MDL_AT(mdl_session_options, threads, 8);
MDL_AT(mdl_session_options, pool, 16);
MDL_AT(mdl_session_options, profile, 24);
MDL_AT(mdl_session_options, check_finite, 28);
MDL_AT(mdl_session_options, allocator, 32);
MDL_AT(mdl_session_options, block, 40);

MDL_SIZE(mdl_step_profile, 64);
MDL_AT(mdl_step_profile, struct_size, 0);
MDL_AT(mdl_step_profile, name, 8);
MDL_AT(mdl_step_profile, op, 16);
MDL_AT(mdl_step_profile, backend, 24);
MDL_AT(mdl_step_profile, kernel, 32);
MDL_AT(mdl_step_profile, nanoseconds, 40);
MDL_AT(mdl_step_profile, macs, 48);
MDL_AT(mdl_step_profile, bytes, 56);

MDL_SIZE(mdl_attribute, 80);
MDL_AT(mdl_attribute, name, 0);
MDL_AT(mdl_attribute, type, 8);
MDL_AT(mdl_attribute, count, 16);
MDL_AT(mdl_attribute, i, 24);
MDL_AT(mdl_attribute, f, 32);
MDL_AT(mdl_attribute, s, 40);
MDL_AT(mdl_attribute, ints, 48);
MDL_AT(mdl_attribute, floats, 56);
MDL_AT(mdl_attribute, strings, 64);
MDL_AT(mdl_attribute, graph, 72);

MDL_SIZE(mdl_tensor, 208);
MDL_AT(mdl_tensor, name, 0);
MDL_AT(mdl_tensor, dtype, 8);
MDL_AT(mdl_tensor, rank, 12);
MDL_AT(mdl_tensor, dims, 16);
MDL_AT(mdl_tensor, symbols, 80);
MDL_AT(mdl_tensor, quantization, 144);
MDL_AT(mdl_tensor, data, 176);
MDL_AT(mdl_tensor, bytes, 184);
MDL_AT(mdl_tensor, producer, 192);
MDL_AT(mdl_tensor, consumer, 196);
MDL_AT(mdl_tensor, consumer_count, 200);
MDL_AT(mdl_tensor, flags, 204);

MDL_SIZE(mdl_node, 56);
MDL_AT(mdl_node, name, 0);
MDL_AT(mdl_node, op, 8);
MDL_AT(mdl_node, version, 16);
MDL_AT(mdl_node, attribute_count, 20);
MDL_AT(mdl_node, input_count, 24);
MDL_AT(mdl_node, output_count, 28);
MDL_AT(mdl_node, attributes, 32);
MDL_AT(mdl_node, inputs, 40);
MDL_AT(mdl_node, outputs, 48);

MDL_SIZE(mdl_state, 24);
MDL_AT(mdl_state, tensor, 0);
MDL_AT(mdl_state, written, 4);
MDL_AT(mdl_state, kind, 8);
MDL_AT(mdl_state, axis, 12);
MDL_AT(mdl_state, initial, 16);

MDL_SIZE(mdl_graph, 88);
MDL_AT(mdl_graph, name, 0);
MDL_AT(mdl_graph, tensors, 8);
MDL_AT(mdl_graph, nodes, 16);
MDL_AT(mdl_graph, inputs, 24);
MDL_AT(mdl_graph, outputs, 32);
MDL_AT(mdl_graph, states, 40);
MDL_AT(mdl_graph, tensor_count, 48);
MDL_AT(mdl_graph, node_count, 56);
MDL_AT(mdl_graph, input_count, 64);
MDL_AT(mdl_graph, output_count, 72);
MDL_AT(mdl_graph, state_count, 80);

MDL_SIZE(mdl_group, 48);
MDL_AT(mdl_group, nodes, 0);
MDL_AT(mdl_group, node_count, 8);
MDL_AT(mdl_group, inputs, 16);
MDL_AT(mdl_group, input_count, 24);
MDL_AT(mdl_group, outputs, 32);
MDL_AT(mdl_group, output_count, 40);

MDL_SIZE(mdl_backend_context, 72);
MDL_AT(mdl_backend_context, struct_size, 0);
MDL_AT(mdl_backend_context, isa, 8);
MDL_AT(mdl_backend_context, isa_names, 16);
MDL_AT(mdl_backend_context, numerics, 24);
MDL_AT(mdl_backend_context, precision, 28);
MDL_AT(mdl_backend_context, kernels, 32);
MDL_AT(mdl_backend_context, l1d_bytes, 40);
MDL_AT(mdl_backend_context, l2_bytes, 48);
MDL_AT(mdl_backend_context, l3_bytes, 56);
MDL_AT(mdl_backend_context, memory_budget, 64);

MDL_SIZE(mdl_host, 24);
MDL_AT(mdl_host, struct_size, 0);
MDL_AT(mdl_host, context, 8);
MDL_AT(mdl_host, allocate, 16);

MDL_SIZE(mdl_shape, 72);
MDL_AT(mdl_shape, rank, 0);
MDL_AT(mdl_shape, dims, 8);

MDL_SIZE(mdl_operand, 16);
MDL_AT(mdl_operand, data, 0);
MDL_AT(mdl_operand, pitch, 8);

MDL_SIZE(mdl_stripe, 12);
MDL_AT(mdl_stripe, stride, 0);
MDL_AT(mdl_stripe, before, 4);
MDL_AT(mdl_stripe, after, 8);

MDL_SIZE(mdl_step, 128);
MDL_AT(mdl_step, struct_size, 0);
MDL_AT(mdl_step, kernel, 8);
MDL_AT(mdl_step, data, 16);
MDL_AT(mdl_step, numerics, 24);
MDL_AT(mdl_step, phase_count, 28);
MDL_AT(mdl_step, run, 32);
MDL_AT(mdl_step, args_bytes, 40);
MDL_AT(mdl_step, scratch_bytes, 48);
MDL_AT(mdl_step, packed_bytes, 56);
MDL_AT(mdl_step, device_bytes, 64);
MDL_AT(mdl_step, macs, 72);
MDL_AT(mdl_step, row_grain, 80);
MDL_AT(mdl_step, strided, 84);
MDL_AT(mdl_step, in_place, 88);
MDL_AT(mdl_step, stripe, 104);
MDL_AT(mdl_step, found, 120);

MDL_SIZE(mdl_rows, 32);
MDL_AT(mdl_rows, rows, 0);

MDL_SIZE(mdl_backend, 160);
MDL_AT(mdl_backend, struct_size, 0);
MDL_AT(mdl_backend, abi, 8);
MDL_AT(mdl_backend, numerics, 12);
MDL_AT(mdl_backend, name, 16);
MDL_AT(mdl_backend, version, 24);
MDL_AT(mdl_backend, device, 32);
MDL_AT(mdl_backend, open, 40);
MDL_AT(mdl_backend, close, 48);
MDL_AT(mdl_backend, fuse, 56);
MDL_AT(mdl_backend, supports, 64);
MDL_AT(mdl_backend, plan, 72);
MDL_AT(mdl_backend, pack, 80);
MDL_AT(mdl_backend, check_packed, 88);
MDL_AT(mdl_backend, resize, 96);
MDL_AT(mdl_backend, bind, 104);
MDL_AT(mdl_backend, submit, 112);
MDL_AT(mdl_backend, wait, 120);
MDL_AT(mdl_backend, allocate_shared, 128);
MDL_AT(mdl_backend, release_shared, 136);
MDL_AT(mdl_backend, device_status, 144);
MDL_AT(mdl_backend, explain, 152);

#endif
