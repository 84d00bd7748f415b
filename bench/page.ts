/** docs/performance.md: the last figures of every bench, one section each; a run of some benches renews only theirs. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { isReached } from './report.ts';
import type { Report, Verdict } from './report.ts';

const FILE = resolve(import.meta.dirname, '../docs/performance.md');
const HEAD = `# Performance

What \`make bench\` printed last, section by section. Times depend on the machine; the ratios are measured against a floor
in the same run (a raw insert, a bare \`node:http\` server, a sequential scan), so they can be compared between machines.
✓ and ✗ hold a figure against the project's goal for it; a goal that is missed stays here with its true figure.
`;

/** Where and when a section was measured. */
export interface Circumstances {
  readonly at: string;
  readonly node: string;
  readonly processors: number;
  readonly model: string;
}

/** Puts the reports into the page; sections of other benches stay as they are. */
export function renewPage(reports: readonly Report[], circumstances: Circumstances): void {
  const known = existsSync(FILE) ? readSections(readFileSync(FILE, 'utf8')) : new Map<string, string>();
  for (const report of reports) known.set(report.name, toSection(report, circumstances));
  writeFileSync(FILE, [HEAD, ...known.values()].join('\n'));
}

function readSections(page: string): Map<string, string> {
  const parts = page.split(/^(?=## )/m).slice(1);
  return new Map(parts.map((part) => [/^## (.*)$/m.exec(part)?.[1] ?? '', `${part.trimEnd()}\n`]));
}

function toSection(report: Report, { at, node, processors, model }: Circumstances): string {
  const row = (cells: ReadonlyArray<string | number>): string => `| ${cells.map(toCell).join(' | ')} |`;
  const table =
    report.rows.length === 0
      ? []
      : ['', row(report.columns), row(report.columns.map(() => '---')), ...report.rows.map(row)];
  return [
    `## ${report.name}`,
    '',
    ...report.notes.map((note) => `- ${escape(note)}`),
    `- ${at.slice(0, 10)}, Node ${node}, ${processors} × ${model}`,
    ...table,
    '',
    ...report.verdicts.map((verdict) => `- ${toVerdict(verdict)}`),
    '',
  ].join('\n');
}

function toVerdict(verdict: Verdict): string {
  const { what, value, goal, unit = '' } = verdict;
  const mark = goal === null ? '' : isReached(verdict) ? '✓ ' : '✗ ';
  return `${mark}${escape(what)}: ${toCell(value)}${unit}${goal === null ? '' : ` (goal ${goal[0] === '>=' ? '≥' : '≤'} ${goal[1]})`}`;
}

function toCell(value: string | number): string {
  if (typeof value === 'string') return escape(value);
  return Math.abs(value) >= 100 ? value.toFixed(0) : Number(value.toFixed(4)).toString();
}

function escape(text: string): string {
  return text.replaceAll(/[|\\*_<]/g, String.raw`\$&`);
}
