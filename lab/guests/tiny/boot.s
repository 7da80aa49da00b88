# The tiny guest: a boot sector and seven more, talking on COM1 (115200 8N1). It is up within a second, and small enough
# to be understood when something else breaks. With CD defined it is the boot image of a CD (El Torito, no emulation). Lines it takes, each a letter and Enter:
#   r  read 64 KiB (CD: 4 KiB) through BIOS int 13h, print the sum of its      b  reboot (port 0xCF9)
#      32-bit words
#   w  write a sector, read it back, compare                                   o  power off (ACPI: PIIX4's PM1a control)
#   e  print the rest of the line                                              h  halt with interrupts off
#   c  crash: SCHEDOP_shutdown with reason "crash"                             t  triple fault
#   g  graphics of 800x600 pixels, painted; then each key of the keyboard paints a square and is printed; Escape ends
	.intel_syntax noprefix
	.code16
	.globl _start

	.set COM1, 0x3f8
	.set LATER_SECTORS, 7
	.set LINE, 0x6000			# the line being typed
	.set LINE_LIMIT, 72
	.set RING, 0x6100			# 256 bytes between the interrupt and the loop
	.set MODE_INFO, 0x6200			# 256 bytes of the VESA BIOS
	.set MODE, 0x143			# 800x600, 32 bits a pixel
	.set WIDTH, 800
	.set HEIGHT, 600
	.set SQUARE, 100			# in the middle
	.set HYPERCALL_PAGE, 0x9000
	.set DATA_SEGMENT, 0x1000		# sectors are read to 0x10000
	.set SCRATCH_LBA, 48
	.ifdef CD				# sectors of 2048 bytes, each half a second under emulation
	.set SECTOR_WORDS, 512
	.set READ_SECTORS, 2
	.set READ_TIMES, 1
	.else
	.set SECTOR_WORDS, 128
	.set READ_SECTORS, 64
	.set READ_TIMES, 2
	.set DATA_LBA, 64
	.endif

_start:
	.ifdef CD				# loaded whole, with a boot information table in its first 64 bytes
	jmp 1f
	.org 12
file_lba: .long 0				# of this file
	.org 64
1:
	.endif
	cli
	xor ax, ax
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov sp, 0x7c00
	ljmp 0, offset 1f
1:	sti
	cld
	mov [drive], dl
	.ifndef CD
	mov word ptr [packet + 2], LATER_SECTORS
	mov word ptr [packet + 4], 0x7e00
	mov word ptr [packet + 6], 0
	mov dword ptr [packet + 8], 1
	mov ah, 0x42
	call disk
	.endif
	jmp main

# AH = 42h read, 43h write, as `packet` says. Carry on failure.
disk:
	mov dl, [drive]
	mov si, offset packet
	xor al, al
	int 0x13
	ret

drive:	.byte 0
	.align 4
packet:	.byte 16, 0
	.word 0, 0, 0
	.long 0, 0

	.org 510
	.byte 0x55, 0xaa

# ---- below: loaded by the first sector -------------------------------------------------------------------------

main:
	call uart_setup
	mov si, offset banner
	call print
prompt:
	mov word ptr [line_length], 0
next:	call get_byte
	cmp al, 13
	je run
	cmp al, 10
	je next
	mov bx, [line_length]
	cmp bx, LINE_LIMIT
	jae next
	mov [LINE + bx], al
	inc word ptr [line_length]
	call put_byte
	jmp next

run:	call newline
	mov bx, [line_length]
	mov byte ptr [LINE + bx], 0
	mov al, [LINE]
	cmp bx, 0
	je prompt
	mov si, offset commands
1:	cmp byte ptr [si], 0
	je unknown
	cmp [si], al
	je 2f
	add si, 3
	jmp 1b
2:	call [si + 1]
	jmp prompt
unknown:
	mov si, offset unknown_text
	call print
	jmp prompt

commands:
	.byte 'r'
	.word read_disk
	.byte 'w'
	.word write_disk
	.byte 'e'
	.word echo_rest
	.byte 'b'
	.word reboot
	.byte 'o'
	.word power_off
	.byte 'h'
	.word halt
	.byte 'c'
	.word crash
	.byte 't'
	.word triple_fault
	.byte 'g'
	.word graphics
	.byte 0

echo_rest:
	mov si, LINE + 1
	call print
	jmp newline

read_disk:
	mov dword ptr [sum], 0
	.ifdef CD
	mov eax, [file_lba]
	add eax, 2				# behind this code
	.else
	mov eax, DATA_LBA
	.endif
	mov [packet + 8], eax
	mov byte ptr [rounds], READ_TIMES
