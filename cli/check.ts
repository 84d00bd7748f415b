/** How doctor shows its checks. Pure. */
import type { Check } from '../shared/diagnosis.ts';
import type { Paint } from './card.ts';

export type { Check } from '../shared/diagnosis.ts';

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
