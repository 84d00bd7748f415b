/** What Linux knows of a process: processor time and resident memory. */
import { readFileSync } from 'node:fs';

/** Clock ticks per second in /proc; 100 on every Linux that Node runs on. */
const TICKS_PER_S = 100;

/** Processor time a process has used, in milliseconds (steps of 10); NaN where there is no /proc. */
export function processorMs(pid: number | undefined): number {
  const stat = read(pid, 'stat');
  // Fields 14 and 15 (user and system time), counted after the name, which may hold blanks.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1_000) / TICKS_PER_S;
}

/** Resident memory of a process in MiB, now and at its highest; NaN where there is no /proc. */
export function residentMiB(pid: number | undefined): { now: number; peak: number } {
  const status = read(pid, 'status');
  const kib = (field: string): number =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? Number.NaN);
  return { now: kib('VmRSS') / 1024, peak: kib('VmHWM') / 1024 };
}

function read(pid: number | undefined, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
