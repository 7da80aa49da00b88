export interface ProcessCounts {
	/** Processes made, threads not counted. */
	forks: number;
	threads: number;
	/** Programs started, in order; failed attempts left out. */
	programs: string[];
}

const FORK = /(?:^|\s)(?:clone3?|v?fork)\(/;
const EXEC = /(?:^|\s)execve\("([^"]+)"/;

/**
 * Counts what `strace -f -e trace=clone,clone3,fork,vfork,execve` wrote. A call that another thread interrupts takes two
 * lines, `… <unfinished ...>` and `… resumed`; the first has the arguments and is the one that counts.
 */
export function readStraceLog(log: string): ProcessCounts {
	const counts: ProcessCounts = { forks: 0, threads: 0, programs: [] };
	for (const line of log.split("\n")) {
		if (FORK.test(line)) {
			if (line.includes("CLONE_THREAD")) counts.threads++;
			else counts.forks++;
		}
		const program = EXEC.exec(line)?.[1];
		if (program !== undefined && !/= -1 /.test(line)) counts.programs.push(program);
	}
	return counts;
}