1:	mov word ptr [packet + 2], READ_SECTORS
	mov word ptr [packet + 4], 0
	mov word ptr [packet + 6], DATA_SEGMENT
	mov ah, 0x42
	call with_bios_irqs
	jc disk_failed
	mov ax, DATA_SEGMENT
	mov fs, ax
	xor bx, bx
	mov cx, READ_SECTORS * SECTOR_WORDS
	mov edx, [sum]
2:	add edx, fs:[bx]
	add bx, 4
	loop 2b
	mov [sum], edx
	add dword ptr [packet + 8], READ_SECTORS
	dec byte ptr [rounds]
	jnz 1b
	mov si, offset sum_text
	call print
	mov edx, [sum]
	call print_hex
	jmp newline
disk_failed:
	mov si, offset disk_text
	jmp print

write_disk:
	rdtsc
	mov edx, eax				# what is written differs each time
	mov ax, DATA_SEGMENT
	mov es, ax
	xor di, di
	mov eax, edx
	mov cx, 128
1:	stosd
	add eax, 0x01000193
	loop 1b
	xor ax, ax
	mov es, ax
	mov word ptr [packet + 2], 1
	mov word ptr [packet + 4], 0
	mov word ptr [packet + 6], DATA_SEGMENT
	mov dword ptr [packet + 8], SCRATCH_LBA
	push edx
	mov ah, 0x43
	call with_bios_irqs
	pop edx
	jc disk_failed
	mov word ptr [packet + 2], 1
	mov word ptr [packet + 4], 0x200
	push edx
	mov ah, 0x42
	call with_bios_irqs
	pop edx
	jc disk_failed
	mov ax, DATA_SEGMENT
	mov fs, ax
	mov bx, 0x200
	mov cx, 128
1:	cmp fs:[bx], edx
	jne disk_failed
	add edx, 0x01000193
	add bx, 4
	loop 1b
	mov si, offset write_text
	jmp print

# The BIOS' disk code waits for the timer: it gets its interrupts back for as long as it works.
with_bios_irqs:
	push ax
	mov al, [bios_mask]
	out 0x21, al
	pop ax
	call disk
	pushf
	mov al, 0xef
	out 0x21, al
	popf
	ret

reboot:
	mov dx, 0xcf9
	mov al, 6
	out dx, al
	jmp halt
power_off:
	mov dx, 0xb004				# where hvmloader puts PM1a_CNT
	mov ax, 0x2000				# SLP_EN, SLP_TYP 0 = S5
	out dx, ax
halt:	cli
	hlt
	jmp halt
triple_fault:
	lidt [nothing]
	int3
	jmp halt

graphics:
	mov ax, 0x4f01
	mov cx, MODE
	mov di, MODE_INFO
	int 0x10
	mov ax, 0x4f02
	mov bx, MODE + 0x4000			# with a linear frame buffer
	int 0x10
	cmp ax, 0x004f
	jne unknown_mode
	call flat_fs
	mov edi, [MODE_INFO + 0x28]
	xor edx, edx				# row
1:	xor ecx, ecx				# column
2:	mov al, cl
	xor al, dl
	shl eax, 16				# red: one with the other
	mov ah, dl				# green: the row
	mov al, cl				# blue: the column
	and eax, 0xffffff
	mov fs:[edi], eax
	add edi, 4
	inc ecx
	cmp ecx, WIDTH
	jb 2b
	inc edx
	cmp edx, HEIGHT
	jb 1b
	mov al, 0xec				# keyboard and timer, too
	out 0x21, al
	sti
	mov si, offset painted_text
	call print
3:	mov ah, 1
	int 0x16
	jnz 4f
	hlt
	jmp 3b
4:	xor ah, ah
	int 0x16
	cmp al, 27
	je 6f
	mov [key], al
	call flat_fs
	movzx eax, byte ptr [key]
	imul eax, eax, 0x010305			# a key's colour
	mov edi, [MODE_INFO + 0x28]
	add edi, 4 * ((HEIGHT - SQUARE) / 2 * WIDTH + (WIDTH - SQUARE) / 2)
	mov dx, SQUARE
5:	mov cx, SQUARE
7:	mov fs:[edi], eax
	add edi, 4
	loop 7b
	add edi, 4 * (WIDTH - SQUARE)
	dec dx
	jnz 5b
	sti
	mov si, offset key_text
	call print
	movzx edx, byte ptr [key]
	call print_hex
	call newline
	jmp 3b
6:	mov ax, 3
	int 0x10
	mov al, 0xef
	out 0x21, al
	ret
unknown_mode:
	mov si, offset unknown_text
	jmp print

