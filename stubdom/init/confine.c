#include "confine.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/* What QEMU's own sandbox refuses under obsolete, elevateprivileges, spawn and resourcecontrol, and what only an
 * administrator calls. execve itself must stay, as init starts QEMU through it, but without a second process it can
 * only replace QEMU by itself under the same filter. */
static const int refused[] = {
	SYS_fork, SYS_vfork, SYS_execveat, SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_kcmp,
	SYS_setuid, SYS_setgid, SYS_setpgid, SYS_setsid, SYS_setreuid, SYS_setregid, SYS_setresuid, SYS_setresgid,
	SYS_setfsuid, SYS_setfsgid, SYS_setgroups, SYS_capset,
	SYS_setpriority, SYS_sched_setparam, SYS_sched_setscheduler, SYS_sched_setaffinity, SYS_sched_setattr,
	SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_unshare, SYS_setns, SYS_open_by_handle_at,
	SYS_fsopen, SYS_fsmount, SYS_move_mount, SYS_open_tree,
	SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_kexec_load, SYS_kexec_file_load, SYS_reboot,
	SYS_swapon, SYS_swapoff, SYS_acct, SYS_quotactl, SYS_syslog, SYS_bpf, SYS_perf_event_open, SYS_userfaultfd,
	SYS_io_uring_setup, SYS_add_key, SYS_request_key, SYS_keyctl, SYS_personality, SYS_uselib, SYS_ustat,
	SYS_sysfs, SYS_modify_ldt, SYS_settimeofday, SYS_clock_settime, SYS_adjtimex, SYS_clock_adjtime,
};

enum { REFUSED_COUNT = sizeof refused / sizeof refused[0], FILTER_LIMIT = 2 * REFUSED_COUNT + 32 };

#define FIELD(name) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, name))
#define UNLESS_EQUAL(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip)
#define VERDICT(value) BPF_STMT(BPF_RET | BPF_K, value)
#define REFUSE(number) (SECCOMP_RET_ERRNO | (number))

int confine_device_model(void) {
	static const struct sock_filter head[] = {
		FIELD(arch), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0), VERDICT(SECCOMP_RET_KILL_PROCESS),
		FIELD(nr),
		/* x32 numbers name the same calls once more. */
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1), VERDICT(SECCOMP_RET_KILL_PROCESS),
		/* Its flags lie in memory, out of the filter's sight: libc falls back to clone. */
		UNLESS_EQUAL(SYS_clone3, 1), VERDICT(REFUSE(ENOSYS)),
		/* Threads yes, processes no. */
		UNLESS_EQUAL(SYS_clone, 4), FIELD(args[0]), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 1, 0),
		VERDICT(REFUSE(EPERM)), VERDICT(SECCOMP_RET_ALLOW),
		/* QEMU opens the save console through its descriptor set with O_TRUNC and then insists on truncating it, which
		 * a terminal refuses. Truncating to nothing is answered with success; QEMU truncates nothing else here. */
		UNLESS_EQUAL(SYS_ftruncate, 4), FIELD(args[1]), UNLESS_EQUAL(0, 1), VERDICT(REFUSE(0)), VERDICT(SECCOMP_RET_ALLOW),
	};
	struct sock_filter filter[FILTER_LIMIT];
	unsigned short length = 0;
	for (size_t i = 0; i < sizeof head / sizeof head[0]; i++) filter[length++] = head[i];
	for (size_t i = 0; i < REFUSED_COUNT; i++) {
		filter[length++] = (struct sock_filter)UNLESS_EQUAL((unsigned)refused[i], 1);
		filter[length++] = (struct sock_filter)VERDICT(REFUSE(EPERM));
	}
	filter[length++] = (struct sock_filter)VERDICT(SECCOMP_RET_ALLOW);
	struct sock_fprog program = {.len = length, .filter = filter};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}
