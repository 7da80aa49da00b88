import type { CpuidRegister } from "@bulkhead/hypervisor";

/** A word of 32 CPUID bits. */
export interface CpuidWord {
	leaf: number;
	subleaf?: number;
	register: CpuidRegister;
	/** Names by which xl knows its bits, from bit 0 on, "" for a bit without a name. */
	names: string;
}

/** The CPU's features by xl's names, at the places that the vendors' manuals give them. */
export const CPUID_WORDS: readonly CpuidWord[] = [
	{
		leaf: 1,
		register: "ecx",
		names:
			"sse3 pclmulqdq dtes64 monitor dscpl vmx smx est tm2 ssse3 cntxid _ fma cmpxchg16 xtpr pdcm _ pcid dca sse4.1 sse4.2 x2apic movbe popcnt tsc-deadline aes xsave osxsave avx f16c rdrand hypervisor",
	},
	{
		leaf: 1,
		register: "edx",
		names:
			"fpu vme de pse tsc msr pae mce cmpxchg8 apic _ sysenter mtrr pge mca cmov pat pse36 psn clfsh _ ds acpi mmx fxsr sse sse2 ss htt tm ia64 pbe",
	},
	{ leaf: 6, register: "eax", names: "_ _ arat" },
	{
		leaf: 7,
		subleaf: 0,
		register: "ebx",
		names:
			"fsgsbase tsc_adjust _ bmi1 hle avx2 _ smep bmi2 erms invpcid rtm cmt _ mpx cat avx512f avx512dq rdseed adx smap avx512-ifma _ clflushopt clwb proc-trace avx512pf avx512er avx512cd sha avx512bw avx512vl",
	},
	{
		leaf: 7,
		subleaf: 0,
		register: "ecx",
		names:
			"prefetchwt1 avx512-vbmi umip pku ospke _ avx512-vbmi2 cet-ss gfni vaes vpclmulqdq avx512-vnni avx512-bitalg _ avx512-vpopcntdq _ _ _ _ _ _ _ rdpid _ _ cldemote",
	},
	{
		leaf: 7,
		subleaf: 0,
		register: "edx",
		names:
			"_ _ avx512-4vnniw avx512-4fmaps _ _ _ _ avx512-vp2intersect srbds-ctrl md-clear _ _ _ serialize _ _ _ _ _ cet-ibt _ _ _ _ _ ibrsb stibp l1d-flush arch-caps core-caps ssbd",
	},
	{ leaf: 0xd, subleaf: 1, register: "eax", names: "xsaveopt xsavec xgetbv1 xsaves" },
	{
		leaf: 0x8000_0001,
		register: "ecx",
		names:
			"lahfsahf cmplegacy svm extapic altmovcr8 abm sse4a misalignsse 3dnowprefetch osvw ibs xop skinit wdt _ lwp fma4 _ _ nodeid _ tbm topoext perfctr_core perfctr_nb",
	},
	{
		leaf: 0x8000_0001,
		register: "edx",
		names: "_ _ _ _ _ _ _ _ _ _ _ syscall _ _ _ _ _ _ _ mp nx _ mmxext _ _ ffxsr page1gb rdtscp _ lm 3dnowext 3dnow",
	},
	{ leaf: 0x8000_0007, register: "edx", names: "_ _ _ _ _ _ _ _ invtsc" },
	{
		leaf: 0x8000_0008,
		register: "ebx",
		names:
			"clzero _ rstr-fp-err-ptrs _ _ _ _ _ _ wbnoinvd _ _ ibpb _ ibrs amd-stibp _ _ _ _ _ _ _ ppin amd-ssbd virt-ssbd",
	},
	{
		leaf: 0x8000_000a,
		register: "edx",
		names: "svm_npt svm_lbrv _ svm_nrips svm_tscrate svm_vmcbclean svm_flushbyasid svm_decode _ _ svm_pausefilt",
	},
];
