# SPDX-License-Identifier: Apache-2.0
# Reset code: real mode to long mode, then run_image(). Linked to run from RAM at 1 MiB; the ROM holds a copy of it.
        .set STACK, 0x80000
        .code16
        .section .reset, "ax"           # the last 16 bytes of the ROM
        jmp rom16
        .org 16
        .section .rom16, "ax"           # the 240 bytes before them
rom16:  cli
        cld
        lgdtl %cs:(gdtr - rom16 + 0xff00)
        mov %cr0, %eax
        or $1, %eax
        mov %eax, %cr0
        ljmpl *%cs:(far32 - rom16 + 0xff00)
far32:  .long rom32 - rom16 + 0xffffff00
        .word 8
gdtr:   .word 39
        .long gdt - rom16 + 0xffffff00
        .balign 8
gdt:    .quad 0
        .quad 0x00cf9b000000ffff        # 08 code, 32 bits
        .quad 0x00cf93000000ffff        # 10 data
        .quad 0x00af9b000000ffff        # 18 code, 64 bits
        .quad 0x00cf93000000ffff        # 20 data, as SYSCALL wants it after 18
        .code32
rom32:  mov $0x10, %ax
        mov %ax, %ds
        mov %ax, %es
        mov %ax, %ss
        mov $ROM_KERNEL, %esi           # the runner: ROM to RAM
        mov $0x100000, %edi
        mov $KERNEL_SIZE, %ecx
        rep movsb
        jmp *%cs:(ptr - rom16 + 0xffffff00)
ptr:    .long start32
        .section .text.start, "ax"
        .globl start32
start32:
        mov $STACK, %esp
        mov $0x8000, %edi               # page tables at 0x8000: 4 GiB, 2 MiB pages
        xor %eax, %eax
        mov $0x6000 / 4, %ecx
        rep stosl
        movl $0x9003, 0x8000
        movl $0xa003, 0x9000
        movl $0xb003, 0x9008
        movl $0xc003, 0x9010
        movl $0xd003, 0x9018
        mov $0xa000, %edi
        mov $0x83, %eax
        xor %edx, %edx
1:      mov %eax, (%edi)
        add $8, %edi
        add $0x200000, %eax
        inc %edx
        cmp $2048, %edx
        jb 1b
        mov $0x8000, %eax
        mov %eax, %cr3
        mov $0x40668, %eax              # PAE, MCE, DE, OSFXSR, OSXMMEXCPT, OSXSAVE
        mov %eax, %cr4
        mov $0xc0000080, %ecx
        mov $0x101, %eax                # LME, SCE
        xor %edx, %edx
        wrmsr
        mov $0x80010033, %eax           # PG, WP, NE, ET, MP, PE
        mov %eax, %cr0
        ljmpl $0x18, $start64
        .code64
start64:
        mov $0x20, %ax
        mov %ax, %ds
        mov %ax, %es
        mov %ax, %ss
        mov $STACK, %rsp
        fninit
        mov $0xd, %eax                  # switch on every state component the CPU lists
        xor %ecx, %ecx
        cpuid
        and $0x600e7, %eax
        xor %edx, %edx
        xor %ecx, %ecx
        xsetbv
        call run_image
        .globl enter_program               # (entry, stack)
enter_program:
        mov %rsi, %rsp
        xor %edx, %edx
        xor %ebp, %ebp
        jmp *%rdi
        .globl syscall_entry            # runs on its own stack; the test itself is in ring 0 too
syscall_entry:
        mov %rsp, program_rsp(%rip)
        mov $STACK, %rsp
        push %rcx
        push %r11
        push %rdi
        push %rsi
        push %rdx
        push %r10
        push %r8
        push %r9
        mov %rsp, %rsi
        mov %rax, %rdi
        call handle_syscall
        pop %r9
        pop %r8
        pop %r10
        pop %rdx
        pop %rsi
        pop %rdi
        pop %r11
        pop %rcx
        mov program_rsp(%rip), %rsp
        push %r11
        popf
        jmp *%rcx
program_rsp: .quad 0
        .globl signed_dot_entry         # INT3, on the task's stack
signed_dot_entry:
        .irp r, rax, rcx, rdx, rsi, rdi, r8, r9, r10, r11
        push %\r
        .endr
        cld
        lea 72(%rsp), %rdi
        call handle_signed_dot
        .irp r, r11, r10, r9, r8, rdi, rsi, rdx, rcx, rax
        pop %\r
        .endr
        iretq
        .altmacro
        .macro stub n
trap\n: pushq $\n
        jmp trap_common
        .balign 16
        .endm
        .balign 16
        .globl trap_stubs
trap_stubs:
        .set i, 0
        .rept 32
        stub %i
        .set i, i + 1
        .endr
trap_common:
        mov (%rsp), %rdi
        lea 8(%rsp), %rsi
        mov $STACK, %rsp
        cld
        jmp handle_trap
        .section .note.GNU-stack, "", @progbits