# Interrupts off, and all of memory through FS: until the next call of the BIOS.
flat_fs:
	cli
	lgdt [gdt_pointer]
	mov eax, cr0
	or al, 1
	mov cr0, eax
	mov bx, 16
	mov fs, bx
	and al, 0xfe
	mov cr0, eax
	ret

# Hypercalls need protected mode: Xen refuses them from real mode.
crash:
	cli
	lgdt [gdt_pointer]
	mov eax, cr0
	or al, 1
	mov cr0, eax
	ljmp 8, offset 1f
	.code32
1:	mov ax, 16
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov ecx, [xen_leaf]
2:	mov eax, ecx				# Xen's CPUID leaves start at a multiple of 0x100
	cpuid
	cmp ebx, 0x566e6558			# "XenV"
	je 3f
	mov ecx, [xen_leaf]
	add ecx, 0x100
	mov [xen_leaf], ecx
	cmp ecx, 0x40010000
	jb 2b
	jmp 4f
3:	mov eax, [xen_leaf]
	add eax, 2
	cpuid					# EBX: the MSR that takes the hypercall page's address
	mov ecx, ebx
	mov eax, HYPERCALL_PAGE
	xor edx, edx
	wrmsr
	mov ebx, 2				# SCHEDOP_shutdown
	mov ecx, offset crash_reason
	mov eax, HYPERCALL_PAGE + 29 * 32	# __HYPERVISOR_sched_op
	call eax
4:	hlt
	jmp 4b
	.code16

uart_setup:
	cli
	mov dx, COM1 + 3
	mov al, 0x80
	out dx, al
	mov dx, COM1
	mov al, 1
	out dx, al
	inc dx
	xor al, al
	out dx, al
	mov dx, COM1 + 3
	mov al, 3
	out dx, al
	dec dx
	mov al, 0x07				# FIFO on and empty
	out dx, al
	mov dx, COM1 + 4
	mov al, 0x0b				# OUT2 lets the interrupt through
	out dx, al
	mov dx, COM1 + 1
	mov al, 1
	out dx, al
	mov word ptr [0x0c * 4], offset uart_interrupt
	mov word ptr [0x0c * 4 + 2], 0
	in al, 0x21
	mov [bios_mask], al
	mov al, 0xef				# IRQ 4 alone: an idle guest sleeps
	out 0x21, al
	sti
	ret

uart_interrupt:
	push ax
	push bx
	push dx
1:	mov dx, COM1 + 5
	in al, dx
	test al, 1
	jz 2f
	mov dx, COM1
	in al, dx
	movzx bx, byte ptr cs:[ring_head]
	mov cs:[RING + bx], al
	inc byte ptr cs:[ring_head]
	jmp 1b
2:	mov al, 0x20
	out 0x20, al
	pop dx
	pop bx
	pop ax
	iret

get_byte:
	cli
	movzx bx, byte ptr [ring_tail]
	cmp bl, [ring_head]
	jne 1f
	sti
	hlt
	jmp get_byte
1:	sti
	mov al, [RING + bx]
	inc byte ptr [ring_tail]
	ret

put_byte:
	push dx
	push ax
	mov dx, COM1 + 5
1:	in al, dx
	test al, 0x20
	jz 1b
	pop ax
	mov dx, COM1
	out dx, al
	pop dx
	ret

print:	lodsb
	test al, al
	jz 1f
	call put_byte
	jmp print
1:	ret

newline:
	mov si, offset newline_text
	jmp print

print_hex:
	mov cx, 8
1:	rol edx, 4
	mov al, dl
	and al, 15
	add al, '0'
	cmp al, '9'
	jbe 2f
	add al, 39
2:	call put_byte
	loop 1b
	ret

banner:		.asciz "TINY-UP\r\n"
unknown_text:	.asciz "?\r\n"
sum_text:	.asciz "SUM "
write_text:	.asciz "WRITE ok\r\n"
disk_text:	.asciz "DISK failed\r\n"
painted_text:	.asciz "PAINTED\r\n"
key_text:	.asciz "KEY "
newline_text:	.asciz "\r\n"
line_length:	.word 0
ring_head:	.byte 0
ring_tail:	.byte 0
bios_mask:	.byte 0
rounds:		.byte 0
key:		.byte 0
	.align 4
sum:		.long 0
xen_leaf:	.long 0x40000000
crash_reason:	.long 3
nothing:	.word 0
		.long 0
	.align 8
gdt:		.quad 0
		.quad 0x00cf9a000000ffff
		.quad 0x00cf92000000ffff
gdt_pointer:	.word 23
		.long gdt

	.org 512 * (1 + LATER_SECTORS)
