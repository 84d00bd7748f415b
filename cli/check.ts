/** What a check of doctor says, and how all of them are shown. Pure. */
import type { Paint } from './card.ts';

/**
 * `ok`; `off`: not configured, and nothing is wrong with that; `warn`: works without, but less well; `fail`: needed and
 * not there.
 */
export type Verdict = 'ok' | 'off' | 'warn' | 'fail';

export interface Check {
  readonly name: string;
  readonly verdict: Verdict;
  readonly detail: string;
  /** What to do about it; told for everything but `ok`. */
  readonly fix?: string;
}

const SIGNS = { ok: 'ok', off: '-', warn: 'warn', fail: 'FAIL' } as const;
const COLOURS = { ok: 'green', off: 'gray', warn: 'yellow', fail: 'red' } as const;

/** One line per check, and a second one where something can be done. */
export function toTable(checks: readonly Check[], paint: Paint): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  return checks
    .flatMap(({ name, verdict, detail, fix }) => [
      `${paint(COLOURS[verdict], SIGNS[verdict].padEnd(4))}  ${name.padEnd(width)}  ${detail}`,
      ...(fix === undefined ? [] : [`${' '.repeat(width + 8)}→ ${fix}`]),
    ])
    .join('\n');
}
